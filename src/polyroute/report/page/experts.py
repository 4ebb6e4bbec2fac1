"""Experts of languages: shared and exclusive ones by layer, and what an expert tells of the language."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from polyroute.report import experts, words
from polyroute.report.page import figure
from polyroute.report.page.figure import SOFT, A, Figure, Spec
from polyroute.report.page.heatmap import cells
from polyroute.results.model import ModelResults


def figures(found: ModelResults) -> Iterator[Figure]:
    """Information gain, and maps of exclusive and of shared experts, of every corpus."""
    if found.similarity is None:
        return
    for corpus in found.similarity.corpora:
        used = found.similarity.utilisation
        whole = used[(used["corpus"] == corpus) & (used["language"] == "")].sort_values("layer")
        if whole["information"].notna().any():
            yield _information(found, corpus, whole)
        if whole["overlap"].notna().any():
            yield _overlap(found, corpus, whole)
        rows = experts.setting(found.similarity.shared, corpus, found.alignment.model.experts)
        rows = rows[rows["language"] != ""]
        if not rows.empty:
            for kind in ("exclusive", "shared"):
                yield _map(found, corpus, rows, kind)


def _information(found: ModelResults, corpus: str, whole: pd.DataFrame) -> Figure:
    kinds = {"language about expert": "information", "by chance": "information_null"}
    rows = [
        [kind, layer, 100 * value]
        for kind, column in kinds.items()
        for layer, value in zip(whole["layer"], whole[column], strict=True)
        if pd.notna(value)
    ]
    told = any(row[0] == "by chance" for row in rows)
    named = list(dict.fromkeys(str(row[0]) for row in rows))
    return _lines(
        found, corpus, rows, f"information-{corpus}", "Entropy of expert choice that the language explains",
        "entropy explained, in percent", named, zero=True,
        notes=["Chance: sentences permuted between languages." if told else
               "No chance level: counts of whole corpora have no sentences to permute."],
    )  # fmt: skip


def _overlap(found: ModelResults, corpus: str, whole: pd.DataFrame) -> Figure:
    rows = [["overlap", layer, value] for layer, value in zip(whole["layer"], whole["overlap"], strict=True)]
    return _lines(
        found, corpus, rows, f"overlap-{corpus}", "How evenly languages use an expert",
        "overlap (1: every language uses it alike)", ["overlap"], zero=False,
        notes=["1 / (1 + variation over languages) of the expert that a choice falls on. Paper 2: highest in the "
               "middle."],
    )  # fmt: skip


def _lines(
    found: ModelResults, corpus: str, rows: list[list[object]], name: str, title: str, axis: str, kinds: list[str], *,
    zero: bool, notes: list[str],
) -> Figure:  # fmt: skip
    layers = [int(str(row[1])) for row in rows]
    x = figure.across_layers(min(layers), max(layers))
    y: Spec = {
        "field": "value",
        "type": "quantitative",
        "title": axis,
        "scale": {"domain": figure.limits([row[2] for row in rows], zero=zero), "nice": False, "zero": zero},
    }
    colour: Spec = {
        "field": "kind",
        "type": "nominal",
        "title": None,
        "legend": {"orient": "top"} if len(kinds) > 1 else None,
        "scale": {"domain": kinds, "range": [A, SOFT][: len(kinds)]},
    }
    marks: list[Spec] = [
        *figure.zones(found.alignment.corpora[corpus], min(layers), max(layers)),
        {"mark": {"type": "line", "point": {"size": 30}},
         "encoding": {"x": x, "y": y, "color": colour,
                      "tooltip": [{"field": "kind"}, {"field": "layer"}, {"field": "value", "format": ".4~f"}]}},
    ]  # fmt: skip
    return Figure(name, title, notes, figure.rowed(marks, height=200), ("kind", "layer", "value"), rows, half=True)


def _map(found: ModelResults, corpus: str, rows: pd.DataFrame, kind: str) -> Figure:
    classes = experts.by_resource(rows)
    k, thr = int(rows["k"].iloc[0]), float(rows["thr"].iloc[0])
    order = [_called(str(code), value) for code, value in classes.items()]
    data = rows.assign(name=[_called(str(code), classes[code]) for code in rows["language"]])
    spec = cells(
        x={"field": "layer", "type": "ordinal", "title": "layer (0 is the first)",
           "axis": {"labelAngle": 0, "labelOverlap": True, "ticks": False}},
        y={"field": "name", "type": "nominal", "title": None, "sort": order},
        colour={"field": kind, "type": "quantitative", "title": f"{kind} experts of its {k} most used",
                "scale": {"scheme": "viridis", "domain": [0, k]}},
        tooltip=[{"field": "name", "title": "language"}, {"field": "layer"}, {"field": kind},
                 {"field": "use", "title": "share of its choices", "format": ".1%"}],
        rows=len(order),
    )  # fmt: skip
    data = data.assign(use=data[f"{kind}_use"])
    columns = ("language", "name", "layer", kind, "use")
    said = (
        f"Exclusive: the language alone holds more than {thr:g} of the expert's use; it depends on the languages."
        if kind == "exclusive" else
        f"Shared: in some language's top {k}, and no language holds more than {thr:g} of it."
    )  # fmt: skip
    return Figure(
        f"{kind}-{corpus}", f"{kind.capitalize()} experts, language by layer",
        [f"Text: {corpus}; k = {k} of {found.alignment.model.experts} experts. {said}",
         "Languages by resource class (Joshi et al. 2020), highest first."],
        spec, columns, figure.rows_of(data, columns), half=True,
    )  # fmt: skip


def _called(code: str, resource: float) -> str:
    return f"{words.named(code)} ({'?' if pd.isna(resource) else f'{resource:.0f}'})"
