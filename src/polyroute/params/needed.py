"""What the study's models read and are asked: which corpora and tasks, and in which languages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from polyroute.artifacts.questions import TaskError
from polyroute.ground.hub import is_commit
from polyroute.languages import table as language_table
from polyroute.params.file import ParamsFile
from polyroute.params.models import RecordedModel, TransformersModel
from polyroute.readers.spec import TaskSpec


@dataclass(frozen=True)
class Needed:
    """One task's languages, as FLORES codes."""

    languages: list[str]
    """In which models are asked it; the pivot first."""
    lacking: list[str]
    """Languages of the models that the task does not exist in."""


def model_languages(file: ParamsFile, model: str) -> list[str]:
    """FLORES codes that a model is measured in, the pivot first."""
    pivot = file.study.pivot
    return [pivot, *(code for code in file.languages[file.models[model].languages] if code != pivot)]


def text_languages(file: ParamsFile, task: str) -> list[str]:
    """Languages of a task's in-task text: English, as in paper 1, and the other pivots that are asked for."""
    return [language_table.ENGLISH, *file.tasks[task].pivots]


def model_corpora(file: ParamsFile, model: str) -> dict[str, list[str]]:
    """Which corpora a model reads, and in which languages: corpus -> FLORES codes, the pivot first.

    The text of its tasks is among them, in the languages whose experts are wanted, and so is text that shared or
    exclusive experts are told on; nothing for counts recorded
    elsewhere.
    """
    spec = file.models[model]
    if isinstance(spec, RecordedModel):
        return {}
    wanted = {corpus: model_languages(file, model) for corpus in spec.corpora}
    for task in spec.tasks:
        text = file.tasks[task].text
        if text is None:
            continue
        listed = wanted.setdefault(text, [])
        listed += [language for language in text_languages(file, task) if language not in listed]
    for corpus, codes in _counted_on(file, spec):
        listed = wanted.setdefault(corpus, [])
        listed += [language for language in codes if language not in listed]
    return wanted


def _counted_on(file: ParamsFile, spec: TransformersModel) -> Iterator[tuple[str, Sequence[str]]]:
    """Corpora that shared or exclusive experts are told on in place of the generic text, and their languages."""
    for corpus in spec.shared_corpus.values():
        yield corpus, spec.dominant or ()
    if spec.mask is not None and spec.mask.corpus is not None:
        groups = dict.fromkeys([spec.mask.among or spec.mask.languages, *map(spec.mask.among_of, spec.mask.own)])
        for group in groups:
            yield spec.mask.corpus, file.languages[group]


def turn_languages(file: ParamsFile, model: str) -> list[str]:
    """FLORES codes of the passages that tell the task from the turn, English first; none where that is not asked."""
    spec = file.models[model]
    if not isinstance(spec, TransformersModel) or spec.turns is None:
        return []
    covered = file.corpora[spec.turns.generic].covered()
    others = (code for code in model_languages(file, model) if code != language_table.ENGLISH)
    return [language_table.ENGLISH, *(code for code in others if covered is None or code in covered)]


def fetched_corpora(file: ParamsFile, model: str) -> dict[str, list[str]]:
    """Which corpora are fetched for a model, and in which languages: those of `model_corpora`, and text by turn."""
    wanted = {corpus: list(languages) for corpus, languages in model_corpora(file, model).items()}
    spec = file.models[model]
    if isinstance(spec, TransformersModel) and spec.turns is not None:
        further = {spec.turns.generic: turn_languages(file, model)}
        further |= {text: [language_table.ENGLISH] for text in spec.turns.texts.values()}
        for corpus, languages in further.items():
            listed = wanted.setdefault(corpus, [])
            listed += [language for language in languages if language not in listed]
    return wanted


def study_corpora(file: ParamsFile) -> dict[str, list[str]]:
    """Which corpora the study's models read, and in which languages: corpus -> FLORES codes, the pivot first."""
    wanted: dict[str, list[str]] = {}
    for model in file.study.models:
        for corpus, languages in fetched_corpora(file, model).items():
            listed = wanted.setdefault(corpus, [])
            listed += [language for language in languages if language not in listed]
    return wanted


def model_tasks(file: ParamsFile, model: str) -> dict[str, Needed]:
    """The tasks of a model, in the order of its entry; none of counts that were recorded elsewhere.

    Raises:
        TaskError: a task does not exist in the pivot, or is at no pinned commit.
    """
    spec = file.models[model]
    if not isinstance(spec, TransformersModel):
        return {}
    pivot, *others = model_languages(file, model)
    found = {}
    for name in spec.tasks:
        task = file.tasks[name]
        _check_pinned(name, task)
        held, lacking = task.languages_of([pivot, *others])
        if pivot in lacking:
            raise TaskError(
                f"models.{model}.tasks: task `{name}` does not exist in the pivot {pivot}, which every language is "
                "compared with: leave it out, or name another pivot in study.pivot"
            )
        found[name] = Needed(held, lacking)
    return found


def study_tasks(file: ParamsFile) -> dict[str, Needed]:
    """The tasks of all models of the study, each in every language in which some model is asked it.

    Raises:
        TaskError: as `model_tasks`.
    """
    found: dict[str, Needed] = {}
    for model in file.study.models:
        for name, needed in model_tasks(file, model).items():
            before = found.get(name, Needed([], []))
            found[name] = Needed(
                list(dict.fromkeys(before.languages + needed.languages)),
                list(dict.fromkeys(before.lacking + needed.lacking)),
            )
    return found


def in_task_text(file: ParamsFile) -> set[tuple[str, str]]:
    """Pairs of in-task text and a corpus that it is held against, of the study's models."""
    return {
        (text, corpus)
        for model in file.study.models
        for task in model_tasks(file, model)
        for corpus in file.models[model].corpora
        if (text := file.tasks[task].text) is not None
    }


def _check_pinned(name: str, task: TaskSpec) -> None:
    repository = task.repository()
    if repository is not None and not is_commit(repository[1]):
        raise TaskError(
            f"tasks.{name}.revision is `{repository[1]}`, which moves: run `polyroute pin {name}` to write the commit "
            "it stands for today into params.yaml"
        )
