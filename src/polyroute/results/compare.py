"""One file of results against the same file of another run: what differs, column by column.

Rows are matched by their key, in any order. Numbers agree within the tolerance of their unit, all else exactly.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import pandas as pd
from pydantic import BaseModel

from polyroute.results.document import Document
from polyroute.results.reference import ALL, unit
from polyroute.results.table import ResultFile, Row, Unit
from polyroute.results.tolerances import EXACTLY, Tolerance, of

ELSEWHERE = "library"
"""What is by library is its version: of the machine, no result."""
Plain = str | int | float | bool | None


@dataclass(frozen=True)
class Difference:
    """What differs in one column of a file, or in all values of a JSON file that are of one key."""

    file: str
    """Path in the study's folder."""
    column: str
    """Column of a table, path of keys in a JSON file with `*` for names; empty where the whole file differs."""
    worst: str
    """The largest difference of numbers, or two values that are not the same."""
    tolerance: str
    """What would have been allowed."""
    values: int
    """How many differ."""
    compared: int
    """Of how many."""
    place: str
    """Row or keys of the worst."""
    within: bool = False
    """Whether all differences are within the tolerance."""


@dataclass
class Column:
    """Pairs of values of one column as they come, of which the worst is kept."""

    tolerance: Tolerance
    compared: int = 0
    differing: int = 0
    beyond: int = 0
    distance: float = 0.0
    worst: str = ""
    place: str = ""

    def add(self, before: Plain, now: Plain, place: str) -> None:
        """Take a pair in."""
        self.compared += 1
        if before == now or (_is_nan(before) and _is_nan(now)):
            return
        numbers = _is_number(before) and _is_number(now)
        holds = numbers and self.tolerance.holds(float(before or 0), float(now or 0))
        distance = abs(float(now or 0) - float(before or 0)) if numbers else math.inf
        self.differing += 1
        self.beyond += not holds
        if distance > self.distance:
            self.distance, self.place = distance, place
            self.worst = f"{distance:.4g}" if numbers else f"{_shown(before)}, now {_shown(now)}"

    def difference(self, file: str, column: str) -> Difference | None:
        """What is to be said of the column; None where all values are the same."""
        if not self.differing:
            return None
        values = self.beyond or self.differing
        return Difference(
            file, column, self.worst, str(self.tolerance), values, self.compared, self.place, not self.beyond
        )


def declared(path: Path) -> type[ResultFile] | None:
    """The declaration of a file, by its path in `metrics/<model>/`; None where there is none."""
    return next((one for one in ALL if one.file == path.as_posix()), None)


def compare(one: type[ResultFile], file: str, before: Path, now: Path) -> list[Difference]:
    """What differs in a file of results between two folders `metrics/<model>/`.

    Args:
        one: the file's declaration.
        file: what to call it.
        before: a folder that has it.
        now: another.

    Raises:
        ResultsError: one of the two is not as declared.
    """
    lost: list[str] = []
    columns: dict[tuple[str, Tolerance], Column] = {}
    if issubclass(one, Row):
        table: dict[str, Column] = {}
        lost = list(_rows(one, one.read(before), one.read(now), table))
        columns = {(name, column.tolerance): column for name, column in table.items()}
    elif issubclass(one, Document):
        # A list may hold whole numbers beside others: a column of each.
        for name, tolerance, was, is_now, place in _leaves(one, one.read(before), one.read(now)):
            columns.setdefault((name, tolerance), Column(tolerance)).add(was, is_now, place)
    found = [column.difference(file, name) for (name, _), column in columns.items()]
    return [Difference(file, "", what, "exactly", 1, 1, "") for what in lost] + [each for each in found if each]


def _rows(one: type[Row], before: pd.DataFrame, now: pd.DataFrame, columns: dict[str, Column]) -> Iterator[str]:
    """Fill the columns of a table; whatever rows only one of the two has."""
    key = list(one.key)
    for name, info in one.model_fields.items():
        kind = Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation
        columns[name] = Column(of(unit(kind)) if before[name].dtype.kind == "f" else EXACTLY)
    if key:
        before, now = before.set_index(key, drop=False), now.set_index(key, drop=False)
        for what, rows, others in (("no longer there", before, now), ("new", now, before)):
            alone = rows.loc[rows.index.difference(others.index)]
            if one.unlisted:
                for place, value in zip(alone.index, _plain(alone[one.unlisted]), strict=True):
                    columns[one.unlisted].add(0.0, value, _place(key, place))
            elif len(alone):
                yield f"rows {what}: {len(alone)}, such as {_place(key, alone.index[0])}"
        both = before.index.intersection(now.index)
        before, now = before.loc[both], now.loc[both]
    elif len(before) != len(now):
        yield f"{len(before)} rows, now {len(now)}"
        return
    for name, column in columns.items():
        for place, was, is_now in zip(before.index, _plain(before[name]), _plain(now[name]), strict=True):
            column.add(was, is_now, _place(key, place))


def _plain(values: pd.Series) -> list[Plain]:
    return [None if pd.isna(value) else value for value in values.tolist()]


def _place(key: Sequence[str], values: Any) -> str:
    parts: tuple[Any, ...] = values if isinstance(values, tuple) else (values,)
    named = [str(part) for part in parts if not (pd.isna(part) or part == "")]
    return ", ".join(named) if key else f"row {parts[0] + 1}"


def _leaves(
    kind: Any, before: object, now: object, name: str = "", place: str = ""
) -> Iterator[tuple[str, Tolerance, Plain, Plain, str]]:
    """Column, tolerance, the two values and where they stand, of everything in a JSON file."""
    if isinstance(before, BaseModel) and type(before) is type(now):
        for key, info in type(before).model_fields.items():
            field = Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation
            inside = name if key == "root" else f"{name}.{key}".lstrip(".")
            yield from _leaves(field, getattr(before, key), getattr(now, key), inside, place)
    elif isinstance(before, Mapping) and isinstance(now, Mapping):
        if _of_libraries(kind):
            return
        yield f"{name}.*", EXACTLY, _names(before), _names(now), place
        for key in [key for key in before if key in now]:
            yield from _leaves(kind, before[key], now[key], f"{name}.*", f"{place} {key}".lstrip())
    elif isinstance(before, list | tuple) and isinstance(now, list | tuple):
        yield f"{name}[]", EXACTLY, len(before), len(now), place
        for number, (was, is_now) in enumerate(zip(before, now, strict=False)):
            yield from _leaves(kind, was, is_now, f"{name}[]", f"{place} {number + 1}".lstrip())
    else:
        both = (before, now)
        measured = any(isinstance(value, float) for value in both)
        yield name, of(unit(kind)) if measured else EXACTLY, _leaf(before), _leaf(now), place


def _of_libraries(kind: Any) -> bool:
    inside = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    return get_origin(inside) is dict and Unit(ELSEWHERE) in get_args(get_args(inside)[0])


def _names(values: Mapping[Any, Any]) -> str:
    return ", ".join(sorted(map(str, values)))


def _leaf(value: object) -> Plain:
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return "there" if isinstance(value, BaseModel | Mapping | list | tuple) else str(value)


def _is_number(value: Plain) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_nan(value: Plain) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _shown(value: Plain) -> str:
    if value is None:
        return "missing"
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
