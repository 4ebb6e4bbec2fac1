"""Divergence from the pivot over depth, in a table: zone means, their differences over languages, and the shape."""

from __future__ import annotations

from collections.abc import Sequence

from polyroute.report import words, worst
from polyroute.report.words import NONE
from polyroute.results.alignment import Interval
from polyroute.results.model import ModelResults


def depth_table(measured: Sequence[ModelResults]) -> str:
    """A row a model and corpus: mean divergence of each zone, outer zones minus the middle with intervals, the shape.

    Means and intervals are over languages.
    """
    columns = [
        "model", "corpus", "languages", "early", "middle", "late", "early - middle", "late - middle", "shape",
    ]  # fmt: skip
    rows = []
    for one in measured:
        for corpus, held in one.alignment.corpora.items():
            over = held.over_languages
            zones = [f"{getattr(held.mean, zone):.3f} ({words.layer_range(span)})" for zone, span in held.zones]
            outer = [_with_interval(each) for each in (over.early_minus_middle, over.late_minus_middle)]
            rows.append([one.model, corpus, str(over.languages), *zones, *outer, words.shape(over)])
    return words.markdown(columns, rows)


def depth_lines(measured: Sequence[ModelResults]) -> str:
    """For a terminal: a line a model with mean divergence of each zone, and the language routed least like the pivot.

    Of a model with several texts, the first.
    """
    rows = []
    for one in measured:
        corpus, held = next(iter(one.alignment.corpora.items()))
        ends = worst.divergence(one, corpus)
        zones = "".join(f"{value:>8.2f}" for value in (held.mean.early, held.mean.middle, held.mean.late))
        rows.append((one.model, f"{zones}   {ends.worst if ends else NONE}"))
    if not rows:
        return ""
    wide = max(len(model) for model, _ in rows)
    pivot = words.named(measured[0].pivot)
    head = f"{'':{wide}}{'first':>8}{'middle':>8}{'last':>8}   least alike in the middle"
    return "\n".join([
        f"Divergence of routing from {pivot}, mean over languages (0: the same routing, 1: no expert in common):",
        head, *(f"{model:{wide}}{told}" for model, told in rows),
    ])  # fmt: skip


def _with_interval(held: Interval) -> str:
    """`+0.063 [0.037, 0.092]`; without bounds where there are none."""
    if held.value is None:
        return NONE
    bounds = "" if held.low is None or held.high is None else f" [{held.low:.3f}, {held.high:.3f}]"
    return f"{held.value:+.3f}{bounds}"
