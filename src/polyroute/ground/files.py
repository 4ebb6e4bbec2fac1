"""Files that are there whole or not at all, and digests of what they hold."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polyroute.ground import checksum
from polyroute.ground.errors import PolyrouteError

if TYPE_CHECKING:
    import pandas as pd


def write_atomically(path: Path, content: bytes, *, lasting: bool = True) -> None:
    """Write a file so that a kill, a crash or a full disk leaves the old file or none.

    Args:
        path: of the file.
        content: all that it will hold.
        lasting: whether a power cut may take nothing of it either, for which the disk is waited for. Not worth it for
            what is proved when it is read, and made again where it fails.

    Raises:
        OSError: the disk is full or the folder cannot be written; nothing is left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            if lasting:
                file.flush()
                os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def copy_atomically(source: Path, path: Path) -> None:
    """Copy a file of any size so that a kill, a crash or a full disk leaves the old file or none.

    Raises:
        OSError: the disk is full or the folder cannot be written; nothing is left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.copying")
    try:
        shutil.copyfile(source, temporary)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_json(path: Path, value: object) -> None:
    """Write JSON that a person can read and a diff can compare: sorted keys, one a line."""
    write_atomically(path, json_bytes(value))


def write_checked_json(path: Path, value: Mapping[str, Any], of: str | None = None) -> None:
    """Write an object as `write_json` does, with its checksum under a key of its own.

    Args:
        path: of the file.
        value: an object.
        of: what the file is of; its place in `data/` by default.

    Raises:
        ChecksumError: a text in it looks like a checksum.
    """
    stamp = checksum.blank(checksum.place(path) if of is None else of)
    write_atomically(path, checksum.filled(json_bytes({**value, checksum.KEY: stamp})))


def read_checked_json(
    path: Path, of: str | None = None, error: type[PolyrouteError] = PolyrouteError
) -> dict[str, Any]:
    """The object that `write_checked_json` wrote, proved.

    Raises:
        FileNotFoundError, OSError: the file is absent or cannot be read.
        PolyrouteError: of the kind `error`, as `checksum.prove`.
    """
    content: dict[str, Any] = json.loads(checksum.read(path, of=of, error=error))
    del content[checksum.KEY]
    return content


def json_bytes(value: object) -> bytes:
    """JSON as `write_json` writes it."""
    return (json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()


def write_checked_table(path: Path, tables: Sequence[pd.DataFrame], columns: Sequence[str]) -> None:
    """Write tables below one another as CSV with the given columns; a header alone where there is none.

    A column that a table lacks is empty there. The first line is a comment that holds the checksum.

    Raises:
        ChecksumError: a text in it looks like a checksum.
    """
    import pandas as pd

    parts = [table.reindex(columns=list(columns)) for table in tables]
    whole = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(columns))
    stamp = checksum.blank(checksum.place(path))
    text = f"# {stamp}\n" + whole.to_csv(index=False, lineterminator="\n")
    write_atomically(path, checksum.filled(text.encode()))


def read_checked_table(path: Path, error: type[PolyrouteError] = PolyrouteError, **options: Any) -> pd.DataFrame:
    """What `write_checked_table` wrote, proved.

    Args:
        path: of the file.
        error: what is raised.
        options: of `pandas.read_csv`.

    Raises:
        FileNotFoundError, OSError: the file is absent or cannot be read.
        PolyrouteError: of the kind `error`, as `checksum.prove`.
    """
    import pandas as pd

    table: pd.DataFrame = pd.read_csv(io.BytesIO(checksum.read(path, error=error)), skiprows=1, **options)
    return table


def digest(value: object) -> str:
    """SHA-256 of plain data (JSON with sorted keys)."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def digest_files(folder: Path, patterns: tuple[str, ...]) -> str:
    """SHA-256 over names and contents of a folder's files that match, in order of name."""
    total = hashlib.sha256()
    for path in sorted({path for pattern in patterns for path in folder.glob(pattern)}):
        with path.open("rb") as file:
            total.update(f"{path.relative_to(folder).as_posix()}\0".encode())
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()
