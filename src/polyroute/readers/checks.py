"""What must hold of a corpus before anything is measured on it.

One error names every breach found: corpus, language, file and item. The rules:

- every language has rows, as many as the release is said to hold, and no item twice;
- in a parallel corpus every language has the same items, since sentences are compared item by item;
- no text is blank, invisible characters such as U+200B apart, and no id; no text holds a NUL character;
- texts of a language differ from one another, all but a few. Real releases hold a few sentences overwritten by
  another (SIB-200 one pair in Bambara and one in Urdu, of 1,004): those are kept, since dropping an item would drop it
  in every language, and `repeats` lists them. More than `REPEATED_SHARE` are a fault of the file, such as one split
  read twice.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence

import pandas as pd

from polyroute.artifacts.corpus import TURNS, CorpusError
from polyroute.ground.visible import is_blank

REPEATED_SHARE = 0.01
"""Largest share of a language's items whose text another item has too. SIB-200 and Belebele stay below 0.002."""
COPIED_SHARE = 0.5
"""Largest share of its items that a language may have word for word in common with another. Real translations share
names and numbers, far fewer than one in ten."""
_SHOWN = 3
"""Items that a breach names; it counts the others."""


def check(
    frame: pd.DataFrame,
    corpus: str,
    languages: Sequence[str],
    parallel: bool,
    items: int | None,
    files: Mapping[str, str],
    repeats_allowed: bool = False,
) -> None:
    """Hold a corpus against the rules above.

    Args:
        frame: item_id, language, text, and turns where items are conversations.
        corpus: name in params.yaml, for the message.
        languages: FLORES codes that must be there.
        parallel: whether every item must exist in every language.
        items: expected items in each language; `None` for any number.
        files: language -> files it was read from, for the message.
        repeats_allowed: whether any number of texts may repeat, as in text of the user's own.

    Raises:
        CorpusError: names every breach.
    """
    by_language = dict(list(frame.groupby("language", sort=False)))
    everywhere = set(frame["item_id"]) if parallel else set()
    breaches = [
        f"  {code} ({files[code]}): {breach}"
        for code in languages
        for breach in _breaches(by_language.get(code, frame.iloc[:0]), everywhere, items, repeats_allowed)
    ]
    if breaches:
        raise CorpusError(f"corpus `{corpus}` cannot be used:\n" + "\n".join(breaches))


def repeats(frame: pd.DataFrame) -> pd.DataFrame:
    """Items whose text another item of the same language has too, in the order of the frame."""
    return frame[frame.duplicated(["language", "text"], keep=False)]


def copies(frame: pd.DataFrame) -> dict[tuple[str, str], int]:
    """Two languages -> items in which they have the same text, for those where that is more than `COPIED_SHARE`.

    Args:
        frame: item_id, language, text.

    Returns:
        The language that comes first in the frame, and the other one.
    """
    items = frame.groupby("language", sort=False)["item_id"].nunique()
    order = {str(code): place for place, code in enumerate(items.index)}
    counts: Counter[tuple[str, str]] = Counter()
    stripped = frame.assign(text=frame["text"].str.strip())
    shared = stripped[stripped.duplicated(["item_id", "text"], keep=False)]
    for _, group in shared.groupby(["item_id", "text"], sort=False):
        codes = sorted(set(group["language"]), key=order.__getitem__)
        counts.update(itertools.combinations(codes, 2))
    return {pair: n for pair, n in counts.items() if n > COPIED_SHARE * min(items[code] for code in pair)}


def silent(frame: pd.DataFrame) -> pd.DataFrame:
    """Items with a turn that says nothing, in the order of the frame."""
    if TURNS not in frame.columns:
        return frame.iloc[:0]
    return frame[[bool(turns) and any(is_blank(said) for _, said in turns) for turns in frame[TURNS]]]


def _breaches(group: pd.DataFrame, everywhere: set[str], items: int | None, repeats_allowed: bool) -> list[str]:
    """What is wrong with the rows of one language."""
    if group.empty:
        return ["no items"]
    ids, texts = group["item_id"], group["text"]
    found = []
    if items is not None and len(group) != items:
        found.append(f"{len(group)} items where {items} are expected")
    if twice := sorted(set(ids[ids.duplicated()])):
        found.append(f"there twice: {_listed(twice)}")
    if missing := sorted(everywhere - set(ids)):
        found.append(f"missing, though in another language: {_listed(missing)}")
    if nameless := int(ids.map(is_blank).sum()):
        found.append(f"{nameless} items without an id: give every item one, or none any")
    if blank := list(ids[texts.map(is_blank)]):
        found.append(f"empty text: {_listed(blank)}")
    if broken := list(ids[texts.str.contains("\0", regex=False)]):
        found.append(f"a NUL character in the text: {_listed(broken)}")
    repeated = list(ids[texts.duplicated(keep=False)])
    if not repeats_allowed and len(repeated) > REPEATED_SHARE * len(group):
        found.append(f"text that another item has too, in more than {REPEATED_SHARE:.0%}: {_listed(repeated)}")
    return found


def _listed(items: Sequence[str]) -> str:
    rest = len(items) - _SHOWN
    return ", ".join(items[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
