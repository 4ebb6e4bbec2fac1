"""A corpus as it is kept: one Parquet file with a row an item and language.

Columns: item_id (the same in every language), language (FLORES code), text.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from polyroute.artifacts import parquet
from polyroute.ground.errors import PolyrouteError

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ["item_id", "language", "text"]
"""Columns of every corpus: id of the item (the same in every language), FLORES code, text."""


class CorpusError(PolyrouteError):
    """A corpus is not what it is said to be; the message names the file, the language and the item."""


def write(frame: pd.DataFrame, path: Path) -> None:
    """Write a corpus, whole or not at all; the same frame gives the same bytes."""
    import pyarrow

    parquet.write(path, {name: pyarrow.array(frame[name].tolist(), pyarrow.string()) for name in COLUMNS})


def read(path: Path, languages: Sequence[str] | None = None) -> pd.DataFrame:
    """A corpus that `write` wrote, in all its languages or in the given ones.

    Returns:
        Columns item_id, language, text; in the order of the file, or by item_id and then as `languages`.

    Raises:
        CorpusError: the file is absent or is no corpus, or lacks a language.
    """
    import pyarrow
    import pyarrow.parquet

    try:
        frame: pd.DataFrame = pyarrow.parquet.read_table(path, columns=COLUMNS).to_pandas()
    except FileNotFoundError:
        raise CorpusError(f"{path} is absent: run `dvc repro fetch`, or `dvc pull` it") from None
    except (pyarrow.ArrowInvalid, KeyError) as error:
        raise CorpusError(f"{path} is not a corpus with the columns {', '.join(COLUMNS)} ({error})") from None
    if languages is None:
        return frame
    held = list(frame["language"].unique())
    for code in languages:
        if code not in held:
            raise CorpusError(f"{path} does not hold {code}; it holds {', '.join(held)}")
    return parquet.in_order(frame[frame["language"].isin(languages)], languages)


def texts(path: Path, language: str) -> dict[str, str]:
    """One language of a corpus that `write` wrote: item_id -> text, sorted by item_id.

    Raises:
        CorpusError: as for `read`.
    """
    frame = read(path, [language])
    return dict(zip(frame["item_id"], frame["text"], strict=True))
