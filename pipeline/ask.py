"""Stages evaluate, tune, steer and mask @<model>: questions and conditions -> what the model answers, unscored."""

import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Literal

import pandas as pd

from polyroute.artifacts import frequency
from polyroute.artifacts.answers import Answers
from polyroute.artifacts.key import read_joined
from polyroute.artifacts.questions import SPLITS, Questions
from polyroute.asking.ask import MECHANISM_COLUMNS as MECHANISM
from polyroute.asking.ask import Asker
from polyroute.asking.settings import AskSettings
from polyroute.ground import console
from polyroute.ground.errors import AnswerError, PolyrouteError
from polyroute.ground.files import write_table
from polyroute.ground.paths import Paths
from polyroute.interventions.effects import pooled_accuracy
from polyroute.interventions.rounds import next_round
from polyroute.models.load import load
from polyroute.models.source import locate_settled
from polyroute.scoring.kinds import by_score, grade
from polyroute.steering.condition import BASELINE, AskedConditions, Condition

Purpose = Literal["evaluate", "tune", "steer", "mask"]
Score = Callable[[Answers], float]
HALVES = {"tune": ("select",), "steer": ("report",), "mask": ("report",), "evaluate": SPLITS}
"""Purpose -> which halves of the items are asked."""


@console.stage(AskSettings, purposes={purpose: purpose for purpose in HALVES})
def main(settings: AskSettings, paths: Paths, purpose: Purpose) -> Iterator[str]:
    """Ask a model its tasks under the conditions of one purpose, and keep what it says."""
    folder = paths.answers(settings.name, purpose)
    folder.mkdir(parents=True, exist_ok=True)
    conditions = {task: _conditions(settings.name, paths, purpose, task) for task in settings.tasks}
    asked = {
        task: one
        for task, one in conditions.items()
        if purpose == "evaluate" or (one.conditions and one.languages != ())
    }
    yield from (f"{task}: nothing to ask" for task in conditions if task not in asked)
    if not asked:
        return
    assert settings.model is not None, "who has tasks is run here"
    loaded = load(settings.name, settings.model, locate_settled(settings.name, settings.model))
    failed = []
    for task, given in asked.items():
        languages = settings.tasks[task].languages if given.languages is None else given.languages
        questions = Questions.read(paths.task_questions(settings.name, task), languages)
        asker = Asker(loaded, settings, purpose, task, questions, paths.parts)
        try:
            count, kept = _ask(asker, given.conditions, folder / task, _score(settings, paths, task))
        except PolyrouteError as error:
            failed.append(f"{task}: {error}")
            continue
        items = sum(len(questions.half(split)) for split in HALVES[purpose])
        before = f"; {kept:,} of {items * count:,} answered before" if kept else ""
        asked_of = f"{items:,} questions in {len(questions.languages)} languages"
        yield f"{task}: {asked_of}, {_counted(count, len(given.conditions) + 1)}{before}"
    if failed:
        raise AnswerError("\n".join([*failed, "what the other tasks answered is kept, and is not asked again"]))


def _counted(asked: int, planned: int) -> str:
    if planned == 1:
        return "as it is"
    saved = f" ({planned - asked} random sets not needed)" if asked < planned else ""
    return f"{asked} conditions, the baseline among them{saved}"


def _score(settings: AskSettings, paths: Paths, task: str) -> Score:
    """What random sets are ranked by: accuracy over the languages to be helped."""

    def score(one: Answers) -> float:
        assert settings.ranking is not None, "some purpose ranks"
        right = by_score(grade(one, items(), "report").frame, one.header.kind, settings.ranking.scores[task])
        return pooled_accuracy(right, settings.ranking.pivot)

    @cache
    def items() -> pd.DataFrame:
        return read_joined(paths.task_questions(settings.name, task), paths.key(settings.name, task))

    return score


def _conditions(model: str, paths: Paths, purpose: Purpose, task: str) -> AskedConditions:
    if purpose == "evaluate":
        return AskedConditions(conditions=())
    folder = paths.chosen(model) if purpose == "steer" else paths.conditions(model, purpose)
    return AskedConditions.load(folder / f"{task}.json")


def _ask(asker: Asker, conditions: tuple[Condition, ...], folder: Path, score: Score) -> tuple[int, int]:
    """Ask and write; what an earlier run left is gone.

    Returns:
        How many conditions were asked, and how many answers had been given before.
    """
    kept: list[int] = []
    purpose, ranked = asker.purpose, asker.settings.ranking is not None
    if folder.exists():
        shutil.rmtree(folder)
    for split in HALVES[purpose]:
        half = len(asker.questions.half(split))
        said: dict[str, Answers] = {}
        scores: dict[str, float] = {}
        asked = next_round(conditions, scores, ranked=ranked)
        while asked or not said:
            # Beside the baseline in the same batches: rounding in another batch is never taken for the plan's doing.
            together = [BASELINE, *asked]
            if said:
                kept.append(-half)  # the baseline, which this very run asked before
            with console.progress(
                f"{asker.settings.name}, {asker.task}: {split}", len(together) * half, "answers"
            ) as advance:
                said |= asker.ask(split, together, advance, kept.append)
            scores |= {one.name: score(said[one.name]) if ranked else 0.0 for one in asked}
            asked = next_round(conditions, scores, ranked=ranked)
        for name, answers in said.items():
            answers.write(folder / f"{split if purpose == 'evaluate' else name}.parquet")
    if purpose == "evaluate":
        write_table(folder / frequency.FILE, [asker.frequency()], frequency.COLUMNS)
    if purpose in ("steer", "mask"):
        edits = [one for one in conditions if one.name in said]
        write_table(folder / "mechanism.csv", [asker.mechanism(edits, by_language=purpose == "mask")], MECHANISM)
    return len(said), sum(kept)


if __name__ == "__main__":
    main()
