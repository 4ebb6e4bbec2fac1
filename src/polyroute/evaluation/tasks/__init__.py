"""Tasks: items with the prompt a model reads, checked, divided into splits, and kept in one shape.

A task is a frame with the columns item_id (the same in every language), language (FLORES code), split (`select` to
choose settings on, `report` to report), prompt, choices (list of texts that follow the prompt; choice tasks alone) and
answer (index of the right choice; else text: a plain decimal or a formula between dollar signs, a short answer, or
a translation). Each has a module that says what it is, its licence, schema, source and prompt:

| reader in params.yaml | module | kind | languages |
|---|---|---|---|
| belebele | `belebele` | choice | 122 |
| global_mmlu | `global_mmlu` | choice | 42 |
| mgsm | `mgsm` | number | 11 |
| polymath | `polymath` | number | 18 |
| xquad | `xquad` | span | 12 |
| translation | `translation` | translation | those of a parallel corpus, from English |
| pocket | `pocket` | choice | those of the mini world |
| local | `local` | any | the user's own |

To add one: a type in `polyroute.params`, a module here with a `READER`, an entry in `_READERS`. A module's `VERSION`
goes up whenever the same files give other items or prompts, so that answers are not taken for those of another task.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow
import pyarrow.parquet

from polyroute.artifacts.kinds import TaskKind
from polyroute.evaluation.tasks import belebele, global_mmlu, local, mgsm, pocket, polymath, translation, xquad
from polyroute.evaluation.tasks.checks import TaskError, check
from polyroute.evaluation.tasks.reader import SPLITS, Item, TaskReader, split_of
from polyroute.ground.files import write_atomically
from polyroute.ground.hub import HubSource
from polyroute.languages import table as language_table
from polyroute.params.tasks import Task

__all__ = ["COLUMNS", "TaskError", "covered", "fetch", "files", "languages_of", "read", "stops", "version", "write"]

_WRITTEN = ["item_id", "language", "split", "prompt", "answer"]
COLUMNS: dict[TaskKind, list[str]] = {
    "choice": ["item_id", "language", "split", "prompt", "choices", "answer"],
    "number": _WRITTEN,
    "span": _WRITTEN,
    "translation": _WRITTEN,
}
"""Columns of a task's table, by kind."""

_TYPES = {"choices": pyarrow.list_(pyarrow.string())}
_READERS: dict[str, TaskReader] = {
    "belebele": belebele.READER,
    "mgsm": mgsm.READER,
    "polymath": polymath.READER,
    "xquad": xquad.READER,
    "translation": translation.READER,
    "global_mmlu": global_mmlu.READER,
    "pocket": pocket.READER,
    "local": local.READER,
}


def fetch(name: str, spec: Task, languages: Sequence[str], source: HubSource) -> pd.DataFrame:
    """Read a task in the given languages, check it and divide it into splits.

    Args:
        name: of the task in params.yaml; with an item's id it determines the split.
        spec: its entry.
        languages: FLORES codes.
        source: where files of the hub come from. No other task makes it go to the network.

    Returns:
        `COLUMNS` of its kind; sorted by item_id, then in the order of `languages`. With `take`, the first so many
        items of each split.

    Raises:
        TaskError: the items break a rule, the data set lacks a language, or a split is empty.
        CorpusError: a file is broken or lacks a column.
        SourceError: a file cannot be had.
        LanguageError: a code is unknown.
    """
    held = covered(spec)
    for code in languages:
        language_table.get(code)
        if held is not None and code not in held:
            raise TaskError(f"task `{name}` does not exist in {code}; it does in {', '.join(held)}")
    items = _READERS[spec.reader].read(name, spec, languages, source)
    check(items, name, languages, spec.kind)
    frame = _frame(items, name, spec.kind)
    for split in SPLITS:
        if not (frame["split"] == split).any():
            raise TaskError(
                f"task `{name}`: none of its {frame['item_id'].nunique()} items is in the split `{split}`: add items, "
                "or a column `split` where the items are yours"
            )
    if spec.take is not None:
        ids = frame[["item_id", "split"]].drop_duplicates().sort_values("item_id", kind="stable")
        frame = frame[frame["item_id"].isin(ids.groupby("split")["item_id"].head(spec.take))]
    return _sorted(frame, languages)


