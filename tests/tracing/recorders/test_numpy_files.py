"""NumPy files that are damaged or hold objects are named."""

import io
from pathlib import Path

import numpy as np
import pytest

from polyroute.artifacts.recording import RecordingError
from polyroute.tracing.recorders.numpy_files import load


def test_arrays_by_name(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", first=[1], other=[2, 3])
    assert {name: array.tolist() for name, array in load(tmp_path / "a.npz", "a").items()} == {
        "first": [1],
        "other": [2, 3],
    }


@pytest.mark.parametrize(
    ("old", "new"), [(b"'fortran_order'", b"'fortran_order("), (b"(3,)", b"(3,("), (b"<i8", b"|O8"), (b"(3,)", b"(9,)")]
)
def test_a_damaged_header_is_named(old: bytes, new: bytes) -> None:
    file = io.BytesIO()
    np.save(file, np.arange(3))
    with pytest.raises(RecordingError, match="a is not a whole file of NumPy arrays of numbers"):
        load(io.BytesIO(file.getvalue().replace(old, new)), "a")
