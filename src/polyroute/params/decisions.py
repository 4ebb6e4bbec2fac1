"""Choices that the papers leave open, as data: `decisions.yaml`, what they do, what we do by default, and why.

What a paper does, and how sure that is, stands in `published.yaml` where it is a setting, and is read from there; so is
our default from params.yaml, where a key has it. How far a choice moves an answer is in `metrics/`, not here.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from polyroute.ground import yaml12
from polyroute.ground.frozen import Frozen, Name, ParamsError
from polyroute.params.comparison import own_value
from polyroute.params.file import ParamsFile
from polyroute.params.published import Certainty, PresetName, Setting, published

FILE = "decisions.yaml"


class PublishedKey(Frozen):
    """A row of `published.yaml`."""

    key: str
    preset: PresetName = "published"
    model: Name = "qwen3-30b-a3b"


class Varied(Frozen):
    """A choice of the multiverses."""

    choice: str
    """As the columns of multiverse.csv."""
    claims: list[str] = Field(default=[])
    """Of which claims; none for all."""
    level: str | None = None
    """One level alone, against the study's own; None for all levels."""


class Decision(Frozen):
    """One open choice."""

    choice: str
    published: PublishedKey | None = None
    papers: str | None = None
    certainty: Certainty | None = None
    """Where no row of `published.yaml` says it."""
    model: Name = "qwen3-30b-a3b"
    """The entry of params.yaml that the key is of."""
    key: str | None = None
    """Dotted key of params.yaml, with roles for names."""
    none: str | None = None
    """Why there is no key."""
    ours: str | None = None
    """The default in words; None where the value of the key says it."""
    why: str = Field(min_length=1)
    other: str = Field(min_length=1)
    """What gives the other."""
    cells: list[Varied] = Field(default=[])
    """Choices of multiverses that vary it."""
    measured: Literal["mean_of_gains"] | None = None
    """Another measure of how far it moves the answer, in `polyroute.report.decisions`."""
    seen: str | None = None
    """Where else in the results its effect stands."""
    takes: str | None = None
    """What it would take to know the effect, where no data at hand vary it."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.published is None) != (self.certainty is not None):
            raise ValueError(f"{self.choice}: give `published`, which says how sure it is, or `certainty`")
        if self.published is None and self.papers is None:
            raise ValueError(f"{self.choice}: give `papers`, or `published`, which says it")
        if (self.key is None) != (self.none is not None):
            raise ValueError(f"{self.choice}: give `key`, or in `none` why there is none")
        if self.key is None and self.ours is None:
            raise ValueError(f"{self.choice}: give `ours`, or a `key` whose value says it")
        known = sum((bool(self.cells), self.measured is not None, self.seen is not None))
        if known > 1 or (not known and self.takes is None):
            raise ValueError(f"{self.choice}: give one of `cells`, `measured` and `seen`, or `takes`")
        return self

    @property
    def setting(self) -> Setting | None:
        """What `published.yaml` has of it; None where it has nothing.

        Raises:
            ParamsError: it has no such row.
        """
        if self.published is None:
            return None
        about = self.published
        preset = next(one for one in published().presets if one.name == about.preset)
        for setting in preset.of(preset.models[about.model].hub if about.model in preset.models else ""):
            if setting.key == about.key:
                return setting
        raise ParamsError(f"{FILE}: `{self.choice}`: {about.preset} has no setting `{about.key}` of {about.model}")

    @property
    def sure(self) -> Certainty:
        """How sure it is what the papers do."""
        setting = self.setting
        certainty = self.certainty if setting is None else setting.certainty
        assert certainty is not None, "checked when the file is read"
        return certainty

    def default(self, file: ParamsFile) -> Any:
        """The value of the key in params.yaml.

        Raises:
            ParamsError: there is no such key.
        """
        value, there = own_value(file, self.model, self.key or "")
        if not there:
            raise ParamsError(f"{FILE}: `{self.choice}`: models.{self.model} has no key `{self.key}`")
        return value


class _File(Frozen):
    choices: list[Decision]


@cache
def decisions() -> list[Decision]:
    """Every open choice, in the order in which they are shown."""
    text = files("polyroute.params").joinpath(FILE).read_text(encoding="utf-8")
    return _File.model_validate(yaml12.load(text)).choices