def files(spec: Task, language: str) -> list[str]:
    """Files that a language is read from: paths in the data set on the hub, or on disk for the user's own items.

    Raises:
        TaskError: the task does not exist in the language.
    """
    held = covered(spec)
    if held is not None and language not in held:
        raise TaskError(f"{spec.reader} does not exist in {language}; it does in {', '.join(held)}")
    return _READERS[spec.reader].files(spec, language)


def covered(spec: Task) -> list[str] | None:
    """FLORES codes that a task has, sorted; None where any may be asked for."""
    return _READERS[spec.reader].covered(spec)


def languages_of(spec: Task, codes: Sequence[str]) -> tuple[list[str], list[str]]:
    """Which of a model's languages a task exists in, and which it lacks; both in the order of `codes`."""
    held = covered(spec)
    if held is None:
        return list(codes), []
    return [code for code in codes if code in held], [code for code in codes if code not in held]


def stops(spec: Task, language: str) -> tuple[str, ...]:
    """Strings that end a generated answer in a language."""
    return _READERS[spec.reader].stops(spec, language)


def version(spec: Task) -> int:
    """Version of the module that reads a task."""
    return _READERS[spec.reader].version


def write(frame: pd.DataFrame, path: Path) -> None:
    """Write a task as Parquet, whole or not at all; the same frame gives the same bytes."""
    types = _TYPES | {"answer": pyarrow.int32() if "choices" in frame else pyarrow.string()}
    # Plain arrays instead of `frame.to_parquet`: pandas would write its index and version into the file.
    columns = {name: pyarrow.array(frame[name].tolist(), types.get(name, pyarrow.string())) for name in frame.columns}
    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(pyarrow.table(columns), sink, compression="zstd")
    write_atomically(path, sink.getvalue().to_pybytes())


def read(path: Path, languages: Sequence[str] | None = None, split: str | None = None) -> pd.DataFrame:
    """A task that `write` wrote, in all its languages and splits or in the given ones.

    Returns:
        `COLUMNS` of its kind, by item_id and then as `languages`, or in the order of the file.

    Raises:
        TaskError: the file is absent or is no task, or lacks a language or the split.
    """
    try:
        table = pyarrow.parquet.read_table(path)
    except FileNotFoundError:
        raise TaskError(f"{path} is absent: run `dvc repro fetch`, or `dvc pull` it") from None
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise TaskError(f"{path} is not a Parquet file that can be read ({error})") from None
    if table.schema.names not in COLUMNS.values():
        raise TaskError(f"{path} is not a task: its columns are {', '.join(table.schema.names)}")
    frame = pd.DataFrame({name: table[name].to_pylist() for name in table.schema.names})
    for column, wanted in (("language", languages or ()), ("split", () if split is None else (split,))):
        held = list(frame[column].unique())
        for value in wanted:
            if value not in held:
                raise TaskError(f"{path} does not hold {value}; it holds {', '.join(held)}")
    if split is not None:
        frame = frame[frame["split"] == split].reset_index(drop=True)
    if languages is None:
        return frame
    return _sorted(frame[frame["language"].isin(languages)], languages)


def _frame(items: Sequence[Item], name: str, kind: TaskKind) -> pd.DataFrame:
    rows = [
        {
            "item_id": item.item_id,
            "language": item.language,
            "split": item.split or split_of(name, item.together or item.item_id),
            "prompt": item.prompt,
            "choices": list(item.choices),
            "answer": item.answer,
        }
        for item in items
    ]
    return pd.DataFrame(rows)[COLUMNS[kind]]


def _sorted(frame: pd.DataFrame, languages: Sequence[str]) -> pd.DataFrame:
    rank = {code: number for number, code in enumerate(languages)}
    ordered = frame.assign(rank=frame["language"].map(rank)).sort_values(["item_id", "rank"], kind="stable")
    return ordered[list(frame.columns)].reset_index(drop=True)
