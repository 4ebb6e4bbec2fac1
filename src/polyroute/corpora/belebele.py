"""Belebele: 488 short passages of FLORES-200 in 122 languages, with 900 questions; here the passages alone.

Hub: `facebook/belebele`, files `data/{language}.jsonl`, one split of 900 rows, one a question. Languages are
FLORES-200 codes, and six more in Latin script.
Schema: `link` (page of the passage, the same in every language), `question_number`, `flores_passage`, `question`,
`mc_answer1` to `mc_answer4`, `correct_answer_num`, `dialect` (FLORES code), `ds`.
Licence: CC BY-SA 4.0.
Source: Bandarkar et al., "The Belebele Benchmark: a Parallel Reading Comprehension Dataset in 122 Language Variants",
ACL 2024, arXiv:2308.16884.

A passage stands under every one of its questions; it is one item, whose id is its link.
"""

from __future__ import annotations

from pathlib import Path

from polyroute.corpora.reader import HubReader, Items
from polyroute.corpora.tables import CorpusError, columns


def _items(file: Path, _split: str, language: str) -> Items:
    passages: dict[str, str] = {}
    for row in columns(file, ("link", "flores_passage", "dialect")):
        if row["dialect"] != language:
            raise CorpusError(f"{file}: the passage of {row['link']} is in {row['dialect']}, not in {language}")
        if passages.setdefault(row["link"], row["flores_passage"]) != row["flores_passage"]:
            raise CorpusError(f"{file}: {language} has different passages under the questions on {row['link']}")
    return list(passages.items())


READER = HubReader(parallel=True, items=_items)
