"""A claim's effect in every model, with its interval, what it must beat and what was published."""

from __future__ import annotations

from polyroute.claims.claim import Claim
from polyroute.report.claims import WORDS
from polyroute.report.page import figure
from polyroute.report.page.figure import INK, SOFT, Figure
from polyroute.report.page.study import Study
from polyroute.report.topics import short
from polyroute.results.claims import Code

CODE_COLOURS: dict[Code, str] = {
    "replicated": "var(--yes)", "not_replicated": "var(--no)", "inconclusive": "var(--open)",
    "cannot_be_tested": "var(--faint)",
}  # fmt: skip
MARK_COLOURS: dict[Code, str] = CODE_COLOURS | {"cannot_be_tested": "var(--grey)"}
"""Of points and lines, which need more contrast than bars."""
CODE_SHAPES: dict[Code, str] = {
    "replicated": "circle", "not_replicated": "cross", "inconclusive": "diamond", "cannot_be_tested": "square",
}  # fmt: skip


def of_claim(study: Study, claim_id: str) -> Figure | None:
    """One claim over the models that have an effect; None for fewer than two of them."""
    claim = study.claims.by_id[claim_id]
    held = {model: one.claims.get(claim_id) for model, one in study.verdicts.items()}
    rows = [
        [study.title(model), verdict.effect, verdict.low, verdict.high, verdict.null, verdict.published,
         WORDS[verdict.code]]
        for model, verdict in held.items()
        if verdict is not None and verdict.effect is not None
    ]  # fmt: skip
    if len(rows) < 2:
        return None
    columns = ("model", "effect", "low", "high", "null", "published", "verdict")
    domain = figure.limits([0.0, *(value for row in rows for value in row[1:6])], zero=False)
    what = meaning(claim)
    x = {"field": "effect", "type": "quantitative", "title": "effect, as said above",
         "scale": {"domain": domain, "nice": False}}  # fmt: skip
    y = {"field": "model", "type": "nominal", "title": None, "sort": [row[0] for row in rows],
         "axis": {"labelLimit": 170, "ticks": False, "domain": False, "grid": True}}  # fmt: skip
    codes = list(CODE_COLOURS)
    tooltip = [{"field": name, "format": ".4~f"} if name not in ("model", "verdict") else {"field": name}
               for name in columns]  # fmt: skip
    spec = figure.rowed(
        [
            {"data": {"values": [{"zero": 0}]}, "mark": {"type": "rule", "color": SOFT},
             "encoding": {"x": x | {"field": "zero"}}},
            {"mark": {"type": "rule", "strokeWidth": 2},
             "encoding": {"y": y, "x": x | {"field": "low"}, "x2": {"field": "high"},
                          "color": {"field": "verdict", "type": "nominal", "title": None,
                                    "scale": {"domain": [WORDS[code] for code in codes],
                                              "range": [MARK_COLOURS[code] for code in codes]}}}},
            {"transform": [{"filter": "datum.null != null"}],
             "mark": {"type": "tick", "color": SOFT, "thickness": 2, "size": 16},
             "encoding": {"y": y, "x": x | {"field": "null"}}},
            {"transform": [{"filter": "datum.published != null"}],
             "mark": {"type": "point", "shape": "triangle-down", "color": INK, "size": 60, "yOffset": -9},
             "encoding": {"y": y, "x": x | {"field": "published"}}},
            {"mark": {"type": "point", "filled": True, "size": 90, "opacity": 1},
             "encoding": {"y": y, "x": x,
                          "color": {"field": "verdict", "type": "nominal", "title": None,
                                    "legend": {"orient": "top", "columns": 4},
                                    "scale": {"domain": [WORDS[code] for code in codes],
                                              "range": [MARK_COLOURS[code] for code in codes]}},
                          "shape": {"field": "verdict", "type": "nominal", "title": None,
                                    "scale": {"domain": [WORDS[code] for code in codes],
                                              "range": [CODE_SHAPES[code] for code in codes]}},
                          "tooltip": tooltip}},
        ],
        height=26 * len(rows) + 6,
    )  # fmt: skip
    return Figure(
        f"effect-{claim_id.replace('.', '-').replace('_', '-')}",
        f"{claim_id}: {short(claim_id) or 'its effect'}, in every model",
        [f"Effect: {what}.",
         "Bars: the claim's intervals. Grey tick: what chance gives, which it must beat. Triangle: as published."],
        spec, columns, rows,
    )  # fmt: skip


def meaning(claim: Claim) -> str:
    """What the effect is; where it says "the same", after what that is the same as."""
    said, before = claim.quantity.get(claim.effect, claim.statement), ""
    for name, what in claim.quantity.items():
        if name == claim.effect:
            break
        before = what if not what.startswith("the same") else before
    whole = f"{before}; here {said}" if said.startswith("the same") and before else said
    return whole.rstrip(".")
