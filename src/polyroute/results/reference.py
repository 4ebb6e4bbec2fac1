"""Every file of results, and `docs/results-reference.md`, which describes them.

`python -m polyroute.results.reference`, in the folder of dvc.yaml, writes that page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic import BaseModel

from polyroute.ground.files import write_atomically
from polyroute.results import (
    accuracy,
    alignment,
    claims,
    correlation,
    distances,
    domain_pairs,
    experts,
    generated,
    masking,
    multiverse,
    nulls,
    similarity,
    steering,
    turns,
)
from polyroute.results.document import Document
from polyroute.results.table import Row, Unit, held

ALL: tuple[type[Row] | type[Document], ...] = (
    alignment.LayerRow, alignment.AlignmentSummary, alignment.DivergenceCurves, alignment.AlignmentMetrics,
    nulls.NullRow, nulls.NullsSummary, nulls.NullsMetrics,
    experts.ExpertRow, experts.MemberRow, experts.DomainRow, experts.ExpertsSummary, experts.ExpertsMetrics,
    domain_pairs.DomainPairRow,
    turns.TurnRow, turns.TurnsSummary, turns.TurnsMetrics,
    similarity.DistanceRow, similarity.UtilisationRow, similarity.RiseRow, similarity.SharedRow,
    similarity.SimilaritySummary, similarity.SimilarityMetrics,
    accuracy.AccuracyRow, accuracy.AccuracySummary, accuracy.AccuracyMetrics, generated.GeneratedRow,
    correlation.CorrelationRow, correlation.CorrelationSummary, correlation.CorrelationMetrics,
    steering.SteerRow, steering.MechanismRow, steering.TurnedRow, steering.SteeringSummary,
    masking.MaskRow, masking.MaskingSummary, masking.InterventionMetrics,
    claims.ClaimsSummary, claims.ClaimsMetrics,
    distances.RecordedDistances,
    multiverse.MultiverseRow, multiverse.MultiverseSummary, multiverse.MultiverseMetrics,
)  # fmt: skip
"""Every file of `metrics/<model>/`, by the stage that writes it."""
PAGE = Path("docs/results-reference.md")
_HEAD = """\
# Files of results

What `metrics/<model>/` holds, file by file, as `src/polyroute/results/` declares it; written by
`python -m polyroute.results.reference`. Numbers may be missing where their type says "or missing" (CSV: empty, JSON:
null); text may be empty, and is never missing. Intervals have the confidence that params.yaml names.
"""
_WORDS = {float: "number", int: "whole number", str: "text", bool: "true or false"}


def render() -> str:
    """The page."""
    parts = [_HEAD]
    for stage in dict.fromkeys(one.stage for one in ALL):
        parts.append(f"\n## Stage `{stage}`\n")
        parts += [_file(one) for one in ALL if one.stage == stage]
    return "".join(parts)


def _file(one: type[Row] | type[Document]) -> str:
    """A file: what it is, its columns or keys, and those of its parts."""
    key = f"Key: {', '.join(f'`{name}`' for name in one.key)}. " if issubclass(one, Row) else ""
    readers = f"Read by: {', '.join(one.readers)}." if one.readers else "Read by no other part of the study."
    lines = [f"\n### {one.file}\n", f"{_text(one.__doc__)} {key}{readers}\n"]
    if "root" in one.model_fields:
        lines.append(f"Holds: {_type(one.model_fields['root'].annotation)}.")
    else:
        lines += _table(one, "column" if issubclass(one, Row) else "key")
    for part in list(dict.fromkeys(_parts(one)))[1:]:
        lines += [f"\n**{part.__name__}**: {_text(part.__doc__)}\n", *_table(part, "key")]
    return "\n".join(lines) + "\n"


def _table(one: type[BaseModel], what: str) -> list[str]:
    lines = [f"| {what} | type | unit | meaning |", "|---|---|---|---|"]
    for name, info in one.model_fields.items():
        kind = Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation
        absent = "" if info.is_required() else ", or absent"
        lines.append(f"| `{name}` | {_type(kind)}{absent} | {unit(kind)} | {_text(info.description)} |")
    return lines


def _parts(kind: Any) -> Iterator[type[BaseModel]]:
    """A type with all types within it."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
        for info in kind.model_fields.values():
            yield from _parts(info.annotation)
    elif get_origin(kind) is not Literal:
        for argument in get_args(kind):
            yield from _parts(argument)


def _type(kind: Any) -> str:
    """`number in [0, 1], or missing`."""
    origin, arguments = get_origin(kind), get_args(kind)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return f"**{kind.__name__}**"
    if origin is Annotated:
        return _type(arguments[0]) + _bounds(arguments[1:])
    if origin in (Union, UnionType):
        words = " or ".join(_type(one) for one in arguments if one is not NoneType)
        return f"{words}, or missing" if NoneType in arguments else words
    if origin is Literal:
        return ", ".join(f"`{one}`" if one else "empty" for one in arguments)
    if origin is dict:
        return f"by {_named(arguments[0])}: {_type(arguments[1])}"
    if origin is list:
        return f"list of {_type(arguments[0])}"
    if origin is tuple:
        kinds = dict.fromkeys(_type(one) for one in arguments)
        return (
            f"{len(arguments)} of {next(iter(kinds))}" if len(kinds) == 1 else f"({', '.join(map(_type, arguments))})"
        )
    return "null" if kind is NoneType else _WORDS[kind]


def _bounds(metadata: tuple[Any, ...]) -> str:
    """` in [0, 1)`; nothing where there is no bound."""
    every = [part for one in metadata for part in (getattr(one, "metadata", None) or [one])]
    low = high = None
    for one in every:
        match one:
            case annotated_types.Ge(ge=bound):
                low = f"[{bound}"
            case annotated_types.Gt(gt=bound):
                low = f"({bound}"
            case annotated_types.Le(le=bound):
                high = f"{bound}]"
            case annotated_types.Lt(lt=bound):
                high = f"{bound})"
    if low is not None and high is not None:
        return f" in {low}, {high}"
    return (
        f" {'≥' if low[0] == '[' else '>'} {low[1:]}"
        if low
        else f" {'≤' if high[-1] == ']' else '<'} {high[:-1]}"
        if high
        else ""
    )


def unit(kind: Any) -> str:
    """The unit of a number, or of the numbers within a type; empty of all else."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        own = _named(kind) if held(kind)[0] in (int, float) else ""
        return own or unit(arguments[0])
    if origin is Literal:
        return ""
    return next((name for name in map(unit, reversed(arguments)) if name), "")


def _named(kind: Any) -> str:
    """What a type calls its values."""
    return next(one.name for one in (*get_args(kind)[1:], Unit("")) if isinstance(one, Unit))


def _text(words: str | None) -> str:
    return re.sub(r"\s+", " ", words or "").strip().replace("|", "\\|")


if __name__ == "__main__":
    write_atomically(PAGE, render().encode())
