"""Which tasks the study's models are asked, and in which languages."""

from __future__ import annotations

from dataclasses import dataclass

from polyroute.artifacts.questions import TaskError
from polyroute.ground.hub import is_commit
from polyroute.params import file as params
from polyroute.params.file import Params
from polyroute.params.models import TransformersModel
from polyroute.readers.spec import TaskSpec


@dataclass(frozen=True)
class Needed:
    """One task's languages, as FLORES codes."""

    languages: list[str]
    """In which models are asked it; the pivot first."""
    lacking: list[str]
    """Languages of the models that the task does not exist in."""


def model_tasks(given: Params, model: str) -> dict[str, Needed]:
    """The tasks of a model, in the order of its entry; none of counts that were recorded elsewhere.

    Args:
        given: params.yaml; reads `study.pivot`, `languages`, `tasks` and the model's entry.
        model: entry of `models`.

    Raises:
        TaskError: a task does not exist in the pivot, or is at no pinned commit.
    """
    spec = given[f"models.{model}"]
    if not isinstance(spec, TransformersModel):
        return {}
    pivot, *others = params.study_languages(given, model)
    found = {}
    for name in spec.tasks:
        task: TaskSpec = given[f"tasks.{name}"]
        _check_pinned(name, task)
        held, lacking = task.languages_of([pivot, *others])
        if pivot in lacking:
            raise TaskError(
                f"models.{model}.tasks: task `{name}` does not exist in the pivot {pivot}, which every language is "
                "compared with: leave it out, or name another pivot in study.pivot"
            )
        found[name] = Needed(held, lacking)
    return found


def study_tasks(given: Params) -> dict[str, Needed]:
    """The tasks of all models of the study, each in every language in which some model is asked it.

    Args:
        given: params.yaml; reads `study.models` and what `model_tasks` reads.

    Raises:
        TaskError: as `model_tasks`.
    """
    found: dict[str, Needed] = {}
    for model in given["study.models"]:
        for name, needed in model_tasks(given, model).items():
            before = found.get(name, Needed([], []))
            found[name] = Needed(
                list(dict.fromkeys(before.languages + needed.languages)),
                list(dict.fromkeys(before.lacking + needed.lacking)),
            )
    return found


def _check_pinned(name: str, task: TaskSpec) -> None:
    repository = task.repository()
    if repository is not None and not is_commit(repository[1]):
        raise TaskError(
            f"tasks.{name}.revision is `{repository[1]}`, which moves: run `polyroute pin {name}` to write the commit "
            "it stands for today into params.yaml"
        )
