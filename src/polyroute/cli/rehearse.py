"""`polyroute rehearse`: a model's architecture with random weights, proved and measured, and what its study takes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from polyroute.ground import console
from polyroute.ground.paths import Paths
from polyroute.params import file as params
from polyroute.sizing import shown, speed
from polyroute.sizing.hours import Machines, estimate
from polyroute.sizing.origin import origin
from polyroute.sizing.shape import ModelShape, SizingError, config_file, from_config
from polyroute.sizing.workload import Workload, workload

if TYPE_CHECKING:
    from polyroute.sizing.rehearse import Rehearsal


@click.command("rehearse", cls=console.Command)
@click.argument("model")
@click.option(
    "--config", type=click.Path(path_type=Path), help="A config.json, or its folder, in place of MODEL's own."
)
@click.option("--like", help="Entry of params.yaml whose study is estimated.  [default: MODEL's own]")
@click.option("--on", default="auto", show_default=True, help="cpu, cuda:0, ...; auto takes a GPU if there is one.")
@click.option("--width", type=click.IntRange(1), help="Divide widths by so much; 1 is full size.  [default: what fits]")
@click.option(
    "--device", help="What the study is estimated on.  [default: the GPU that it was rehearsed on, else h200]"
)
@click.option("--gpus", type=click.IntRange(1), default=1, show_default=True, help="On each node.")
@click.option("--nodes", type=click.IntRange(1), default=1, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(
    model: str, config: Path | None, like: str | None, on: str, width: int | None, device: str | None, gpus: int,
    nodes: int, as_json: bool,
) -> None:  # fmt: skip
    """Build MODEL with random weights, prove its routers, measure speed and memory, and estimate its study.

    MODEL is an entry of params.yaml, or a known shape such as gpt-oss-120b with --like ENTRY. No weights are
    downloaded. It is built at full size where there is a GPU with room for it, else with its widths divided until it
    fits; layers, experts and top-k stay.
    """
    import torch

    from polyroute.ground.device import usable
    from polyroute.sizing.rehearse import rehearse

    file = params.read(Paths().params)
    # Before anything is built: whatever is named wrongly is told at once.
    place = usable(on, "--on")
    study = like or (model if model in file.models else None)
    work = None if study is None else workload(file, study)
    machines = Machines(speed.device(device or "h200"), gpus, nodes)
    built_of, whole = _config(model, origin(file, model, config))
    dtype = "float32" if place == "cpu" else "bfloat16" if work is None else work.dtype
    found = rehearse(model, built_of, device=place, dtype=getattr(torch, dtype), width=width)
    hours: dict[str, Any] | None = None
    if work is None:
        said = "No study is estimated: name an entry of params.yaml whose study is taken with --like."
    elif isinstance(whole, SizingError):
        said = f"Its study is not estimated: {whole}"
    else:
        hours, said = _study(model, whole, work, found, machines, chosen=device is not None)
    if as_json:
        data = {
            "model": model, "architecture": found.architecture, "device": found.device, "dtype": found.dtype,
            "width": found.width, "weights": found.weights, "contract": str(found.contract), "reading": found.reading,
            "writing": found.writing, "rows": found.rows, "peak": found.peak, "study": hours,
        }  # fmt: skip
        click.echo(json.dumps(data, indent=2))
        if hours is None:
            click.echo(said, err=True)
        return
    click.echo("\n".join([*_lines(model, found), "", said]))


def _config(model: str, known: Path | ModelShape) -> tuple[Any, ModelShape | SizingError]:
    """What is built, and its shape at full size, or why its weights are not counted."""
    from transformers import AutoConfig

    from polyroute.models.building import first_line
    from polyroute.sizing.configs import of_shape

    if isinstance(known, ModelShape):
        return of_shape(known), known
    # Of a name that is no file here transformers would ask the hub.
    file = config_file(known)
    try:
        built_of = AutoConfig.from_pretrained(file, local_files_only=True)
    # Whatever a file that is not what it should be makes of transformers.
    except Exception as error:
        raise SizingError(f"{model}: the configuration of {known} cannot be loaded ({first_line(error)})") from error
    try:
        return built_of, from_config(built_of.to_dict(), str(known))
    except SizingError as why:
        return built_of, why


def _lines(model: str, found: Rehearsal) -> list[str]:
    size = (
        "at full size"
        if found.width == 1
        else f"widths divided by {found.width}, layers, experts and top-k as they are"
    )
    lines = [
        f"{model}: {found.architecture} with random weights, {size}; {shown.number(found.weights)} weights in "
        f"{found.dtype} on {found.device}",
        f"  routers   proved: {found.contract}",
        f"  reading   {found.reading:,.0f} tokens a second",
        f"  writing   {found.writing:,.0f} tokens a second, {found.rows} texts beside one another",
        f"  memory    {shown.gigabytes(found.peak)} at most",
    ]
    if found.width != 1:
        lines.append("  These speeds are of the reduced model and say nothing of the full one.")
    return lines


def _study(
    model: str, whole: ModelShape, work: Workload, found: Rehearsal, machines: Machines, *, chosen: bool
) -> tuple[dict[str, Any], str]:
    """The study's estimate, by measured speeds where the model was built whole on that very device."""
    here = speed.of_gpu(found.device)
    if here is not None and not chosen:
        machines = replace(machines, device=here)
    on = machines.device
    if found.width != 1 or on != here or found.dtype != work.dtype:
        one = estimate(model, whole, work, machines, work.dtype)
        return shown.as_data(one), shown.full(one)
    seen = found.writing / speed.writing(whole, on, work.dtype, found.rows, speed.LENGTH).tokens
    read = found.reading / speed.reading(whole, on, work.dtype)

    def writing(rows: int, length: float) -> speed.Step:
        step = speed.writing(whole, on, work.dtype, rows, length)
        return replace(step, overhead=step.overhead / seen, memory=step.memory / seen, work=step.work / seen)

    one = estimate(
        model, whole, work, machines, work.dtype,
        reading=lambda length: read * speed.reading(whole, on, work.dtype, length), writing=writing,
    )  # fmt: skip
    told = (
        f"{shown.summary([one])}\n\nBy the speeds measured here: reading {read:.2f} and writing {seen:.2f} times what "
        f"the arithmetic of `polyroute estimate` gives for {on.title}."
    )
    return shown.as_data(one), told
