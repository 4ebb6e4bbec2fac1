"""A paper's published numbers beside those of a rerun of its settings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from polyroute.params.published import published
from polyroute.report.words import NONE, named

Kind = Literal["accuracy", "steered", "gain", "experts", "quantity"]
"""Accuracy as the model is; under the published plan; the difference; experts that the plan edits; a claim's own
quantity."""
WANTED = 0.8
"""Power from which a difference would have been seen."""
_WORDS = {"accuracy": "accuracy", "steered": "accuracy, steered", "gain": "gain", "experts": "experts"}


@dataclass(frozen=True)
class PublishedNumber:
    """One published number and what the rerun has in its place."""

    paper: Literal[1, 2]
    entry: str
    """In params.yaml, that runs the paper's settings."""
    kind: Kind
    what: str
    """The task as its source calls it, or what the source says of a quantity."""
    language: str | None
    """FLORES code; None for a mean over languages, and where there is none."""
    published: float
    certainty: str
    """P stated by the paper, C read in code or result files, I inferred, N known from a secondary note, ? unknown."""
    source: str
    rerun: float | None = None
    low: float | None = None
    """Lower bound of the rerun's interval."""
    high: float | None = None
    """Upper bound."""
    power: float | None = None
    """Chance that a study of this size finds the published difference: simulated on the rerun's answers, or
    before it by the claim's arithmetic; None where no difference is at stake."""
    power_of: Literal["rerun", "before"] | None = None
    """Which of them."""
    missing: str | None = None
    """Why there is no number: a stage that has not run, or what was not asked."""


def as_data(model: str, rows: Sequence[PublishedNumber]) -> dict[str, Any]:
    """For machines: every field of every number."""
    return {"model": model, "numbers": [asdict(row) for row in rows]}


def as_text(model: str, rows: Sequence[PublishedNumber]) -> str:
    """A table an entry, and how to read it."""
    blocks = []
    for entry in dict.fromkeys(row.entry for row in rows):
        own = [row for row in rows if row.entry == entry]
        table = [("published number", "published", "", "rerun", "could it have been seen", "source"), *map(_line, own)]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in table)
        title = f"{entry} (paper {own[0].paper}): {sum(row.rerun is not None for row in own)} of {len(own)} rerun"
        blocks.append("\n".join([title, "", *(line.rstrip() for line in lines)]))
        notes = [note for preset in published().presets if preset.paper == own[0].paper for note in preset.notes]
        blocks += ["\n".join(f"Note: {note}" for note in notes)] if notes else []
    if not rows:
        return f"no number of {model} was published"
    legend = (
        "Accuracy in percent, gains in points, intervals of 95%. P stated by the paper, C read in code or result "
        "files, I inferred, N known from a secondary note. A gain could have been seen where a study of this size "
        f"finds it with a power of {WANTED:.0%} or more: simulated on the rerun's answers, or `before` it from the "
        "number of items."
    )
    lacking = any(row.rerun is None for row in rows)
    return "\n\n".join([*blocks, legend, *([f"To rerun them: polyroute published {model} --run"] if lacking else [])])


def _line(row: PublishedNumber) -> tuple[str, ...]:
    place = "" if row.language is None else f", {named(row.language)}"
    what = row.what if row.kind == "quantity" else f"{row.what}{place}: {_WORDS[row.kind]}"
    return (what, _shown(row, row.published), row.certainty, _rerun(row), _seen(row), row.source)


def _rerun(row: PublishedNumber) -> str:
    if row.rerun is None:
        return row.missing or NONE
    if row.low is None or row.high is None:
        return _shown(row, row.rerun)
    return f"{_shown(row, row.rerun)} [{_shown(row, row.low)}, {_shown(row, row.high)}]"


def _shown(row: PublishedNumber, value: float) -> str:
    if not math.isfinite(value):
        return NONE
    match row.kind:
        case "accuracy" | "steered":
            return f"{100 * value:.1f}"
        case "gain":
            return f"{100 * value + 0.0:+.1f}"
        case "experts":
            return f"{value:.0f}"
        case _:
            return f"{value:.3f}"


def _seen(row: PublishedNumber) -> str:
    if row.power is None:
        return NONE
    told = f"{'yes' if row.power >= WANTED else 'no'}: power {row.power:.2f}"
    return f"{told} before" if row.power_of == "before" else told
