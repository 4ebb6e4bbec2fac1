"""Items of the user's own: TSV, JSON lines or Parquet, on disk.

With `{language}` in the path there is one file a language, named by FLORES code; else one file holds them all, its
column `language` telling them apart.
Schema: `item_id` (the same in every language), `prompt` (exactly what the model reads), `answer`, and where there are
choices `choice_1`, `choice_2`, ... up to `choice_26`: the texts that follow the prompt, a blank before them where one
belongs there. `answer` is the number of the right choice, counted from 1; or the right number, a plain decimal such as
18 or -18.5, or a formula between dollar signs; or the right short answer (span); or the reference (translation).
A column `split` (`select` or `report`), if there, divides the items; else a hash does.
A choice may end early in the columns, not in the middle: an item with `choice_1` and `choice_3` lacks one.
Licence and source: the user's.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from polyroute.corpora.tables import columns
from polyroute.evaluation.tasks.checks import TaskError
from polyroute.evaluation.tasks.reader import Item, TaskReader
from polyroute.ground.hub import HubSource
from polyroute.params.tasks import LocalTask

VERSION = 1
_MARK = "{language}"
_CHOICES = tuple(f"choice_{number}" for number in range(1, 27))


def _files(spec: LocalTask, language: str) -> list[str]:
    return [spec.files.replace(_MARK, language)]


def _read(task: str, spec: LocalTask, codes: Sequence[str], _source: HubSource) -> list[Item]:
    if _MARK in spec.files:
        return [_item(spec, row, code) for code in codes for row in _rows(task, spec, code)]
    rows = _rows(task, spec, "", ("language",))
    held = sorted({row["language"] for row in rows})
    for code in codes:
        if code not in held:
            raise TaskError(f"task `{task}`: {spec.files}: no items in {code}; it holds {', '.join(held)}")
    return [_item(spec, row, row["language"]) for row in rows if row["language"] in codes]


def _rows(task: str, spec: LocalTask, code: str, more: tuple[str, ...] = ()) -> list[dict[str, str]]:
    file = Path(spec.files.replace(_MARK, code))
    if not file.is_file():
        raise TaskError(f"task `{task}`: {file} is absent: `files` in params.yaml counts from the root of the study")
    needed = ("item_id", *more, "prompt", "answer", *(_CHOICES[:2] if spec.kind == "choice" else ()))
    return columns(file, needed, ("split", *_CHOICES))


def _item(spec: LocalTask, row: dict[str, str], code: str) -> Item:
    split = row["split"] or None
    if spec.kind != "choice":
        return Item(row["item_id"], code, row["prompt"], row["answer"].strip(), split=split)
    texts = [row[name] for name in _CHOICES]
    while texts and not texts[-1]:
        texts.pop()
    told = row["answer"].strip()
    answer = int(told) - 1 if told.isascii() and told.isdigit() else -1
    return Item(row["item_id"], code, row["prompt"], answer, tuple(texts), split=split)


READER = TaskReader(version=VERSION, read=_read, files=_files, covered=lambda _spec: None)
