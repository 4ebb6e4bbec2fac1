"""`polyroute status`: what DVC says of every stage, in words; and `polyroute dag`: which stage follows which."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from polyroute.ground import again, repository, times
from polyroute.ground.code import code_digest, imports
from polyroute.ground.errors import PolyrouteError
from polyroute.ground.paths import Paths
from polyroute.models.source import shared_digest
from polyroute.params.file import ParamsFile
from polyroute.params.models import TransformersModel
from polyroute.params.resolve import resolve

State = Literal["fresh", "stale", "waits", "missing", "never run"]
"""fresh: nothing that it reads is other than when it ran. stale: something is. waits: fresh, but a stage before it is
not. missing: it ran, but what it wrote is not here. never run: here or where the study is from."""
FIRST = "resolve"
"""The stage that all others follow."""
_SHOWN = 3
"""Reasons that are told one by one."""


class StatusError(PolyrouteError):
    """DVC cannot read the study; the message says what to do."""


@dataclass(frozen=True)
class StageState:
    """One stage of one model."""

    stage: str
    model: str
    """Empty for a stage that is of no model."""
    state: State
    why: str
    """What is other than before, what is missing, or what it waits for; empty where fresh or never run."""
    brings: str
    """The command that brings what is missing; empty where nothing is."""
    seconds: float | None
    """What it took when it last ran on this machine; None where it never did."""


@dataclass(frozen=True)
class _Told:
    """What DVC tells of a stage."""

    ran: bool
    deps: dict[str, str]
    """What it reads -> `modified`, `new` or `deleted`, of those that are other than when it ran."""
    reads: list[str]
    outs: dict[str, str]
    """The same of what it wrote."""
    cached: set[str]
    """Of these, those that lie in this machine's cache."""
    pulled: set[str]
    """Of these, those that DVC keeps; the others are in git, or made anew."""
    command: bool
    before: list[str]


def states(paths: Paths, file: ParamsFile) -> list[StageState]:
    """The state of every stage, in the order of dvc.yaml and of the study's models.

    What `resolve` would make of params.yaml, checkpoints and code as they are now counts; nothing is written.

    Args:
        paths: of the study.
        file: params.yaml.

    Raises:
        RepositoryError: the study is in no git repository.
        StatusError: DVC finds no study here, or cannot read it.
        ModelError: as `models.source.shared_digest`.
    """
    told, ahead = _told(paths), _ahead(paths, file)
    found: dict[str, StageState] = {}
    for name in _in_order({name: one.before for name, one in told.items()}):
        state, why, brings = _judged(paths, name, told[name], ahead)
        waiting = [one for one in told[name].before if one != FIRST and found[one].state != "fresh"]
        if state == "fresh" and waiting:
            state, why = "waits", f"after {_listed([one.partition('@')[0] for one in waiting])}"
        stage, _, model = name.partition("@")
        found[name] = StageState(stage, model, state, why, brings, times.last(paths.times, name))
    return [found[name] for name in told]


def steps(dvc_yaml: Mapping[str, Any]) -> dict[str, list[str]]:
    """Stage -> stages whose outputs it reads, each once for all models, in the order of dvc.yaml.

    Frozen stages and `resolve`, which all others follow, are left out.

    Args:
        dvc_yaml: its content.
    """
    stages = {name: one for name, one in dvc_yaml["stages"].items() if not one.get("frozen") and name != FIRST}
    written = {
        name: [path for kind in ("outs", "metrics", "plots") for path in _paths(one.get(kind, ()))]
        for name, one in stages.items()
    }

    def reads(dep: str, out: str) -> bool:
        return dep == out or dep.startswith(f"{out}/") or out.startswith(f"{dep}/")

    def together(name: str, other: str) -> bool:
        """Whether both are of the same models, or one is of the whole study."""
        of = [stages[one].get("matrix") for one in (name, other)]
        return None in of or of[0] == of[1]

    return {
        name: [
            other for other, outs in written.items()
            if other != name and together(name, other)
            and any(reads(dep, out) for dep in _paths(one.get("deps", ())) for out in outs)
        ]
        for name, one in stages.items()
    }  # fmt: skip


