"""The file of a model's answers to a task under one condition (baseline, or a steering plan): raw and scored.

`data/answers/<model>/<task>/<condition>.parquet`, sorted as the task's table. Columns, item_id, language and split
apart:

| kind | raw | scored |
|---|---|---|
| choice | log_likelihoods (nats), tokens, characters | extracted (a choice) and correct, each of the three `READINGS` |
| number | output, tokens, finished | extracted (plain decimal or formula, or null), correct, output_language |
| span | output, tokens, finished | inclusion, inclusion_as_released, exact_match, f1, output_language |
| translation | output, tokens, finished | reference, chrf, output_language |

What is raw of a choice are lists, one entry a choice. `output_language` is a FLORES code, `mixed` or `undetermined`, or
null where the language cannot be recognised. Nothing else is null.

The Parquet metadata hold under `polyroute` everything that determines the answers, so that a baseline is never
compared with answers of another engine, batch size or task (`comparable`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pyarrow
import pyarrow.parquet
from pydantic import BaseModel, ConfigDict, ValidationError

from polyroute.artifacts.kinds import TaskKind
from polyroute.ground.errors import AnswerError
from polyroute.ground.files import write_atomically
from polyroute.scoring.kinds import KEY, READINGS

FORMAT: Literal[1] = 1
Setting = str | int | float | bool | list[str] | None

_SPLITS = ("select", "report")
_ITEM = {"item_id": pyarrow.string(), "language": pyarrow.string(), "split": pyarrow.string()}
_WRITTEN = _ITEM | {"output": pyarrow.string(), "tokens": pyarrow.int32(), "finished": pyarrow.bool_()}
_SPOKEN = {"output_language": pyarrow.string()}
_SCHEMAS: dict[TaskKind, pyarrow.Schema] = {
    "choice": pyarrow.schema(
        _ITEM
        | {"log_likelihoods": pyarrow.list_(pyarrow.float64())}
        | {name: pyarrow.list_(pyarrow.int32()) for name in ("tokens", "characters")}
        | {f"extracted{ending}": pyarrow.int32() for ending in READINGS}
        | {f"correct{ending}": pyarrow.bool_() for ending in READINGS}
    ),
    "number": pyarrow.schema(_WRITTEN | {"extracted": pyarrow.string(), "correct": pyarrow.bool_()} | _SPOKEN),
    "span": pyarrow.schema(
        _WRITTEN
        | {name: pyarrow.bool_() for name in ("inclusion", "inclusion_as_released", "exact_match")}
        | {"f1": pyarrow.float64()}
        | _SPOKEN
    ),
    "translation": pyarrow.schema(_WRITTEN | {"reference": pyarrow.string(), "chrf": pyarrow.float64()} | _SPOKEN),
}
_NULLABLE: dict[TaskKind, tuple[str, ...]] = {
    "choice": (), "number": ("extracted", "output_language"), "span": ("output_language",),
    "translation": ("output_language",),
}  # fmt: skip


class AnswersHeader(BaseModel):
    """Everything that determines answers, and what they are of."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    model: str
    """Name in params.yaml."""
    model_digest: str
    """Commit on the hub, or a digest of the checkpoint's files."""
    task: str
    """Name in params.yaml."""
    task_digest: str
    """Digest of the task's table."""
    kind: TaskKind
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
    format: Literal[1] = FORMAT


