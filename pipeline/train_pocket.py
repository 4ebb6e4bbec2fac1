"""Stage train-pocket@<model>: a recipe -> a trained checkpoint. Frozen: its checkpoint is in git."""

import click

from polyroute.ground import console, yaml12
from polyroute.ground.paths import Paths
from polyroute.pocket import train
from polyroute.pocket.recipe import PocketRecipe


@click.command(cls=console.Command)
@click.option("--model", required=True, help="Entry of `pocket` in params.yaml.")
@console.log_level_option
def main(model: str) -> None:
    """Train a pocket model; killed, it goes on where it stopped."""
    paths = Paths()
    # Its own section alone: other keys and their types are no matter of a checkpoint (`polyroute check` reads all).
    recipes = yaml12.load(paths.params.read_text(encoding="utf-8"))["pocket"]
    train.run(model, PocketRecipe.model_validate(recipes[model]), paths)


if __name__ == "__main__":
    main()
