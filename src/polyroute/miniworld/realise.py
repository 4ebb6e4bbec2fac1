"""Meanings said in a language."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from polyroute.miniworld import names, tables
from polyroute.miniworld.world import Event, Fact, Problem

_FIRST_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True)
class Asked:
    """A question with its answer, cut so that `prompt + answer + end` is the text."""

    prompt: str
    answer: str
    """With the space before it, where the language puts one."""
    end: str
    """What closes the sentence; scored with an answer, so that 1 is not a likelier 18."""

    @property
    def text(self) -> str:
        """Question and answer in one piece."""
        return self.prompt + self.answer + self.end


def event(meaning: Event, language: str, other: str | None = None, switched: Collection[str] = ()) -> str:
    """One sentence; the slots named in `switched` are said in the language `other` (code-switching)."""
    table = tables.load(language)
    phrases = {
        slot: tables.load(other if other and slot in switched else language).slots[slot][getattr(meaning, slot)]
        for slot in tables.SLOTS
    }
    return _capitalised(table.sentence.format_map(phrases), language)


def events(meanings: Iterable[Event], language: str) -> str:
    """A short document of sentences."""
    return tables.load(language).space.join(event(meaning, language) for meaning in meanings)


def problem(meaning: Problem, language: str, answer: int | None = None) -> Asked:
    """A word problem with its answer, or with another number in the answer's place."""
    table = tables.load(language)
    beside_numeral, how_many = table.item[meaning.item]
    words = {
        "n": names.write(meaning.person, language), "a": meaning.a, "b": meaning.b,
        "item": beside_numeral, "many": how_many,
    }  # fmt: skip
    match meaning.clause:
        case "boxes":
            clauses = ["boxes", "ask_total"]
        case "share":
            clauses = ["share", "ask_each"]
        case clause:
            clauses = ["have", clause, "ask_now"]
    told = table.space.join(_capitalised(table.arithmetic[clause].format_map(words), language) for clause in clauses)
    return _answered(told, str(meaning.answer if answer is None else answer), table)


def statement(fact: Fact, language: str, form: int) -> str:
    """A fact stated in the language's first (0) or second (1) way."""
    said = tables.load(language).facts[fact.relation]
    text = said.state[form].format(x=names.write(fact.entity, language), y=said.values[fact.value])
    return _capitalised(text, language)


def question(fact: Fact, language: str, value: str | None = None) -> Asked:
    """The question for a fact with its answer, or with another value in the answer's place."""
    table = tables.load(language)
    said = table.facts[fact.relation]
    asked = _capitalised(said.ask.format(x=names.write(fact.entity, language)), language)
    return _answered(asked, said.values[fact.value if value is None else value], table)


def _answered(asked: str, answer: str, table: tables.Table) -> Asked:
    before, _, end = table.answer.partition("{y}")
    prompt = asked + table.space + before
    # The space goes with the answer, as the tokenizer cuts it.
    space = " " if prompt.endswith(" ") else ""
    return Asked(prompt.removesuffix(" "), space + answer, end)


def _capitalised(text: str, language: str) -> str:
    first = _FIRST_LETTER.search(text)
    if first is None:
        return text
    # Turkish distinguishes a dotted and a dotless i in capitals too.
    capital = "İ" if language == "tur_Latn" and first.group() == "i" else first.group().upper()
    return text[: first.start()] + capital + text[first.end() :]
