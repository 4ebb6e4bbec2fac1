"""Parallel text and in-task text: read as released, checked, and kept in one shape.

A corpus is a frame with the columns item_id, language (FLORES code) and text. Each data set has a module that says
what it is, its licence, layout, schema and source, and reads it:

| reader in params.yaml | module | text |
|---|---|---|
| sib200 | `sib200` | parallel, 205 languages |
| flores_plus | `flores_plus` | parallel, 205 languages, gated |
| belebele | `belebele` | parallel, 122 languages |
| gsm8k | `gsm8k` | in-task, English |
| medinstruct | `medinstruct` | in-task, English |
| local | `local` | the user's own, either |
| pocket | `pocket` | generated from the mini world, either |

To add one of the hub: a type in `polyroute.params`, a module here with a `READER`, an entry in `_HUB_READERS`.
"""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow
import pyarrow.parquet

from polyroute.corpora import belebele, flores_plus, gsm8k, local, medinstruct, pocket, sib200
from polyroute.corpora.checks import check, repeats
from polyroute.corpora.reader import COLUMNS, HubReader
from polyroute.corpora.tables import CorpusError
from polyroute.ground.files import write_atomically
from polyroute.ground.hub import HubSource
from polyroute.params.corpora import Corpus, LocalFiles, PocketCorpus

__all__ = ["COLUMNS", "CorpusError", "fetch", "files", "is_parallel", "read", "texts", "write"]

_log = logging.getLogger(__name__)

_HUB_READERS: dict[str, HubReader] = {
    "sib200": sib200.READER,
    "flores_plus": flores_plus.READER,
    "belebele": belebele.READER,
    "gsm8k": gsm8k.READER,
    "medinstruct": medinstruct.READER,
}


def fetch(name: str, spec: Corpus, languages: Sequence[str], source: HubSource) -> pd.DataFrame:
    """Read a corpus in the given languages and check it.

    Args:
        name: of the corpus in params.yaml.
        spec: its entry.
        languages: FLORES codes, the pivot first; of in-task text, English alone.
        source: where files of the hub come from. No other corpus makes it go to the network.

    Returns:
        Columns item_id, language, text; sorted by item_id, then in the order of `languages`.

    Raises:
        CorpusError: a file or the corpus breaks a rule; names corpus, language, file and item.
        SourceError: a file cannot be had.
    """
    frame = _read(spec, languages, source)
    if not isinstance(spec, PocketCorpus) and spec.unicode == "NFC":
        frame["text"] = [unicodedata.normalize("NFC", text) for text in frame["text"]]
    places = {code: ", ".join(files(spec, code)) or "generated" for code in languages}
    check(frame, name, languages, is_parallel(spec), spec.items, places, isinstance(spec, LocalFiles))
    for code, same in repeats(frame).groupby("language", sort=False):
        _log.warning("%s: items of equal text in %s, kept as they are: %s", name, code, ", ".join(same["item_id"]))
    if not isinstance(spec, PocketCorpus) and spec.take is not None:
        # Cut after the checks, which are about the whole release.
        frame = frame[frame["item_id"].isin(sorted(frame["item_id"].unique())[: spec.take])]
    return _sorted(frame, languages)


def files(spec: Corpus, language: str) -> list[str]:
    """Files that a language is read from: paths in the data set on the hub, or on disk for the user's own text."""
    if isinstance(spec, PocketCorpus):
        return []
    if isinstance(spec, LocalFiles):
        return [str(local.path(spec, language))]
    return _HUB_READERS[spec.reader].files(spec, language)


def is_parallel(spec: Corpus) -> bool:
    """Whether every item exists in every language; in-task text is English only."""
    if isinstance(spec, PocketCorpus):
        return spec.content == "generic"
    if isinstance(spec, LocalFiles):
        return spec.parallel
    return _HUB_READERS[spec.reader].parallel


def write(frame: pd.DataFrame, path: Path) -> None:
    """Write a corpus as Parquet, whole or not at all; the same frame gives the same bytes."""
    # Plain arrays instead of `frame.to_parquet`: pandas would write its index and version into the file.
    table = pyarrow.table({name: pyarrow.array(frame[name].tolist(), pyarrow.string()) for name in COLUMNS})
    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(table, sink, compression="zstd")
    write_atomically(path, sink.getvalue().to_pybytes())


def read(path: Path, languages: Sequence[str] | None = None) -> pd.DataFrame:
    """A corpus that `write` wrote, in all its languages or in the given ones.

    Returns:
        Columns item_id, language, text; in the order of the file, or by item_id and then as `languages`.

    Raises:
        CorpusError: the file is absent or is no corpus, or lacks a language.
    """
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
    return _sorted(frame[frame["language"].isin(languages)], languages)


def texts(path: Path, language: str) -> dict[str, str]:
    """One language of a corpus that `write` wrote: item_id -> text, sorted by item_id.

    Raises:
        CorpusError: as for `read`.
    """
    frame = read(path, [language])
    return dict(zip(frame["item_id"], frame["text"], strict=True))


def _read(spec: Corpus, languages: Sequence[str], source: HubSource) -> pd.DataFrame:
    if isinstance(spec, PocketCorpus):
        return pocket.read(spec, languages)
    if isinstance(spec, LocalFiles):
        return local.read(spec, languages)
    return _HUB_READERS[spec.reader].read(spec, languages, source)


def _sorted(frame: pd.DataFrame, languages: Sequence[str]) -> pd.DataFrame:
    rank = {code: number for number, code in enumerate(languages)}
    ordered = frame.assign(rank=frame["language"].map(rank)).sort_values(["item_id", "rank"], kind="stable")
    return ordered[COLUMNS].reset_index(drop=True)
