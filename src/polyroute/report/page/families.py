"""How languages compare: their trees by zone, and what explains their distances."""

from __future__ import annotations

from collections.abc import Iterator

from polyroute.ground.layers import ZONES
from polyroute.report import families, words
from polyroute.report.families_figures import placed
from polyroute.report.page import figure
from polyroute.report.page.figure import FADED, HUE, OF_LANGUAGE, SOFT, A, B, Figure, Spec
from polyroute.results.model import ModelResults
from polyroute.results.similarity import CorpusSimilarity


def figures(found: ModelResults) -> Iterator[Figure]:
    """A tree a zone, and the rival explanations, of every corpus."""
    if found.similarity is None:
        return
    for corpus, held in found.similarity.corpora.items():
        for zone in ("middle", "early", "late"):
            yield _tree(corpus, held, zone)
        if any(rival.mantel is not None for zone in ZONES for rival in held.zones[zone].rivals.values()):
            yield _rivals(corpus, held)


def _tree(corpus: str, held: CorpusSimilarity, zone: str) -> Figure:
    codes, of = held.languages, held.zones[zone]
    # One scale, so that zones can be compared.
    highest = max((join[2] for one in held.zones.values() for join in one.linkage), default=1.0) or 1.0
    order, joins = placed(of.linkage, len(codes))
    lines = [
        {"join": number, "corner": corner, "height": height, "place": place}
        for number, (places, heights) in enumerate(joins)
        for corner, (place, height) in enumerate(zip(places, heights, strict=True))
    ]
    rows = [[codes[leaf], words.named(codes[leaf]), place] for place, leaf in enumerate(order)]
    x: Spec = {"field": "height", "type": "quantitative", "title": f"distance at which they join ({_unit(held)})",
               "scale": {"domain": [1.04 * highest, 0], "nice": False},
               "axis": {"tickCount": 4, "grid": True}}  # fmt: skip
    y: Spec = {"field": "place", "type": "quantitative", "axis": None,
               "scale": {"domain": [len(codes) - 0.5, -0.5], "nice": False, "zero": False}}  # fmt: skip
    marks: list[Spec] = [
        {"data": {"values": lines}, "mark": {"type": "line", "color": SOFT, "strokeWidth": 1.3, "tooltip": False},
         "encoding": {"x": x, "y": y, "order": {"field": "corner"}, "detail": {"field": "join", "type": "nominal"}}},
        {"transform": [HUE], "mark": {"type": "point", "filled": True, "size": 60},
         "encoding": {"x": {"value": "width"}, "y": y, "color": OF_LANGUAGE, "opacity": FADED,
                      "tooltip": [{"field": "name", "title": "language"}]}},
        {"transform": [HUE], "mark": {"type": "text", "align": "left", "dx": 8, "fontSize": 11, "tooltip": False},
         "encoding": {"x": {"value": "width"}, "y": y, "text": {"field": "name"}, "color": OF_LANGUAGE,
                      "opacity": FADED}},
    ]  # fmt: skip
    table = families.agreement(held.zones)
    agreed = [
        f"{label} {words.coefficient(row['rand'])} (q {words.chance(row['q'])})"
        for label, row in families.in_zone(table, zone).iterrows()
        if row["rand"] == row["rand"]
    ]
    notes = [f"{families.headline(held)}, average linkage. The tree: {families.verdict(table, zone)}."]
    if agreed:
        notes.append(f"Adjusted Rand index of tree and label: {', '.join(agreed)}.")
    return Figure(
        f"tree-{zone}-{corpus}", f"Tree of languages, {families.zone_of(zone, held)}", notes,
        figure.rowed(marks, height=max(120, 19 * len(codes))),
        ("language", "name", "place"), rows, half=True,
    )  # fmt: skip


def _unit(held: CorpusSimilarity) -> str:
    return {"jsd": "nats", "divergence": "D", "cosine": "cosine distance", "jaccard": "1 - Jaccard index"}[
        held.headline.measure
    ]


def _rivals(corpus: str, held: CorpusSimilarity) -> Figure:
    rows = [
        [f"{zone}", families.called(name), kind, value, p]
        for zone in ZONES
        for name, rival in held.zones[zone].rivals.items()
        for kind, value, p in (("alone", rival.mantel, rival.p), ("given the others", rival.partial, rival.partial_p))
        if value is not None
    ]
    x: Spec = {
        "field": "r",
        "type": "quantitative",
        "title": "correlation with routing distance (Mantel's r)",
        "scale": {"domain": figure.limits([0.0, *(row[3] for row in rows)], zero=False), "nice": False},
        "axis": {"tickCount": 5},
    }
    y: Spec = {
        "field": "rival",
        "type": "nominal",
        "title": None,
        "axis": {"labelLimit": 130, "ticks": False},
        "sort": [families.called(name) for name in families.RIVALS],
    }
    colour: Spec = {
        "field": "kind",
        "type": "nominal",
        "title": None,
        "legend": {"orient": "top"},
        "scale": {"domain": ["alone", "given the others"], "range": [A, B]},
    }
    spec: Spec = {
        "data": {"name": "rows"},
        "facet": {"row": {"field": "zone", "type": "nominal", "title": None, "sort": list(ZONES),
                          "header": {"labelOrient": "top", "labelAnchor": "start", "labelFontWeight": "bold"}}},
        "spec": {"width": 235, "height": {"step": 20}, "layer": [
            {"mark": {"type": "rule", "color": SOFT}, "encoding": {"x": {"datum": 0}}},
            {"mark": {"type": "point", "filled": True, "size": 80, "opacity": 1},
             "encoding": {"x": x, "y": y, "color": colour,
                          "shape": {"field": "kind", "type": "nominal", "title": None,
                                    "scale": {"domain": ["alone", "given the others"],
                                              "range": ["circle", "square"]}},
                          "tooltip": [{"field": "zone"}, {"field": "rival"}, {"field": "kind"},
                                      {"field": "r", "format": ".4~f"}, {"field": "p", "format": ".4~f"}]}},
        ]},
    }  # fmt: skip
    return Figure(
        f"rivals-{corpus}", "What goes with routing distance",
        ["Each rival distance alone, and given the others; p by permuting languages, one-sided (in the tooltip)."],
        spec, ("zone", "rival", "kind", "r", "p"), rows, half=True,
    )  # fmt: skip
