"""What to do about a file of `data/` that is absent or damaged: pull it where it was shared, or compute it again."""

from __future__ import annotations

from configparser import ConfigParser
from configparser import Error as ConfigError
from pathlib import Path


def again(path: Path) -> str:
    """What brings a file of an output back, as half a sentence.

    Where the study has a remote, the file was shared or can be: `dvc checkout` restores it from the local cache, and
    `dvc pull` from the remote, both only over what is damaged with `--force`. Where it has none, deleting what is
    damaged lets `dvc repro` compute it again.

    Args:
        path: of the file, below the root of the study.
    """
    whole = output(path)
    restore = f"`dvc checkout --force {whole}` restores it from this machine's cache"
    if remote() is not None:
        return f"`dvc pull --force {whole}` brings it from the remote"
    return f"{restore}; where that has it not, delete {whole} and `dvc repro` computes it anew"


def output(path: Path) -> Path:
    """The output of DVC that a file of `data/` lies in: `data/traces/<model>` and the like; else the file itself."""
    parts = path.parts
    if "data" not in parts:
        return path
    start = parts.index("data")
    depth = 3 if parts[start + 1 : start + 2] in (("traces",), ("chosen",), ("draws",)) else 4
    return Path(*parts[: start + depth])


def remote(root: Path = Path()) -> str | None:
    """The default remote of the study, from `.dvc/config` and `.dvc/config.local`; None where there is none."""
    found = ConfigParser(interpolation=None)
    try:
        found.read([root / ".dvc" / "config", root / ".dvc" / "config.local"], encoding="utf-8")
    except (ConfigError, OSError, UnicodeDecodeError):
        return None
    return found.get("core", "remote", fallback=None)
