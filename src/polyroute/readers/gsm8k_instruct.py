r"""MGSM8KInstruct: problems of GSM8K's training part with worked solutions, in parallel in ten languages.

Hub: `Mathoctopus/GSM8KInstruct_Parallel`, one file of JSON, a row a line or a list of rows, the languages one after
another in groups that begin in English (`MGSM8KInstruct_Parallel.json`, about 73,600 rows). Telugu, of which the
release holds one row, is left out.
Schema: `prompt` (a frame in English that says in which language to answer, and the problem in the line after its first
`###` header), `chosen` (a worked solution).
Licence: the authors state none for the translations; GSM8K is MIT.
Source: Chen et al., "Breaking Language Barriers in Multilingual Mathematical Reasoning: Insights and Observations",
2023, arXiv:2310.20246.

As the code behind paper 1 reads it: an item is a conversation, the problem the user's and the solution the
assistant's; only groups with all ten languages are items; and the last group never is one, since groups are kept when
the next begins. With `take: 500` and `take_seed: 0` the items are that code's. Where a group has nine rows beside
English but not nine languages, that code misaligns its lists; here the group is no item. An item's id is its number
among those that are kept, counted from 0.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from polyroute.artifacts.corpus import CorpusError
from polyroute.artifacts.turns import ASSISTANT, USER, Turn
from polyroute.ground.hub import HubSource
from polyroute.readers import tables
from polyroute.readers.spec import HubCorpus, Text, numbered

NAMES = {
    "English": "eng_Latn", "Bengali": "ben_Beng", "German": "deu_Latn", "Spanish": "spa_Latn", "French": "fra_Latn",
    "Japanese": "jpn_Jpan", "Russian": "rus_Cyrl", "Swahili": "swh_Latn", "Thai": "tha_Thai", "Chinese": "zho_Hans",
}  # fmt: skip
"""How prompts name a language -> FLORES code."""
_FIRST = "English"
_LEFT_OUT = "Telugu"
_WORD = 17
"""Place of the language among the words of a prompt, counted from 0."""
_HEADER = "###"


class GSM8KInstruct(HubCorpus):
    """Worked problems, of which in-task text is taken."""

    reader: Literal["gsm8k_instruct"]

    def is_parallel(self) -> bool:
        """Every item exists in every language."""
        return True

    def covered(self) -> list[str]:
        """The ten languages that items exist in."""
        return sorted(NAMES.values())

    def read(self, codes: Sequence[str], source: HubSource) -> list[Text]:
        """All items of the languages."""
        for code in codes:
            if code not in NAMES.values():
                raise CorpusError(f"{self.hub} does not hold {code}; it holds {', '.join(self.covered())}")
        (path,) = self.paths(codes[0])
        groups = _whole_groups(source.file(self.hub, self.revision, path))
        return [
            (numbered("", number, 5), code, group[code])
            for code in codes
            for number, group in enumerate(groups)
        ]  # fmt: skip


def _whole_groups(file: Path) -> list[dict[str, tuple[Turn, ...]]]:
    """Groups of all ten languages, but for the last: FLORES code -> problem and solution."""
    kept: list[dict[str, tuple[Turn, ...]]] = []
    group: dict[str, tuple[Turn, ...]] = {}
    rows = 0
    for where, record in _records(file):
        row = tables.cells(where, record, ("prompt", "chosen"))
        name, problem = _read(where, row["prompt"])
        if name == _LEFT_OUT:
            continue
        if name == _FIRST:
            if rows == len(group) == len(NAMES):
                kept.append(group)
            group, rows = {}, 0
        group[NAMES[name]] = (Turn(USER, problem), Turn(ASSISTANT, row["chosen"]))
        rows += 1
    return kept


def _read(where: str, prompt: str) -> tuple[str, str]:
    """The language that a prompt asks for, and its problem."""
    words, parts = prompt.split(), prompt.split(_HEADER)
    name = words[_WORD][:-1] if len(words) > _WORD else ""
    if name != _LEFT_OUT and name not in NAMES:
        raise CorpusError(f"{where}: word {_WORD + 1} of `prompt` names no language but `{name}`: another release")
    lines = parts[1].split("\n") if len(parts) > 1 else []
    if len(lines) < 2:
        raise CorpusError(f"{where}: no line after a `{_HEADER}` header in `prompt`: another release")
    return name, lines[1]


def _records(file: Path) -> Iterable[tuple[str, Mapping[str, Any]]]:
    """Rows of a file of JSON: a list of them, or one a line."""
    text = "\n".join(tables.lines(file))
    try:
        if text.lstrip().startswith("["):
            listed = json.loads(text)
        else:
            listed = [json.loads(line) for line in text.split("\n") if line.strip()]
    except json.JSONDecodeError as error:
        raise CorpusError(f"{file}: not valid JSON ({error})") from None
    for number, record in enumerate(listed, start=1):
        where = f"{file}, row {number}"
        if not isinstance(record, dict):
            raise CorpusError(f"{where}: a row must be a JSON object")
        yield where, record
