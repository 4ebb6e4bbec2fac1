"""Stage train-pocket@<model>: a recipe -> a trained checkpoint. Frozen: its checkpoint is in git."""

import click

from polyroute.ground import console
from polyroute.ground.paths import Paths
from polyroute.params import file as params
from polyroute.pocket import train


@click.command(cls=console.Command)
@click.option("--model", required=True, help="Entry of `pocket` in params.yaml.")
@console.log_level_option
def main(model: str) -> None:
    """Train a pocket model; killed, it goes on where it stopped."""
    paths = Paths()
    train.run(model, params.read(paths.params).recipe(model), paths)


if __name__ == "__main__":
    main()
