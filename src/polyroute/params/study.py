"""Section `study` of params.yaml."""

from __future__ import annotations

from pydantic import Field, field_validator

from polyroute.ground.frozen import Frozen
from polyroute.params.published import PresetName


class Study(Frozen):
    """What is studied."""

    name: str
    """Name of the MLflow experiment."""
    models: list[str] = Field(min_length=1)
    """Which entries of `models` the study has."""
    extra: list[str] = Field(default_factory=list)
    """Those of them that `polyroute study` leaves out unless it is told to run all."""
    distances: list[str] = Field(default_factory=list)
    """Which entries of `distances` are compared beside them."""
    pivot: str
    """FLORES code of the language that divergence is measured from."""
    seed: int = Field(ge=0)
    """Seed of token pairs, resampling and every other draw of the measurement."""
    preset: PresetName | None = None
    """The paper whose settings fill what entries of `models` leave out, of those whose `hub` it has."""

    @field_validator("name")
    @classmethod
    def _says_something(cls, name: str) -> str:
        if not name.strip():
            raise ValueError("it is empty; MLflow needs a name for the experiment")
        return name
