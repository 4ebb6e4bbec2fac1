"""The tasks of one model asked for one purpose, under the conditions that a stage gives; see `ask_for`."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from polyroute.artifacts import frequency
from polyroute.artifacts.answers import Answers
from polyroute.artifacts.questions import SPLITS, Questions, Split
from polyroute.asking.ask import MECHANISM_COLUMNS, Asker
from polyroute.asking.in_vllm import started
from polyroute.asking.purpose import Halves, Next, Purpose
from polyroute.asking.settings import AskSettings
from polyroute.asking.spread import SpreadAsker, elsewhere
from polyroute.ground import console
from polyroute.ground.errors import AnswerError, PolyrouteError
from polyroute.ground.files import write_checked_table
from polyroute.ground.paths import Paths
from polyroute.models.later import LoadedLater
from polyroute.models.load import load
from polyroute.models.settings import ModelSettings
from polyroute.models.settled import load_settled
from polyroute.models.source import locate_settled
from polyroute.steering.condition import BASELINE, AskedConditions, Condition
from polyroute.workers.errors import EngineError
from polyroute.workers.pool import workers
from polyroute.workers.settings import Engine

log = logging.getLogger(__name__)


def ask_tasks(
    purpose: Purpose,
    settings: AskSettings,
    paths: Paths,
    asked: Mapping[str, Mapping[Split, AskedConditions]],
    next_round: Next,
    engine: Engine,
) -> Iterator[str]:
    """Ask a model tasks that have something to ask, and keep what it says; as `ask_for`, which says which these are."""
    assert settings.model is not None, "who has tasks is run here"
    folder = paths.answers(settings.name, purpose)
    failed: dict[str, PolyrouteError] = {}
    answered: dict[str, tuple[Asker, dict[Split, dict[str, Answers]], str]] = {}
    with ExitStack() as measuring:
        with _running(settings, settings.model, asked, engine, measuring) as seat:
            for task, halves in asked.items():
                limited = halves["report"].languages
                languages = settings.tasks[task].languages if limited is None else limited
                questions = Questions.read(paths.task_questions(settings.name, task), languages)
                questions = questions.some(settings.tasks[task].items)
                asker = seat(settings, purpose, task, questions, paths.parts, own_only=halves["report"].own_only)
                for sentence in asker.unheard() if purpose == "evaluate" else ():  # once is enough
                    log.warning("%s, %s: %s", settings.name, task, sentence)
                given = {split: halves[split].conditions for split in SPLITS}
                try:
                    answered[task] = (asker, *_answered(asker, given, folder / task, next_round))
                except EngineError:  # of all tasks
                    raise
                except PolyrouteError as error:
                    failed[task] = error
        # Behind all answers: another engine has left the memory to the model by then.
        for task, (asker, said, line) in answered.items():
            try:
                _measure(purpose, asker, asked[task]["report"].conditions, said["report"], folder / task)
            except EngineError:
                raise
            except PolyrouteError as error:
                failed[task] = error
                continue
            yield line
    if failed:
        sentences = [f"{task}: {failed[task]}" for task in asked if task in failed]
        raise AnswerError("\n".join([*sentences, "what the other tasks answered is kept, and is not asked again"]))


@contextmanager
def _running(
    settings: AskSettings,
    model: ModelSettings,
    asked: Mapping[str, Mapping[Split, AskedConditions]],
    engine: Engine,
    measuring: ExitStack,
) -> Iterator[Callable[..., Asker]]:
    """What makes an `Asker` of the rest that it takes: of the model, of workers that hold it, or of another engine.

    Workers stay until `measuring` ends; another engine is in one process and ends with the context.
    """
    name, source = settings.name, locate_settled(settings.name, model)
    if settings.engine == "transformers" and engine.spread:
        pool = measuring.enter_context(workers(engine, partial(load_settled, name, model)))
        stand_in, known = elsewhere(name, model, pool)
        yield partial(SpreadAsker, stand_in, pool=pool, known=known)
    elif settings.engine == "transformers":
        yield partial(Asker, load(name, model, source))
    else:
        later = LoadedLater(name, model, source)
        conditions = [one for halves in asked.values() for half in halves.values() for one in half.conditions]
        with started(settings, later, [one.plan for one in conditions if one.plan is not None]) as running:
            yield partial(Asker, later, engine=running)


def _answered(
    asker: Asker, conditions: Halves, folder: Path, next_round: Next
) -> tuple[dict[Split, dict[str, Answers]], str]:
    """The answers to one task, and the line that tells of them."""
    said, kept = _ask(asker, conditions, folder, next_round)
    questions = asker.questions
    whole = {one.name: one for half in conditions.values() for one in (BASELINE, *half)}
    answers = sum(asker.count(split, (whole[name] for name in said[split])) for split in SPLITS)
    before = f"; {kept:,} of {answers:,} answered before" if kept else ""
    asked_of = f"{len(questions.frame):,} questions in {len(questions.languages)} languages"
    asked_of += ", each under its own masks" if asker.own_only else ""
    asked_under = {name for half in said.values() for name in half}
    planned = {one.name for half in conditions.values() for one in half}
    return said, f"{asker.task}: {asked_of}, {_counted(len(asked_under), len(planned) + 1)}{before}"


def _counted(asked: int, planned: int) -> str:
    if planned == 1:
        return "as it is"
    saved = f" ({planned - asked} random sets not needed)" if asked < planned else ""
    return f"{asked} conditions, the baseline among them{saved}"


def _ask(
    asker: Asker, conditions: Halves, folder: Path, next_round: Next
) -> tuple[dict[Split, dict[str, Answers]], int]:
    """Ask and write; what an earlier run left is gone.

    Returns:
        What was answered, and how many answers had been given before.
    """
    kept: list[int] = []
    if folder.exists():
        shutil.rmtree(folder)
    said: dict[Split, dict[str, Answers]] = {split: {} for split in SPLITS}
    while True:
        now = next_round(asker.task, conditions, said)
        due = [split for split in SPLITS if now[split] or not said[split]]
        if not due:
            break
        for split in due:
            # Beside the baseline in the same batches: rounding in another batch is never taken for the plan's doing.
            together = [BASELINE, *now[split]]
            if said[split]:
                kept.append(-asker.count(split, [BASELINE]))  # which this very run asked before
            title = f"{asker.settings.name}, {asker.task}: {split}"
            with console.progress(title, asker.count(split, together), "answers") as advance:
                said[split] |= asker.ask(split, together, advance, kept.append)
    for split, answered in said.items():
        for name, answers in answered.items():
            answers.write(folder / split / f"{name}.parquet")
    return said, sum(kept)


def _measure(
    purpose: Purpose, asker: Asker, conditions: Sequence[Condition], said: Mapping[str, Answers], folder: Path
) -> None:
    """Write what is measured of routing beside the answers of the report half."""
    if purpose == "evaluate":
        write_checked_table(folder / frequency.FILE, [asker.frequency()], frequency.COLUMNS)
    if purpose in ("steer", "mask"):
        edits = [one for one in conditions if one.name in said]
        found = asker.mechanism(edits, by_language=purpose == "mask")
        write_checked_table(folder / "mechanism.csv", [found], MECHANISM_COLUMNS)
