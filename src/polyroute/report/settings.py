"""A model's own settings beside the published ones, as text or as data."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from polyroute.params.comparison import Compared, Verdict, compare, published_of
from polyroute.params.file import ParamsFile
from polyroute.params.published import Preset, published
from polyroute.report.words import NONE

WORDS: dict[Verdict, str] = {
    "same": "same",
    "other": "differs, possible",
    "differs": "DIFFERS",
    "unknown": "not known",
    "no_key": "no such key",
}
_LISTED = 4
"""Values of a list that are shown; of a longer one its length."""


def as_data(model: str, rows: Sequence[Compared]) -> dict[str, Any]:
    """For machines: every value in full, and the sources that places are in."""
    sources = {name: source.model_dump() for name, source in published().sources.items()}
    return {"model": model, "settings": [asdict(row) for row in rows], "sources": sources}


def as_text(model: str, rows: Sequence[Compared]) -> str:
    """One table a paper: setting, own value, published value, how sure that is, whether they differ, and the place."""
    blocks = []
    for preset in published().presets:
        ours = [row for row in rows if row.preset == preset.name]
        if ours:
            blocks.append(f"{_title(preset, ours)}\n\n" + "\n".join(_aligned(_line(row, model) for row in ours)))
            blocks += ["\n".join(f"Note: {note}" for note in preset.notes)] if preset.notes else []
    named = {name for name in published().sources for row in rows if name in row.source}
    listed = [f"{name}: {_source(name)}" for name in published().sources if name in named]
    legend = (
        f"Keys without a section are of models.{model}. `{WORDS['other']}`: ours is another value that cannot be "
        f"excluded. `{WORDS['no_key']}`: no key of this entry says it. Long lists in full: --json."
    )
    return "\n\n".join([*blocks, legend, "\n".join(listed)])


def example(file: ParamsFile) -> str:
    """What the command prints of the first model that a paper has and that is asked, as a page shows it; a dash where
    there is none."""
    for model in (name for name in published_of(file) if getattr(file.models[name], "tasks", None)):
        return f"```\n$ polyroute settings {model}\n{as_text(model, compare(file, model))}\n```"
    return NONE


def _title(preset: Preset, rows: Sequence[Compared]) -> str:
    counts = {verdict: sum(row.verdict == verdict for row in rows) for verdict in WORDS}
    told = ", ".join(f"{count} {WORDS[verdict]}" for verdict, count in counts.items() if count)
    return f"preset: {preset.name} (paper {preset.paper}): {told}"


def _line(row: Compared, model: str) -> tuple[str, ...]:
    others = f"; or else {', '.join(map(_shown, row.others))}" if row.others else ""
    return (
        row.key.removeprefix(f"models.{model}."),
        "-" if row.verdict == "no_key" else _shown(row.own),
        "?" if row.published is None else _shown(row.published),
        row.certainty,
        WORDS[row.verdict],
        row.source + others,
    )


def _shown(value: Any) -> str:
    if isinstance(value, list) and len(value) > _LISTED:
        return f"{len(value)} values"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _aligned(lines: Iterable[tuple[str, ...]]) -> list[str]:
    table = [("setting", "ours", "published", "certainty", "", "place or reason"), *lines]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    padded = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in table)
    return [line.rstrip() for line in padded]


def _source(name: str) -> str:
    source = published().sources[name]
    return source.what + (f" @{source.commit}" if source.commit else "")
