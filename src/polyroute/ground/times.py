"""How long each stage took when it last ran on this machine: for people, so outside all that DVC compares."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from polyroute.ground.files import write_json


@contextmanager
def timed(folder: Path, name: str) -> Iterator[None]:
    """Keep how long a stage takes, if it ends well.

    Args:
        folder: of these files, one a stage.
        name: of the stage, `align@pocket-plain`.
    """
    began = time.monotonic()
    yield
    write_json(folder / f"{name}.json", {"seconds": round(time.monotonic() - began, 1)})


def last(folder: Path, name: str) -> float | None:
    """Seconds that a stage took when it last ran here; None where it never did."""
    try:
        return float(json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))["seconds"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
