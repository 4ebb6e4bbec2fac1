"""MedInstruct-52k: instructions to a medical assistant in English; in-task text of medicine.

Hub: `lavita/AlpaCare-MedInstruct-52k`, one file `data/train-00000-of-00001-297892d5d4e8a0ac.parquet` of 52,002 rows.
The authors' MedInstruct-test (216 rows, `MedInstruct-test.jsonl`, no `input`) is read too.
Schema: `instruction`, `input` (what the instruction is about, `<noinput>` where it stands alone), `output`. The text
of an item is its instruction and, after a line break, its input; its id is the row's number, counted from 0. With
`turns` an item is a conversation: that text is the user's, the output the assistant's.

The code behind paper 1 takes the instruction without its input (`input: dropped`) and 500 rows of an unseeded draw, so
its very items cannot be had again; `take: 500` with a `take_seed` draws as many.
Licence: CC BY-NC 4.0 (the authors' release; the hub's copy states none): not for commercial use.
Source: Zhang et al., "AlpaCare: Instruction-tuned Large Language Models for Medical Application", 2023,
arXiv:2310.14558; instructions were written by GPT-4 from 167 seed tasks of clinicians.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from polyroute.artifacts.turns import ASSISTANT, USER, Item, Turn
from polyroute.languages.table import ENGLISH
from polyroute.readers.spec import HubCorpus, numbered
from polyroute.readers.tables import columns

_NO_INPUT = ("", "<noinput>")


class MedInstruct(HubCorpus):
    """English medical instructions."""

    reader: Literal["medinstruct"]
    input: Literal["joined", "dropped"] = "joined"
    """Whether what an instruction is about follows it."""
    turns: bool = False
    """Whether an item is a conversation, with the output as what the assistant says; else the instruction alone."""

    def is_parallel(self) -> bool:
        """In-task text."""
        return False

    def covered(self) -> list[str]:
        """English alone."""
        return [ENGLISH]

    def file_items(self, file: Path, split: str, _language: str) -> list[tuple[str, Item]]:
        """Ids and texts, or turns, of a file."""
        items: list[tuple[str, Item]] = []
        needed = ("instruction", "output") if self.turns else ("instruction",)
        for number, row in enumerate(columns(file, needed, optional=("input",))):
            alone = self.input == "dropped" or row["input"] in _NO_INPUT
            text = row["instruction"] if alone else f"{row['instruction']}\n{row['input']}"
            said = (Turn(USER, text), Turn(ASSISTANT, row["output"])) if self.turns else text
            items.append((numbered(split, number, 5), said))
        return items
