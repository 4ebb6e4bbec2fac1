"""Stages evaluate, tune, steer and mask @<model>: questions and conditions -> what the model answers, unscored."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from polyroute.artifacts import frequency
from polyroute.artifacts.questions import SPLITS, Questions
from polyroute.asking.ask import MECHANISM_COLUMNS as MECHANISM
from polyroute.asking.ask import Asker
from polyroute.asking.settings import AskSettings
from polyroute.ground import console
from polyroute.ground.errors import AnswerError, PolyrouteError
from polyroute.ground.files import write_table
from polyroute.ground.paths import Paths
from polyroute.models.load import load
from polyroute.models.source import locate_settled
from polyroute.steering.condition import BASELINE, AskedConditions, Condition

Purpose = Literal["evaluate", "tune", "steer", "mask"]
HALVES = {"tune": ("select",), "steer": ("report",), "mask": ("report",), "evaluate": SPLITS}
"""Purpose -> which halves of the items are asked."""


@console.stage(AskSettings, purposes={purpose: purpose for purpose in HALVES})
def main(settings: AskSettings, paths: Paths, purpose: Purpose) -> Iterator[str]:
    """Ask a model its tasks under the conditions of one purpose, and keep what it says."""
    folder = paths.answers(settings.name, purpose)
    folder.mkdir(parents=True, exist_ok=True)
    conditions = {task: _conditions(settings.name, paths, purpose, task) for task in settings.tasks}
    asked = {task: one for task, one in conditions.items() if one.conditions and one.languages != ()}
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
            kept = _ask(asker, given.conditions, folder / task)
        except PolyrouteError as error:
            failed.append(f"{task}: {error}")
            continue
        items = sum(len(questions.half(split)) for split in HALVES[purpose])
        before = f"; {kept:,} of {items * len(given.conditions):,} answered before" if kept else ""
        asked_of = f"{items:,} questions in {len(questions.languages)} languages"
        yield f"{task}: {asked_of}, {_counted(given.conditions)}{before}"
    if failed:
        raise AnswerError("\n".join([*failed, "what the other tasks answered is kept, and is not asked again"]))


def _counted(conditions: tuple[Condition, ...]) -> str:
    return "as it is" if conditions == (BASELINE,) else f"{len(conditions)} conditions, the baseline among them"


def _conditions(model: str, paths: Paths, purpose: Purpose, task: str) -> AskedConditions:
    if purpose == "evaluate":
        return AskedConditions(conditions=(BASELINE,))
    folder = paths.chosen(model) if purpose == "steer" else paths.conditions(model, purpose)
    asked = AskedConditions.load(folder / f"{task}.json")
    # Beside the baseline in the same batches: rounding in another batch is never taken for the plan's doing.
    return asked.model_copy(update={"conditions": (BASELINE, *asked.conditions)}) if asked.conditions else asked


def _ask(asker: Asker, conditions: tuple[Condition, ...], folder: Path) -> int:
    """Ask, write, and count the answers that were given before."""
    kept: list[int] = []
    purpose = asker.purpose
    for split in HALVES[purpose]:
        title = f"{asker.settings.name}, {asker.task}: {split}"
        with console.progress(title, len(conditions) * len(asker.questions.half(split)), "answers") as advance:
            for name, answers in asker.ask(split, conditions, advance, kept.append).items():
                answers.write(folder / f"{split if purpose == 'evaluate' else name}.parquet")
    if purpose == "evaluate":
        write_table(folder / frequency.FILE, [asker.frequency()], frequency.COLUMNS)
    if purpose in ("steer", "mask"):
        write_table(folder / "mechanism.csv", [asker.mechanism(conditions, by_language=purpose == "mask")], MECHANISM)
    return sum(kept)


if __name__ == "__main__":
    main()
