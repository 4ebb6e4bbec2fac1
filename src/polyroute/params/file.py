"""params.yaml as a whole.

Every section and key is checked when the file is read, used or not: an unknown key, a missing one or a
value outside its range is a `ParamsError` that names the key and lists what would be right. A stage then
sees only the keys it declares (`Params.only`), so a key that a stage reads without telling DVC is an error too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import ValidationError, model_validator

from polyroute.asking.settings import Asking
from polyroute.experts.settings import Experts, Similarity
from polyroute.ground.frozen import Frozen, Name, ParamsError, suggest
from polyroute.interventions.settings import Mask, Steer
from polyroute.languages import table as language_table
from polyroute.measures.settings import Align
from polyroute.params.breaches import sentence
from polyroute.params.models import Model, RecordedModel, TransformersModel
from polyroute.params.references import check_references
from polyroute.params.study import Study
from polyroute.pocket.recipe import PocketRecipe
from polyroute.readers.registry import Corpus, Task
from polyroute.scoring.settings import Score
from polyroute.stats.settings import Intervals
from polyroute.tracing.settings import Tracing


class ParamsFile(Frozen):
    """The whole of params.yaml, its cross-references checked."""

    study: Study
    languages: dict[Name, list[str]]
    corpora: dict[Name, Corpus]
    tasks: dict[Name, Task]
    models: dict[Name, Model]
    trace: Tracing
    intervals: Intervals
    align: Align
    experts: Experts
    similarity: Similarity
    evaluate: Asking
    score: Score
    steer: Steer
    mask: Mask
    pocket: dict[Name, PocketRecipe]

    @model_validator(mode="after")
    def _references(self) -> Self:
        check_references(self)
        return self


class Params:
    """params.yaml, of which only declared keys can be read."""

    def __init__(self, file: ParamsFile, declared: tuple[str, ...] | None = None):
        self._file = file
        self._declared = declared

    def only(self, *keys: str, model: str = "") -> Params:
        """The same parameters with nothing but `keys` (dotted, as in dvc.yaml; `{model}` is filled in) readable.

        Raises:
            ParamsError: a key is not in params.yaml.
        """
        declared = tuple(key.replace("{model}", model) for key in keys)
        for key in declared:
            _resolve(self._file, key)
        return Params(self._file, declared)

    def __getitem__(self, key: str) -> Any:
        """The value at a dotted key such as `models.pocket-plain`.

        Raises:
            ParamsError: the key is unknown, or the stage did not declare it.
        """
        value = _resolve(self._file, key)
        if self._declared is not None and not any(
            key == declared or key.startswith(declared + ".") for declared in self._declared
        ):
            raise ParamsError(f"key `{key}` is read but not declared: add it to the stage's params in dvc.yaml")
        return value


def load(path: Path) -> Params:
    """Read and check params.yaml, for reading by key.

    Raises:
        ParamsError: as `read`.
    """
    return Params(read(path))


class _UniqueKeys(yaml.SafeLoader):
    """YAML takes the last of two equal keys in silence, which loses a section pasted at the end."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: dict[str, int] = {}
        for name, _ in node.value:
            line = name.start_mark.line + 1
            if name.value in seen:
                raise ParamsError(
                    f"params.yaml has the key `{name.value}` twice, in lines {seen[name.value]} and {line}: "
                    "put both parts under one"
                )
            seen[name.value] = line
        return super().construct_mapping(node, deep)


def read(path: Path) -> ParamsFile:
    """Read and check params.yaml as a whole.

    Raises:
        ParamsError: the file is absent, is not YAML, or breaks a rule; names the key of every value that cannot
            be or, where all can, of the first reference to something that is not there.
    """
    try:
        raw = yaml.load(path.read_text(encoding="utf-8"), _UniqueKeys)
    except UnicodeDecodeError as error:
        raise ParamsError(f"{path} is not UTF-8 ({error.reason} at byte {error.start}): save it as UTF-8") from None
    except FileNotFoundError:
        raise ParamsError(f"{path} is absent: run the command from the root of the study") from None
    except yaml.YAMLError as error:
        raise ParamsError(f"{path} is not valid YAML: {error}") from None
    return parse(raw, str(path))


