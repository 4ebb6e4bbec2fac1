"""Parquet with a row a token and layer: experts, and the router's logits over all experts where these were kept.

Experts are one column of lists (`topk_ids`) or a column each (`expert_id_0`, `expert_id_1`, ...); so are weights and
logits (`router_logits`, or `router_logit_0`, ...). `columns` has the names that are known. Logits give soft mass, the
mean over tokens of their softmax (arXiv 2510.04694, Eq. 1).
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
from numpy.typing import NDArray

from polyroute.artifacts.recording import RecordingError
from polyroute.tracing.recorders.columns import FROM_ONE, LAYER, LOGITS, ROUTES, WEIGHTS, named
from polyroute.tracing.recorders.tally import Tally


def read(path: Path, tally: Tally) -> None:
    """Add one file.

    Raises:
        RecordingError: the file is absent or damaged, a column is lacking, there twice, without a value somewhere or of
            another type, or as `Tally.route`.
    """
    try:
        table = pyarrow.parquet.read_table(path)
    except FileNotFoundError:
        raise RecordingError(f"{path} is absent: name the folder that holds it") from None
    except (pyarrow.ArrowException, OSError) as error:
        raise RecordingError(f"{path} is not a whole Parquet file: {str(error).splitlines()[0][:120]}") from None
    names = table.schema.names
    for name in names:
        if names.count(name) > 1:
            raise RecordingError(f"{path}: the column `{name}` is there twice")
    layer_column = named(LAYER, names, str(path))
    if layer_column is None:
        raise RecordingError(
            f"{path}: no column says the layer (`{'`, `'.join(LAYER)}`); there are {', '.join(names)[:120]}"
        )
    layers_N = _whole(path, layer_column, table)
    layers_N = layers_N - 1 if layer_column == FROM_ONE else layers_N
    ids_NK = _rows(path, table, ROUTES, ("expert_id", "topk_id", "expert"), whole=True)
    if ids_NK is None:
        raise RecordingError(f"{path}: no column holds the experts of a token (`topk_ids`, or `expert_id_0`, ...)")
    weights_NK = _rows(path, table, WEIGHTS, ("expert_weight", "topk_weight", "weight"))
    logits_NE = _rows(path, table, LOGITS, ("router_logit", "router_logits", "logit", "logits"))
    for layer in np.unique(layers_N).tolist():
        if layer < 0:
            raise RecordingError(f"{path}: `{layer_column}` is {layer}, no layer")
        of_N = layers_N == layer
        tally.route(
            layer, ids_NK[of_N], "", weights_TK=None if weights_NK is None else weights_NK[of_N],
            logits_TE=None if logits_NE is None else logits_NE[of_N],
        )  # fmt: skip


def _rows(
    path: Path, table: pyarrow.Table, lists: tuple[str, ...], stems: tuple[str, ...], *, whole: bool = False
) -> NDArray[np.generic] | None:
    """A column of lists, or columns with numbers from 0 at their end, as rows; None where there is neither."""
    held = table.schema.names
    name = named(lists, (one for one in held if _is_list(table.schema.field(one).type)), str(path))
    numbered = {stem: found for stem in stems if (found := _numbered(held, stem))}
    if len(numbered) + (name is not None) > 1:
        both = [name] if name else []
        raise RecordingError(f"{path}: {' and '.join([*both, *(f'{stem}_0' for stem in numbered)])} say the same twice")
    if name is not None:
        column = table[name].combine_chunks()
        if column.null_count:
            raise RecordingError(f"{path}: `{name}` has no value in {column.null_count} rows")
        lengths = pyarrow.compute.list_value_length(column).to_numpy(zero_copy_only=False)
        if len(lengths) and (lengths != lengths[0]).any():
            raise RecordingError(
                f"{path}: `{name}` is not equally long in all rows: {lengths.min()} to {lengths.max()}"
            )
        flat = column.flatten()
        return _plain(path, name, flat, whole=whole).reshape(len(column), -1)
    for stem, numbers in numbered.items():
        if numbers != list(range(len(numbers))):
            raise RecordingError(
                f"{path}: columns `{stem}_...` do not count from 0 to {len(numbers) - 1}: some are lacking"
            )
        parts = [_plain(path, f"{stem}_{one}", table[f"{stem}_{one}"].combine_chunks(), whole=whole) for one in numbers]
        return np.stack(parts, axis=1)
    return None


def _numbered(names: list[str], stem: str) -> list[int]:
    found = (re.fullmatch(rf"{stem}_(0|[1-9]\d{{0,5}})", name) for name in names)
    return sorted(int(match[1]) for match in found if match)


def _is_list(kind: pyarrow.DataType) -> bool:
    return bool(
        pyarrow.types.is_list(kind) or pyarrow.types.is_large_list(kind) or pyarrow.types.is_fixed_size_list(kind)
    )


def _whole(path: Path, name: str, table: pyarrow.Table) -> NDArray[np.int64]:
    return _plain(path, name, table[name].combine_chunks(), whole=True).astype(np.int64)


def _plain(path: Path, name: str, column: pyarrow.Array, *, whole: bool) -> NDArray[np.generic]:
    kind = column.type
    if column.null_count:
        raise RecordingError(f"{path}: `{name}` has no value in {column.null_count} rows")
    if not (pyarrow.types.is_integer(kind) or (pyarrow.types.is_floating(kind) and not whole)):
        raise RecordingError(f"{path}: `{name}` is of type {kind}, not of {'whole ' if whole else ''}numbers")
    values: NDArray[np.generic] = column.to_numpy(zero_copy_only=False)
    return values
