"""Steering: every condition beside its matched random draws, the dose-response, languages, and what edits do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from polyroute.report import steering, words
from polyroute.report.page import figure
from polyroute.report.page.figure import FADED, HUE, OF_LANGUAGE, SOFT, A, B, C, D, Figure, Spec
from polyroute.results.model import ModelResults, Steering
from polyroute.results.steering import SharedSteering, Steered

POINTS = "difference of accuracy, in points"
_TASK = ("chosen", "rule", "multilingual", "early", "late", "all", "pivot", "published", "by-turn", "by-task")
_SHARED = ("shared-chosen", "shared", "shared-published")
_RANDOM = {
    "random": "random experts",
    "shared-random": "random experts, |z|",
    "published-random": "random experts, as published",
    "shared-published-random": "random experts, as published",
}
"""Kinds of control sets -> the row of the forest plot that they stand in."""


def of_tasks(found: ModelResults) -> Iterator[Figure]:
    """Toward task experts: a forest plot, doses, languages and the edits' reach, of every task that was steered."""
    read = found.steering
    for task, held in {} if read is None else read.tasks.items():
        assert read is not None, "it has tasks"
        if not isinstance(held, Steered):
            continue
        yield _forest(found, read, task, _TASK, ("random", "published-random"), f"steering-{task}",
                      f"Steering {task} and its controls",
                      [f"Plan: {steering.plan(held)}.", f"Does it help? {words.HELPS[held.verdict.code]} "
                       f"({held.verdict.items} items)."])  # fmt: skip
        if not steering.doses(read, task).empty:
            yield _doses(found, read, task)
        yield _languages(read, task, "chosen", f"languages-{task}", f"The chosen plan on {task}, by language")
        if not steering.mechanism(read, task).empty:
            yield _mechanism(read, task)


def of_shared(found: ModelResults) -> Iterator[Figure]:
    """Toward shared experts: a forest plot and languages, of every task."""
    read = found.steering
    for task, held in {} if read is None else read.tasks.items():
        assert read is not None, "it has tasks"
        shared = held.shared
        if not isinstance(shared, SharedSteering):
            continue
        yield _forest(found, read, task, _SHARED, ("shared-random", "shared-published-random"),
                      f"shared-steering-{task}", f"Steering {task} toward shared experts",
                      [f"Plan: {steering.shared_plan(shared)}.", f"Does it help? {words.HELPS[shared.verdict.code]} "
                       f"({shared.verdict.items} items)."])  # fmt: skip
        yield _languages(read, task, "shared-chosen", f"shared-languages-{task}",
                         f"The chosen plan toward shared experts on {task}, by language")  # fmt: skip


def not_run(found: ModelResults, *, shared: bool) -> list[str]:
    """Why tasks were not steered, in sentences."""
    said = []
    for task, held in {} if found.steering is None else found.steering.tasks.items():
        part = held.shared if shared else held
        if part.not_run is not None:
            said.append(f"{task}: not run, {part.not_run}.")
    return said


def _forest(
    found: ModelResults, read: Steering, task: str, kinds: Sequence[str], random: Sequence[str], name: str,
    title: str, notes: list[str],
) -> Figure:  # fmt: skip
    pooled = steering.pooled(read, task)
    wanted = pooled[pooled["kind"].isin([*kinds, *random])].copy()
    rank = {kind: place for place, kind in enumerate([*kinds, *random])}
    wanted["rank"] = wanted["kind"].map(rank)
    wanted = wanted.sort_values("rank", kind="stable").reset_index()
    rows: list[list[Any]] = []
    for row in wanted.to_dict("records"):
        drawn = row["kind"] in _RANDOM
        called = _RANDOM[row["kind"]] if drawn else _called(str(row["condition"]))
        numbers = [round(100 * row[part], 2) if pd.notna(row[part]) else None for part in ("difference", "low", "high")]
        rows.append([called, row["condition"], "random draw" if drawn else "condition", *numbers, row["q"],
                     row["gained"], row["lost"]])  # fmt: skip
    columns = ("row", "condition", "kind", "difference", "low", "high", "q", "became_right", "became_wrong")
    order = list(dict.fromkeys(row[0] for row in rows))
    domain = figure.limits(
        [0.0, *(value for row in rows for value in (row[3:6] if row[2] == "condition" else row[3:4]))], zero=False
    )
    x: Spec = {"field": "difference", "type": "quantitative", "title": POINTS,
               "scale": {"domain": domain, "nice": False}}  # fmt: skip
    y: Spec = {"field": "row", "type": "nominal", "title": None, "sort": order,
               "axis": {"labelLimit": 190, "ticks": False, "domain": False, "grid": True}}  # fmt: skip
    tooltip = [{"field": "condition"}, *({"field": one, "format": "+.1f"} for one in ("difference", "low", "high")),
               {"field": "q", "format": ".3f"}, {"field": "became_right", "title": "became right"},
               {"field": "became_wrong", "title": "became wrong"}]  # fmt: skip
    chosen = "datum.condition == 'chosen' || datum.condition == 'shared-chosen'"
    colour = {"condition": {"test": chosen, "value": A}, "value": "var(--ink)"}
    marks: list[Spec] = [
        {"data": {"values": [{"zero": 0}]}, "mark": {"type": "rule", "color": SOFT},
         "encoding": {"x": x | {"field": "zero"}}},
        {"transform": [{"filter": "datum.kind == 'condition'"}], "mark": {"type": "rule", "strokeWidth": 2},
         "encoding": {"x": x | {"field": "low"}, "x2": {"field": "high"}, "y": y, "color": colour}},
        {"transform": [{"filter": "datum.kind == 'random draw'"}],
         "mark": {"type": "point", "shape": "stroke", "angle": 90, "size": 160, "color": B, "strokeWidth": 1.6,
                  "opacity": 0.65},
         "encoding": {"x": x, "y": y, "tooltip": tooltip}},
        {"transform": [{"filter": "datum.kind == 'condition'"}],
         "mark": {"type": "point", "filled": True, "size": 80, "opacity": 1},
         "encoding": {"x": x, "y": y, "color": colour, "tooltip": tooltip}},
    ]  # fmt: skip
    count = int(pooled["languages"].iloc[0]) if len(pooled) else 0
    who = f"mean of {count} languages, without {words.named(found.pivot)}"
    return Figure(
        name, title, [*notes, f"{who[0].upper()}{who[1:]}; bars: 95% over items. Ticks: random experts in their place, "
                      "a tick a draw."],
        figure.rowed(marks, height=max(90, 24 * len(order))), columns, rows, half=True,
    )  # fmt: skip


