"""Open choices: how far each that the papers leave open moves the answer (a multiverse a claim and model)."""

from __future__ import annotations

from collections.abc import Iterator

from polyroute.report.claims import WORDS
from polyroute.report.multiverse import CHOICES, ELSEWHERE, SINGLE, level
from polyroute.report.page import figure
from polyroute.report.page.effects import CODE_COLOURS
from polyroute.report.page.figure import Figure, Spec
from polyroute.report.page.heatmap import cells
from polyroute.report.page.html import Markup, joined, tag
from polyroute.results.multiverse import MultiverseSummary


def figures(summary: MultiverseSummary) -> Iterator[Figure]:
    """What the cells of each claim come to, and which choice moves the effect."""
    if not summary.claims:
        return
    yield _verdicts(summary)
    moved = _moved(summary)
    if moved is not None:
        yield moved


def _verdicts(summary: MultiverseSummary) -> Figure:
    codes = list(CODE_COLOURS)
    rows = [
        [claim, WORDS[code], round(100 * one.verdicts.get(code, 0) / one.cells, 1), one.verdicts.get(code, 0),
         one.cells, WORDS[one.base], place]
        for claim, one in summary.claims.items()
        for place, code in enumerate(codes)
        if one.verdicts.get(code, 0)
    ]  # fmt: skip
    columns = ("claim", "verdict", "percent", "cells", "of", "own", "place")
    spec = figure.rowed(
        {
            "mark": {"type": "bar"},
            "encoding": {
                "y": {"field": "claim", "type": "nominal", "title": None, "sort": list(summary.claims),
                      "axis": {"labelLimit": 190, "ticks": False, "domain": False}},
                "x": {"field": "percent", "type": "quantitative", "title": "combinations of choices, in percent",
                      "scale": {"domain": [0, 100]}},
                "order": {"field": "place"},
                "color": {"field": "verdict", "type": "nominal", "title": None,
                          "legend": {"orient": "top", "columns": 2},
                          "scale": {"domain": [WORDS[code] for code in codes],
                                    "range": [CODE_COLOURS[code] for code in codes]}},
                "tooltip": [{"field": "claim"}, {"field": "verdict"}, {"field": "cells"}, {"field": "of"},
                            {"field": "own", "title": "the study's own"}],
            },
        },
        height=24 * len(summary.claims),
    )  # fmt: skip
    return Figure(
        "choices-verdicts", "What a claim comes to over every combination of open choices",
        ["A bar a claim; the study's own combination is in the tooltip."], spec, columns, rows, half=True,
    )  # fmt: skip


def _moved(summary: MultiverseSummary) -> Figure | None:
    rows = [
        [claim, CHOICES[choice.choice], None if choice.effect is None else round(100 * choice.effect, 1),
         ", ".join(level(choice.choice, one) for one in choice.levels)]
        for claim, one in summary.claims.items()
        for choice in one.choices
        if len(choice.levels) > 1
    ]  # fmt: skip
    if not rows:
        return None
    columns = ("claim", "choice", "moves", "levels")
    totals: dict[str, float] = {}
    for _, choice, moves, _ in rows:
        totals[str(choice)] = totals.get(str(choice), 0.0) + float(moves or 0)
    spec: Spec = cells(
        x={"field": "choice", "type": "nominal", "title": None,
           "sort": sorted(totals, key=lambda name: (-totals[name], name)),
           "axis": {"labelAngle": -50, "labelLimit": 150, "ticks": False}},
        y={"field": "claim", "type": "nominal", "title": None, "sort": list(summary.claims),
           "axis": {"labelLimit": 190}},
        colour={"field": "moves", "type": "quantitative", "title": "variance explained, in percent",
                "scale": {"scheme": "viridis", "domain": [0, 100]}},
        tooltip=[{"field": name} for name in columns],
        rows=len(summary.claims), size=24,
    )  # fmt: skip
    return Figure(
        "choices-moved", "How far each choice moves the effect",
        ["Share of the variance of the effect over combinations that the choice explains alone (first order); empty: "
         "the claim has no such choice."],
        spec, columns, rows, half=True,
    )  # fmt: skip


def flips(summary: MultiverseSummary) -> Markup:
    """Single choices that change a verdict alone, and those that would take another run."""
    lines = [
        tag("li", tag("code", claim), f": {CHOICES[flip.choice]} = {level(flip.choice, flip.level)} alone makes it "
            f"{WORDS[flip.verdict]} (own: {WORDS[one.base]})")
        for claim, one in summary.claims.items()
        for flip in one.flips
    ]  # fmt: skip
    parts = []
    if lines:
        parts.append(tag("details", tag("summary", f"{len(lines)} single choices that change a verdict"),
                         tag("ul", *lines)))  # fmt: skip
    elif summary.claims:
        parts.append(tag("p", "No single choice changes a verdict alone."))
    runs = sorted({f"{ELSEWHERE[other.choice]} (stage {other.stage})" for one in summary.claims.values()
                   for other in one.elsewhere})  # fmt: skip
    if runs:
        parts.append(tag("p", "These take another run: ", "; ".join(runs), ".", class_="note"))
    for why, said in SINGLE.items():
        names = [name for name, code in summary.single.items() if code == why]
        if names:
            parts.append(
                tag("p", f"{len(names)} more claims come to one verdict, because they rest on {said}", class_="note")
            )
    return joined(parts)
