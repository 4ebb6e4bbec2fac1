"""A file of a user, written where a test wants it."""

import pytest


@pytest.fixture
def file(tmp_path):
    """Writes bytes, or text as UTF-8, and returns the path."""

    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write
