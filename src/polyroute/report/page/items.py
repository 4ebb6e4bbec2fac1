"""Items that the chosen plan turned right or wrong, with their text: what a difference of a few points is made of."""

from __future__ import annotations

from typing import Any

import pandas as pd

from polyroute.report import words
from polyroute.report.page.html import Markup, joined, tag
from polyroute.report.page.study import Study
from polyroute.results.model import ModelResults
from polyroute.results.steering import TurnedRow


def shown(study: Study, found: ModelResults) -> Markup:
    """Some of the items of every task that was steered."""
    if found.steering is None:
        return joined([])
    parts, table = [], TurnedRow.read(study.paths.metrics(found.model))
    for task in found.steering.steered:
        items = table[table["task"] == task]
        by_way = {way: items[items["direction"] == way] for way in ("right", "wrong")}
        counts = {way: 0 if some.empty else int(some["of"].iloc[0]) for way, some in by_way.items()}
        parts.append(
            tag(
                "details",
                tag("summary", f"Items of {task} that the chosen plan turned: {counts['right']} right, "
                    f"{counts['wrong']} wrong"),
                *(_group(way, counts[way], some) for way, some in by_way.items() if counts[way]),
                class_="items",
            )
        )  # fmt: skip
    return joined(parts)


def _group(way: str, count: int, items: pd.DataFrame) -> Markup:
    few = "" if len(items) == count else f"; {len(items)} of {count} shown"
    return joined([
        tag("h5", f"Turned {way}{few}"),
        tag("div", *map(_item, items.itertuples()), class_="cards"),
    ])  # fmt: skip


def _item(one: Any) -> Markup:
    language = one.language.partition("_")[0]
    return tag(
        "div",
        tag("p", tag("span", words.named(one.language), class_="swatch", data_language=one.language), " ",
            tag("code", one.item)),
        tag("p", one.prompt, lang=language, dir="auto", class_="prompt"),
        tag("p", "before: ", tag("b", one.before or "(nothing)", dir="auto"), " → with the plan: ",
            tag("b", one.after or "(nothing)", dir="auto"), "; right: ", tag("b", one.answer, dir="auto")),
        class_=f"card turned-{one.direction}",
    )  # fmt: skip
