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

from polyroute.corpora.reader import HubReader, Items, numbered
from polyroute.corpora.tables import columns


def _items(file: Path, split: str, _language: str) -> Items:
    rows = columns(file, ("question",))
    return [(numbered(split, number, 5), row["question"]) for number, row in enumerate(rows)]


READER = HubReader(parallel=False, items=_items)
