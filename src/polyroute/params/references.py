"""What one section of params.yaml says of another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from polyroute.ground.frozen import check_inside, check_known, check_unique
from polyroute.ground.layers import check_range
from polyroute.interventions.settings import Masked
from polyroute.languages import table as language_table
from polyroute.params.models import PUBLISHED, RecordedModel, TransformersModel, published_as
from polyroute.tracing.settings import TurnTexts

if TYPE_CHECKING:
    from polyroute.params.file import ParamsFile


def check_references(file: ParamsFile) -> None:
    """Every name that a section gives is there in the section that it is of.

    Raises:
        ValueError: names the key of the first that is not.
    """
    for group, codes in file.languages.items():
        for code in codes:
            language_table.check(f"languages.{group}", code)
        check_unique(f"languages.{group}", codes)
    language_table.check("study.pivot", file.study.pivot)
    check_unique("study.models", file.study.models)
    for model in file.study.models:
        check_known("study.models", model, file.models, "an entry of `models`")
    for model in file.study.extra:
        check_known("study.extra", model, file.models, "an entry of `models`")
    for name, recording in file.distances.items():
        check_inside(f"distances.{name}", Path(recording), "recorded")
        if name in file.models:
            raise ValueError(
                f"distances.{name}: is an entry of `models` too; results of the two would lie in one folder"
            )
    for name in file.study.distances:
        check_known("study.distances", name, file.distances, "an entry of `distances`")
    for name, corpus in file.corpora.items():
        if (place := corpus.on_disk()) is not None:
            check_inside(f"corpora.{name}.files", Path(place), "text")
    for name, task in file.tasks.items():
        if task.text is not None:
            check_known(f"tasks.{name}.text", task.text, file.corpora, "an entry of `corpora`")
            if task.pivots and file.corpora[task.text].covered() == [language_table.ENGLISH]:
                raise ValueError(f"tasks.{name}.pivots: `{task.text}` is in English alone; leave them out")
        if (place := task.on_disk()) is not None:
            check_inside(f"tasks.{name}.files", Path(place), "text")
        for code in task.asked_in or ():
            language_table.check(f"tasks.{name}.asked_in", code)
        if task.text is not None:
            _other_items(file, f"tasks.{name}.text", name, task.text)
    for code in file.experts.multilingual.halved:
        language_table.check("experts.multilingual.halved", code)
    for name in file.mask.tasks:
        check_known("mask.tasks", name, file.tasks, "an entry of `tasks`")
    for name, spec in file.models.items():
        _model_references(file, f"models.{name}", spec)
        if name in file.study.models and isinstance(spec, TransformersModel):
            _asked_in_the_pivot(file, spec)
    for name in file.study.models:
        listed = file.models[name].languages
        if file.study.pivot not in file.languages[listed]:
            raise ValueError(f"models.{name}.languages: group `{listed}` lacks the pivot {file.study.pivot}")


def _model_references(file: ParamsFile, key: str, spec: TransformersModel | RecordedModel) -> None:
    check_known(f"{key}.languages", spec.languages, file.languages, "a group of `languages`")
    group = file.languages[spec.languages]
    if len(group) < 2:
        raise ValueError(f"{key}.languages: group `{spec.languages}` holds one language; add another to compare")
    for name in spec.groups:
        check_known(f"{key}.groups", name, file.languages, "a group of `languages`")
    check_unique(f"{key}.groups", spec.groups)
    for code in spec.near_chance:
        language_table.check(f"{key}.near_chance", code)
    check_known(f"{key}.generic", spec.generic, spec.corpora, f"among `{key}.corpora`")
    if spec.accuracies is not None and published_as(spec) is None:
        raise ValueError(f"{key}.accuracies: add `published_as`, what {PUBLISHED} calls the model")
    if isinstance(spec, RecordedModel):
        check_inside(f"{key}.file", Path(spec.file), "recorded")
        return
    if spec.folder is not None:
        check_inside(f"{key}.folder", spec.folder, "models")
    for task in spec.tasks:
        check_known(f"{key}.tasks", task, file.tasks, "an entry of `tasks`")
        for pivot in file.tasks[task].pivots:
            check_known(f"tasks.{task}.pivots", pivot, group, f"a language of {key}")
        if file.tasks[task].text and language_table.ENGLISH not in group:
            raise ValueError(
                f"{key}.languages: group `{spec.languages}` lacks {language_table.ENGLISH}, against whose generic "
                f"text the experts of `{task}` are told; add it, or leave out `tasks.{task}.text`"
            )
        _same_reading(file, task, spec.generic)
    check_unique(f"{key}.tasks", spec.tasks)
    layers = spec.shape.layers if spec.shape else None
    if spec.middle is not None:
        check_range(f"{key}.middle", spec.middle, layers)
    for task, setting in spec.published.items():
        check_known(f"{key}.published", task, spec.tasks, f"among `{key}.tasks`")
        check_range(f"{key}.published.{task}.layers", setting.layers, layers)
    for code in spec.dominant or ():
        check_known(f"{key}.dominant", code, group, f"a language of {key}")
    check_unique(f"{key}.dominant", list(spec.dominant or ()))
    for task, shared in spec.published_shared.items():
        place = f"{key}.published_shared"
        check_known(place, task, spec.tasks, f"among `{key}.tasks`")
        check_range(f"{place}.{task}.layers", shared.layers, layers)
        for code in shared.strengths:
            check_known(f"{place}.{task}.strengths", code, spec.dominant or (), f"one of `{key}.dominant`")
    for task, corpus in spec.shared_corpus.items():
        check_known(f"{key}.shared_corpus", task, spec.tasks, f"among `{key}.tasks`")
        _counted_on(file, f"{key}.shared_corpus.{task}", corpus, list(spec.dominant or ()))
        if spec.preset is None:  # paper 2 counts so
            _other_items(file, f"{key}.shared_corpus.{task}", task, corpus)
    if spec.turns is not None:
        _turn_references(file, f"{key}.turns", spec.turns, group, spec.tasks)
    if spec.mask is not None:
        if spec.mask.corpus is not None:
            for among in (spec.mask.among or spec.mask.languages, *map(spec.mask.among_of, spec.mask.own)):
                _counted_on(file, f"{key}.mask.corpus", spec.mask.corpus, file.languages.get(among, []))
        _mask_references(file, f"{key}.mask", spec.mask, group, spec.tasks)
    for corpus in spec.corpora:
        check_known(f"{key}.corpora", corpus, file.corpora, "an entry of `corpora`")
        if not file.corpora[corpus].is_parallel():
            raise ValueError(f"{key}.corpora: `{corpus}` is in-task text, not parallel: name it in a task")
        covered = file.corpora[corpus].covered()
        for code in group if covered is not None else ():
            check_known(f"{key}.languages: {spec.languages}", code, covered or (), f"a language of {corpus}")


def _other_items(file: ParamsFile, key: str, task: str, corpus: str) -> None:
    """Experts are not told on the very items that the task asks, which would be both chosen on and reported."""
    entry = file.tasks[task]
    if corpus in file.corpora and file.corpora[corpus].questions_of == entry.items_of():
        raise ValueError(
            f"{key}: `{corpus}` holds the items that `{task}` asks"
            + (" (PolyMath's level `low` is problems 0-124 of MGSM)" if entry.reader == "polymath" else "")
            + ": experts told on it would be reported on what they were found on; name other text"
        )


def _same_reading(file: ParamsFile, task: str, generic: str) -> None:
    """A task's text and the generic text count tokens alike: else the chat template would pass for the task."""
    text = file.tasks[task].text
    if text is None or generic not in file.corpora:
        return
    counted = [chat and chat.counted for chat in (file.corpora[text].chat, file.corpora[generic].chat)]
    if counted[0] != counted[1]:
        ours, theirs = (f"a chat with `counted: {one}`" if one else "plain text" for one in counted)
        raise ValueError(
            f"tasks.{task}.text: `{text}` is traced as {ours} and the generic text `{generic}` as {theirs}: the chat "
            "template would pass for the task; give both the same `chat.counted`, or neither a `chat`"
        )


