import logging

import click
import pytest
from click.testing import CliRunner

from polyroute.ground import console
from polyroute.ground.errors import PolyrouteError


@click.command(cls=console.Command)
@console.log_level_option
@click.option("--fail", type=click.Choice(["user", "disk", "bug"]))
def command(fail: str | None) -> None:
    """A command."""
    logging.getLogger("polyroute.test").info(
        "a line of more than eighty characters, %s", "which no pipe should break" * 3
    )
    if fail == "user":
        raise PolyrouteError("corpus `own` lacks deu_Latn")
    if fail == "disk":
        raise OSError(28, "No space left on device", "data/traces/x")
    if fail == "bug":
        raise ValueError("ours")


def test_a_users_mistake_and_a_full_disk_are_sentences_and_our_bugs_are_tracebacks() -> None:
    run = CliRunner().invoke
    told = run(command, ["--fail", "user"])
    assert (told.exit_code, told.output.splitlines()[-1]) == (1, "Error: corpus `own` lacks deu_Latn")
    assert "no space left on the disk of data/traces/x" in run(command, ["--fail", "disk"]).output
    assert isinstance(run(command, ["--fail", "bug"]).exception, ValueError)


@pytest.mark.parametrize(("level", "lines"), [("info", 1), ("warning", 0)])
def test_log_level_decides_what_is_told_and_lines_are_not_broken(capfd, level, lines) -> None:
    command.main(["--log-level", level], standalone_mode=False)
    assert len(capfd.readouterr().err.splitlines()) == lines


def test_no_bar_where_nobody_looks(capfd) -> None:
    with console.progress("trace", 100) as advance:
        advance(50)
    assert capfd.readouterr().err == ""
