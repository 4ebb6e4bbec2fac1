"""How many tokens a text has in a language, from real sentences and one real vocabulary.

`sentences.csv` holds the mean tokens of the 1,004 sentences of SIB-200 (FLORES-200), NFC, in 47 languages, in the
vocabulary of Qwen. That count is right: of the problems of MGSM it gives, with 12 tokens of the chat template, the very
means that were recorded of Qwen3-30B-A3B (English 73.1, Swahili 118.2). Another model's vocabulary differs, by as much
as half in languages that it was not made for; what is estimated for it says so.

A language that was not measured takes the mean of those in its script, or of all. A text that is no sentence is as much
longer than in English as sentences are: of MGSM in eight languages that is right within two fifths, and a fourth too
much in the mean.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from statistics import fmean
from typing import NamedTuple

from polyroute.languages.table import ENGLISH


class Item(NamedTuple):
    """English tokens of one item."""

    read: float
    written: float
    """0 where nothing is written."""


@cache
def sentences() -> dict[str, float]:
    """FLORES code -> mean tokens of a sentence, of the languages that were measured."""
    text = (files("polyroute.sizing") / "sentences.csv").read_text(encoding="utf-8")
    return {row["flores"]: float(row["tokens"]) for row in csv.DictReader(text.splitlines())}


def sentence(code: str) -> float:
    """Mean tokens of a sentence in a language."""
    held = sentences()
    script = code.rpartition("_")[2]
    alike = [tokens for other, tokens in held.items() if other.endswith(f"_{script}")]
    return held.get(code) or fmean(alike or held.values())


def factor(codes: Sequence[str]) -> float:
    """How many tokens a text has in these languages, in the mean, for one in English."""
    return fmean(map(sentence, codes)) / sentence(ENGLISH)


@cache
def _table() -> dict[str, dict[str, object]]:
    return tomllib.loads((files("polyroute.sizing") / "tokens.toml").read_text(encoding="utf-8"))


def of_corpus(reader: str) -> float:
    """English tokens of an item of a corpus."""
    return float(_table()["corpora"][reader])  # type: ignore[arg-type]


def of_task(reader: str) -> Item:
    """English tokens of an item of a task."""
    held: dict[str, float] = _table()["tasks"][reader]  # type: ignore[assignment]
    return Item(held["read"], held.get("written", 0))
