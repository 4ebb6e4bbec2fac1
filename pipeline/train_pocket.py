"""Stage train-pocket@<model>: a recipe -> a trained checkpoint. Frozen: its checkpoint is in git."""

import os
import sys

import click

from polyroute import console, params
from polyroute.params import PocketRecipe
from polyroute.paths import Paths
from polyroute.pocket import train

KEYS = ("pocket.{model}",)


@click.command(cls=console.Command)
@click.option("--model", required=True, help="Entry of `pocket` in params.yaml.")
@console.log_level_option
def main(model: str) -> None:
    """Train a pocket model; killed, it goes on where it stopped."""
    if not train.malloc_is_set():
        # glibc reads these once, at the start; without them most of the time goes to returning memory to the kernel.
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | train.MALLOC)
    paths = Paths()
    recipe: PocketRecipe = params.load(paths.params).only(*KEYS, model=model)[f"pocket.{model}"]
    with console.progress(f"train {model}", recipe.tokens) as advance:
        train.train(recipe, paths.pocket_model(model), paths.training, advance)
    console.summary(f"train-pocket@{model}", f"{recipe.tokens:,} tokens; checkpoint in {paths.pocket_model(model)}")


if __name__ == "__main__":
    main()
