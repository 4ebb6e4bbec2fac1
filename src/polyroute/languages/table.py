"""The languages that a study can name: one table, `table.csv`, one row a FLORES code.

Columns of `table.csv` (UTF-8, comma-separated, sorted by `flores`; an empty cell says that there is none):

| column | what it holds | source |
|---|---|---|
| flores | FLORES-200 code, `language_Script` (ISO 639-3, ISO 15924) | FLORES-200 (NLLB Team 2022), table of languages |
| bcp47 | shortest usual BCP 47 tag, script only where it is not the assumed one | langcodes 3.5 (CLDR), made once |
| name | English name, with the script where a language has several | FLORES-200; SIB-200 and Belebele for their own |
| family | top-level family; an isolate is its own | Glottolog, checked against URIEL (lang2vec 1.1.2) |
| branch | usual subgroup of the family, coarse enough to hold several languages | Glottolog, checked likewise |
| script | ISO 15924, the code's suffix | FLORES-200 |
| region | sub-region of the country that the language is at home in | UN M49, see below |
| resource | resource class 0 (left behind) to 5 (winners) of the language in any script | Joshi et al. 2020, Table 1 |

Joshi et al. publish classes by language name. The match to codes is that of ufal/TokCollate (`language_data/`), less
the rows where it took a dialect for its macrolanguage (every Arabic but Standard and Egyptian) or for another
language (Kanuri, because "Arabic script" is in its name): there, and where the paper has no such name, the class is
unknown.

Regions are the sub-regions of the United Nations' standard M49, the intermediate ones in sub-Saharan Africa and in the
Americas. The country is the authors' choice: the one that the language comes from (Portugal for Portuguese, not
Brazil), of several the one with most native speakers; a creole's is where it is spoken, Esperanto's where it was made.
"""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from polyroute.ground.errors import PolyrouteError

ENGLISH = "eng_Latn"
"""The language of in-task text."""

Scheme = Literal["flores", "bcp47", "iso639-1", "iso639-3"]
"""Ways to write a language: the table's own code, BCP 47, the two letters of ISO 639-1, the three of ISO 639-3."""


class LanguageError(PolyrouteError):
    """A language or code that the table does not know; the message names it."""


@dataclass(frozen=True)
class Language:
    """One row of `table.csv`; the module's docstring says where each value comes from."""

    flores: str
    """FLORES-200 code, such as `deu_Latn`: the name of the language everywhere in a study."""
    bcp47: str
    name: str
    family: str
    """Top-level family of Glottolog."""
    branch: str
    script: str
    """ISO 15924."""
    region: str
    """Sub-region of UN M49 that the language is at home in."""
    resource: int | None
    """Class 0 to 5 of Joshi et al. 2020; `None` where it is unknown."""
    detector: str | None = None
    """BCP 47 tag by which a detector of languages knows it, where that is not `bcp47`; empty where none does."""
    unknown: tuple[str, ...] = ()
    """What a study that brings the language does not say of it."""


_own: dict[str, Language] = {}
"""Languages that the study brings; see `register`."""


def get(flores: str) -> Language:
    """The language of a FLORES code.

    Raises:
        LanguageError: the table has no such code; names it and what is close.
    """
    table = _table()
    if flores in _own:
        return _own[flores]
    if flores not in table:
        raise LanguageError(f"`{flores}` is not a FLORES code that polyroute knows; {_suggest(flores)}")
    return table[flores]


def check(key: str, code: str) -> None:
    """A code is one that a study can name.

    Raises:
        ValueError: it is not; names the key, the code and what it may have meant.
    """
    if code not in codes():
        raise ValueError(f"{key}: `{code}` is not a FLORES code; {_suggest(code)}")


def codes() -> list[str]:
    """Every FLORES code that a study can name, sorted: those of the table and those that it brings."""
    return sorted([*_table(), *_own])


def released_codes() -> list[str]:
    """Every FLORES code of the table, sorted."""
    return list(_table())


def register(languages: Iterable[Language], *, keep: bool = False) -> None:
    """Let a study name languages of its own, in place of those of an earlier call or, with `keep`, beside them.

    Whoever reads a study's settings calls this with what they say, in every process; nothing is kept on disk.

    Raises:
        LanguageError: the table has one of them.
    """
    brought = {language.flores: language for language in languages}
    for code in brought:
        if code in _table():
            raise LanguageError(f"`{code}` is in the table of languages already ({_table()[code].name})")
    if not keep:
        _own.clear()
    _own.update(brought)