def _counted_on(file: ParamsFile, key: str, corpus: str, codes: list[str]) -> None:
    """A corpus on which shared or exclusive experts are told is parallel, and holds the languages."""
    check_known(key, corpus, file.corpora, "an entry of `corpora`")
    if not file.corpora[corpus].is_parallel():
        raise ValueError(f"{key}: `{corpus}` is in-task text, not parallel")
    covered = file.corpora[corpus].covered()
    for code in codes if covered is not None else ():
        check_known(key, code, covered or (), f"a language of {corpus}")


def _turn_references(file: ParamsFile, key: str, turns: TurnTexts, group: list[str], tasks: list[str]) -> None:
    check_known(f"{key}.generic", turns.generic, file.corpora, "an entry of `corpora`")
    for task, text in turns.texts.items():
        check_known(f"{key}.texts", task, tasks, "a task of the model")
        check_known(f"{key}.texts.{task}", text, file.corpora, "an entry of `corpora`")
    for corpus in (turns.generic, *turns.texts.values()):
        covered = file.corpora[corpus].covered()
        if covered is not None and language_table.ENGLISH not in covered:
            raise ValueError(f"{key}: `{corpus}` lacks {language_table.ENGLISH}, in which all text by turn is")
    if language_table.ENGLISH not in group:
        raise ValueError(f"{key}: the model's languages lack {language_table.ENGLISH}, in which all text by turn is")


def _mask_references(file: ParamsFile, key: str, mask: Masked, group: list[str], tasks: list[str]) -> None:
    _masked_languages(file, key, mask.languages, mask.among, group)
    for task in mask.tasks:
        check_known(f"{key}.tasks", task, tasks, "a task of the model")
    for task, own in mask.own.items():
        _masked_languages(file, f"{key}.own.{task}", own.languages, own.among, group)


def _masked_languages(file: ParamsFile, key: str, languages: str, among: str | None, group: list[str]) -> None:
    check_known(f"{key}.languages", languages, file.languages, "a group of `languages`")
    masked = file.languages[languages]
    for code in masked:
        check_known(f"{key}.languages: {languages}", code, group, "a language of the model")
    if len(masked) < 2:
        raise ValueError(f"{key}.languages: group `{languages}` holds one language, to which all is exclusive")
    if among is not None:
        check_known(f"{key}.among", among, file.languages, "a group of `languages`")
        for code in file.languages[among]:
            check_known(f"{key}.among: {among}", code, group, "a language of the model")
        for code in masked:
            check_known(f"{key}.languages: {languages}", code, file.languages[among], f"in `{among}`")


def _asked_in_the_pivot(file: ParamsFile, spec: TransformersModel) -> None:
    for name in spec.tasks:
        if (asked := file.tasks[name].asked_in) is not None and file.study.pivot not in asked:
            raise ValueError(f"tasks.{name}.asked_in: lacks the pivot {file.study.pivot}, with which all are compared")
