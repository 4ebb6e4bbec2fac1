"""What a model is asked: one Parquet file a task, a row an item and language. The right answers are in `artifacts.key`.

Columns: item_id (the same in every language), language (FLORES code), split (`select` to choose settings on, `report`
to report), prompt, and of choice tasks choices (list of texts that follow the prompt). The file's metadata say what
else decides the answers: the kind of task, the version of the reader that made the prompts, and by language the
strings that end a generated answer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from polyroute.artifacts import parquet
from polyroute.artifacts.kinds import TaskKind
from polyroute.ground import again
from polyroute.ground.errors import AnswerError

if TYPE_CHECKING:
    import pandas as pd

Split = Literal["select", "report"]
"""Items to choose settings on, and items to report."""
SPLITS: tuple[Split, ...] = ("select", "report")
_WRITTEN = ["item_id", "language", "split", "prompt"]
COLUMNS: dict[TaskKind, list[str]] = {
    "choice": [*_WRITTEN, "choices"],
    "number": _WRITTEN,
    "span": _WRITTEN,
    "translation": _WRITTEN,
}
"""Columns of the questions, by kind of task."""


class TaskError(AnswerError):
    """A task's items are not what they should be; the message names the task, the language and the item."""


@dataclass(frozen=True)
class Questions:
    """The questions of a task, in some of its languages."""

    kind: TaskKind
    version: int
    """Of the reader; goes up whenever the same files give other items or prompts."""
    stops: Mapping[str, Sequence[str]]
    """FLORES code -> strings that end a generated answer."""
    frame: pd.DataFrame
    """`COLUMNS` of the kind, by item_id and then in the order of the languages."""

    @property
    def languages(self) -> list[str]:
        """FLORES codes in the order of the task."""
        return [str(code) for code in self.frame["language"].drop_duplicates()]

    def half(self, split: str) -> pd.DataFrame:
        """The questions of one split, in their order."""
        return self.frame[self.frame["split"] == split]

    def some(self, count: int | None) -> Questions:
        """Of each split so many items, as `some_items` takes them."""
        return replace(self, frame=some_items(self.frame, count))

    def write(self, path: Path) -> None:
        """Write as Parquet, whole or not at all; the same questions give the same bytes."""
        import pyarrow

        types = {"choices": pyarrow.list_(pyarrow.string())}
        columns = {
            name: pyarrow.array(self.frame[name].tolist(), types.get(name, pyarrow.string()))
            for name in COLUMNS[self.kind]
        }
        stops = json.dumps({code: list(ends) for code, ends in self.stops.items()}, ensure_ascii=False, sort_keys=True)
        parquet.write(path, columns, {"kind": self.kind, "version": str(self.version), "stops": stops})

    @classmethod
    def read(cls, path: Path, languages: Sequence[str] | None = None, split: str | None = None) -> Questions:
        """What `write` wrote, in all languages and splits or in the given ones.

        Raises:
            TaskError: the file is absent or holds no questions, or lacks a language or the split.
        """
        kind, metadata, frame = read_table(path, COLUMNS, "questions")
        for column, wanted in (("language", languages or ()), ("split", () if split is None else (split,))):
            held = list(frame[column].unique())
            for value in wanted:
                if value not in held:
                    raise TaskError(f"{path} does not hold {value}; it holds {', '.join(held)}")
        if split is not None:
            frame = frame[frame["split"] == split].reset_index(drop=True)
        if languages is not None:
            frame = parquet.in_order(frame[frame["language"].isin(languages)], languages)
        return cls(kind, int(metadata["version"]), json.loads(metadata["stops"]), frame)


def some_items(frame: pd.DataFrame, count: int | None) -> pd.DataFrame:
    """Of each split so many items at equal distances in their order, so that a few are of every subject; all if None.

    Args:
        frame: with columns item_id and split; the same items in any language.
        count: of each split; one that has fewer keeps all.
    """
    if count is None:
        return frame
    kept: list[str] = []
    for _, half in frame[["item_id", "split"]].drop_duplicates().groupby("split", sort=False):
        ids = half["item_id"].tolist()
        kept += [ids[place * len(ids) // count] for place in range(count)] if len(ids) > count else ids
    return frame[frame["item_id"].isin(kept)].reset_index(drop=True)


def read_table(
    path: Path, columns: Mapping[TaskKind, list[str]], what: str
) -> tuple[TaskKind, dict[str, str], pd.DataFrame]:
    """Kind, metadata and rows of a file of a task.

    Args:
        path: of the file.
        columns: that it must have, by kind.
        what: it should hold, for messages.

    Raises:
        TaskError: it is absent, damaged, in another's place, or no such file.
    """
    import pandas as pd
    import pyarrow

    try:
        table = parquet.read_table(path, error=TaskError)
    except FileNotFoundError:
        raise TaskError(f"{path} is absent: {again.absent(path)}") from None
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise TaskError(f"{path} is not a Parquet file that can be read ({error}): {again.damaged(path)}") from None
    metadata = {name.decode(): value.decode() for name, value in (table.schema.metadata or {}).items()}
    kind = next((kind for kind in columns if kind == metadata.get("kind")), None)
    if kind is None or table.schema.names != columns[kind]:
        raise TaskError(f"{path} holds no {what} of a task: its columns are {', '.join(table.schema.names)}")
    return kind, metadata, pd.DataFrame({name: table[name].to_pylist() for name in table.schema.names})
