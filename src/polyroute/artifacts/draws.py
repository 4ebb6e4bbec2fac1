"""What random initialisations of a model's architecture do with its text, layer by layer: `data/draws/<model>.json`.

Nothing in it depends on zones, so that ranks over other zones run no model.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import ValidationError

from polyroute.ground import again
from polyroute.ground.errors import PolyrouteError
from polyroute.ground.files import read_checked_json, write_checked_json
from polyroute.ground.frozen import Frozen


class DrawsError(PolyrouteError):
    """The file is absent or damaged; the message names it and says what to do."""


class Curves(Frozen):
    """One set of weights by layer; every list holds a value a layer, unrounded."""

    layers: list[int]
    """In the model's own numbering."""
    alignment: list[float]
    """Sentence alignment with the pivot, mean over languages."""
    divergence: list[float]
    """Divergence D from the pivot, mean over languages."""
    entropy_pivot: list[float]
    """Routing entropy of the pivot, nats, mean over sentences."""
    entropy_others: list[float]
    """The same, mean over the other languages."""
    overlap: list[float]
    """Overlap of experts over all languages."""
    specificity: list[float]
    """Specificity of experts, mean over languages."""


class Draws(Frozen):
    """What the stage `draw` leaves for `nulls`."""

    corpus: str
    """The generic text, which all are read on."""
    texts: dict[str, str]
    """FLORES code -> digest of its text, as traces name it; empty where nothing was drawn."""
    items: list[str]
    """Sentences that all were read from; empty where nothing was drawn."""
    not_run: Literal["recorded", "too_large", "cannot_build"] | None
    """Why no random initialisation was drawn, as `results.nulls.NotRun`; None where some were."""
    draws: list[Curves]
    """In order of seed."""

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the file.

        Raises:
            DrawsError: it is absent, damaged, or in another's place.
        """
        try:
            return cls.model_validate(read_checked_json(path, error=DrawsError))
        except FileNotFoundError:
            raise DrawsError(f"{path} is absent: {again.absent(path)}") from None
        except ValidationError as error:
            raise DrawsError(f"{path} is damaged ({error.errors()[0]['msg']}): {again.damaged(path)}") from None

    def write(self, path: Path) -> None:
        """Write the file; the same draws give the same bytes."""
        write_checked_json(path, self.model_dump(mode="json"))
