"""How a table of `metrics/<model>/` is declared, written and read.

A table is a row type: its fields are the columns in their order, their types say what a value may be, their docstrings
what it means. It knows the stage that writes it and who reads it. `write` and `read` refuse whatever the declaration
does not say, naming the file, the column and the stage. JSON files are declared likewise (`results.document`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, ClassVar, Literal, NoReturn, Union, get_args, get_origin

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from polyroute.ground.errors import PolyrouteError
from polyroute.ground.files import write_atomically

_DTYPES = {float: "float64", int: "int64", bool: "bool", str: "str"}


class ResultsError(PolyrouteError):
    """A file of results is absent, or is not what its declaration says; the message names it and its stage."""


@dataclass(frozen=True)
class Unit:
    """What a number counts, or is measured in."""

    name: str


class ResultFile(BaseModel):
    """What every file of results says of itself."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False, use_attribute_docstrings=True)
    file: ClassVar[str]
    """Its path in `metrics/<model>/`."""
    stage: ClassVar[str]
    """The stage of dvc.yaml that writes it."""
    readers: ClassVar[tuple[str, ...]]
    """Stages, figures and tables that are made from it."""

    def __init_subclass__(cls, *, file: str = "", stage: str = "", readers: tuple[str, ...] = (), **rest: Any):
        super().__init_subclass__(**rest)
        cls.file, cls.stage, cls.readers = file, stage, readers

    @classmethod
    def refuse(cls, path: Path, what: str, *, writing: bool = False) -> NoReturn:
        """Raise a `ResultsError` that names the file and its stage."""
        rerun = f"`dvc repro {cls.stage}@{path.parents[len(Path(cls.file).parts) - 1].name}` writes it"
        raise ResultsError(f"{path} {what}: {f'the stage `{cls.stage}` may not write that' if writing else rerun}")


class Row(ResultFile):
    """A row of a CSV file; a subclass declares one."""

    key: ClassVar[tuple[str, ...]]
    """Columns that no two rows share all of."""
    decimals: ClassVar[int | None]
    """To which numbers are rounded when they are written; None where whatever measures them has done so."""
    unlisted: ClassVar[str]
    """Column that is 0 of whatever has no row; empty where every row is always there."""

    def __init_subclass__(
        cls, *, key: tuple[str, ...] = (), decimals: int | None = None, unlisted: str = "", **rest: Any
    ):
        super().__init_subclass__(**rest)
        cls.key, cls.decimals, cls.unlisted = key, decimals, unlisted

    @classmethod
    def columns(cls) -> list[str]:
        """Names of the columns, in order."""
        return list(cls.model_fields)

    @classmethod
    def write(cls, folder: Path, tables: pd.DataFrame | Sequence[pd.DataFrame]) -> None:
        """Write tables below one another; a header alone where there is none.

        Args:
            folder: `metrics/<model>/`.
            tables: each with the columns of this row and no other, in any order.

        Raises:
            ResultsError: a column is missing, extra or mistyped, or two rows share a key.
        """
        path, parts = folder / cls.file, [tables] if isinstance(tables, pd.DataFrame) else tables
        for part in parts:
            cls._check_columns(path, part, writing=True)
        whole = pd.concat([part[cls.columns()] for part in parts], ignore_index=True) if parts else pd.DataFrame()
        table = cls._checked(path, whole.reindex(columns=cls.columns()), writing=True)
        write_atomically(path, table.to_csv(index=False, lineterminator="\n").encode())

    @classmethod
    def read(cls, folder: Path) -> pd.DataFrame:
        """Read the table: missing numbers are NaN (NA where they are whole), text that is empty is empty.

        Args:
            folder: `metrics/<model>/`.

        Raises:
            ResultsError: the file is absent or unreadable, or as `write`.
        """
        path = folder / cls.file
        try:
            table = pd.read_csv(path, dtype=str, keep_default_na=False)
        except FileNotFoundError:
            cls.refuse(path, "is absent")
        except (OSError, ValueError) as error:
            cls.refuse(path, f"cannot be read ({str(error).strip()})")
        cls._check_columns(path, table)
        return cls._checked(path, table)

    @classmethod
    def _check_columns(cls, path: Path, table: pd.DataFrame, *, writing: bool = False) -> None:
        if absent := [name for name in cls.columns() if name not in table.columns]:
            cls.refuse(path, f"lacks the columns {', '.join(absent)}", writing=writing)
        if extra := [str(name) for name in table.columns if name not in cls.columns()]:
            cls.refuse(path, f"has the columns {', '.join(extra)}, which are not declared", writing=writing)

    @classmethod
    def _checked(cls, path: Path, table: pd.DataFrame, *, writing: bool = False) -> pd.DataFrame:
        """Values as the columns declare them, which files hold as text and stages as what they are."""
        columns = {}
        for name, info in cls.model_fields.items():
            annotation: Any = info.annotation
            kind, optional = held(annotation)
            # Text is never missing: it is empty.
            empty = "" if kind is str else None
            raw, blank = table[name].astype(object).tolist(), table[name].isna().tolist()
            values = [empty if is_blank or value == "" else value for value, is_blank in zip(raw, blank, strict=True)]
            if writing and kind is float:
                if cls.decimals is not None:
                    rounded = np.round([v if isinstance(v, float) else 0.0 for v in values], cls.decimals).tolist()
                    values = [new if isinstance(v, float) else v for v, new in zip(values, rounded, strict=True)]
                values = [v + 0.0 if isinstance(v, float) else v for v in values]  # nothing is written as -0.0
            try:
                checked = _adapter(annotation, *info.metadata).validate_python(values, strict=writing)
            except ValidationError as error:
                told = error.errors()[0]
                place = int(told["loc"][0])
                value = "is missing" if values[place] is None else f"is {values[place]!r}"
                what = f"is refused: `{name}` {value} in row {place + 1} ({sentence(told['msg'])})"
                cls.refuse(path, what, writing=writing)
            dtype = "Int64" if kind is int and optional else _DTYPES[kind]
            columns[name] = pd.Series(checked, dtype=dtype, index=table.index)
        found = pd.DataFrame(columns)
        if cls.key and (twice := found.duplicated(list(cls.key))).any():
            row = found[twice].iloc[0]
            cls.refuse(path, f"has two rows of {', '.join(f'{name} {row[name]}' for name in cls.key)}", writing=writing)
        return found


def written(folder: Path, *files: type[ResultFile]) -> bool:
    """Whether the stage that writes these files has run.

    Raises:
        ResultsError: some are there and some are not.
    """
    there = [one for one in files if (folder / one.file).exists()]
    if there and (absent := [one for one in files if one not in there]):
        absent[0].refuse(folder / absent[0].file, f"is absent, though {there[0].file} is there")
    return bool(there)


def held(annotation: Any) -> tuple[Any, bool]:
    """What an annotation comes down to, `float` of a share between 0 and 1, and whether it may be missing."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return held(arguments[0])
    if origin in (Union, UnionType):
        return held(next(one for one in arguments if one is not type(None)))[0], type(None) in arguments
    return (type(arguments[0]), False) if origin is Literal else (annotation, False)


@cache
def _adapter(annotation: Any, *metadata: Any) -> TypeAdapter[Any]:
    """Checks a column."""
    of_value: Any = Annotated[(annotation, *metadata)] if metadata else annotation
    of_column: Any = list[of_value]
    return TypeAdapter(of_column, config=ConfigDict(allow_inf_nan=False))


def sentence(message: str) -> str:
    """A message of pydantic's within a sentence."""
    return message[0].lower() + message[1:]
