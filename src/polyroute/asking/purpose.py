"""All tasks of one model asked for one purpose: what the stages `evaluate`, `tune`, `steer` and `mask` do.

Nothing is scored here, so that a corrected scorer asks nothing again; which conditions are asked after the first ones
is for the stage to say.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from polyroute.artifacts import frequency
from polyroute.artifacts.answers import Answers
from polyroute.artifacts.questions import SPLITS, Questions, Split
from polyroute.asking.ask import MECHANISM_COLUMNS, Asker
from polyroute.asking.settings import AskSettings
from polyroute.ground import console
from polyroute.ground.errors import AnswerError, PolyrouteError
from polyroute.ground.files import write_table
from polyroute.ground.paths import Paths
from polyroute.models.load import load
from polyroute.models.source import locate_settled
from polyroute.steering.condition import BASELINE, AskedConditions, Condition

Purpose = Literal["evaluate", "tune", "steer", "mask"]
HALVES: dict[Purpose, tuple[Split, ...]] = {
    "tune": ("select",), "steer": ("report",), "mask": ("report",), "evaluate": SPLITS,
}  # fmt: skip
"""Purpose -> which halves of the items are asked."""
Next = Callable[[str, Sequence[Condition], Mapping[str, Answers]], Sequence[Condition]]
"""From a task, its conditions and what was answered under some of them to those that are asked now; none ends it."""


def at_once(_task: str, conditions: Sequence[Condition], said: Mapping[str, Answers]) -> list[Condition]:
    """Every condition in one round."""
    return [condition for condition in conditions if condition.name not in said]


def ask_for(
    purpose: Purpose,
    settings: AskSettings,
    paths: Paths,
    conditions: Mapping[str, AskedConditions],
    next_round: Next = at_once,
) -> Iterator[str]:
    """Ask a model its tasks under the conditions of one purpose, and keep what it says.

    Args:
        purpose: why it is asked.
        settings: of the stage.
        paths: of the study.
        conditions: task -> what to do to the model beside the baseline; without any, only `evaluate` asks.
        next_round: what is asked after what was answered; everything at once by default.

    Yields:
        A line a task.

    Raises:
        AnswerError: some task could not be asked; names each.
    """
    folder = paths.answers(settings.name, purpose)
    folder.mkdir(parents=True, exist_ok=True)
    asked = {
        task: one
        for task, one in conditions.items()
        if purpose == "evaluate" or (one.conditions and one.languages != ())
    }
    yield from (f"{task}: nothing to ask" for task in conditions if task not in asked)
    if not conditions:
        why = " (recorded counts: there is no model here)" if settings.model is None else ""
        yield f"no tasks: nothing to ask{why}"
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
            count, kept = _ask(purpose, asker, given.conditions, folder / task, next_round)
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


def _ask(
    purpose: Purpose, asker: Asker, conditions: Sequence[Condition], folder: Path, next_round: Next
) -> tuple[int, int]:
    """Ask and write; what an earlier run left is gone.

    Returns:
        How many conditions were asked, and how many answers had been given before.
    """
    kept: list[int] = []
    if folder.exists():
        shutil.rmtree(folder)
    for split in HALVES[purpose]:
        half = len(asker.questions.half(split))
        said: dict[str, Answers] = {}
        asked = next_round(asker.task, conditions, said)
        while asked or not said:
            # Beside the baseline in the same batches: rounding in another batch is never taken for the plan's doing.
            together = [BASELINE, *asked]
            if said:
                kept.append(-half)  # the baseline, which this very run asked before
            title = f"{asker.settings.name}, {asker.task}: {split}"
            with console.progress(title, len(together) * half, "answers") as advance:
                said |= asker.ask(split, together, advance, kept.append)
            asked = next_round(asker.task, conditions, said)
        for name, answers in said.items():
            answers.write(folder / f"{split if purpose == 'evaluate' else name}.parquet")
    if purpose == "evaluate":
        write_table(folder / frequency.FILE, [asker.frequency()], frequency.COLUMNS)
    if purpose in ("steer", "mask"):
        edits = [one for one in conditions if one.name in said]
        found = asker.mechanism(edits, by_language=purpose == "mask")
        write_table(folder / "mechanism.csv", [found], MECHANISM_COLUMNS)
    return len(said), sum(kept)
