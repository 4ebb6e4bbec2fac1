"""The file of a model's answers to one half of a task under one condition: raw as the model gave them, or scored.

Raw: `data/answers/<model>/<purpose>/<task>/<condition>.parquet` (of the purpose `baseline` a file a half). Scored, from
these and the key without the model: `data/scored/<model>/...`, the same names. Columns, beside item_id and language:

| kind | raw | scored has these too, and `split` |
|---|---|---|
| choice | log_likelihoods (nats), tokens, characters | extracted (a choice), correct, each of three `NORMALISATIONS` |
| number | output, tokens, finished | extracted (plain decimal or formula, or null), correct, `*`, output_language |
| span | output, tokens, finished | inclusion, inclusion_as_released, exact_match, f1, output_language |
| translation | output, tokens, finished | reference, chrf, output_language |

What is raw of a choice are lists, one entry a choice. `*` of numbers are `by_flexible_extract` (what
lm-evaluation-harness takes, or null), `flexible_extract` (whether it calls that right) and `first_box` (whether the
first box is right, paper 2's rule). `output_language` is a FLORES code, `mixed` or `undetermined`, or null where the
language cannot be recognised. Nothing else is null.

The Parquet metadata hold under `polyroute` everything that determines the answers, so that a baseline is never
compared with answers of another engine, batch size or task (`comparable`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pyarrow
from pydantic import BaseModel, ConfigDict, ValidationError

from polyroute.artifacts import parquet
from polyroute.artifacts.kinds import TaskKind
from polyroute.ground import again
from polyroute.ground.errors import AnswerError

FORMAT: Literal[2] = 2
Setting = str | int | float | bool | list[str] | None
KEY = ["item_id", "language"]
NORMALISATIONS = ("", "_by_token", "_by_character")
"""How the columns `extracted` and `correct` of choices end: of the sum, the sum by tokens and the sum by characters."""

_SPLITS = ("select", "report")
_CHOSEN = {"log_likelihoods": pyarrow.list_(pyarrow.float64())} | {
    name: pyarrow.list_(pyarrow.int32()) for name in ("tokens", "characters")
}
_WRITTEN = {"output": pyarrow.string(), "tokens": pyarrow.int32(), "finished": pyarrow.bool_()}
_SPOKEN = {"output_language": pyarrow.string()}
_RAW: dict[TaskKind, dict[str, pyarrow.DataType]] = {
    "choice": _CHOSEN, "number": _WRITTEN, "span": _WRITTEN, "translation": _WRITTEN,
}  # fmt: skip
_SCORES: dict[TaskKind, dict[str, pyarrow.DataType]] = {
    "choice": {f"extracted{ending}": pyarrow.int32() for ending in NORMALISATIONS}
    | {f"correct{ending}": pyarrow.bool_() for ending in NORMALISATIONS},
    "number": {"extracted": pyarrow.string(), "correct": pyarrow.bool_()}
    | {"by_flexible_extract": pyarrow.string(), "flexible_extract": pyarrow.bool_(), "first_box": pyarrow.bool_()}
    | _SPOKEN,
    "span": {name: pyarrow.bool_() for name in ("inclusion", "inclusion_as_released", "exact_match")}
    | {"f1": pyarrow.float64()}
    | _SPOKEN,
    "translation": {"reference": pyarrow.string(), "chrf": pyarrow.float64()} | _SPOKEN,
}
_NULLABLE = {
    ("number", "extracted"),
    ("number", "by_flexible_extract"),
    *((kind, "output_language") for kind in ("number", "span", "translation")),
}


def _schema(kind: TaskKind, scored: bool) -> pyarrow.Schema:
    item = {name: pyarrow.string() for name in (*KEY, *(["split"] if scored else []))}
    return pyarrow.schema(item | _RAW[kind] | (_SCORES[kind] if scored else {}))


class AnswersHeader(BaseModel):
    """Everything that determines answers, and what they are of."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    model: str
    """Name in params.yaml."""
    model_digest: str
    """Commit on the hub, or a digest of the checkpoint's files."""
    task: str
    """Name in params.yaml."""
    questions: dict[str, str]
    """Language -> digest of the questions that were asked in it."""
    kind: TaskKind
    scored: bool = False
    """Whether the file holds scores too."""
    condition: str
    """`baseline`, or what was done to the routers."""
    condition_digest: str = ""
    """Of the steering plan; empty for a baseline."""
    engine: str
    dtype: str
    device: str
    settings: dict[str, Setting]
    """Batch size, chat, generation, implementations of experts and attention."""
    versions: dict[str, str]
    """Libraries that ran the model."""
    format: Literal[2] = FORMAT


