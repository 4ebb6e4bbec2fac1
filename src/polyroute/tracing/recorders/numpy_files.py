"""NumPy's npy and npz, of plain numbers alone: nothing in them is run."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from polyroute.artifacts.recording import RecordingError


def load(file: Path | IO[bytes], place: str) -> dict[str, NDArray[Any]]:
    """The arrays of a file, by name; npy holds one, without a name.

    Args:
        file: a path, or what is open.
        place: how errors name it.

    Raises:
        RecordingError: it is absent, damaged, encrypted, or holds Python objects.
    """
    try:
        loaded = np.load(file, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return {"": loaded}
        with loaded:
            return {name: loaded[name] for name in loaded.files}
    except FileNotFoundError:
        raise RecordingError(f"{place} is absent: name the folder that holds it") from None
    except Exception as error:  # noqa: BLE001 - the header is parsed as Python, the file as zip: both raise much
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise RecordingError(f"{place} is not a whole file of NumPy arrays of numbers: {first[:160]}") from None
