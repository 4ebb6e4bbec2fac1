"""Corpora and tasks of params.yaml, read as released, checked and brought into the shapes of `polyroute.artifacts`."""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Sequence

import numpy as np
import pandas as pd

from polyroute.artifacts import corpus, key, turns
from polyroute.artifacts.key import Key
from polyroute.artifacts.parquet import in_order
from polyroute.artifacts.questions import COLUMNS, SPLITS, Questions, TaskError
from polyroute.ground.hub import HubSource
from polyroute.languages import table as language_table
from polyroute.readers.checks import check, copies, repeats, silent
from polyroute.readers.halves import halves
from polyroute.readers.item_checks import check_items
from polyroute.readers.spec import CorpusSpec, Item, TaskSpec

_log = logging.getLogger(__name__)


def fetch_corpus(name: str, spec: CorpusSpec, languages: Sequence[str], source: HubSource) -> pd.DataFrame:
    """Read a corpus in the given languages and check it.

    Args:
        name: of the corpus in params.yaml.
        spec: its entry.
        languages: FLORES codes, the pivot first; of in-task text, English alone.
        source: where files of the hub come from. No other corpus makes it go to the network.

    Returns:
        Columns item_id, language, text, and turns where items are conversations; sorted by item_id, then in the order
        of `languages`.

    Raises:
        CorpusError: a file or the corpus breaks a rule; names corpus, language, file and item.
        SourceError: a file cannot be had.
        LanguageError: a code is unknown.
    """
    rows = spec.read(languages, source)
    if spec.unicode == "NFC":
        rows = [(item_id, code, _composed(item)) for item_id, code, item in rows]
    frame = corpus.table(rows)
    places = {code: ", ".join(spec.paths(code)) or "generated" for code in languages}
    check(frame, name, languages, spec.is_parallel(), spec.items, places, spec.repeats_allowed)
    for code, same in repeats(frame).groupby("language", sort=False):
        _log.warning("%s: items of equal text in %s, kept as they are: %s", name, code, ", ".join(same["item_id"]))
    for (code, other), number in copies(frame).items():
        _log.warning(
            "%s: %s (%s) has the text of %s (%s) in %d items: is one a copy of the other? Nothing between two such "
            "languages can be measured", name, other, places[other], code, places[code], number,
        )  # fmt: skip
    if spec.take is not None:
        # Cut after the checks, which are about the whole release.
        frame = frame[frame["item_id"].isin(_taken(sorted(frame["item_id"].unique()), spec.take, spec.take_seed))]
    for code, same in silent(frame).groupby("language", sort=False):
        _log.warning("%s: items with a turn that says nothing in %s: %s", name, code, ", ".join(same["item_id"]))
    return in_order(frame, languages)


def _taken(ids: Sequence[str], take: int, seed: int | None) -> Sequence[str]:
    """The first items, or those that NumPy's legacy generator draws, as `np.random.seed` and `choice` do."""
    if seed is None or take >= len(ids):
        return ids[:take]
    return [ids[place] for place in np.random.RandomState(seed).choice(len(ids), take, replace=False)]


def _composed(item: turns.Item) -> turns.Item:
    """An item in NFC."""
    if isinstance(item, str):
        return unicodedata.normalize("NFC", item)
    return tuple(turns.Turn(role, unicodedata.normalize("NFC", text)) for role, text in item)


def fetch_task(name: str, spec: TaskSpec, languages: Sequence[str], source: HubSource) -> tuple[Questions, Key]:
    """Read a task in the given languages, check it and divide it into splits.

    Args:
        name: of the task in params.yaml; with an item's id it determines the split, unless the data set says itself
            how it is divided.
        spec: its entry.
        languages: FLORES codes.
        source: where files of the hub come from. No other task makes it go to the network.

    Returns:
        What is asked and what is right; sorted by item_id, then in the order of `languages`. With `take`, the first
        so many items of each split.

    Raises:
        TaskError: the items break a rule, the data set lacks a language, or a split is empty.
        CorpusError: a file is broken or lacks a column.
        SourceError: a file cannot be had.
        LanguageError: a code is unknown.
    """
    held = spec.covered()
    for code in languages:
        language_table.get(code)
        if held is not None and code not in held:
            raise TaskError(f"task `{name}` does not exist in {code}; it does in {', '.join(held)}")
    items = spec.read(name, languages, source)
    check_items(items, name, languages, spec.kind)
    together = {item.item_id: item.together or item.item_id for item in items if item.split is None}
    split_of = halves(spec.divided_as or name, together)
    frame = pd.DataFrame([_row(item, item.split or split_of[item.together or item.item_id]) for item in items])
    for split in SPLITS:
        if not (frame["split"] == split).any():
            raise TaskError(
                f"task `{name}`: none of its {frame['item_id'].nunique()} items is in the split `{split}`: add items, "
                "or a column `split` where the items are yours"
            )
    if spec.take is not None:
        ids = frame[["item_id", "split"]].drop_duplicates().sort_values("item_id", kind="stable")
        frame = frame[frame["item_id"].isin(ids.groupby("split")["item_id"].head(spec.take))]
    frame = in_order(frame, languages)
    stops = {code: spec.stops(code) for code in languages}
    asked = Questions(spec.kind, spec.version, stops, frame[COLUMNS[spec.kind]])
    return asked, Key(spec.kind, frame[key.COLUMNS])


def _row(item: Item, split: str) -> dict[str, object]:
    return {
        "item_id": item.item_id,
        "language": item.language,
        "split": split,
        "prompt": item.prompt,
        "choices": list(item.choices),
        "answer": item.answer,
    }
