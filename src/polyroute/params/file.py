"""params.yaml as a whole.

Every section and key is checked when the file is read, used or not: an unknown key, a missing one or a
value outside its range is a `ParamsError` that names the key and lists what would be right. Stages
read none of it: `params.resolve` gives each its settings.
"""

from __future__ import annotations

from pathlib import Path
from typing import Self, TypeVar

from pydantic import Field, ValidationError, model_validator

from polyroute.asking.settings import Asking
from polyroute.experts.settings import Experts, Similarity
from polyroute.ground import yaml12
from polyroute.ground.frozen import Frozen, Name, ParamsError, check_known
from polyroute.ground.yaml12 import NotYamlError
from polyroute.interventions.settings import Mask, Steer
from polyroute.languages import table as language_table
from polyroute.languages.own import OwnCode, OwnLanguage
from polyroute.measures.settings import Align
from polyroute.params.breaches import said_once, sentence, taken_for_another
from polyroute.params.groups import Group
from polyroute.params.models import Model, RecordedModel, TransformersModel
from polyroute.params.published import fill
from polyroute.params.references import check_references
from polyroute.params.study import Study
from polyroute.pocket.recipe import PocketRecipe
from polyroute.readers.registry import Corpus, Task
from polyroute.scoring.settings import Score
from polyroute.stats.settings import Intervals
from polyroute.tracing.settings import Nulls, Tracing, Turns
from polyroute.workers.settings import Engine

Entry = TypeVar("Entry")


class ParamsFile(Frozen):
    """The whole of params.yaml, its cross-references checked."""

    study: Study
    own_languages: dict[OwnCode, OwnLanguage] = Field(default={})
    """FLORES-like code -> a language that the table lacks, or a dialect."""
    corpora: dict[Name, Corpus]
    tasks: dict[Name, Task]
    languages: dict[Name, Group]
    """After the sections that rules of groups refer to."""
    models: dict[Name, Model]
    distances: dict[Name, str] = Field(default={})
    """Distances between languages that others recorded -> their file below `recorded/`."""
    trace: Tracing
    intervals: Intervals
    align: Align
    nulls: Nulls
    experts: Experts
    turns: Turns
    similarity: Similarity
    evaluate: Asking
    score: Score
    steer: Steer
    mask: Mask
    pocket: dict[Name, PocketRecipe]
    engine: Engine = Engine()
    """Where models run."""

    @model_validator(mode="after")
    def _references(self) -> Self:
        try:
            language_table.register(language.row(code) for code, language in self.own_languages.items())
        except language_table.LanguageError as error:
            raise ValueError(f"own_languages: {error}") from None
        check_references(self)
        return self

    def model(self, name: str) -> TransformersModel | RecordedModel:
        """An entry of `models`.

        Raises:
            ParamsError: there is none of that name.
        """
        return _entry("models", self.models, name)

    def recipe(self, name: str) -> PocketRecipe:
        """An entry of `pocket`.

        Raises:
            ParamsError: there is none of that name.
        """
        return _entry("pocket", self.pocket, name)


def read(path: Path) -> ParamsFile:
    """Read and check params.yaml as a whole.

    Raises:
        ParamsError: the file is absent, is not YAML, or breaks a rule; names the key of every value that cannot
            be or, where all can, of the first reference to something that is not there.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ParamsError(f"{path} is not UTF-8 ({error.reason} at byte {error.start}): save it as UTF-8") from None
    except FileNotFoundError:
        raise ParamsError(
            f"{path} is absent: run this in the root of a clone of polyroute, or write one for your own model and "
            "text with `polyroute init`"
        ) from None
    except OSError as error:
        raise ParamsError(f"{path} cannot be read: {error.strerror}") from None
    return parse_text(text, str(path))


def parse_text(text: str, where: str = "params.yaml") -> ParamsFile:
    """Check parameters given as YAML.

    Raises:
        ParamsError: it is no YAML; or names every breach and its key.
    """
    try:
        raw = yaml12.load(text)
    except NotYamlError as error:
        raise ParamsError(f"{where} is not valid YAML: {error}") from None
    return parse(raw, where)


def parse(raw: object, where: str = "params.yaml") -> ParamsFile:
    """Check parameters given as plain data, types strictly: `true` is no number, and a number is no text.

    Raises:
        ParamsError: names every breach and its key.
    """
    if not isinstance(raw, dict):
        raise ParamsError(f"{where} cannot be used: it is no mapping of sections such as `study` and `models`")
    filled = fill(raw)
    try:
        file = ParamsFile.model_validate(filled)
    except ValidationError as error:
        breaches = [sentence(ParamsFile, breach) for breach in error.errors()]
    else:
        breaches = list(taken_for_another(filled, file.model_dump(mode="json")))
    if breaches:
        raise ParamsError(
            f"{where} cannot be used:\n" + "\n".join(f"  {breach}" for breach in said_once(breaches, raw))
        )
    return file


def _entry(section: str, entries: dict[str, Entry], name: str) -> Entry:
    try:
        check_known(section, name, entries, f"an entry of `{section}`")
    except ValueError as error:
        raise ParamsError(str(error)) from None
    return entries[name]
