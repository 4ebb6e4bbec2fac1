"""Quantities that several files hold: what they may be, and their units."""

from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from polyroute.results.document import Frozen
from polyroute.results.table import Unit

DECIMALS = 4
"""Results are rounded so that another processor's last digits do not show as a change."""

Model = Annotated[str, Field(min_length=1), Unit("model")]
Corpus = Annotated[str, Field(min_length=1), Unit("corpus")]
Task = Annotated[str, Field(min_length=1), Unit("task")]
Language = Annotated[str, Field(min_length=1), Unit("language")]
"""FLORES code."""
Layer = Annotated[int, Field(ge=0), Unit("layer")]
"""In the model's own numbering."""
LayerRange = tuple[Layer, Layer]
"""First and last layer, both included."""
Zone = Literal["early", "middle", "late"]
Reading = Literal["soft_mass", "topk_mass", "topk_count", "topk_ids", "softmax_of_weights", "head_mass"]
"""What of the routers' output is read: probabilities of all experts, weights of the chosen ones, how often they are
chosen, or which they are; a softmax of the weights of the chosen ones; or probabilities of all experts over the first
tokens of a sentence alone."""
DepthShape = Literal["U", "cap", "falling", "rising", "flat", "unclear"]

Count = Annotated[int, Field(ge=0)]
Experts = Annotated[int, Field(ge=0), Unit("experts")]
Languages = Annotated[int, Field(ge=0), Unit("languages")]
Items = Annotated[int, Field(ge=0), Unit("items")]
Share = Annotated[float, Field(ge=0, le=1), Unit("share")]
ShareOfResamples = Annotated[float, Field(ge=0, le=1), Unit("share of resamples")]
Accuracy = Annotated[float, Field(ge=0, le=1), Unit("accuracy")]
Difference = Annotated[float, Field(ge=-1, le=1), Unit("accuracy")]
Divergence = Annotated[float, Field(ge=0, le=1), Unit("divergence D")]
DivergenceDifference = Annotated[float, Field(ge=-1, le=1), Unit("divergence D")]
Coefficient = Annotated[float, Field(ge=-1, le=1), Unit("correlation")]
Rand = Annotated[float, Field(ge=-1, le=1), Unit("adjusted Rand index")]
Chance = Annotated[float, Field(ge=0, le=1), Unit("p-value")]
Nats = Annotated[float, Field(ge=0), Unit("nats")]
Tau = Annotated[float, Field(ge=0, lt=1), Unit("frequency")]
K = Annotated[int, Field(ge=1), Unit("experts of a language and layer")]
Threshold = Annotated[float, Field(ge=0, lt=1), Unit("share of an expert's activation")]


class LeftOut(Frozen):
    """A condition that could not be run."""

    name: str
    """The condition."""
    reason: str
    """Why, in words."""


MiddleRule = Literal["trough", "shallow", "at_first_layer", "at_last_layer", "few_languages", "params"]


class MiddleCurve(Frozen):
    """The curve of divergence that the middle is read off, mean over languages."""

    languages: Languages
    """How many, the pivot apart."""
    smallest: Divergence
    """Smallest divergence."""
    smallest_layer: Layer
    """The layer that has it."""
    ends: Divergence
    """Mean of the first and the last layer."""
    threshold: Divergence
    """Halfway between the two: the middle lies below."""
    layers_below: LayerRange
    """First and last of the layers around the smallest that lie below the threshold."""
    languages_agreeing: Languages
    """Languages of which both ends lie above the mean of these layers."""


class Middle(Frozen):
    """The layers of the middle, which steering edits."""

    layers: LayerRange
    """First and last."""
    has_trough: bool
    """Whether the curve of divergence has a trough that shows them."""
    rule: MiddleRule
    """What decided: a trough of the curve; or the default zone, as the trough is shallow, reaches the first or the last
    layer, or is there in few languages only; or params.yaml."""
    curve: MiddleCurve | None
    """What the rule saw; null where params.yaml decides."""


class LayerBalance(Frozen):
    """How like random control sets are to the set they stand in for, in one layer."""

    layer: Layer
    """In the model's own numbering."""
    experts: Experts
    """Of the set in this layer."""
    frequency: Share
    """Activation frequency on the task's prompts, mean over the set."""
    others: Share
    """The same over all other experts of the layer."""
    controls: Share
    """The same over the experts of the controls."""
    before: float
    """Standardised difference of the set and all others, in standard deviations over the experts of the layer."""
    after: float
    """Standardised difference of the set and its controls."""
    matched: bool
    """Whether some control lies within a fifth of a standard deviation; if not, these are about as near as any."""


def rounded(value: float) -> float:
    """A number as results are written: to `DECIMALS`, and 0.0 where that is -0.0."""
    return round(float(value), DECIMALS) + 0.0


def numbers_or_none(row: Any) -> dict[str, float | None]:
    """The numbers of a table's row, rounded as results are; None where one is missing."""
    return {name: None if pd.isna(value) else float(np.round(value, DECIMALS)) + 0.0 for name, value in row.items()}


def means(table: pd.DataFrame) -> dict[str, float | None]:
    """Means of a table's columns, as `numbers_or_none`."""
    return numbers_or_none(table.mean())
