"""What can be told of a study's text before anything runs: nothing is downloaded and no model is loaded.

Files on disk and generated text are read and checked as the stage `fetch` does. Of a data set on the hub only what its
reader knows is told; the rest is checked when it is fetched.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from polyroute.ground.errors import PolyrouteError
from polyroute.ground.hub import HubSource
from polyroute.languages import table as languages
from polyroute.readers.columns import MARK, TableCorpus, TableTask
from polyroute.readers.fetch import fetch_corpus, fetch_task
from polyroute.readers.halves import MGSM_IN_POLYMATH
from polyroute.readers.mgsm import MGSMTask
from polyroute.readers.polymath import PolyMathTask
from polyroute.readers.spec import CorpusSpec, TaskSpec

_NOWHERE = HubSource()
"""Is asked for nothing: only files at hand are read."""


@dataclass
class Found:
    """What was found in a study's text."""

    notes: list[str] = field(default_factory=list)
    """What is worth knowing, one a line."""
    breaches: list[str] = field(default_factory=list)
    """What the study cannot run with, key first."""


def examine(
    corpora: Mapping[str, tuple[CorpusSpec, Sequence[str]]],
    tasks: Mapping[str, tuple[TaskSpec, Sequence[str]]],
    in_task: Iterable[tuple[str, str]],
) -> Found:
    """Read what is at hand, and hold in-task text against generic text.

    Args:
        corpora: name -> entry and the FLORES codes that are read.
        tasks: name -> entry and the FLORES codes that are asked.
        in_task: names of a corpus of in-task text and of one of generic text that its experts are told against.
    """
    found = Found()
    texts: dict[str, set[str]] = {}
    for name, (corpus, codes) in corpora.items():
        try:
            found.notes += [f"corpora.{name}: {note}" for note in _names(corpus, codes)]
            if corpus.repository() is None:
                frame = fetch_corpus(name, corpus, codes, _NOWHERE)
                texts[name] = set(frame["text"][frame["language"] == languages.ENGLISH])
        except PolyrouteError as error:
            found.breaches.append(f"corpora.{name}: {error}")
    for name, (task, codes) in tasks.items():
        try:
            found.notes += [f"tasks.{name}: {note}" for note in _names(task, codes)]
            if task.repository() is None:
                fetch_task(name, task, codes, _NOWHERE)
        except PolyrouteError as error:
            found.breaches.append(f"tasks.{name}: {error}")
    found.notes += _same_items({name: task for name, (task, _) in tasks.items()})
    for name, other in sorted(set(in_task)):
        if _is_same(corpora, name, other) or (texts.get(name) and texts[name] == texts.get(other)):
            found.breaches.append(
                f"corpora.{name}: in-task text that is equal to the generic text `{other}`: no expert can be told by "
                "it; give text of the task"
            )
        elif shared := len(texts.get(name, set()) & texts.get(other, set())):
            found.notes.append(f"corpora.{name}: {shared} of its {len(texts[name])} texts are in `{other}` too")
    return found


def own_languages(codes: Sequence[str]) -> list[str]:
    """Of each language that the study brings, what is not known of it and what comes of that; one line a language."""
    lines = []
    for code in codes:
        language = languages.get(code)
        groups = [key for key in language.unknown if key in ("family", "branch", "region")]
        notes = [f"{', '.join(groups)} not given, so it counts as one of its own" if groups else ""]
        notes += ["resource class unknown" if "resource" in language.unknown else ""]
        undetected = "no detector, so the language of its answers is not recognised"
        notes += [undetected if "detector" in language.unknown else ""]
        lines.append(f"{code} ({language.name}): " + ("; ".join(note for note in notes if note) or "all is given"))
    return lines


def _same_items(tasks: Mapping[str, TaskSpec]) -> list[str]:
    """Tasks that ask the same questions under two names; one line a pair."""
    problems = [name for name, task in tasks.items() if isinstance(task, MGSMTask)]
    low = [name for name, task in tasks.items() if isinstance(task, PolyMathTask) and "low" in task.levels]
    return [
        f"tasks.{one}: its level low is the first {MGSM_IN_POLYMATH} problems of `{other}`, one set of items: a "
        "problem is chosen on in both or reported in both, and the two are no independent evidence"
        for one in low
        for other in problems
    ]


def _is_same(corpora: Mapping[str, tuple[CorpusSpec, Sequence[str]]], one: str, other: str) -> bool:
    """Whether two entries read the same data."""
    if one == other:
        return True
    first, second = (corpora[name][0].model_dump(exclude={"take", "parallel", "items"}) for name in (one, other))
    return first == second


def _names(entry: CorpusSpec | TaskSpec, codes: Sequence[str]) -> list[str]:
    """How files at hand name languages otherwise than by FLORES codes, and what names no language.

    Raises:
        CorpusError: a file is absent or broken.
        LanguageError: a key of `codes`, or one of `languages`, is no FLORES code.
    """
    if not isinstance(entry, (TableCorpus, TableTask)):
        return []
    for code in [*(entry.codes if isinstance(entry.codes, dict) else ()), *(entry.languages or ())]:
        languages.get(code)
    if entry.repository() is not None:
        return []
    where, names, pattern = entry.language_names(entry.named_columns(), _NOWHERE)
    known = entry.languages_in(names, pattern)
    other = [f"`{name}` is {code}" for code in codes for name in known.get(code, ()) if name != code]
    lines = [f"{where}: {', '.join(other)}"] if other else []
    # The other columns of a table with a column a language are no languages.
    if pattern == MARK and (none := [name for name in names if not entry.languages_in([name])]):
        lines.append(
            f"{where}: {', '.join(f'`{name}`' for name in none)} is no language that polyroute knows, and is passed "
            "over: give its FLORES code in `codes`, or describe it in `own_languages`"
        )
    return lines