def _called(condition: str) -> str:
    if condition.startswith("shared-"):
        rest = condition.removeprefix("shared-")
        language, _, strength = rest.partition("-")
        known = "_" in language
        return f"shared, {words.named(language)}, λ {strength}" if known and strength else f"shared, {rest}"
    return steering.called(condition)


def _doses(found: ModelResults, read: Steering, task: str) -> Figure:
    groups = {"mean of the other languages": steering.doses(read, task),
              words.named(found.pivot): steering.doses(read, task, group=found.pivot)}  # fmt: skip
    rows: list[list[Any]] = []
    for who, table in groups.items():
        if table.empty:
            continue
        for strength, row in table.iterrows():
            rows.append([who, float(str(strength)),
                         *(None if pd.isna(row[one]) else round(100 * float(row[one]), 2)
                           for one in ("difference", "low", "high"))])  # fmt: skip
        rows.append([who, 0.0, 0.0, None, None])
    rows.sort(key=lambda row: (row[0], row[1]))
    values = sorted({row[1] for row in rows})
    # Aside from one another, so that neither interval hides the other.
    aside = 0.006 * (max(values) - min(values))
    rows = [[*row, row[1] + aside * (row[1] != 0) * (1 if row[0] == words.named(found.pivot) else -1)] for row in rows]
    x: Spec = {"field": "at", "type": "quantitative", "title": "strength λ of soft steering (0: the baseline)",
               "scale": {"domain": figure.limits(values, zero=False), "nice": False, "zero": False},
               "axis": {"values": values, "format": "~g"}}  # fmt: skip
    y: Spec = {"field": "difference", "type": "quantitative", "title": POINTS,
               "scale": {"domain": figure.limits([0.0, *(v for row in rows for v in row[2:5])], zero=False),
                         "nice": False}}  # fmt: skip
    colour: Spec = {"field": "who", "type": "nominal", "title": None,
                    "legend": {"orient": "top", "symbolOpacity": 1},
                    "scale": {"domain": list(groups), "range": [A, B]}}  # fmt: skip
    marks: list[Spec] = [
        {"data": {"values": [{"zero": 0}]}, "mark": {"type": "rule", "color": SOFT},
         "encoding": {"y": y | {"field": "zero"}}},
        {"transform": [{"filter": "datum.low != null"}], "mark": {"type": "rule", "strokeWidth": 1.6, "opacity": 0.6},
         "encoding": {"x": x, "y": y | {"field": "low"}, "y2": {"field": "high"}, "color": colour}},
        {"mark": {"type": "line"}, "encoding": {"x": x, "y": y, "color": colour}},
        {"mark": {"type": "point", "filled": True, "size": 60, "opacity": 1},
         "encoding": {"x": x, "y": y, "color": colour,
                      "tooltip": [{"field": "who", "title": "over"}, {"field": "strength"},
                                  *({"field": one, "format": "+.1f"} for one in ("difference", "low", "high"))]}},
    ]  # fmt: skip
    return Figure(
        f"doses-{task}", f"Dose and response on {task}", ["Soft steering of the chosen experts. Bars: 95% over items."],
        figure.rowed(marks, height=240), ("who", "strength", "difference", "low", "high", "at"), rows, half=True,
    )  # fmt: skip


