"""`polyroute estimate`: memory, disk and hours of a study, without building anything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import click
from rich.console import Console

from polyroute.ground import console
from polyroute.ground.files import write_atomically
from polyroute.ground.hub import is_commit
from polyroute.ground.paths import Paths
from polyroute.params import file as params
from polyroute.params.file import ParamsFile
from polyroute.params.models import TransformersModel
from polyroute.sizing import shape as shapes
from polyroute.sizing import shown, speed
from polyroute.sizing.hours import Estimate, Machines, estimate
from polyroute.sizing.memory import gpus_needed
from polyroute.sizing.origin import origin
from polyroute.sizing.shape import SizingError
from polyroute.sizing.speed import Dtype
from polyroute.sizing.workload import workload

PAGE = Path("docs/estimate.md")
"""What `--write` brings up to date."""
ENTRIES = (
    ("granite31-1b", "cpu2"), ("granite31-1b", "rtx4090"), ("euromoe", "rtx4090"), ("marco-nano", "rtx4090"),
    ("olmoe-1b-7b", "rtx4090"), ("gpt-oss-20b", "h100"), ("marco-mini-global", "h100"), ("qwen3-30b-a3b", "h100"),
    ("phi35-moe", "h200"),
)  # fmt: skip
"""Entries of params.yaml from a laptop to one large GPU, each with the smallest device that it is shown on."""
LARGE: tuple[tuple[str, str | None, str | None, str, int, int], ...] = (
    ("qwen3-30b-a3b", None, "sib200-205", "h100", 1, 1),
    ("qwen3-30b-a3b", None, "sib200-205", "h100", 8, 1),
    ("gpt-oss-120b", "gpt-oss-20b", None, "h100", 8, 1),
    ("qwen3-coder-480b", "gpt-oss-20b", None, "h100", 8, 2),
    ("qwen3-coder-480b", "gpt-oss-20b", None, "h200", 8, 2),
)
"""Model, whose study, languages, device, GPUs a node, nodes."""


def of(
    file: ParamsFile,
    model: str | None,
    *,
    config: Path | None = None,
    like: str | None = None,
    group: str | None = None,
    device: str = "h200",
    gpus: int = 1,
    nodes: int = 1,
    dtype: Dtype | None = None,
) -> Estimate:
    """An estimate for a model.

    Args:
        file: params.yaml.
        model: an entry of `models`, or a name of `shapes.toml`; None with `config`.
        config: a config.json in place of the shape that is known.
        like: entry of `models` whose study is taken; None takes the model's own.
        group: entry of `languages`; None takes the study's.
        device: name of `devices.toml`.
        gpus: on each node.
        nodes: how many.
        dtype: None takes the entry's.

    Raises:
        ParamsError, SizingError: something is unknown.
    """
    if (study := like or model) is None:
        raise SizingError("whose study is to be estimated is not said: name an entry of params.yaml with --like")
    work = workload(file, study, group)
    found = origin(file, model, config)
    shape = shapes.read(found) if isinstance(found, Path) else found
    on = Machines(speed.device(device), gpus, nodes)
    return estimate(model or str(config), shape, work, on, dtype or work.dtype)


def tables(file: ParamsFile) -> dict[str, str]:
    """Title -> table of docs/estimate.md.

    Raises:
        ParamsError, SizingError: params.yaml lacks one of `ENTRIES` or what `LARGE` names.
    """
    entries = [of(file, name, device=device) for name, device in ENTRIES]
    large = [
        of(file, name, like=like, group=group, device=device, gpus=gpus, nodes=nodes)
        for name, like, group, device, gpus, nodes in LARGE
    ]
    return {
        "Entries": shown.summary(entries),
        "How to run them": shown.markdown(
            ["entry", "of the hub", "memory in bfloat16", "fits on", "commands"],
            [_how(file, one) for one in {one.name: one for one in entries}.values()],
        ),
        "Larger": shown.summary(large),
        "Checked": shown.checked_table(),
        "Devices": shown.devices_table(),
        "Shapes": shown.shapes_table(),
        "In full": f"```\n{shown.full(entries[3])}\n```",
    }


def _how(file: ParamsFile, one: Estimate) -> list[str]:
    spec = file.models[one.name]
    assert isinstance(spec, TransformersModel), "`of` refuses others"
    devices = [speed.device(name) for name in ("rtx4090", "a100", "h200")]
    room = next((f"one GPU of {on.memory:g} GB" for on in devices if gpus_needed(one.memory, on) == 1), "several GPUs")
    if one.weights.total * 2 > 80e9:
        room += ": its weights are more than 80 GB"
    pinned = is_commit(spec.revision or "")
    commands = (
        "`polyroute study`"
        if pinned
        else f"unpinned: `polyroute pin {one.name}` before the first run, then `polyroute study`"
    )
    return [one.name, spec.hub or "", shown.gigabytes(one.memory.total), room, commands]


def write(file: ParamsFile, root: Path) -> bool:
    """Bring the tables of docs/estimate.md up to date; whether anything changed."""
    from polyroute.report.pages import fill

    path = root / PAGE
    before = path.read_text(encoding="utf-8")
    after = fill(before, tables(file), str(PAGE))
    if after != before:
        write_atomically(path, after.encode())
    return after != before


@click.command("estimate", cls=console.Command)
@click.argument("models", nargs=-1)
@click.option(
    "--config", type=click.Path(path_type=Path), help="A config.json, or its folder, in place of MODELS' own."
)
@click.option("--like", help="Entry of params.yaml whose study is taken.  [default: the model's own]")
@click.option("--languages", "group", help="An entry of `languages` in place of the study's, such as sib200-205.")
@click.option("--device", default="h200", show_default=True, help=f"One of {', '.join(speed.devices())}.")
@click.option("--gpus", type=click.IntRange(1), default=1, show_default=True, help="On each node.")
@click.option("--nodes", type=click.IntRange(1), default=1, show_default=True)
@click.option("--dtype", type=click.Choice(get_args(Dtype)), help="Of the weights.  [default: the entry's]")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.option("--write", "writes", is_flag=True, help="Bring the tables of docs/estimate.md up to date instead.")
def command(
    models: tuple[str, ...], config: Path | None, as_json: bool, writes: bool, group: str | None, **about: object
) -> None:
    """Estimate memory, disk and hours of the study of MODELS, by arithmetic; nothing is built or downloaded.

    MODELS are entries of params.yaml, or known shapes such as gpt-oss-120b with --like ENTRY; by default every entry
    whose shape is known. One is shown with the parts of its formulas. docs/estimate.md explains them.
    """
    file = params.read(Paths().params)
    if writes:
        click.echo(f"written: {PAGE}" if write(file, Path()) else f"{PAGE} is up to date")
        return
    if config is not None and len(models) > 1:
        raise click.UsageError("--config is of one model: name one, or none with --like")
    left_out: list[SizingError] = []
    if models or config is not None:
        found = [of(file, model, config=config, group=group, **about) for model in models or (None,)]  # type: ignore[arg-type]
    else:
        found, left_out = _all(file, group=group, **about)
    if as_json:
        click.echo(json.dumps([shown.as_data(one) for one in found], indent=2))
    elif len(found) == 1:
        click.echo(shown.full(found[0]))
    else:
        Console().print(shown.board(found))
        click.echo("\nStage by stage, with the formulas: polyroute estimate MODEL   For machines: --json")
    if left_out:
        told = "\n".join(f"  {why}" for why in left_out)
        click.echo(f"\nnot estimated:\n{told}", err=as_json)


def _all(file: ParamsFile, **about: Any) -> tuple[list[Estimate], list[SizingError]]:
    """Every entry whose shape is at hand, and why others cannot be estimated.

    Raises:
        SizingError: none can.
    """
    found, left_out = [], []
    for name in file.models:
        try:
            found.append(of(file, name, **about))
        except SizingError as why:
            left_out.append(why)
    if not found:
        raise left_out[0]
    return found, left_out
