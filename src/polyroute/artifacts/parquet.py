"""Tables of `data/` as Parquet: the same table gives the same bytes, and a file is there whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from polyroute.ground import checksum
from polyroute.ground.errors import PolyrouteError
from polyroute.ground.files import write_atomically

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow

# pandas and pyarrow are imported where they are used: params.yaml is read without them.


def write(path: Path, columns: Mapping[str, pyarrow.Array], metadata: Mapping[str, str] | None = None) -> None:
    """Write columns of equal length, in their order; `metadata` and a checksum go into the file's schema.

    Raises:
        ChecksumError: the metadata look like a checksum.
    """
    import pyarrow

    # Plain arrays instead of `frame.to_parquet`: pandas would write its index and version into the file.
    write_table(path, pyarrow.table(dict(columns)).replace_schema_metadata(dict(metadata) if metadata else None))


def write_table(path: Path, table: pyarrow.Table, of: str | None = None, *, lasting: bool = True) -> None:
    """Write a table with its metadata and a checksum, whole or not at all.

    Args:
        path: of the file.
        table: what it holds.
        of: what the file is of; its place in `data/` by default.
        lasting: as `write_atomically`.

    Raises:
        ChecksumError: the metadata look like a checksum.
    """
    import pyarrow
    import pyarrow.parquet

    stamp = checksum.blank(checksum.place(path) if of is None else of)
    table = _without_checksum(table)
    sink = pyarrow.BufferOutputStream()
    with pyarrow.parquet.ParquetWriter(sink, table.schema, compression="zstd") as writer:
        writer.write_table(table)
        # Not into the schema, of which Arrow keeps a second copy in the file.
        writer.add_key_value_metadata({checksum.KEY: stamp})
    write_atomically(path, checksum.filled(sink.getvalue().to_pybytes()), lasting=lasting)


def read_table(
    path: Path, *, of: str | None = None, otherwise: str = "delete it and make it anew",
    error: type[PolyrouteError] = PolyrouteError,
) -> pyarrow.Table:  # fmt: skip
    """The table that `write_table` wrote, proved; with its metadata, without the checksum.

    Raises:
        FileNotFoundError, OSError: the file is absent or cannot be read.
        PolyrouteError: of the kind `error`, as `checksum.prove`.
        pyarrow.ArrowException: it is proved, and no Parquet file.
    """
    import pyarrow
    import pyarrow.parquet

    content = checksum.read(path, of=of, otherwise=otherwise, error=error)
    return _without_checksum(pyarrow.parquet.read_table(pyarrow.BufferReader(content)))


def _without_checksum(table: pyarrow.Table) -> pyarrow.Table:
    metadata = {name: value for name, value in (table.schema.metadata or {}).items() if name != checksum.KEY.encode()}
    return table.replace_schema_metadata(metadata or None)


def in_order(frame: pd.DataFrame, languages: Sequence[str]) -> pd.DataFrame:
    """Rows sorted by item_id and then in the order of `languages`, with the same columns."""
    rank = {code: number for number, code in enumerate(languages)}
    ordered = frame.assign(rank=frame["language"].map(rank)).sort_values(["item_id", "rank"], kind="stable")
    return ordered[list(frame.columns)].reset_index(drop=True)
