"""Stage score@<model>: what a model answered as it is, and the right answers -> accuracy in every language."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from polyroute.artifacts import answers, frequency
from polyroute.artifacts.key import read_joined
from polyroute.artifacts.questions import SPLITS
from polyroute.ground import console
from polyroute.ground.paths import Paths
from polyroute.measures.generated import by_part
from polyroute.miniworld.items import stated
from polyroute.results.accuracy import AccuracyMetrics, AccuracyRow, AccuracySummary
from polyroute.results.generated import GeneratedRow
from polyroute.scoring import accuracy
from polyroute.scoring.chance import by_language
from polyroute.scoring.kinds import by_score, grade
from polyroute.scoring.settings import ScoreSettings

GRADED = {"f1": "F1", "chrf": "chrF"}
"""Scores that are a number in [0, 1] an item, not right or wrong -> what they are called."""


@console.stage(ScoreSettings)
def main(settings: ScoreSettings, paths: Paths) -> Iterator[str]:
    """Score what a model answered as it is; needs no model."""
    tables: list[pd.DataFrame] = []
    generated: list[pd.DataFrame] = []
    summary: dict[str, Any] = {}
    scored = paths.scored(settings.name, "baseline")
    scored.mkdir(parents=True, exist_ok=True)
    for task, how in settings.tasks.items():
        items = read_joined(paths.task_questions(settings.name, task), paths.key(settings.name, task))
        halves = []
        for split in SPLITS:
            raw = answers.read(paths.answers(settings.name, "evaluate") / task / split / "baseline.parquet")
            graded = grade(raw, items, split)
            graded.write(scored / task / f"{split}.parquet")
            halves.append(by_score(graded.frame, how.kind, how.score))
        answered = pd.concat(halves, ignore_index=True)
        if how.facts:
            answered["stated"] = stated(answered["item_id"].tolist(), answered["language"].tolist())
        guessed = by_language(items) if how.kind in ("choice", "number") else None
        table = accuracy.table(answered, chance=None if guessed is None else guessed["chance"])
        tables.append(table.assign(task=task))
        asked = frequency.table(paths.answers(settings.name, "evaluate") / task / frequency.FILE)
        generated.append(by_part(asked, settings.pivot).assign(task=task))
        uniform = float(guessed["uniform"].mean()) if guessed is not None and how.kind == "choice" else None
        summary[task] = {"kind": how.kind} | accuracy.in_short(table, uniform, settings.pivot)
        absent = f"; the task lacks {', '.join(how.lacking)}" if how.lacking else ""
        others = items["language"].nunique() - 1
        yield f"{task}: {_summary_line(how.score, summary[task], settings.pivot, others)}{absent}"
    if not settings.tasks:
        yield "no tasks: nothing to score"
    folder = paths.metrics(settings.name)
    AccuracyRow.write(folder, tables)
    GeneratedRow.write(folder, [table for table in generated if len(table)])
    AccuracySummary.write(folder, {"tasks": summary})
    AccuracyMetrics.write(folder, AccuracyMetrics.of(folder))


def _summary_line(score: str, found: dict[str, Any], pivot: str, others: int) -> str:
    """The score in the pivot and elsewhere, in words."""
    form = "{:.2f}" if score in GRADED else "{:.0%}"
    values = form.format(found["pivot"]), form.format(found["others"])
    return f"{GRADED.get(score, 'accuracy')}: {pivot} {values[0]}, mean of {others} others {values[1]}"


if __name__ == "__main__":
    main()
