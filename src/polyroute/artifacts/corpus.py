"""A corpus as it is kept: one Parquet file with a row an item and language.

Columns: item_id (the same in every language), language (FLORES code), text; and where items are conversations `turns`,
a list of roles with their texts, null for an item that is one text. `text` then holds the turns as one text.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from polyroute.artifacts import parquet
from polyroute.artifacts.turns import Item, Turn, joined
from polyroute.ground import again
from polyroute.ground.errors import PolyrouteError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow

COLUMNS = ["item_id", "language", "text"]
"""Columns of every corpus: id of the item (the same in every language), FLORES code, text."""
TURNS = "turns"
"""Column of a corpus that has conversations: the turns of an item, None where it is one text."""


class CorpusError(PolyrouteError):
    """A corpus is not what it is said to be; the message names the file, the language and the item."""


def table(rows: Sequence[tuple[str, str, Item]]) -> pd.DataFrame:
    """Item ids, FLORES codes and items as a frame of `COLUMNS`, with `TURNS` where some item is a conversation."""
    import pandas as pd

    frame = pd.DataFrame([(item_id, code, joined(item)) for item_id, code, item in rows], columns=COLUMNS)
    turns = [None if isinstance(item, str) else item for _, _, item in rows]
    if any(turns):
        frame[TURNS] = pd.Series(turns, index=frame.index, dtype=object)
    return frame


def write(frame: pd.DataFrame, path: Path) -> None:
    """Write a corpus, whole or not at all; the same frame gives the same bytes."""
    import pyarrow

    columns = {name: pyarrow.array(frame[name].tolist(), pyarrow.string()) for name in COLUMNS}
    if TURNS in frame.columns:
        columns[TURNS] = _turns(frame[TURNS].tolist())
    parquet.write(path, columns)


def read(path: Path, languages: Sequence[str] | None = None) -> pd.DataFrame:
    """A corpus that `write` wrote, in all its languages or in the given ones.

    Returns:
        Columns item_id, language, text; in the order of the file, or by item_id and then as `languages`.

    Raises:
        CorpusError: the file is absent, damaged, in another's place or no corpus, or lacks a language.
    """
    return _read(path, languages)[COLUMNS]


def texts(path: Path, language: str) -> dict[str, str]:
    """One language of a corpus that `write` wrote: item_id -> text, sorted by item_id.

    Raises:
        CorpusError: as for `read`.
    """
    frame = read(path, [language])
    return dict(zip(frame["item_id"], frame["text"], strict=True))


def items(path: Path, language: str) -> dict[str, Item]:
    """One language of a corpus that `write` wrote: item_id -> text, or turns where it has some, sorted by item_id.

    Raises:
        CorpusError: as for `read`.
    """
    frame = _read(path, [language])
    found: dict[str, Item] = dict(zip(frame["item_id"], frame["text"], strict=True))
    if TURNS in frame.columns:
        for item_id, turns in zip(frame["item_id"], frame[TURNS], strict=True):
            if turns is not None:
                found[item_id] = tuple(Turn(turn["role"], turn["text"]) for turn in turns)
    return found


def _read(path: Path, languages: Sequence[str] | None) -> pd.DataFrame:
    import pyarrow

    try:
        whole = parquet.read_table(path, error=CorpusError)
        turns = [TURNS] if TURNS in whole.column_names else []
        frame: pd.DataFrame = whole.select([*COLUMNS, *turns]).to_pandas()
    except FileNotFoundError:
        raise CorpusError(f"{path} is absent: {again.absent(path)}") from None
    except (pyarrow.ArrowInvalid, KeyError) as error:
        raise CorpusError(
            f"{path} is not a corpus with the columns {', '.join(COLUMNS)} ({error}): {again.damaged(path)}"
        ) from None
    if languages is None:
        return frame
    held = list(frame["language"].unique())
    for code in languages:
        if code not in held:
            raise CorpusError(f"{path} does not hold {code}; it holds {', '.join(held)}")
    return parquet.in_order(frame[frame["language"].isin(languages)], languages)


def _turns(items: Sequence[Sequence[tuple[str, str]] | None]) -> pyarrow.Array:
    import pyarrow

    kind = pyarrow.list_(pyarrow.struct({"role": pyarrow.string(), "text": pyarrow.string()}))
    rows = [None if turns is None else [{"role": role, "text": text} for role, text in turns] for turns in items]
    return pyarrow.array(rows, kind)