def recognise(tag: str) -> str | None:
    """FLORES code of a language that is written in any standard; None where no language is meant.

    A FLORES code, a BCP 47 tag (`de`, `pt-BR`, `zh-Hant`; the territory is passed over) or ISO 639-3 (`deu`). Without
    a script, the language's usual one is meant.

    Raises:
        LanguageError: langcodes is not installed, and the tag needs it.
    """
    if tag in _table() or tag in _own:
        return tag
    return _recognised(tag.replace("_", "-").lower(), tuple(_own.values()))


@cache
def _recognised(tag: str, own: tuple[Language, ...]) -> str | None:
    rows = [*own, *_table().values()]
    exact = [row.flores for row in rows if tag in (row.bcp47.lower(), row.flores.replace("_", "-").lower())]
    # Of a language in several scripts, the one whose tag needs no script is the usual one.
    same = sorted((row for row in rows if row.flores[:3] == tag), key=lambda row: len(row.bcp47))
    if exact or same:
        return exact[0] if exact else same[0].flores
    try:
        import langcodes
    except ImportError:
        raise LanguageError(f"`{tag}` needs the package langcodes to be understood: install it") from None
    try:
        meant = langcodes.Language.get(langcodes.standardize_tag(tag, macro=True)).maximize()
    except ValueError:
        return None
    if not meant.is_valid():
        return None
    for row in rows:
        held = langcodes.Language.get(row.bcp47).maximize()
        if (held.language, held.script) == (meant.language, meant.script):
            return row.flores
    return None


def code_in(flores: str, scheme: Scheme) -> str:
    """How a language is written in a scheme.

    Raises:
        LanguageError: the code is unknown, or the scheme lacks the language.
    """
    language = get(flores)
    match scheme:
        case "flores":
            return language.flores
        case "bcp47":
            return language.bcp47
        case "iso639-3":
            return language.flores[:3]
    tag = language.bcp47.split("-")[0]
    if len(tag) != 2:
        raise LanguageError(f"{flores} ({language.name}) has no code of two letters in ISO 639-1")
    return tag


@cache
def _table() -> dict[str, Language]:
    text = files("polyroute.languages").joinpath("table.csv").read_text(encoding="utf-8")
    return {row["flores"]: _language(row) for row in csv.DictReader(text.splitlines())}


def _language(row: dict[str, str]) -> Language:
    return Language(
        flores=row["flores"],
        bcp47=row["bcp47"],
        name=row["name"],
        family=row["family"],
        branch=row["branch"],
        script=row["script"],
        region=row["region"],
        resource=int(row["resource"]) if row["resource"] else None,
    )


def _suggest(flores: str) -> str:
    """Codes that a wrong one may have meant: the language's tag, English name or macrolanguage, or written alike."""
    table, wrong = _table(), flores.lower()
    if wrong in ("no", "nor"):
        # Norwegian is the macrolanguage of two; BCP 47 still has its tag.
        return "did you mean nob_Latn or nno_Latn?"
    try:
        meant = recognise(flores)
    except LanguageError:
        meant = None
    names = {code: row.name.lower() for code, row in table.items()}
    same = [code for code in table if wrong in (code[:3], names[code])] or [
        code for code, name in names.items() if len(wrong) > 3 and re.search(rf"\b{re.escape(wrong)}\b", name)
    ]
    close = (
        [meant] if meant else same or _meant_otherwise(wrong, table) or difflib.get_close_matches(flores, table, n=3)
    )
    return f"did you mean {' or '.join(close)}?" if close else f"there are {len(table)}, such as deu_Latn or zho_Hans"


def _meant_otherwise(wrong: str, table: Mapping[str, Language]) -> list[str]:
    """Codes of a language in the script that it has here, by its own name, or of a country's official languages."""
    if wrong in ("sh", "hbs"):
        return ["bos_Latn", "hrv_Latn", "srp_Cyrl"]
    spoken = re.split("[-_]", wrong)[0]
    if held := [code for code, row in table.items() if spoken in (code[:3], row.bcp47.split("-")[0])]:
        return held
    try:
        from babel import Locale, UnknownLocaleError
        from babel.languages import get_official_languages
    except ImportError:
        return []
    found = []
    official = [tag.split("_")[0] for tag in get_official_languages(wrong.upper(), de_facto=True)]
    for code, row in table.items():
        try:
            own = Locale.parse(row.bcp47, sep="-").get_language_name() or ""
        except (UnknownLocaleError, ValueError):
            own = ""
        if own.lower() == wrong or row.bcp47.split("-")[0] in official:
            found.append(code)
    return found[:4]