def parse(raw: object, where: str = "params.yaml") -> ParamsFile:
    """Check parameters given as plain data.

    Raises:
        ParamsError: names every breach and its key.
    """
    try:
        return ParamsFile.model_validate(raw)
    except ValidationError as error:
        breaches = "\n".join(f"  {sentence(ParamsFile, breach)}" for breach in error.errors())
        raise ParamsError(f"{where} cannot be used:\n{breaches}") from None


def study_languages(params: Params, model: str) -> list[str]:
    """FLORES codes that a model is measured in, the pivot first."""
    pivot: str = params["study.pivot"]
    group: list[str] = params[f"languages.{params[f'models.{model}'].languages}"]
    return [pivot, *(code for code in group if code != pivot)]


def model_corpora(params: Params, model: str) -> dict[str, list[str]]:
    """Which corpora a model reads, and in which languages: corpus -> FLORES codes, the pivot first.

    The text of its tasks is among them, in the languages whose experts are wanted; nothing for counts recorded
    elsewhere.
    """
    spec = params[f"models.{model}"]
    if isinstance(spec, RecordedModel):
        return {}
    wanted = {corpus: study_languages(params, model) for corpus in spec.corpora}
    for task in spec.tasks:
        text = params[f"tasks.{task}"].text
        if text is None:
            continue
        listed = wanted.setdefault(text, [])
        listed += [language for language in text_languages(params, task) if language not in listed]
    return wanted


def text_languages(params: Params, task: str) -> list[str]:
    """Languages of a task's in-task text: English, as in paper 1, and the other pivots that are asked for."""
    return [language_table.ENGLISH, *params[f"tasks.{task}"].pivots]


def study_corpora(params: Params) -> dict[str, list[str]]:
    """Which corpora the study's models read, and in which languages: corpus -> FLORES codes, the pivot first."""
    wanted: dict[str, list[str]] = {}
    for model in params["study.models"]:
        for corpus, languages in model_corpora(params, model).items():
            listed = wanted.setdefault(corpus, [])
            listed += [language for language in languages if language not in listed]
    return wanted


def _resolve(file: ParamsFile, key: str) -> Any:
    value: Any = file
    walked: list[str] = []
    for part in key.split("."):
        known = list(value) if isinstance(value, dict) else list(getattr(type(value), "model_fields", ()))
        if part not in known:
            place = f"`{'.'.join(walked)}`" if walked else "params.yaml"
            raise ParamsError(f"{place} has no key `{part}`; {suggest(part, known)}")
        value = value[part] if isinstance(value, dict) else getattr(value, part)
        walked.append(part)
    return value


def stage_settings(file: ParamsFile, model: str) -> dict[str, dict[str, Any]]:
    """What the stages that a model goes through are set to, as plain data: stage -> settings.

    `study` and `model` are among them: the seed and the pivot, and the model's own entry.
    """
    spec = file.models[model]
    sections = ["align", "similarity"]
    if isinstance(spec, TransformersModel):
        sections += ["trace"] + (["experts", "evaluate", "steer"] if spec.tasks else [])
    settings = {section: getattr(file, section).model_dump(mode="json") for section in sections}
    if isinstance(spec, TransformersModel) and spec.mask is not None:
        mask = file.mask.model_dump(mode="json")
        settings["mask"] = mask | {
            "tasks": {task: mask["tasks"][task] for task in spec.mask.tasks if task in mask["tasks"]}
        }
    study = {"pivot": file.study.pivot, "seed": file.study.seed}
    return {"study": study, "model": spec.model_dump(mode="json"), **settings}
