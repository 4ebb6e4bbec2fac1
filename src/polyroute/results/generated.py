"""What the stage `score` says of routing on a task: divergence from the pivot in prompts and in what is written."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from polyroute.results.quantities import DECIMALS, Divergence, Language, Layer, Task
from polyroute.results.table import Row


class GeneratedRow(
    Row,
    file="generated.csv",
    stage="score",
    decimals=DECIMALS,
    key=("task", "part", "language", "layer"),
    readers=(
        "stage claims",
        "stage multiverse",
    ),
):
    """One language in one layer, of tasks that are answered in writing; no row of other tasks."""

    task: Task
    """Name in params.yaml."""
    part: Literal["prompt", "generated"]
    """Tokens of the prompts, or those that the model wrote after them."""
    language: Language
    """FLORES code; never the pivot."""
    layer: Layer
    """In the model's own numbering."""
    divergence: Divergence
    """D from the pivot, of mean activation frequencies over the task's texts: counts of chosen experts, pooled."""
    tokens: int = Field(ge=1)
    """Counted in the language, or in the pivot where these are fewer."""