@dataclass(frozen=True)
class Answers:
    """Answers of one model to one task under one condition."""

    header: AnswersHeader
    frame: pd.DataFrame
    """From `study.scored`; the columns of the header's kind, no others."""

    @property
    def place(self) -> str:
        """How errors name these answers."""
        return f"answers of {self.header.model} to {self.header.task} ({self.header.condition})"

    def write(self, path: Path) -> None:
        """Write the file whole or not at all; the same answers give the same bytes.

        Raises:
            AnswerError: the frame breaks the schema; names column, language and item.
        """
        schema = _SCHEMAS[self.header.kind]
        _check(self.frame, schema, self.header.kind, self.place)
        try:
            # Plain arrays: pandas would write its index and version into the file.
            arrays = [pyarrow.array(self.frame[field.name].tolist(), field.type, from_pandas=True) for field in schema]
        except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError, OverflowError) as error:
            raise AnswerError(f"{self.place} do not fit the columns of {self.header.kind} tasks: {error}") from None
        about = json.dumps(self.header.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
        table = pyarrow.table(arrays, schema=schema.with_metadata({"polyroute": about}))
        sink = pyarrow.BufferOutputStream()
        pyarrow.parquet.write_table(table, sink, compression="zstd")
        write_atomically(path, sink.getvalue().to_pybytes())


def read(path: Path) -> Answers:
    """Answers that `Answers.write` wrote.

    Raises:
        AnswerError: the file is absent, cut short, of another format, or breaks the schema; names it.
    """
    try:
        table = pyarrow.parquet.read_table(path)
        header = AnswersHeader.model_validate_json((table.schema.metadata or {})[b"polyroute"])
    except FileNotFoundError:
        raise AnswerError(f"{path} is absent: run `dvc repro`, or `dvc pull` where somebody shares it") from None
    except (pyarrow.ArrowInvalid, OSError, KeyError, ValidationError) as error:
        raise AnswerError(
            f"{path} is not a whole file of answers of format {FORMAT} ({error}); delete it and rerun"
        ) from None
    schema = _SCHEMAS[header.kind]
    if not table.schema.remove_metadata().equals(schema):
        raise AnswerError(
            f"{path}: columns {', '.join(table.schema.names)} are not those of {header.kind} tasks; delete it and rerun"
        )
    frame = pd.DataFrame({name: table[name].to_pylist() for name in schema.names}, columns=schema.names)
    for name in _NULLABLE[header.kind]:  # pandas would turn None into NaN
        frame[name] = pd.Series(table[name].to_pylist(), dtype=object)
    _check(frame, schema, header.kind, str(path))
    return Answers(header, frame)


def comparable(baseline: Answers, other: Answers) -> None:
    """Hold two conditions against each other before their answers are paired.

    Raises:
        AnswerError: they differ in anything but the condition, or hold different items.
    """
    ours, theirs = (
        answers.header.model_dump(exclude={"condition", "condition_digest"}) for answers in (baseline, other)
    )
    for name, value in ours.items():
        if theirs[name] != value:
            raise AnswerError(
                f"{other.place} have {name} {theirs[name]}, {baseline.place} have {value}: the difference would pass "
                "for one of condition; answer both alike"
            )
    first, second = (set(zip(*(answers.frame[name] for name in KEY), strict=True)) for answers in (baseline, other))
    if first != second:
        raise AnswerError(
            f"{other.place} and {baseline.place} hold different items: {len(first - second)} are in the baseline only, "
            f"{len(second - first)} in the other only, such as {min(first ^ second)}"
        )


def _check(frame: pd.DataFrame, schema: Any, kind: TaskKind, place: str) -> None:
    """No item twice, nothing empty that must not be, and no split but the two."""
    if list(frame.columns) != schema.names:
        raise AnswerError(f"{place}: columns {', '.join(frame.columns)}; {kind} tasks have {', '.join(schema.names)}")
    faults = {
        "there twice": frame.duplicated(KEY),
        f"split is not one of {', '.join(_SPLITS)}": ~frame["split"].isin(_SPLITS),
    } | {f"no `{name}`": frame[name].isna() for name in frame.columns if name not in _NULLABLE[kind]}
    if kind == "choice":
        lengths = frame[["log_likelihoods", "tokens", "characters"]].map(len)
        faults["lists of different lengths"] = lengths.nunique(axis=1) > 1
    for told, where in faults.items():
        if where.any():
            row = frame[where].iloc[0]
            raise AnswerError(f"{place}: item {row['item_id']} in {row['language']}: {told}")
