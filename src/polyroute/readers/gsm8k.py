"""GSM8K: grade-school mathematics in English; the questions are in-task text of arithmetic.

Hub: `openai/gsm8k`, files `main/{split}-00000-of-00001.parquet`, splits `train` (7,473) and `test` (1,319); the
original release has the same rows as `{split}.jsonl`, which is read too.
Schema: `question`, `answer`. The text of an item is its question, without the worked answer; its id is the row's
number, counted from 0 within the split.
Licence: MIT.
Source: Cobbe et al., "Training Verifiers to Solve Math Word Problems", 2021, arXiv:2110.14168.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from polyroute.languages.table import ENGLISH
from polyroute.readers.spec import HubCorpus, numbered
from polyroute.readers.tables import columns


class GSM8K(HubCorpus):
    """English mathematical problems."""

    reader: Literal["gsm8k"]

    def is_parallel(self) -> bool:
        """In-task text."""
        return False

    def covered(self) -> list[str]:
        """English alone."""
        return [ENGLISH]

    def file_items(self, file: Path, split: str, _language: str) -> list[tuple[str, str]]:
        """Ids and texts of a file."""
        rows = columns(file, ("question",))
        return [(numbered(split, number, 5), row["question"]) for number, row in enumerate(rows)]