@dataclass(frozen=True)
class Answers:
    """Answers of one model to one task under one condition."""

    header: AnswersHeader
    frame: pd.DataFrame
    """The columns of the header's kind, no others: from `asking.ask` or, scored, from `scoring.kinds`."""

    @property
    def place(self) -> str:
        """How errors name these answers."""
        return f"answers of {self.header.model} to {self.header.task} ({self.header.condition})"

    def only(self, languages: Sequence[str]) -> Answers:
        """The same answers in some of their languages."""
        asked = {code: digest for code, digest in self.header.questions.items() if code in languages}
        frame = self.frame[self.frame["language"].isin(asked)].reset_index(drop=True)
        return Answers(self.header.model_copy(update={"questions": asked}), frame)

    def write(self, path: Path) -> None:
        """Write the file whole or not at all; the same answers give the same bytes.

        Raises:
            AnswerError: the frame breaks the schema; names column, language and item.
        """
        schema = _schema(self.header.kind, self.header.scored)
        _check(self.frame, schema, self.header, self.place)
        try:
            # Plain arrays: pandas would write its index and version into the file.
            arrays = [pyarrow.array(self.frame[field.name].tolist(), field.type, from_pandas=True) for field in schema]
        except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError, OverflowError) as error:
            raise AnswerError(f"{self.place} do not fit the columns of {self.header.kind} tasks: {error}") from None
        about = json.dumps(self.header.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
        table = pyarrow.table(arrays, schema=schema.with_metadata({"polyroute": about}))
        parquet.write_table(path, table)


def read(path: Path) -> Answers:
    """Answers that `Answers.write` wrote.

    Raises:
        AnswerError: the file is absent, damaged, in another's place, of another format, or breaks the schema; names it.
    """
    try:
        table = parquet.read_table(path, error=AnswerError)
        header = AnswersHeader.model_validate_json((table.schema.metadata or {})[b"polyroute"])
    except FileNotFoundError:
        raise AnswerError(f"{path} is absent: {again.absent(path)}") from None
    except (pyarrow.ArrowInvalid, OSError, KeyError, ValidationError) as error:
        raise AnswerError(
            f"{path} is not a whole file of answers of format {FORMAT} ({error}): {again.damaged(path)}"
        ) from None
    schema = _schema(header.kind, header.scored)
    if not table.schema.remove_metadata().equals(schema):
        raise AnswerError(
            f"{path}: columns {', '.join(table.schema.names)} are not those of {header.kind} tasks: "
            f"{again.damaged(path)}"
        )
    frame = pd.DataFrame({name: table[name].to_pylist() for name in schema.names}, columns=schema.names)
    for name in schema.names:  # pandas would turn None into NaN
        if (header.kind, name) not in _NULLABLE:
            continue
        frame[name] = pd.Series(table[name].to_pylist(), dtype=object)
    _check(frame, schema, header, str(path))
    return Answers(header, frame)


def comparable(baseline: Answers, other: Answers) -> None:
    """Hold two conditions against each other before their answers are paired.

    The baseline may have been asked in more languages.

    Raises:
        AnswerError: they differ in anything but the condition, or hold different items in a language of `other`.
    """
    apart = {"condition", "condition_digest", "questions"}
    asked = other.header.questions
    ours, theirs = (
        answers.header.model_dump(exclude=apart)
        | {f"questions in {language}": answers.header.questions.get(language) for language in asked}
        for answers in (baseline, other)
    )
    for name, value in ours.items():
        if theirs[name] != value:
            raise AnswerError(
                f"{other.place} have {name} {theirs[name]}, {baseline.place} have {value}: the difference would pass "
                "for one of condition; answer both alike"
            )
    frames = (baseline.only(list(asked)).frame, other.frame)
    first, second = (set(zip(*(frame[name] for name in KEY), strict=True)) for frame in frames)
    if first != second:
        raise AnswerError(
            f"{other.place} and {baseline.place} hold different items: {len(first - second)} are in the baseline only, "
            f"{len(second - first)} in the other only, such as {min(first ^ second)}"
        )


def _check(frame: pd.DataFrame, schema: Any, header: AnswersHeader, place: str) -> None:
    """No item twice, nothing empty that must not be, and no split but the two."""
    kind = header.kind
    if list(frame.columns) != schema.names:
        raise AnswerError(f"{place}: columns {', '.join(frame.columns)}; {kind} tasks have {', '.join(schema.names)}")
    faults = {"there twice": frame.duplicated(KEY)}
    faults |= {f"no `{name}`": frame[name].isna() for name in frame.columns if (kind, name) not in _NULLABLE}
    if header.scored:
        faults[f"split is not one of {', '.join(_SPLITS)}"] = ~frame["split"].isin(_SPLITS)
    if kind == "choice":
        lengths = frame[["log_likelihoods", "tokens", "characters"]].map(len)
        faults["lists of different lengths"] = lengths.ne(lengths["tokens"], axis=0).any(axis=1)
    for told, where in faults.items():
        if where.any():
            row = frame[where].iloc[0]
            raise AnswerError(f"{place}: item {row['item_id']} in {row['language']}: {told}")
