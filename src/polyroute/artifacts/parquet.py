"""Tables of `data/` as Parquet: the same table gives the same bytes, and a file is there whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from polyroute.ground.files import write_atomically

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow

# pandas and pyarrow are imported where they are used: params.yaml is read without them.


def write(path: Path, columns: Mapping[str, pyarrow.Array], metadata: Mapping[str, str] | None = None) -> None:
    """Write columns of equal length, in their order; `metadata` goes into the file's schema."""
    import pyarrow
    import pyarrow.parquet

    # Plain arrays instead of `frame.to_parquet`: pandas would write its index and version into the file.
    table = pyarrow.table(dict(columns)).replace_schema_metadata(dict(metadata) if metadata else None)
    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(table, sink, compression="zstd")
    write_atomically(path, sink.getvalue().to_pybytes())


def in_order(frame: pd.DataFrame, languages: Sequence[str]) -> pd.DataFrame:
    """Rows sorted by item_id and then in the order of `languages`, with the same columns."""
    rank = {code: number for number, code in enumerate(languages)}
    ordered = frame.assign(rank=frame["language"].map(rank)).sort_values(["item_id", "rank"], kind="stable")
    return ordered[list(frame.columns)].reset_index(drop=True)
