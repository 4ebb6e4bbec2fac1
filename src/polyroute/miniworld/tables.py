"""One phrase table a language: everything that can be said, complete and inflected, so that nothing needs to agree."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

from polyroute.ground.errors import PolyrouteError
from polyroute.languages.table import ENGLISH

SLOTS = ("time", "subject", "verb", "object", "place")
_PLACEHOLDERS = {
    "have": {"n", "a", "item"}, "boxes": {"n", "a", "b", "item"}, "share": {"n", "a", "b", "item"},
    "ask_now": {"n", "many"}, "ask_total": {"n", "many"}, "ask_each": {"many"},
}  # fmt: skip


PHRASES = Path(__file__).parent / "phrases"
"""A table a language."""


class TableError(PolyrouteError):
    """A phrase table is absent or breaks the common shape; the message names language and key."""


@dataclass(frozen=True)
class Relation:
    """How facts of one relation are said of an entity `{x}` and a value `{y}`."""

    state: tuple[str, str]
    """Two ways to state it; both name the entity before the value where the language lets them."""
    ask: str
    """The question for the value."""
    values: dict[str, str]
    """Value -> the phrase that fits `state` and answers `ask`."""


@dataclass(frozen=True)
class Table:
    """The phrases of one language."""

    language: str
    """FLORES code."""
    sentence: str
    """Order of the five slots."""
    answer: str
    """How an answer `{y}` is given."""
    space: str
    """What stands between two sentences."""
    slots: dict[str, dict[str, str]]
    """Slot -> concept -> phrase."""
    item: dict[str, tuple[str, str]]
    """Counted thing -> (phrase beside a numeral, "how many" phrase)."""
    arithmetic: dict[str, str]
    """Clause -> sentence."""
    facts: dict[str, Relation]
    """Relation -> its phrases."""


@cache
def load(language: str) -> Table:
    """The phrase table of a FLORES code.

    Raises:
        TableError: there is no table, or its keys or placeholders differ from the English table's.
    """
    raw = _read(language)
    if language != ENGLISH:
        _check_keys(language, "", raw, _read(ENGLISH))
    _check_placeholders(language, raw)
    return Table(
        language=language,
        sentence=raw["sentence"],
        answer=raw["answer"],
        space=raw["space"],
        slots={slot: raw[slot] for slot in SLOTS},
        item={key: (phrases[0], phrases[1]) for key, phrases in raw["item"].items()},
        arithmetic=raw["arithmetic"],
        facts={
            key: Relation((said["state"][0], said["state"][1]), said["ask"], said["values"])
            for key, said in raw["fact"].items()
        },
    )


@cache
def available() -> tuple[str, ...]:
    """FLORES codes of every language that has a phrase table."""
    return tuple(sorted(path.stem for path in PHRASES.glob("*.toml")))


def _read(language: str) -> dict[str, Any]:
    if language not in available():
        raise TableError(f"the mini world has no phrase table for `{language}`; there is {', '.join(available())}")
    text = (PHRASES / f"{language}.toml").read_text(encoding="utf-8")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise TableError(f"phrase table `{language}`: {error}") from None


def _check_keys(language: str, path: str, raw: object, english: object) -> None:
    """Every table has the keys of English, and phrases where English has phrases."""
    where = f"phrase table `{language}`{f', `{path}`' if path else ''}"
    if type(raw) is not type(english) or (isinstance(raw, list) and len(raw) != len(english)):  # type: ignore[arg-type]
        raise TableError(f"{where}: is not shaped as in English")
    if isinstance(raw, dict) and isinstance(english, dict):
        if missing := english.keys() - raw.keys():
            raise TableError(f"{where}: lacks {', '.join(sorted(missing))}")
        if unknown := raw.keys() - english.keys():
            raise TableError(f"{where}: unknown {', '.join(sorted(unknown))}")
        for key in english:
            _check_keys(language, f"{path}.{key}".lstrip("."), raw[key], english[key])


def _check_placeholders(language: str, raw: dict[str, Any]) -> None:
    expected = [("sentence", raw["sentence"], set(SLOTS)), ("answer", raw["answer"], {"y"})]
    for clause, phrase in raw["arithmetic"].items():
        expected.append((f"arithmetic.{clause}", phrase, _PLACEHOLDERS.get(clause, {"n", "b", "item"})))
    for relation, said in raw["fact"].items():
        expected += [(f"fact.{relation}.state", phrase, {"x", "y"}) for phrase in said["state"]]
        expected.append((f"fact.{relation}.ask", said["ask"], {"x"}))
    for key, phrase, names in expected:
        found = {name for _, name, _, _ in Formatter().parse(phrase) if name is not None}
        if found != names:
            raise TableError(f"phrase table `{language}`, `{key}`: has {sorted(found)} instead of {sorted(names)}")