def _languages(read: Steering, task: str, condition: str, name: str, title: str) -> Figure:
    table = read.table
    own = table[(table["task"] == task) & (table["condition"] == condition) & table["group"].str.contains("_")]
    own = own.sort_values("difference", ascending=False, kind="stable")
    rows = [
        [row["group"], words.named(row["group"]),
         *(None if pd.isna(row[one]) else round(100 * row[one], 2) for one in ("difference", "low", "high")),
         row["q"], round(100 * row["base"], 2), round(100 * row["edited"], 2), row["gained"], row["lost"], row["items"]]
        for row in own.to_dict("records")
    ]  # fmt: skip
    columns = ("language", "name", "difference", "low", "high", "q", "base", "edited", "became_right", "became_wrong",
               "items")  # fmt: skip
    x: Spec = {"field": "difference", "type": "quantitative", "title": POINTS,
               "scale": {"domain": figure.limits([0.0, *(v for row in rows for v in row[2:5])], zero=False),
                         "nice": False}}  # fmt: skip
    y: Spec = {"field": "name", "type": "nominal", "title": None, "sort": [row[1] for row in rows],
               "axis": {"labelLimit": 150, "ticks": False, "domain": False, "grid": True}}  # fmt: skip
    marks: list[Spec] = [
        {"data": {"values": [{"zero": 0}]}, "mark": {"type": "rule", "color": SOFT},
         "encoding": {"x": x | {"field": "zero"}}},
        {"transform": [HUE], "mark": {"type": "rule", "strokeWidth": 2},
         "encoding": {"x": x | {"field": "low"}, "x2": {"field": "high"}, "y": y, "color": OF_LANGUAGE,
                      "opacity": FADED}},
        {"transform": [HUE], "mark": {"type": "point", "filled": True, "size": 70},
         "encoding": {"x": x, "y": y, "color": OF_LANGUAGE, "opacity": FADED,
                      "tooltip": [{"field": "name", "title": "language"},
                                  *({"field": one, "format": "+.1f"} for one in ("difference", "low", "high")),
                                  {"field": "base", "title": "accuracy before, %"},
                                  {"field": "edited", "title": "after, %"}, {"field": "items"}]}},
    ]  # fmt: skip
    return Figure(
        name, title, ["Bars: 95% over items of the language alone; each half of the items under the plan chosen on the "
                      "other."],
        figure.rowed(marks, height=max(80, 18 * len(rows))), columns, rows, half=True,
    )  # fmt: skip


_EDITS = {"task experts": A, "random in their place": SOFT, "shared experts": C, "other experts or layers": D}


def _mechanism(read: Steering, task: str) -> Figure:
    table = steering.mechanism(read, task).reset_index()
    rows = [
        [row["condition"], _edited(row["kind"]), round(100 * row["rerouted"], 2), row["relative_size"],
         *(round(100 * row[one], 2) for one in ("difference", "low", "high")), bool(row["is_chosen"])]
        for row in table.to_dict("records")
    ]  # fmt: skip
    columns = ("condition", "edits", "rerouted", "relative_size", "difference", "low", "high", "chosen")
    x: Spec = {"field": "rerouted", "type": "quantitative", "title": "rerouted tokens, in percent",
               "scale": {"domain": [-3, 103], "nice": False}}  # fmt: skip
    y: Spec = {
        "field": "difference",
        "type": "quantitative",
        "title": POINTS,
        "scale": {"domain": figure.limits([0.0, *(row[4] for row in rows)], zero=False), "nice": False},
    }
    colour: Spec = {"field": "edits", "type": "nominal", "title": None, "legend": {"orient": "top", "columns": 2},
                    "scale": {"domain": list(_EDITS), "range": list(_EDITS.values())}}  # fmt: skip
    marks: list[Spec] = [
        {"data": {"values": [{"zero": 0}]}, "mark": {"type": "rule", "color": SOFT},
         "encoding": {"y": y | {"field": "zero"}}},
        {"mark": {"type": "point", "filled": True, "size": 70, "opacity": 0.85},
         "encoding": {"x": x, "y": y, "color": colour, "shape": {
             "field": "edits", "type": "nominal", "title": None, "scale": {"domain": list(_EDITS)}},
             "tooltip": [{"field": "condition"}, {"field": "rerouted", "title": "rerouted, %"},
                         {"field": "relative_size", "title": "edit / mean |logit|", "format": ".3f"},
                         *({"field": one, "format": "+.1f"} for one in ("difference", "low", "high"))]}},
        {"transform": [{"filter": "datum.chosen"}],
         "mark": {"type": "point", "size": 200, "color": "var(--ink)", "tooltip": False},
         "encoding": {"x": x, "y": y}},
    ]  # fmt: skip
    return Figure(
        f"mechanism-{task}", f"What edits do to routing, and to {task}",
        ["A point a condition; routing is the mean over edited layers, on prompts of the task. Ringed: chosen on other "
         "items. Intervals are in the tooltip."],
        figure.rowed(marks, height=260), columns, rows, half=True,
    )  # fmt: skip


def _edited(kind: str) -> str:
    if "random" in kind:
        return "random in their place"
    if kind.startswith("shared"):
        return "shared experts"
    return "task experts" if kind in ("chosen", "dose", "rule") else "other experts or layers"
