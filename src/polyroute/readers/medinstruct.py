"""MedInstruct-52k: instructions to a medical assistant in English; in-task text of medicine.

Hub: `lavita/AlpaCare-MedInstruct-52k`, one file `data/train-00000-of-00001-297892d5d4e8a0ac.parquet` of 52,002 rows.
The authors' MedInstruct-test (216 rows, `MedInstruct-test.jsonl`, no `input`) is read too.
Schema: `instruction`, `input` (what the instruction is about, `<noinput>` where it stands alone), `output`. The text
of an item is its instruction and, after a line break, its input; its id is the row's number, counted from 0.
Licence: CC BY-NC 4.0 (the authors' release; the hub's copy states none): not for commercial use.
Source: Zhang et al., "AlpaCare: Instruction-tuned Large Language Models for Medical Application", 2023,
arXiv:2310.14558; instructions were written by GPT-4 from 167 seed tasks of clinicians.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from polyroute.languages.table import ENGLISH
from polyroute.readers.spec import HubCorpus, numbered
from polyroute.readers.tables import columns

_NO_INPUT = ("", "<noinput>")


class MedInstruct(HubCorpus):
    """English medical instructions."""

    reader: Literal["medinstruct"]

    def is_parallel(self) -> bool:
        """In-task text."""
        return False

    def covered(self) -> list[str]:
        """English alone."""
        return [ENGLISH]

    def file_items(self, file: Path, split: str, _language: str) -> list[tuple[str, str]]:
        """Ids and texts of a file."""
        items = []
        for number, row in enumerate(columns(file, ("instruction",), optional=("input",))):
            text = row["instruction"] if row["input"] in _NO_INPUT else f"{row['instruction']}\n{row['input']}"
            items.append((numbered(split, number, 5), text))
        return items
