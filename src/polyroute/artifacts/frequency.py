"""Activation frequency of every expert on a task's prompts: what the stage `evaluate` keeps, and controls match in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from polyroute.ground.errors import AnswerError

FILE = "frequency.csv"
"""Name of the file, in the folder of a task's answers as the model is."""
COLUMNS = ("language", "layer", "expert", "frequency")
"""`frequency` is the share of a prompt's tokens that are sent to the expert, mean over prompts (paper 1, Eq. 3)."""


def read(path: Path, layers: Sequence[int], experts: int) -> dict[str, NDArray[np.float64]]:
    """Language -> (L, E) activation frequency.

    Args:
        path: of the file.
        layers: numbers of the model's L layers.
        experts: of each layer.

    Raises:
        AnswerError: the file is absent, or of another model; names it.
    """
    try:
        table = pd.read_csv(path)
    except FileNotFoundError:
        raise AnswerError(f"{path} is absent: run `dvc repro`, or `dvc pull` where somebody shares it") from None
    found = {}
    for language, rows in table.groupby("language", sort=False):
        told = list(zip(rows["layer"], rows["expert"], strict=True))
        if told != [(layer, expert) for layer in layers for expert in range(experts)]:
            raise AnswerError(
                f"{path}: {language} does not hold {len(layers)} layers of {experts} experts: run `evaluate` again"
            )
        found[str(language)] = rows["frequency"].to_numpy(np.float64).reshape(len(layers), experts)
    return found
