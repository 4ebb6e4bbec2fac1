"""Entries of params.yaml for recorded counts, so that they go through the study's stages."""

from __future__ import annotations

from pathlib import Path

from polyroute.artifacts.recorded_counts import CountsHeader
from polyroute.ground.files import write_atomically
from polyroute.ground.frozen import ParamsError
from polyroute.params import file as params


def entry(name: str, file: Path, header: CountsHeader) -> dict[str, str]:
    """What params.yaml needs: section -> the lines of its new entry."""
    shape = f"{{layers: {len(header.layers)}, experts: {header.experts}, top_k: {header.top_k}}}"
    commit = "" if header.commit is None else f"    commit: {header.commit}\n"
    return {
        "languages": f"  {name}: [{', '.join(header.languages)}]\n",
        "models": (
            f"  {name}:\n    engine: recorded\n    file: {file.as_posix()}\n{commit}    corpora: [{header.corpus}]\n"
            f"    languages: {name}\n    shape: {shape}\n"
        ),
    }


def add(path: Path, name: str, file: Path, header: CountsHeader) -> None:
    """Give recorded counts their entry in params.yaml, and name them in `study.models`; the rest stays as it is.

    Args:
        path: params.yaml.
        name: of the entry, and of the group of its languages.
        file: the counts.
        header: theirs.

    Raises:
        ParamsError: the name is taken, params.yaml is laid out otherwise than the one that ships, or the pivot is not
            among the languages; nothing is written then.
    """
    before = params.read(path)
    for section, taken in (("models", before.models), ("languages", before.languages)):
        if name in taken:
            raise ParamsError(f"{section}.{name} is in {path} already: write to a file of another name (--out)")
    text = path.read_bytes().decode()
    for section, lines in entry(name, file, header).items():
        text = after(text, f"\n{section}:\n", lines, path)
    listed = "\n  models: ["
    text = after(text, listed, f"{name}, ", path)
    params.parse_text(text, str(path))
    write_atomically(path, text.encode())


def after(text: str, mark: str, added: str, path: Path) -> str:
    """The text of params.yaml with something put in after a mark.

    Raises:
        ParamsError: the mark is not there once.
    """
    if text.count(mark) != 1:
        raise ParamsError(
            f"{path} does not hold `{mark.strip()}` once, at the start of a line: put `{added.strip()}` in by hand"
        )
    return text.replace(mark, mark + added)
