"""Files that a worker wrote in a folder that other nodes have over a network."""

from __future__ import annotations

import time
from collections.abc import Callable

SECONDS = 60.0
"""For so long a node may still believe that a file is absent that another has written (NFS)."""


def appears(there: Callable[[], bool], seconds: float = SECONDS) -> bool:
    """Whether something is there, or comes to be seen in a while."""
    until = time.monotonic() + seconds
    while not there():
        if time.monotonic() >= until:
            return False
        time.sleep(0.5)
    return True
