"""Stage fetch: every corpus that the study's models are measured on, and counts recorded elsewhere."""

import click

from polyroute import console

KEYS = ("study.models", "study.pivot", "hub", "languages", "corpora", "tasks", "models")


@click.command(cls=console.Command)
@console.log_level_option
def main() -> None:
    """Read, check and write the corpora of all models of the study."""
