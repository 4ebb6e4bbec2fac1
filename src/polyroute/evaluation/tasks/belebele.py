r"""Belebele: 900 questions on 488 short passages of FLORES-200 in 122 languages, four options each.

Hub: `facebook/belebele`, files `data/{language}.jsonl`, 900 rows. Languages are FLORES-200 codes.
Schema: `link` (page of the passage), `question_number` (within the passage), `flores_passage`, `question`,
`mc_answer1` to `mc_answer4`, `correct_answer_num` (1 to 4), `dialect` (FLORES code), `ds`.
Licence: CC BY-SA 4.0.
Source: Bandarkar et al., "The Belebele Benchmark: a Parallel Reading Comprehension Dataset in 122 Language Variants",
ACL 2024, arXiv:2308.16884.

Prompt, as in lm-evaluation-harness (`tasks/belebele`), without examples, the same frame in every language:

    P: {flores_passage}
    Q: {question}
    A: {mc_answer1}
    B: {mc_answer2}
    C: {mc_answer3}
    D: {mc_answer4}
    Answer:

The choices are the letters, a blank before each. An item's id is its link and question number; the questions on
a passage are in the same split.
"""

from __future__ import annotations

from collections.abc import Sequence

from polyroute.corpora.tables import columns
from polyroute.evaluation.tasks.checks import TaskError, check_count
from polyroute.evaluation.tasks.reader import Item, TaskReader, lettered
from polyroute.ground.hub import HubSource
from polyroute.languages import table as languages
from polyroute.params.tasks import BelebeleTask

VERSION = 1
_OPTIONS = ("mc_answer1", "mc_answer2", "mc_answer3", "mc_answer4")


def _files(spec: BelebeleTask, language: str) -> list[str]:
    return [spec.files.replace("{language}", language)]


def _read(task: str, spec: BelebeleTask, codes: Sequence[str], source: HubSource) -> list[Item]:
    return [item for code in codes for item in _items(task, spec, code, source)]


def _items(task: str, spec: BelebeleTask, code: str, source: HubSource) -> list[Item]:
    (path,) = _files(spec, code)
    file = source.file(spec.hub, spec.revision, path)
    names = ("link", "question_number", "flores_passage", "question", *_OPTIONS, "correct_answer_num", "dialect")
    rows = columns(file, names)
    check_count(task, code, str(file), len(rows), spec.items)
    items = []
    for row in rows:
        item_id = f"{row['link']}#{row['question_number']}"
        if row["dialect"] != code:
            raise TaskError(f"task `{task}`: {file}: item {item_id} is in {row['dialect']}, not in {code}")
        options = tuple(row[name] for name in _OPTIONS)
        listed = "\n".join(f"{letter}: {option}" for letter, option in zip("ABCD", options, strict=True))
        number = row["correct_answer_num"]
        items.append(
            Item(
                item_id=item_id,
                language=code,
                prompt=f"P: {row['flores_passage']}\nQ: {row['question'].strip()}\n{listed}\nAnswer:",
                answer=int(number) - 1 if number.isascii() and number.isdigit() else -1,
                choices=lettered(options),
                shown=options,
                together=row["link"],
            )
        )
    return items


READER = TaskReader(version=VERSION, read=_read, files=_files, covered=lambda _spec: languages.covered("belebele"))
