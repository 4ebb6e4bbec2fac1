"""Questions of two tasks as parallel corpora, whose routing paper 2 counts (arXiv 2601.14050, released code).

Its masks of every task rest on Belebele: all 900 rows, passage, question and the four options behind their letters. Its
steering of PolyMath rests on MGSM: the question alone, without the request for a box that evaluation adds. The 125
problems of PolyMath's level `low` are among those of MGSM, so experts found on the whole of MGSM have seen every
question that PolyMath asks.

Files, schemas, licences and sources are those of `readers.belebele` and `readers.mgsm`. How the release joins the parts
of a Belebele question is read as line breaks.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from polyroute.artifacts.corpus import CorpusError
from polyroute.languages import table as language_table
from polyroute.readers.belebele import LANGUAGES
from polyroute.readers.halves import MGSM
from polyroute.readers.mgsm import WORDS
from polyroute.readers.spec import HubCorpus, numbered, options_lettered
from polyroute.readers.tables import columns, lines

_OPTIONS = ("mc_answer1", "mc_answer2", "mc_answer3", "mc_answer4")


class BelebeleQuestions(HubCorpus):
    """Passages of Belebele, each with one of its questions and the options."""

    reader: Literal["belebele_questions"]
    questions_of: ClassVar[str | None] = "belebele"

    def covered(self) -> list[str]:
        """The 122 variants."""
        return LANGUAGES

    def file_items(self, file: Path, _split: str, language: str) -> list[tuple[str, str]]:
        """Ids and texts of a file, a row one item."""
        items = []
        for row in columns(file, ("link", "question_number", "flores_passage", "question", *_OPTIONS, "dialect")):
            item_id = f"{row['link']}#{row['question_number']}"
            if row["dialect"] != language:
                raise CorpusError(f"{file}: {item_id} is in {row['dialect']}, not in {language}")
            options = options_lettered([row[name] for name in _OPTIONS], ".")
            items.append((item_id, f"{row['flores_passage']}\n{row['question'].strip()}\n{options}"))
        return items


class MGSMQuestions(HubCorpus):
    """Problems of MGSM, without a prompt about them."""

    reader: Literal["mgsm_questions"]
    questions_of: ClassVar[str | None] = MGSM

    def covered(self) -> list[str]:
        """The eleven languages of the release."""
        return sorted(WORDS)

    def written(self, language: str) -> str:
        """Two letters."""
        return language_table.code_in(language, "iso639-1")

    def file_items(self, file: Path, split: str, _language: str) -> list[tuple[str, str]]:
        """Ids and texts of a file."""
        rows = [line.split("\t") for line in lines(file)]
        for number, cells in enumerate(rows, 1):
            if len(cells) != 2:
                raise CorpusError(f"{file}, line {number}: {len(cells)} cells where question and answer are two")
        return [(numbered(split, number, 3), question.strip()) for number, (question, _) in enumerate(rows)]
