"""What the machine refuses, as a sentence: files and folders that are closed, absent, in the way or on a full disk."""

from __future__ import annotations

import errno
import os
from pathlib import Path


def sentence(error: OSError) -> str | None:
    """What stands in the way and what to do, in one sentence; None where it is no matter of files.

    The path that is named is the one to mend: of a path that cannot be made, the nearest one above it that is there.
    """
    path = _path(error)
    if path is None:
        # Libraries that open files by themselves say the path in their message alone.
        told = (error.strerror or str(error)).strip().splitlines()
        return f"a file cannot be used ({told[0]}): mend that, and run it again" if _of_files(error) and told else None
    nearest = _nearest(path)
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return f"no space left on the disk of {path}: free some, and run it again"
        case errno.EACCES | errno.EPERM:
            what = "read or written" if nearest == path else "entered or written"
            return f"{nearest} may not be {what} by this user: change its permissions, or name another"
        case errno.EROFS:
            return f"{nearest} is on a disk that may only be read: name another place, or work in a copy"
        case errno.EISDIR:
            return f"{path} is a folder where a file should be: move it away, or name another"
        case errno.ENOTDIR | errno.EEXIST if nearest.is_file():
            return f"{nearest} is a file where a folder should be: move it away, or name another"
        case errno.ENOENT:
            return f"{path} is absent: name one that is there, and call this in the folder of params.yaml"
        case errno.ELOOP:
            return f"{path} is a link that leads back to itself: put what it should lead to in its place"
        case errno.ENAMETOOLONG:
            return f"the name {path.name[:40]}... is too long for this disk: take a shorter one"
    return f"{path} cannot be used ({error.strerror or error}): mend that, and run it again"


def _path(error: OSError) -> Path | None:
    names = (error.filename, error.filename2)
    paths = [Path(os.fsdecode(name)) for name in names if isinstance(name, str | bytes) and name]
    # Of a file that is put in another's place, the folder is the one that was there before.
    folders = [path for path in paths if error.errno == errno.EISDIR and _is_folder(path)]
    path = next(iter(folders or paths), None)
    return path.relative_to(Path.cwd()) if path is not None and path.is_relative_to(Path.cwd()) else path


def _of_files(error: OSError) -> bool:
    return isinstance(error, PermissionError | IsADirectoryError | NotADirectoryError) or error.errno in (
        errno.ENOSPC, errno.EDQUOT, errno.EROFS,
    )  # fmt: skip


def _nearest(path: Path) -> Path:
    """The path, or the nearest one above it that this user can see."""
    for one in (path, *path.parents):
        try:
            one.lstat()
        except OSError:
            continue
        return one
    return path


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False
