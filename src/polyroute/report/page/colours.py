"""One colour a language everywhere: that of its family, its branch or its resource class, by choice of the reader.

The style sheet says what the names are in light and in dark. Families and branches beyond those with most languages
share a grey, so that colours stay apart for the colour-blind too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from polyroute.languages import table

FAMILIES = 9
"""Colours of groups in the style sheet, `--g0` and on."""
PIVOT = "var(--ink)"
OTHER = "var(--grey)"


def payload(languages: Sequence[str], pivot: str) -> dict[str, Any]:
    """Scheme -> colours by language, and its legend; names of languages.

    Args:
        languages: FLORES codes of all that the page shows.
        pivot: which is written in ink.
    """
    known = {code: table.get(code) for code in languages}
    others = [code for code in languages if code != pivot]
    hues: dict[str, dict[str, str]] = {}
    legends: dict[str, list[list[str]]] = {}
    for scheme in ("family", "branch"):
        counts = Counter(str(getattr(known[code], scheme)) for code in others)
        ordered = sorted(counts, key=lambda name: (-counts[name], name))
        colours = {name: f"var(--g{place})" for place, name in enumerate(ordered[:FAMILIES])}
        hues[scheme] = {code: colours.get(str(getattr(known[code], scheme)), OTHER) for code in others}
        legends[scheme] = [[name, colour] for name, colour in colours.items()]
        legends[scheme] += [["others", OTHER]] if len(ordered) > FAMILIES else []
    resources = {code: known[code].resource for code in others}
    hues["resource"] = {code: OTHER if value is None else f"var(--r{value})" for code, value in resources.items()}
    values = sorted({value for value in resources.values() if value is not None}, reverse=True)
    legends["resource"] = [[f"class {value}", f"var(--r{value})"] for value in values]
    legends["resource"] += [["class unknown", OTHER]] if None in resources.values() else []
    for scheme, colours in hues.items():
        if pivot in known:
            colours[pivot] = PIVOT
            legends[scheme].insert(0, [known[pivot].name, PIVOT])
    return {"hues": hues, "legends": legends, "names": {code: one.name for code, one in known.items()}}