def _paths(entries: Sequence[Any]) -> list[str]:
    return [next(iter(entry)) if isinstance(entry, dict) else entry for entry in entries]


def _told(paths: Paths) -> dict[str, _Told]:
    """What DVC tells of every stage but frozen ones."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    repository.check(paths.root)
    try:
        with Repo(str(paths.root)) as repo, repo.lock:
            graph = repo.index.graph
            return {stage.addressing: _of(stage, graph) for stage in repo.index.stages if not stage.frozen}
    except DvcException as error:
        raise StatusError(f"DVC cannot read this study ({error}): call it in the folder of dvc.yaml") from error


def _of(stage: Any, graph: Any) -> _Told:
    status = stage.status().get(stage.addressing, ())

    def part(kind: str) -> dict[str, str]:
        return {path: how for one in status if isinstance(one, dict) for path, how in one.get(kind, {}).items()}

    outs = part("changed outs")
    kept = [out for out in stage.outs if str(out) in outs and out.use_cache]
    return _Told(
        ran=any(out.hash_info for out in stage.outs),
        deps=part("changed deps"),
        reads=[str(dep) for dep in stage.deps],
        outs=outs,
        cached={str(out) for out in kept if not out.changed_cache()},
        pulled={str(out) for out in kept},
        command="changed command" in status,
        before=[one.addressing for one in graph.successors(stage) if not one.frozen],
    )


def _in_order(before: Mapping[str, list[str]]) -> Iterator[str]:
    """Stages, each after those that it reads from."""
    done: set[str] = set()

    def visit(name: str) -> Iterator[str]:
        if name not in done:
            done.add(name)
            for one in before[name]:
                yield from visit(one)
            yield name

    for name in before:
        yield from visit(name)


def _ahead(paths: Paths, file: ParamsFile) -> set[str]:
    """Files of settings/ that `resolve` would write otherwise than they are, from the root of the study."""
    specs = {model: file.models[model] for model in file.study.models}
    digests = {
        model: shared_digest(model, spec, paths.stage_settings(model, "trace"))
        for model, spec in specs.items()
        if isinstance(spec, TransformersModel)
    }
    found = set()
    for name, settings in resolve(file, digests).items():
        path = paths.stage_settings(*name.split("/"))
        if not path.is_file() or json.loads(path.read_bytes()) != settings.model_dump(mode="json"):
            found.add(path)
    for path in paths.settings.glob("_code/*.txt"):
        script = paths.root / "pipeline" / f"{path.stem}.py"
        if script.is_file() and code_digest(*sorted(imports(script))) != path.read_text(encoding="utf-8").strip():
            found.add(path)
    return {path.relative_to(paths.root).as_posix() for path in found}


def _judged(paths: Paths, name: str, told: _Told, ahead: set[str]) -> tuple[State, str, str]:
    if not told.ran:
        return "never run", "", f"dvc repro {name}"
    # What is not here is the matter of the stage that writes it.
    changed = [path for path, how in told.deps.items() if how != "deleted"] + [
        path for path in told.reads if path in ahead
    ]
    if changed:
        return "stale", _listed([_named(path) for path in changed]), ""
    gone = [path for path, how in told.outs.items() if how in ("deleted", "not in cache")]
    if gone:
        return "missing", gone[0], _back(paths, name, gone[0], told)
    if told.outs:
        return "stale", f"{next(iter(told.outs))} was changed by hand", ""
    if told.command:
        return "stale", "its command", ""
    return "fresh", "", ""


def _back(paths: Paths, name: str, gone: str, told: _Told) -> str:
    """The command that brings an output that is not here."""
    if gone in told.cached:
        return "dvc checkout"
    if gone in told.pulled and again.remote(paths.root) is not None:
        return "dvc pull"
    return f"dvc repro {name}"


def _named(path: str) -> str:
    match Path(path).parts:
        case ("settings", "_code", _) | ("pipeline", *_) | ("src", *_):
            return "code"
        case ("settings", *_):
            return "settings"
    return path


def _listed(words: Sequence[str]) -> str:
    found = list(dict.fromkeys(words))
    rest = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return ", ".join(found[:_SHOWN]) + rest
