"""Files of `recorded/`: routing that others recorded, each with its source, commit and licence inside.

One Parquet file a recording: plain columns, and in the schema's metadata, under the key `polyroute`, one JSON object,
the header. Whatever reads Parquet reads it (`pandas.read_parquet`); nothing in it is code.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

import pyarrow
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from polyroute.artifacts import parquet
from polyroute.ground.errors import PolyrouteError
from polyroute.ground.names import check_names

FORMAT: Literal[1] = 1
_KEY = "polyroute"
_REMEDY = "take it from git again, or make it anew with `polyroute import-counts`"


class RecordingError(PolyrouteError):
    """A recording cannot be made, read, or is not the one that was asked for."""


class Recording(BaseModel):
    """What every recording says of itself."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    model: str
    """As its authors call it, such as `Qwen/Qwen3-30B-A3B`."""
    corpus: str
    """Short name of the text, as params.yaml calls it."""
    text: str
    """What of that text was read, in a sentence."""
    languages: tuple[str, ...] = Field(min_length=1)
    """FLORES codes, in the order of the rows."""
    layers: tuple[int, ...] = Field(min_length=1)
    """The model's own numbers of its layers with routers."""
    source: str
    """Repository and folder, or who recorded it."""
    commit: str | None = Field(pattern=r"^[0-9a-f]{40}$")
    """Of the source; null where it is in none."""
    licence: str
    """Under which the numbers are passed on."""
    files: dict[str, str] = {}
    """File of the source -> its SHA-256."""
    notes: str = ""
    """What a reader of the numbers must know."""
    format: Literal[1] = FORMAT

    @model_validator(mode="after")
    def _names(self) -> Self:
        check_names(self.model, self.corpus)
        for listed in (self.languages, self.layers):
            if len(set(listed)) != len(listed):
                raise ValueError(f"languages or layers are listed twice: {', '.join(map(str, listed))[:80]}")
        return self


Header = TypeVar("Header", bound=Recording)


def write(path: Path, header: Recording, columns: Mapping[str, pyarrow.Array]) -> None:
    """Write a recording, whole or not at all; the same recording gives the same bytes."""
    about = json.dumps(header.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
    parquet.write(path, columns, {_KEY: about})


def read(
    path: Path, kind: type[Header], schema: pyarrow.Schema, more: pyarrow.Schema | None = None
) -> tuple[Header, dict[str, Any]]:
    """A recording's header, and its columns as arrays or, of text, as lists.

    Args:
        path: of the file.
        kind: of the header.
        schema: columns that it must have.
        more: columns that may follow them, all or none.

    Raises:
        RecordingError: the file is absent, damaged, in another's place, of another kind or format; names it.
    """
    try:
        table = parquet.read_table(path, otherwise=_REMEDY, error=RecordingError)
        header = kind.model_validate_json((table.schema.metadata or {})[_KEY.encode()])
        if more is not None and set(more.names) <= set(table.schema.names):
            schema = pyarrow.schema([*schema, *more])
        columns = {
            field.name: table[field.name].to_pylist()
            if pyarrow.types.is_string(field.type)
            else table[field.name].to_numpy()
            for field in schema
        }
    except FileNotFoundError:
        raise RecordingError(f"{path} is absent: `polyroute import-counts` makes such files") from None
    except (pyarrow.ArrowException, OSError, KeyError, ValidationError) as error:
        raise RecordingError(
            f"{path} is not a whole recording of format {FORMAT} ({_first(error)}): {_REMEDY}"
        ) from None
    if table.schema.remove_metadata() != schema:
        raise RecordingError(f"{path}: its columns are {table.schema.names}, not {schema.names} of the declared types")
    return header, columns


def first_error(error: ValidationError) -> str:
    """What pydantic says first, in a line: the field and what is wrong with it."""
    one = error.errors()[0]
    return ": ".join(
        part for part in (".".join(map(str, one["loc"])), one["msg"].removeprefix("Value error, ")) if part
    )


def _first(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return first_error(error)
    return str(error).splitlines()[0] if str(error) else type(error).__name__
