"""What a reader of a data set is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from polyroute.corpora.tables import CorpusError
from polyroute.ground.hub import HubSource
from polyroute.languages import table as languages
from polyroute.params.corpora import GSM8K, SIB200, Belebele, FloresPlus, MedInstruct

HubCorpus = SIB200 | FloresPlus | Belebele | GSM8K | MedInstruct
"""Types of params.yaml for data sets of the hub."""

COLUMNS = ["item_id", "language", "text"]
"""Columns of every corpus: id of the item (the same in every language), FLORES code, text."""

Items = list[tuple[str, str]]
"""Item ids with their texts. Ids sort as the items stand in the release, so numbers are padded with zeros."""


@dataclass(frozen=True)
class HubReader:
    """Reads one data set of the hub: where a language's files are, and which items a file holds."""

    parallel: bool
    """Whether every item exists in every language; in-task text is English only."""
    items: Callable[[Path, str, str], Items]
    """File, split and FLORES code -> its items."""
    scheme: languages.Scheme = "flores"
    """How file names write a language."""

    def files(self, spec: HubCorpus, language: str) -> list[str]:
        """Paths in the data set that a language is read from, in the order of the splits."""
        code = languages.code_in(language, self.scheme)
        return [spec.files.replace("{language}", code).replace("{split}", split) for split in spec.splits]

    def read(self, spec: HubCorpus, codes: Sequence[str], source: HubSource) -> pd.DataFrame:
        """All items of the languages, as released.

        Raises:
            CorpusError: the data set lacks a language, or a file is not what it should be.
            SourceError: a file cannot be had.
        """
        covered = languages.covered(spec.reader)
        for code in codes:
            if code not in covered:
                raise CorpusError(f"{spec.hub} does not hold {code}; it holds {', '.join(covered)}")
        rows = []
        for code in codes:
            for path, split in zip(self.files(spec, code), spec.splits, strict=True):
                file = source.file(spec.hub, spec.revision, path)
                rows += [(item, code, text) for item, text in self.items(file, split, code)]
        return pd.DataFrame(rows, columns=COLUMNS)


def numbered(split: str, number: int, digits: int) -> str:
    """Id of an item that its release numbers within a split."""
    return f"{split}-{number:0{digits}d}" if split else f"{number:0{digits}d}"
