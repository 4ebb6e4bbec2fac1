"""The meanings of the mini world, said in no language yet, and which of them training may see.

Three kinds: an `Event` (somebody does something somewhere), a `Problem` (one operation on two numbers) and a `Fact`
(an invented entity has a property). Everything is drawn from a seed; the facts themselves and the division into
splits never change, so no recipe can train on what another one reports.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeVar, get_args

from polyroute.ground.errors import PolyrouteError
from polyroute.languages.table import ENGLISH
from polyroute.miniworld.names import CONSONANTS, VOWELS

T = TypeVar("T", bound=Hashable)
Split = Literal["train", "select", "report"]
Clause = Literal["buy", "find", "receive", "sell", "lose", "give", "boxes", "share"]

_ADDING: tuple[Clause, ...] = ("buy", "find", "receive")
_TAKING: tuple[Clause, ...] = ("sell", "lose", "give")
ENTITIES = 120
"""Entities of each relation; every value of a relation has equally many."""
KNOWN = 0.3
"""Share of the facts that are stated in a language other than English."""
FRUITLESS = 10_000
"""Draws without a new meaning after which there are taken to be no more."""
_FACT_SEED = 20261123
_WORDS = ("nazi", "tomato", "potato", "kimono", "domino", "salami", "sonata", "sobaka")
"""Syllables that mean something and make no good name."""


@dataclass(frozen=True)
class Topic:
    """What goes together: who acts, where, and what can be done to what."""

    subjects: tuple[str, ...]
    places: tuple[str, ...]
    actions: tuple[tuple[str, str], ...]
    """(verb, object) pairs that make sense."""


def _topic(subjects: str, places: str, **objects_of: str) -> Topic:
    actions = tuple((verb, thing) for verb, things in objects_of.items() for thing in things.split())
    return Topic(tuple(subjects.split()), tuple(places.split()), actions)


TOPICS = {
    "farm": _topic(
        "farmer gardener grandfather neighbour baker", "field garden yard village",
        plant="tree rose", cut="rose apple cheese bread", carry="basket apple box knife", sell="apple rose cart basket",
        repair="fence cart basket", see="tree cart rose fence", wash="cart knife apple basket", paint="fence cart door",
        build="fence", eat="apple cheese bread", find="knife key ring basket",
    ),
    "kitchen": _topic(
        "cook baker grandfather neighbour king", "kitchen yard village castle",
        cook="soup fish meat rice", cut="bread cheese cake meat apple fish", eat="fish meat rice bread cheese cake",
        wash="knife apple window", clean="knife table lamp window", carry="bread table chair box soup",
        open="window door box",
        find="knife cheese key bread", hide="cake key knife",
    ),
    "market": _topic(
        "merchant farmer fisherman baker neighbour", "market shop city village",
        sell="bread cheese fish meat carpet shirt coat lamp basket",
        buy="bread cheese fish meat apple rice coat shirt carpet",
        carry="basket box carpet lamp", open="box door bag", examine="carpet lamp clock ring coat",
        clean="lamp carpet table",
        see="carpet lamp basket fish", hide="ring bag box", find="bag ring key shirt",
    ),
    "school": _topic(
        "teacher pupil student writer painter", "school library park city",
        read="book letter newspaper poem map", write="letter poem book", open="book window letter door bag",
        draw="map tree rose boat bridge", find="book letter map bag", buy="book newspaper map bag",
        carry="book bag chair map", examine="map picture poem book", hide="letter book poem",
        see="picture tree clock map",
    ),
    "harbour": _topic(
        "fisherman sailor captain merchant carpenter", "harbour ship river",
        repair="boat net bell bridge lamp", paint="boat door table", wash="boat fish", see="boat fish bridge",
        sell="fish boat net", carry="box fish net bag", examine="map boat net clock bridge", clean="boat lamp bell",
        build="boat bridge", eat="fish bread", read="map letter newspaper", hide="map box bag",
    ),
    "workshop": _topic(
        "smith carpenter painter neighbour farmer", "workshop yard village city",
        build="fence", repair="table chair door window cart clock bell lamp", paint="table chair door cart fence",
        clean="window knife table clock lamp", examine="clock knife door cart bell",
        sell="table chair clock knife lamp bell",
        carry="table chair door box", buy="knife lamp table clock", wash="window cart",
    ),
    "travel": _topic(
        "doctor musician student captain writer", "station park city library",
        read="newspaper letter book poem", buy="newspaper bag coat clock ring cake", find="key bag ring coat book",
        carry="bag coat clock book", open="bag letter door", hide="ring key letter newspaper",
        examine="clock bag map key", see="clock bridge tree picture", eat="apple bread cake",
    ),
    "castle": _topic(
        "king painter musician writer cook", "castle garden park library",
        see="picture rose tree ring", hide="ring key letter picture", find="ring key poem map",
        buy="ring picture carpet lamp",
        read="letter poem book", write="poem letter", draw="picture rose tree", open="door window box letter",
        clean="ring bell picture", sell="picture ring carpet", eat="cake fish meat",
    ),
}  # fmt: skip
TIMES = (
    "morning", "noon", "evening", "night", "today", "now", "daily", "monday", "friday", "sunday", "summer", "winter",
)  # fmt: skip
ITEMS = ("apple", "book", "pencil", "egg", "coin", "bottle", "ticket", "flower")
RELATIONS = {
    relation: tuple(values.split())
    for relation, values in {
        "treats": "fever cough headache toothache cold stomach insomnia rash throat back",
        "lives": "forest desert mountains sea lake island swamp meadow cave rainforest",
        "month": "january february march april may june july august september october",
        "made": "rice beans potatoes fish eggs lentils corn mushrooms chicken pumpkin",
        "works": "doctor teacher baker fisherman carpenter cook painter musician gardener captain",
    }.items()
}
PEOPLE = ("tiko", "maro", "niro", "kado", "savo", "bato", "dimo", "pavo", "zano", "tavo", "vito", "rimo")
"""Names in word problems; all end in `o`, so that one suffix fits them all (Turkish) and none is declined (Russian)."""


@dataclass(frozen=True)
class Event:
    """Somebody does something to something, sometime, somewhere."""

    time: str
    subject: str
    verb: str
    object: str
    place: str


@dataclass(frozen=True)
class Problem:
    """A word problem of one operation; numbers are such that Slavic nouns beside them stand in the genitive plural."""

    clause: Clause
    person: str
    item: str
    a: int
    b: int

    @property
    def answer(self) -> int:
        """The number that is asked for."""
        if self.clause in _ADDING:
            return self.a + self.b
        if self.clause in _TAKING:
            return self.a - self.b
        return self.a * self.b if self.clause == "boxes" else self.a // self.b

    def choices(self, count: int) -> tuple[int, ...]:
        """`count` different answers, ascending, the right one among them: other operations and near misses."""
        a, b, right = self.a, self.b, self.answer
        near = (right + step for width in range(1, count + 10) for step in (width, -width))
        kept = [right]
        for number in (a + b, a - b, a * b, a // b, a, b, right + 10, right - 10, *near):
            if number > 0 and number not in kept and len(kept) < count:
                kept.append(number)
        return tuple(sorted(kept))


@dataclass(frozen=True)
class Fact:
    """An entity of a relation has a value."""

    relation: str
    entity: str
    value: str
    split: Split
    """Training asks for the fact only in `train`; it states all of them."""

    def known(self, language: str) -> bool:
        """Whether training states the fact in a language."""
        return language == ENGLISH or _uniform(f"known/{language}/{self.entity}") < KNOWN


def split_of(meaning: Event | Problem) -> Split:
    """Which split a meaning belongs to, for good: 90% train, 5% select, 5% report."""
    draw = _uniform(repr(meaning))
    return "train" if draw < 0.9 else "select" if draw < 0.95 else "report"


def draw_events(rng: random.Random, split: Split, count: int) -> tuple[Event, ...]:
    """`count` different events of one topic, all of a split."""
    topic = TOPICS[rng.choice(tuple(TOPICS))]
    events: list[Event] = []
    while len(events) < count:
        verb, thing = rng.choice(topic.actions)
        event = Event(rng.choice(TIMES), rng.choice(topic.subjects), verb, thing, rng.choice(topic.places))
        if event not in events and split_of(event) == split:
            events.append(event)
    return tuple(events)


def draw_problem(rng: random.Random, split: Split) -> Problem:
    """One word problem of a split."""
    while True:
        clause = rng.choice(get_args(Clause))
        if clause == "boxes":
            a, b = rng.randint(5, 9), rng.randint(5, 12)
        elif clause == "share":
            b = rng.randint(5, 9)
            a = b * rng.randint(2, 12)
        else:
            a, b = rng.randint(5, 20), rng.randint(5, 20)
        problem = Problem(clause, rng.choice(PEOPLE), rng.choice(ITEMS), a, b)
        if problem.answer > 0 and _plural(a) and split_of(problem) == split:
            return problem


def different(draw: Callable[[], T], wanted: int, what: str) -> list[T]:
    """Draw until there are `wanted` different ones, in the order of their first draw.

    Raises:
        PolyrouteError: there are hardly so many; the message says `what` was drawn.
    """
    drawn: dict[T, None] = {}
    fruitless = 0
    while len(drawn) < wanted:
        before = len(drawn)
        drawn[draw()] = None
        fruitless = 0 if len(drawn) > before else fruitless + 1
        if fruitless > FRUITLESS:
            raise PolyrouteError(f"the mini world has hardly more than {len(drawn)} items of {what}, not {wanted}")
    return list(drawn)


@cache
def facts() -> tuple[Fact, ...]:
    """All facts: `ENTITIES` of each relation, divided 40% train, 20% select, 40% report."""
    rng = random.Random(_FACT_SEED)
    syllables = [consonant + vowel for consonant in CONSONANTS for vowel in VOWELS]
    names = [x + y + z for x in syllables for y in syllables for z in syllables if x != y != z]
    names = [name for name in names if not any(word in name for word in _WORDS)]
    entities = iter(rng.sample(names, ENTITIES * len(RELATIONS)))
    found = []
    for relation, values in RELATIONS.items():
        shuffled = [values[i % len(values)] for i in range(ENTITIES)]
        splits: list[Split] = [("train", "report", "select", "train", "report")[i % 5] for i in range(ENTITIES)]
        rng.shuffle(shuffled)
        found += [Fact(relation, next(entities), value, split) for value, split in zip(shuffled, splits, strict=True)]
    return tuple(found)


def _plural(number: int) -> bool:
    return number % 100 in range(11, 15) or number % 10 in (0, 5, 6, 7, 8, 9)


def _uniform(text: str) -> float:
    """A number in [0, 1) that depends on the text alone, the same in every process and version."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7]) / 2**56
