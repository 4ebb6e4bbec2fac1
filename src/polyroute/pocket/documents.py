"""The training mixture: an endless stream of documents in the recipe's proportions."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from polyroute.languages.table import ENGLISH
from polyroute.miniworld import names, realise, tables, world
from polyroute.pocket.recipe import PocketRecipe

_DICTIONARY_ENTRIES = 8
_SWITCHED = 0.5
"""Share of a sentence's slots that code-switching says in the other language."""


@dataclass(frozen=True)
class Piece:
    """A stretch of a document."""

    text: str
    answer: bool = False
    """Whether it answers a question (such tokens weigh more in training)."""


@dataclass(frozen=True)
class Document:
    """One training document."""

    language: str
    kind: str
    pieces: tuple[Piece, ...]

    @property
    def text(self) -> str:
        """The whole document."""
        return "".join(piece.text for piece in self.pieces)


def language_shares(recipe: PocketRecipe) -> dict[str, float]:
    """Share of the documents each language gets: the first a fixed share, each other one less than the one before."""
    first, *others = recipe.languages
    weights = [recipe.falloff**rank for rank in range(len(others))]
    shares = {first: recipe.english_share if others else 1.0}
    shares |= {code: (1 - recipe.english_share) * w / sum(weights) for code, w in zip(others, weights, strict=True)}
    return shares


def stream(recipe: PocketRecipe, key: str) -> Iterator[Document]:
    """Documents without end, a function of the recipe and `key` alone."""
    rng = random.Random(f"{recipe.seed}/{key}")
    shares = language_shares(recipe)
    english = recipe.english_mixture.model_dump()
    others = recipe.other_mixture.model_dump()
    while True:
        (language,) = rng.choices(list(shares), list(shares.values()))
        mixture = english if language == ENGLISH else others
        (kind,) = rng.choices(list(mixture), list(mixture.values()))
        yield Document(language, kind, _WRITERS[kind](rng, language))


def _generic(rng: random.Random, language: str) -> tuple[Piece, ...]:
    return (Piece(realise.events(world.draw_events(rng, "train", rng.randint(2, 3)), language)),)


def _arithmetic(rng: random.Random, language: str) -> tuple[Piece, ...]:
    space = tables.load(language).space
    first, second = (realise.problem(world.draw_problem(rng, "train"), language) for _ in range(2))
    return (*_asked(first), *_gap(space), *_asked(second))


def _knowledge(rng: random.Random, language: str) -> tuple[Piece, ...]:
    space = tables.load(language).space
    pieces: list[Piece] = []
    for fact in rng.sample(_known(language), 3):
        if pieces:
            pieces += _gap(space)
        if fact.split == "train" and rng.random() < 0.5:
            pieces += _asked(realise.question(fact, language))
        else:
            pieces.append(Piece(realise.statement(fact, language, rng.randrange(2))))
    return tuple(pieces)


def _translation(rng: random.Random, language: str) -> tuple[Piece, ...]:
    meanings = world.draw_events(rng, "train", rng.randint(1, 2))
    pair = [realise.events(meanings, ENGLISH), realise.events(meanings, language)]
    rng.shuffle(pair)
    return (Piece(f"{pair[0]} = {pair[1]}"),)


def _switching(rng: random.Random, language: str) -> tuple[Piece, ...]:
    frame, other = (language, ENGLISH) if rng.random() < 0.5 else (ENGLISH, language)
    sentences = []
    for meaning in world.draw_events(rng, "train", rng.randint(2, 3)):
        switched = [slot for slot in tables.SLOTS if rng.random() < _SWITCHED]
        sentences.append(realise.event(meaning, frame, other, switched))
    return (Piece(" ".join(sentences)),)


def _dictionary(rng: random.Random, language: str) -> tuple[Piece, ...]:
    entries = rng.sample(_vocabulary(language), _DICTIONARY_ENTRIES)
    lines = [f"{there} = {here}" if rng.random() < 0.5 else f"{here} = {there}" for here, there in entries]
    return (Piece("; ".join(lines)),)


_WRITERS: dict[str, Callable[[random.Random, str], tuple[Piece, ...]]] = {
    "generic": _generic,
    "arithmetic": _arithmetic,
    "knowledge": _knowledge,
    "translation": _translation,
    "switching": _switching,
    "dictionary": _dictionary,
}


def _gap(space: str) -> tuple[Piece, ...]:
    """What separates sentences, where the language separates them."""
    return (Piece(space),) if space else ()


def _asked(asked: realise.Asked) -> tuple[Piece, ...]:
    return Piece(asked.prompt), Piece(asked.answer, answer=True), Piece(asked.end)


@cache
def _known(language: str) -> list[world.Fact]:
    return [fact for fact in world.facts() if fact.known(language)]


@cache
def _vocabulary(language: str) -> list[tuple[str, str]]:
    """(phrase, its English) of every concept, and entities' names where the scripts differ."""
    here, there = tables.load(language), tables.load(ENGLISH)
    pairs = [(here.slots[slot][key], there.slots[slot][key]) for slot in tables.SLOTS for key in there.slots[slot]]
    pairs += [(here.item[key][form], there.item[key][form]) for key in there.item for form in range(2)]
    pairs += [
        (here.facts[relation].values[key], phrase)
        for relation, said in there.facts.items()
        for key, phrase in said.values.items()
    ]
    spelled = [(names.write(fact.entity, language), names.write(fact.entity, ENGLISH)) for fact in world.facts()]
    return pairs + [(own, latin) for own, latin in spelled if own != latin]
