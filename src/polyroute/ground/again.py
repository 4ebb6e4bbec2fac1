"""What brings a file of `data/` back that is absent or damaged: the remote where there is one, or its stage."""

from __future__ import annotations

from configparser import ConfigParser
from configparser import Error as ConfigError
from pathlib import Path

# How many folders deep an output lies, by its folder in data/; elsewhere `data/<what>/<model>/<part>`.
_BY_MODEL = ("chosen", "draws", "traces")


def absent(path: Path) -> str:
    """What to do about a file that is not there, as the end of a sentence.

    Args:
        path: of the file.
    """
    if (name := remote()) is not None:
        return f"`dvc pull {output(path)}` brings it from the remote `{name}`, and `dvc repro` computes it"
    return "`dvc repro` computes it, and `dvc pull` brings it where somebody shares it"


def damaged(path: Path) -> str:
    """What to do about a file that is cut short or was changed, as the end of a sentence.

    Args:
        path: of the file.
    """
    whole = output(path)
    if (name := remote()) is not None:
        return f"`dvc pull --force {whole}` brings it whole from the remote `{name}`"
    return f"`dvc checkout --force {whole}` puts back what was computed, or delete it and `dvc repro` computes it anew"


def output(path: Path) -> Path:
    """The output of DVC that a file of `data/` is part of; the file itself where it is elsewhere."""
    parts = path.parts
    if "data" not in parts[:-1]:
        return path
    start = len(parts) - 1 - parts[::-1].index("data")
    return Path(*parts[: start + (3 if parts[start + 1] in _BY_MODEL else 4)])


def remote(root: Path = Path()) -> str | None:
    """Name of the study's default remote, as `.dvc/config` or `.dvc/config.local` has it; None without."""
    found = ConfigParser(interpolation=None)
    try:
        found.read([root / ".dvc" / "config", root / ".dvc" / "config.local"], encoding="utf-8")
    except (ConfigError, OSError, UnicodeDecodeError):
        return None
    return found.get("core", "remote", fallback=None)
