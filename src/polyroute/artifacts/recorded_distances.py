"""Distances between languages that were recorded elsewhere, by layer, where neither counts nor traces were released.

Columns of the file: layer (the model's own number), language_a, language_b (FLORES codes, a before b in the order of
the header), topk_count and soft_mass: Jensen-Shannon divergence in bits of the two languages' routing, by choices of
experts and by the softmax of the router's logits. One row a layer and pair. `artifacts.recording` says what else is in
it.
"""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import pyarrow
from numpy.typing import NDArray
from pydantic import ValidationError

from polyroute.artifacts import recording
from polyroute.artifacts.recording import Recording, RecordingError, first_error

READINGS = ("topk_count", "soft_mass")
_SCHEMA = pyarrow.schema(
    {
        "layer": pyarrow.int32(), "language_a": pyarrow.string(), "language_b": pyarrow.string(),
        **dict.fromkeys(READINGS, pyarrow.float64()),
    }
)  # fmt: skip


class DistancesHeader(Recording):
    """What recorded distances say of themselves."""

    unit: Literal["bits"] = "bits"


@dataclass(frozen=True)
class Distances:
    """Distances of all P pairs of V languages in L layers, pairs in scipy's order of condensed matrices."""

    header: DistancesHeader
    by_reading_LP: dict[str, NDArray[np.float64]]
    """`topk_count` and `soft_mass`, in [0, 1] bits."""

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file of `recorded/`.

        Raises:
            RecordingError: as `recording.read`; or rows are lacking, twice or in another order, or a distance is not
                from 0 to 1.
        """
        header, columns = recording.read(path, DistancesHeader, _SCHEMA)
        rows = list(zip(columns["layer"].tolist(), columns["language_a"], columns["language_b"], strict=True))
        if rows != _rows(header):
            raise RecordingError(
                f"{path}: its rows are not one for each of {len(header.layers)} layers and pair of "
                f"{len(header.languages)} languages, in the order of its header"
            )
        return cls(header, {name: _checked(path, rows, columns[name], len(header.layers)) for name in READINGS})

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all; the same distances give the same bytes."""
        layer, first, second = zip(*_rows(self.header), strict=True)
        columns: dict[str, Any] = {"layer": layer, "language_a": first, "language_b": second}
        columns |= {name: values_LP.ravel() for name, values_LP in self.by_reading_LP.items()}
        arrays = {field.name: pyarrow.array(columns[field.name], field.type) for field in _SCHEMA}
        recording.write(path, self.header, arrays)


def from_csv(path: Path, **about: Any) -> Distances:
    """Make a recording of a table: layer, language_a, language_b, jsd_bits_topk_count, jsd_bits_soft_mass.

    Args:
        path: of the table; languages are taken in the order in which they come.
        about: fields of the header but languages, layers and files.

    Raises:
        RecordingError: a pair is lacking in a layer, a distance is no number from 0 to 1, or the model or the text is
            no name.
    """
    with path.open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    found = {(int(row["layer"]), row["language_a"], row["language_b"]): row for row in table}
    languages = tuple(dict.fromkeys(row[side] for side in ("language_a", "language_b") for row in table))
    layers = tuple(dict.fromkeys(int(row["layer"]) for row in table))
    checksum = hashlib.sha256(path.read_bytes()).hexdigest()
    try:
        header = DistancesHeader(languages=languages, layers=layers, files={path.name: checksum}, **about)
    except ValidationError as error:
        raise RecordingError(f"{path}: the recording cannot be named so: {first_error(error)}") from None
    rows = _rows(header)
    for layer, one, other in rows:
        if (layer, one, other) not in found:
            raise RecordingError(f"{path}: layer {layer} lacks the pair {one}, {other}")
    values = {name: np.array([float(found[row][f"jsd_bits_{name}"]) for row in rows]) for name in READINGS}
    return Distances(header, {name: _checked(path, rows, of, len(layers)) for name, of in values.items()})


def _rows(header: DistancesHeader) -> list[tuple[int, str, str]]:
    codes = header.languages
    pairs = [(one, other) for place, one in enumerate(codes) for other in codes[place + 1 :]]
    return [(layer, one, other) for layer in header.layers for one, other in pairs]


def _checked(
    path: Path, rows: list[tuple[int, str, str]], values: NDArray[np.float64], layers: int
) -> NDArray[np.float64]:
    for place in np.flatnonzero(~((values >= 0) & (values <= 1))):
        layer, one, other = rows[place]
        raise RecordingError(
            f"{path}: layer {layer}, {one} and {other}: {values[place]} is no distance from 0 to 1 bit"
        )
    return values.astype(np.float64).reshape(layers, -1)
