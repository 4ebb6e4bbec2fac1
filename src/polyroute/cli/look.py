"""`polyroute look`: one text, or a pair, through a model of params.yaml or a checkpoint's folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from polyroute.ground import console
from polyroute.ground.paths import Paths
from polyroute.models.settings import Checkpoint
from polyroute.models.source import ModelError
from polyroute.params import file as params
from polyroute.params.models import TransformersModel

if TYPE_CHECKING:
    from polyroute.models.load import LoadedModel


@click.command(cls=console.Command)
@click.argument("model")
@click.argument("text")
@click.option("--against", help="Its translation, or any text to hold it against.")
@click.option("--plan", "plan_file", type=click.Path(path_type=Path), help="A steering plan: shows what it changes.")
@click.option("--layers", metavar="FIRST-LAST", help="Only these layers, as in 8-20.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write a page to click through, too.")
def look(
    model: str, text: str, against: str | None, plan_file: Path | None, layers: str | None, html: Path | None
) -> None:
    """Show how MODEL routes TEXT, token by token; with --against, how alike it routes two texts.

    MODEL is an entry of params.yaml, or the folder of a checkpoint.
    """
    from rich.console import Console

    from polyroute.looking.look import look as look_at
    from polyroute.models.routers import find_routers
    from polyroute.steering.plan import Plan

    chosen = None if layers is None else span(layers)
    plan = None if plan_file is None else Plan.load(plan_file)
    name, loaded = _load(model)
    routers = loaded.routers
    if chosen is not None:
        routers = tuple(router for router in routers if chosen[0] <= router.layer <= chosen[1])
        if not routers:
            held = f"{loaded.routers[0].layer} to {loaded.routers[-1].layer}"
            raise click.BadParameter(f"{layers} holds no layer with a router; there are {held}", param_hint="--layers")
    every = find_routers(loaded.model) if plan is not None else routers
    found = look_at(
        loaded.model, loaded.tokenizer, text, against, plan,
        routers=routers, steered=every, model_digest=loaded.digest, name=name,
    )  # fmt: skip
    Console().print(found)
    if html is not None:
        found.save(html)
        click.echo(f"written: {html}")


def _load(model: str) -> tuple[str, LoadedModel]:
    from polyroute.models.load import load
    from polyroute.models.source import locate

    name, spec = checkpoint(model)
    return name, load(name, spec, locate(name, spec))


def checkpoint(model: str) -> tuple[str, Checkpoint]:
    """What MODEL stands for: a folder with a checkpoint, or else an entry of params.yaml.

    Raises:
        ModelError: it is neither, or was recorded elsewhere.
    """
    folder = Path(model)
    if (folder / "config.json").is_file():
        return _entry_of(folder) or (_name(model), Checkpoint(folder=folder, dtype=dtype_of(folder)))
    if folder.is_dir():
        raise ModelError(f"{model} is a folder without a checkpoint (no config.json)")
    path = Paths().params
    if len(folder.parts) > 1:
        raise ModelError(f"{model} is no folder: name one with a checkpoint, or an entry of `models` in params.yaml")
    if not path.is_file():
        raise ModelError(
            f"{model} is no folder of a checkpoint, and there is no params.yaml here with an entry of that name: give "
            "a folder, or run this from the root of the study"
        )
    spec = params.read(path).model(model)
    if not isinstance(spec, TransformersModel):
        raise ModelError(f"{model} was recorded elsewhere: there is no model to look at")
    return model, spec


def _entry_of(folder: Path) -> tuple[str, Checkpoint] | None:
    """The entry of params.yaml for a folder, so that both names of a model give the same numbers; None without one."""
    if not Paths().params.is_file():
        return None
    for name, spec in params.read(Paths().params).models.items():
        if isinstance(spec, TransformersModel) and spec.folder and spec.folder.resolve() == folder.resolve():
            return name, spec
    return None


def dtype_of(folder: Path) -> Literal["float32", "bfloat16", "float16"]:
    """The one that the checkpoint's weights are in, if it says so; a model without an entry has no other word."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    said = config.get("dtype") or config.get("torch_dtype")
    return said if said in ("bfloat16", "float16") else "float32"


def _name(model: str) -> str:
    return Path(model).resolve().name if Path(model).is_dir() else model


def span(layers: str) -> tuple[int, int]:
    """First and last layer of `--layers`.

    Raises:
        BadParameter: it is no range.
    """
    first, _, last = layers.partition("-")
    if not first.isdigit() or not (last or first).isdigit():
        raise click.BadParameter(f"`{layers}` is no range of layers: write 8-20, or 8", param_hint="--layers")
    return int(first), int(last or first)
