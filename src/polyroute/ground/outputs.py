"""What a stage wrote before stays until it has written anew: a stage that fails leaves the study as it found it.

DVC deletes an output before its stage runs, unless dvc.yaml says `persist`, as it does of all of ours. What lies there
is put aside while the stage runs, so that nothing of it is left in what is new, and put back if the stage fails; if it
was killed, before it runs again.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ruamel.yaml import YAML

from polyroute.ground.paths import Paths


def declared(file: Path, stage: str, model: str | None) -> list[Path]:
    """Outputs of a stage, as dvc.yaml lists them.

    Args:
        file: dvc.yaml; a folder without one has no outputs to keep.
        stage: name of the stage.
        model: which one; None for a stage that is of no model.
    """
    if not file.is_file():
        return []
    # Not by `yaml12`: DVC has read the file before, and in C it takes a tenth of the time.
    about = YAML(typ="safe").load(file.read_text(encoding="utf-8"))["stages"].get(stage, {})
    entries = [entry for kind in ("outs", "metrics", "plots") for entry in about.get(kind, ())]
    names = [next(iter(entry)) if isinstance(entry, dict) else entry for entry in entries]
    return [file.parent / name.replace("${item.model}", model or "") for name in names]


@contextmanager
def kept(paths: Paths, stage: str, model: str | None) -> Iterator[None]:
    """Put a stage's outputs aside while it runs; they come back if it raises.

    Args:
        paths: of the study.
        stage: name of the stage.
        model: as for `declared`.
    """
    outputs = declared(paths.dvc_yaml, stage, model)
    aside = paths.aside / (stage if model is None else f"{stage}@{model}")
    _restore(outputs, paths.root, aside)  # a run that was killed
    for path in outputs:
        if path.exists():
            _move(path, aside / path.relative_to(paths.root))
    try:
        yield
    except BaseException:
        for path in outputs:
            _remove(path)
        _restore(outputs, paths.root, aside)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _restore(outputs: list[Path], root: Path, aside: Path) -> None:
    for path in outputs:
        before = aside / path.relative_to(root)
        if before.exists():
            _remove(path)
            _move(before, path)
    shutil.rmtree(aside, ignore_errors=True)


def _move(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    _remove(target)
    shutil.move(source, target)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
