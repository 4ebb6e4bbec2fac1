"""Runs of a variant that DVC tries (`dvc exp run`) stand beside those of the study, not in their place."""

from __future__ import annotations

import os

VARIABLE = "DVC_EXP_NAME"
"""DVC sets it for the stages of an experiment."""


def experiment(study: str) -> str:
    """Name of the experiment in MLflow: the study's, or `<study>: <variant>` while a variant is tried.

    Args:
        study: name of the study.
    """
    variant = os.environ.get(VARIABLE)
    return f"{study}: {variant}" if variant else study
