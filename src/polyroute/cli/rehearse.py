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
from polyroute.params.file import ParamsFile
from polyroute.params.models import TransformersModel
from polyroute.sizing import shape as shapes
from polyroute.sizing import shown, speed
from polyroute.sizing.hours import Machines, estimate
from polyroute.sizing.shape import ModelShape, SizingError
from polyroute.sizing.workload import workload

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
    model: str, config: Path | None, like: str | None, on: str, width: int | None, as_json: bool, **there: Any
) -> None:
    """Build MODEL with random weights, prove its routers, measure speed and memory, and estimate its study.

    MODEL is an entry of params.yaml, or a known shape such as gpt-oss-120b with --like ENTRY. No weights are
    downloaded. It is built at full size where there is a GPU with room for it, else with its widths divided until it
    fits; layers, experts and top-k stay.
    """
    import torch

    from polyroute.sizing.rehearse import rehearse

    file = params.read(Paths().params)
    built_of, whole = _config(file, model, config)
    place = ("cuda:0" if torch.cuda.is_available() else "cpu") if on == "auto" else on
    spec = file.models.get(like or model)
    dtype = spec.dtype if isinstance(spec, TransformersModel) and place != "cpu" else "float32"
    found = rehearse(model, built_of, device=place, dtype=getattr(torch, dtype), width=width)
    lines = _lines(model, found)
    hours = None
    if whole is not None and (like or model) in file.models:
        hours, said = _study(file, model, whole, found, like, **there)
        lines += ["", said]
    if as_json:
        data = {
            "model": model, "architecture": found.architecture, "device": found.device, "dtype": found.dtype,
            "width": found.width, "weights": found.weights, "contract": str(found.contract), "reading": found.reading,
            "writing": found.writing, "rows": found.rows, "peak": found.peak, "study": hours,
        }  # fmt: skip
        click.echo(json.dumps(data, indent=2))
        return
    click.echo("\n".join(lines))


def _config(file: ParamsFile, model: str, config: Path | None) -> tuple[Any, ModelShape | None]:
    """What is built, and its shape at full size where its type is counted."""
    from polyroute.sizing.configs import of_shape

    spec = file.models.get(model)
    folder = spec.folder if isinstance(spec, TransformersModel) else None
    if config is None and folder is None:
        known = shapes.find(spec.hub) if isinstance(spec, TransformersModel) and spec.hub else shapes.table().get(model)
        if known is None:
            raise SizingError(f"`{model}`: its shape is not known here: name its config.json with --config")
        return of_shape(known), known
    place = config or folder
    assert place is not None, "one of them is given"
    return _read(model, place)


def _read(model: str, place: Path) -> tuple[Any, ModelShape | None]:
    from transformers import AutoConfig

    from polyroute.models.building import first_line

    try:
        built_of = AutoConfig.from_pretrained(place)
    # Whatever a file that is not what it should be makes of transformers.
    except Exception as error:
        raise SizingError(f"{model}: the configuration of {place} cannot be loaded ({first_line(error)})") from error
    try:
        return built_of, shapes.from_config(built_of.to_dict(), str(place))
    except SizingError:
        return built_of, None


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
        lines.append("  These speeds are of the reduced model and say nothing of the full one, which is estimated:")
    return lines


def _study(
    file: ParamsFile, model: str, whole: ModelShape, found: Rehearsal, like: str | None, *, device: str | None,
    gpus: int, nodes: int,
) -> tuple[dict[str, Any], str]:  # fmt: skip
    """The study's estimate, by measured speeds where the model was built whole on that very device."""
    study = like or model
    spec = file.models[study]
    if not isinstance(spec, TransformersModel):
        raise SizingError(f"models.{study} was recorded elsewhere: name an entry that is run with --like")
    here = next((name for name, one in speed.devices().items() if one.title.split()[0] in found.device.split()), None)
    named = device or here or "h200"
    on, work = speed.device(named), workload(file, study)
    machines = Machines(on, gpus, nodes)
    if found.width != 1 or named != here or found.dtype != spec.dtype:
        one = estimate(model, whole, work, machines, spec.dtype)
        return shown.as_data(one), shown.full(one)
    seen = found.writing / speed.writing(whole, on, spec.dtype, found.rows, speed.LENGTH).tokens
    read = found.reading / speed.reading(whole, on, spec.dtype)

    def writing(rows: int, length: float) -> speed.Step:
        step = speed.writing(whole, on, spec.dtype, rows, length)
        return replace(step, overhead=step.overhead / seen, memory=step.memory / seen, work=step.work / seen)

    one = estimate(
        model, whole, work, machines, spec.dtype,
        reading=lambda length: read * speed.reading(whole, on, spec.dtype, length), writing=writing,
    )  # fmt: skip
    told = (
        f"{shown.summary([one])}\n\nBy the speeds measured here: reading {read:.2f} and writing {seen:.2f} times what "
        f"the arithmetic of `polyroute estimate {model} --device {named}` gives."
    )
    return shown.as_data(one), told
