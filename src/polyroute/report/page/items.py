"""Items that the chosen plan turned right or wrong, with their text: what stands behind a difference of a few points.

Texts and answers are in `data/`, which git does not hold; where they are absent, the page says so and what brings them.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from polyroute.artifacts import answers
from polyroute.artifacts.key import read_joined
from polyroute.artifacts.kinds import TaskKind
from polyroute.ground.paths import Paths
from polyroute.report import words
from polyroute.report.page.html import Markup, joined, tag
from polyroute.report.page.study import Study
from polyroute.results.model import ModelResults
from polyroute.results.steering import Steered
from polyroute.scoring.kinds import by_score

SHOWN = 6
"""Items of each direction that a task shows, one of as many languages as can be before a second of any."""
LONGEST = 600
"""Characters of a text that are shown."""


@dataclass(frozen=True)
class Turned:
    """One item in one language whose answer an edit changed from wrong to right, or back."""

    item: str
    language: str
    direction: Literal["right", "wrong"]
    prompt: str
    right: str
    """The right answer."""
    before: str
    """The answer without the edit."""
    after: str
    """The answer with it."""


def turned(paths: Paths, model: str, task: str, score: str) -> list[Turned] | None:
    """Every item that the chosen plan turned, each half under the plan that was chosen on the other.

    Args:
        paths: of the study.
        model: name in params.yaml.
        task: name in params.yaml.
        score: that is compared, of `scoring.kinds.SCORES`.

    Returns:
        In the order of items and languages; None where answers or texts are not at hand.
    """
    folder = paths.scored(model, "interventions") / "steer" / task
    files = [(folder / half / "baseline.parquet", folder / half / "chosen.parquet") for half in ("select", "report")]
    asked, key = paths.task_questions(model, task), paths.key(model, task)
    if not all(path.exists() for path in (asked, key, *(path for pair in files for path in pair))):
        return None
    texts = read_joined(asked, key).set_index(["item_id", "language"])
    found = []
    for plain, edited in files:
        found += list(_of_half(plain, edited, texts, score))
    return sorted(found, key=lambda one: (one.item, one.language))


def _of_half(plain: Path, edited: Path, texts: pd.DataFrame, score: str) -> Iterator[Turned]:
    before, after = answers.read(plain), answers.read(edited)
    answers.comparable(before, after)
    kind = before.header.kind
    both = by_score(before.only(list(after.header.questions)).frame, kind, score).merge(
        by_score(after.frame, kind, score), on=["item_id", "language"], suffixes=("_before", "_after")
    )
    for row in both.to_dict("records"):
        was, now = float(row["correct_before"]), float(row["correct_after"])
        # Graded scores turn where they pass one half.
        if (was > 0.5) == (now > 0.5):
            continue
        text = texts.loc[(row["item_id"], row["language"])]
        yield Turned(
            str(row["item_id"]), str(row["language"]), "right" if now > 0.5 else "wrong", str(text["prompt"]),
            _right(kind, text), *(_answered(kind, row, when, text) for when in ("before", "after")),
        )  # fmt: skip


def _right(kind: TaskKind, text: Any) -> str:
    return str(text["choices"][int(text["answer"])]).strip() if kind == "choice" else str(text["answer"])


def _answered(kind: TaskKind, row: Mapping[Hashable, Any], when: str, text: Any) -> str:
    if kind == "choice":
        return str(text["choices"][int(row[f"extracted_{when}"])]).strip()
    return str(row[f"output_{when}"]).strip()


def some(found: list[Turned], direction: str) -> list[Turned]:
    """`SHOWN` of those turned one way: one a language in turn, by how many of its items there are."""
    left = [one for one in found if one.direction == direction]
    chosen: list[Turned] = []
    while left and len(chosen) < SHOWN:
        taken: set[str] = set()
        for one in list(left):
            if one.language not in taken and len(chosen) < SHOWN:
                taken.add(one.language)
                chosen.append(one)
                left.remove(one)
    return chosen


def shown(study: Study, found: ModelResults) -> Markup:
    """Items of every task that was steered, or why there are none."""
    parts = []
    for task, held in {} if found.steering is None else found.steering.tasks.items():
        if not isinstance(held, Steered):
            continue
        score = study.about(found.model).scores.get(task)
        items = None if score is None else turned(study.paths, found.model, task, score)
        if items is None:
            parts.append(
                tag(
                    "p",
                    f"Items of {task} that the plan turned: answers or texts are not at hand. They are in "
                    "data/, outside git: `dvc pull` brings them where somebody shares them.",
                    class_="absent",
                )
            )
            continue  # fmt: skip
        counts = {way: sum(one.direction == way for one in items) for way in ("right", "wrong")}
        parts.append(
            tag(
                "details",
                tag("summary", f"Items of {task} that the chosen plan turned: {counts['right']} right, "
                    f"{counts['wrong']} wrong"),
                *(_group(way, counts[way], some(items, way)) for way in ("right", "wrong") if counts[way]),
                class_="items",
            )
        )  # fmt: skip
    return joined(parts)


def _group(way: str, count: int, items: list[Turned]) -> Markup:
    few = "" if len(items) == count else f"; {len(items)} of {count} shown"
    return joined([
        tag("h5", f"Turned {way}{few}"),
        tag("div", *map(_item, items), class_="cards"),
    ])  # fmt: skip


def _item(one: Turned) -> Markup:
    language = one.language.partition("_")[0]
    return tag(
        "div",
        tag("p", tag("span", words.named(one.language), class_="swatch", data_language=one.language), " ",
            tag("code", one.item)),
        tag("p", _cut(one.prompt), lang=language, dir="auto", class_="prompt"),
        tag("p", "before: ", tag("b", _cut(one.before) or "(nothing)", dir="auto"), " → with the plan: ",
            tag("b", _cut(one.after) or "(nothing)", dir="auto"), "; right: ", tag("b", one.right, dir="auto")),
        class_=f"card turned-{one.direction}",
    )  # fmt: skip


def _cut(content: str) -> str:
    """The end of a long text, where the question and the answer stand."""
    flat = " ".join(content.split())
    return flat if len(flat) <= LONGEST else f"… {flat[-LONGEST:]}"
