"""What is asked for one purpose: the tasks of a model that have something to ask.

Nothing is scored here, so that a corrected scorer asks nothing again; which conditions are asked after the first ones
is for the stage to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal

from polyroute.artifacts.answers import Answers
from polyroute.artifacts.questions import SPLITS, Split
from polyroute.asking.settings import AskSettings
from polyroute.ground import console
from polyroute.ground.paths import Paths
from polyroute.steering.condition import AskedConditions, Condition
from polyroute.workers.settings import HERE, Engine

Purpose = Literal["evaluate", "tune", "steer", "mask"]
Halves = Mapping[Split, Sequence[Condition]]
"""Half of the items -> conditions."""
Next = Callable[[str, Halves, Mapping[Split, Mapping[str, Answers]]], Halves]
"""From a task, its conditions and what was answered under some of them to those that are asked now; none ends it."""


def at_once(_task: str, conditions: Halves, said: Mapping[Split, Mapping[str, Answers]]) -> Halves:
    """Every condition in one round."""
    return {split: [one for one in conditions[split] if one.name not in said[split]] for split in SPLITS}


def ask_for(
    purpose: Purpose,
    settings: AskSettings,
    paths: Paths,
    conditions: Mapping[str, Mapping[Split, AskedConditions]],
    next_round: Next = at_once,
    engine: Engine = HERE,
) -> Iterator[str]:
    """Ask a model its tasks under the conditions of one purpose, and keep what it says.

    Args:
        purpose: why it is asked.
        settings: of the stage.
        paths: of the study.
        conditions: task -> half of its items -> what to do to the model beside the baseline; without any, only
            `evaluate` asks. Both halves are asked in the same languages.
        next_round: what is asked after what was answered; everything at once by default.
        engine: the processes that run the model; answers do not depend on it.

    Yields:
        A line a task.

    Raises:
        AnswerError: some task could not be asked; names each.
        EngineError: as `workers`.
    """
    folder = paths.answers(settings.name, purpose)
    folder.mkdir(parents=True, exist_ok=True)
    asked = {
        task: one
        for task, one in conditions.items()
        if purpose == "evaluate" or any(half.conditions and half.languages != () for half in one.values())
    }
    yield from (f"{task}: nothing to ask" for task in conditions if task not in asked)
    if not conditions:
        why = " (recorded counts: there is no model here)" if settings.model is None else ""
        yield f"no tasks: nothing to ask{why}"
    if not asked:
        return
    # Who runs a model imports torch and transformers, which takes seconds.
    from polyroute.asking.study import ask_tasks

    console.imported()
    yield from ask_tasks(purpose, settings, paths, asked, next_round, engine)
