"""Section `models` of params.yaml: one type an engine."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from polyroute.asking.settings import Asking
from polyroute.ground.frozen import Frozen
from polyroute.ground.layers import LayerRange, Zones, check_zones
from polyroute.ground.names import check_corpus
from polyroute.interventions.settings import Masked, PublishedShared, PublishedSteering, Steer
from polyroute.measures.settings import Importance
from polyroute.models.settings import Checkpoint, Shape
from polyroute.params.published import PresetName
from polyroute.tracing.settings import RecordedCounts, TurnTexts

PUBLISHED = "recorded/published_accuracies.csv"
"""Accuracies that others published."""


class _Model(Frozen):
    corpora: list[str] = Field(min_length=1)
    """Parallel corpora whose routing is measured."""
    generic: str
    """Which of them is the generic text: experts of tasks are told against it, the middle is found on it, and accuracy
    is correlated with its divergence. May be left out where there is one corpus."""
    languages: str
    """Which entry of `languages` is measured; must hold the pivot."""
    groups: list[str] = Field(default=[])
    """Further entries of `languages`, over each of which divergence and accuracy are correlated too, as far as the
    model is measured in its languages."""
    near_chance: list[str] = Field(default=[])
    """Languages answered about as well as by guessing: correlations over `groups` are told without them too."""
    zones: Zones | None = None
    """Early, middle and late layers of summaries; `null` divides the depth in fixed shares."""
    importance: Importance = "soft_mass"
    """The reading of the router that summaries, the middle and correlations rest on; every other that a trace allows
    is measured beside it. `soft_mass` gives way to `topk_count` where counts alone were recorded."""
    accuracies: Literal["published"] | None = None
    """`published` sets divergence against the accuracies that others published too, so that nothing need be asked."""
    published_as: str | None = None
    """What `recorded/published_accuracies.csv` calls the model; by default its name on the hub."""

    @model_validator(mode="before")
    @classmethod
    def _only_corpus(cls, entry: Any) -> Any:
        corpora = entry.get("corpora") if isinstance(entry, dict) else None
        if isinstance(corpora, list) and len(corpora) == 1 and "generic" not in entry:
            return entry | {"generic": corpora[0]}
        return entry

    @model_validator(mode="after")
    def _zones_inside(self) -> Self:
        shape: Shape | None = getattr(self, "shape", None)
        if self.zones:
            check_zones(self.zones, shape.layers if shape else None)
        return self


class TransformersModel(Checkpoint, _Model):
    """A model that runs here, in transformers."""

    engine: Literal["transformers", "vllm"]
    """What answers tasks. Routing is measured in transformers either way."""
    batch_tokens: int = Field(ge=1)
    """Padded tokens in one batch."""
    max_tokens: int = Field(default=4096, ge=2)
    """Longer texts are an error, never truncated."""
    tasks: list[str] = Field(default=[])
    """Entries of `tasks` that the model is evaluated and steered on; their in-task text is traced too."""
    middle: LayerRange | None = None
    """Layers to steer; `null` chooses them from divergence (`polyroute.measures.middle`)."""
    published: dict[str, PublishedSteering] = Field(default={})
    """Task -> the setting of paper 1."""
    dominant: tuple[str, str] | None = None
    """Two languages toward whose shared experts tasks are steered; `null` leaves that out."""
    published_shared: dict[str, PublishedShared] = Field(default={})
    """Task -> the setting of paper 2."""
    shared_corpus: dict[str, str] = Field(default={})
    """Task -> which entry of `corpora` its shared experts are told on, if not the model's generic text."""
    mask: Masked | None = None
    """`null` masks nothing."""
    interventions: bool = True
    """Whether the model is steered and masked. `false` asks it as it is and edits nothing: what claims say of edits
    cannot be tested on it, and they say so."""
    turns: TurnTexts | None = None
    """Text that tells experts of tasks from experts of the assistant's turn; `null` does not ask."""
    preset: PresetName | None = None
    """The paper whose settings fill what the entry leaves out (`polyroute.params.published`)."""
    evaluate: Asking | None = None
    """How this model is asked, in place of the section `evaluate`; keys that are left out are as there."""
    steer: Steer | None = None
    """The intervention study of this model, in place of the section `steer`; keys that are left out are as there."""

    @model_validator(mode="after")
    def _zones_traced(self) -> Self:
        for zone, (first, last) in self.zones or ():
            if self.layers and (last < self.layers[0] or first > self.layers[1]):
                raise ValueError(f"`zones.{zone}: [{first}, {last}]` holds no layer of `layers: {self.layers}`")
        return self


class RecordedModel(RecordedCounts, _Model):
    """A model whose expert counts were recorded elsewhere."""

    engine: Literal["recorded"]

    @field_validator("corpora")
    @classmethod
    def _one_corpus(cls, corpora: list[str]) -> list[str]:
        if len(corpora) != 1:
            raise ValueError("one name: `file` is of one recording; give another its own entry")
        check_corpus(corpora[0])
        return corpora

    @field_validator("file")
    @classmethod
    def _one_file(cls, file: str) -> str:
        if mark := re.search(r"\{[^{}]*\}", file):
            raise ValueError(
                f"`{file}`: {mark[0]} means nothing here: one file of `polyroute import-counts` holds all languages"
            )
        return file


Model = Annotated[TransformersModel | RecordedModel, Field(discriminator="engine")]


def revision(spec: TransformersModel | RecordedModel) -> str | None:
    """The commit that a model's entry pins; None for a folder."""
    return spec.commit if isinstance(spec, RecordedModel) else spec.revision


def published_as(spec: TransformersModel | RecordedModel) -> str | None:
    """What the file of published accuracies calls a model; None where nothing says it."""
    return spec.published_as or (spec.hub if isinstance(spec, TransformersModel) else None)
