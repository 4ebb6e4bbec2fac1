"""The model of a stage, found and loaded at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from polyroute.models.load import LoadedModel
    from polyroute.models.settings import ModelSettings


def load_settled(name: str, spec: ModelSettings) -> LoadedModel:
    """Find and load a model and check its routers, in the process that calls this.

    Raises:
        ModelError, RouterError: as `models.load.load` and `models.source.locate_settled`.
    """
    from polyroute.models.load import load
    from polyroute.models.source import locate_settled

    return load(name, spec, locate_settled(name, spec))
