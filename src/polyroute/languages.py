"""The languages of the study: one table, `languages.csv`, keyed by FLORES-200 code."""

from __future__ import annotations

import csv
import difflib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from polyroute.errors import PolyrouteError

ENGLISH = "eng_Latn"


class LanguageError(PolyrouteError):
    """A language code is not in the table, or has no code in a scheme; the message names it."""


@dataclass(frozen=True)
class Language:
    """One row of `languages.csv`."""

    flores: str
    bcp47: str
    name: str
    family: str
    branch: str
    script: str
    resource: int | None
    mgsm: str | None


def get(flores: str) -> Language:
    """The language of a FLORES code."""
    table = _table()
    if flores not in table:
        close = difflib.get_close_matches(flores, table, n=3)
        raise LanguageError(f"`{flores}` is not a FLORES code of the table" + (f"; did you mean {' or '.join(close)}?" if close else ""))
    return table[flores]


def codes() -> list[str]:
    """Every FLORES code, in order."""
    return list(_table())


def covered(reader: str) -> list[str]:
    """FLORES codes that a corpus reader holds."""
    if reader in ("gsm8k", "medinstruct"):
        return [ENGLISH]
    return codes()


def code_in(flores: str, scheme: Literal["flores", "bcp47", "mgsm"]) -> str:
    """How a language is written in a scheme."""
    language = get(flores)
    code = getattr(language, scheme)
    if code is None:
        raise LanguageError(f"`{flores}` has no code in `{scheme}`")
    return str(code)


@cache
def _table() -> dict[str, Language]:
    text = files("polyroute").joinpath("languages.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return {
        row["flores"]: Language(
            row["flores"], row["bcp47"], row["name"], row["family"], row["branch"], row["script"],
            int(row["resource"]) if row["resource"] else None, row["mgsm"] or None,
        )
        for row in rows
    }  # fmt: skip
