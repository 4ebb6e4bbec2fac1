"""A mirror to put small files into."""

from collections.abc import Callable
from pathlib import Path

import pytest

from polyroute.corpora.hub import HubSource


@pytest.fixture
def mirror(tmp_path: Path) -> HubSource:
    """An empty mirror; `put` fills it."""
    return HubSource(tmp_path / "mirror")


@pytest.fixture
def put(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    """Puts a file into `mirror`, by its path below `hub/`."""

    def put(path: str, content: str | bytes) -> Path:
        target = tmp_path / "mirror" / "hub" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        return target

    return put
