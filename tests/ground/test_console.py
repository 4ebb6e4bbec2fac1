import gc
import logging

import click
import pytest
from click.testing import CliRunner

from polyroute.ground import console
from polyroute.ground.console import stage
from polyroute.ground.errors import PolyrouteError
from polyroute.ground.files import write_json
from polyroute.ground.frozen import StageSettings


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


class Settings(StageSettings):
    size: int


@pytest.fixture
def script(tmp_path, monkeypatch):
    """Runs a stage whose script is this very file, so that it is called `test_console`."""
    monkeypatch.chdir(tmp_path)

    def run(arguments: list[str], kind=Settings, **options):
        @stage(kind, **options)
        def main(settings, paths, *purpose):
            """Do it."""
            yield f"size {getattr(settings, 'size', settings.name)} in {paths.root}"
            yield from map(str, purpose)

        return CliRunner().invoke(main, arguments)

    return run


def test_a_stage_is_given_its_own_settings_and_shows_what_it_yields(script, tmp_path) -> None:
    write_json(tmp_path / "settings" / "one" / "test_console.json", {"name": "one", "size": 3})
    assert script(["--model", "one"]).output == "test_console@one: size 3 in .\n"
    assert "Do it." in script(["--help"]).output


def test_a_stage_of_no_model_and_a_stage_of_several_purposes(script, tmp_path) -> None:
    write_json(tmp_path / "settings" / "test_console.json", {"name": "all", "size": 4})
    write_json(tmp_path / "settings" / "one" / "tune.json", {"name": "one", "size": 5})
    assert script([], each=False).output == "test_console: size 4 in .\n"
    told = script(["--model", "one", "--purpose", "tune"], purposes={"tune": "select", "steer": "report"}).output
    assert told == "tune@one: size 5 in .\ntune@one: select\n"


def test_settings_that_are_absent_or_of_another_version_are_told_of_in_a_sentence(script, tmp_path) -> None:
    absent = script(["--model", "one"])
    assert "settings/one/test_console.json is absent: run `dvc repro resolve`" in absent.output
    assert absent.exit_code == 1
    write_json(tmp_path / "settings" / "one" / "test_console.json", {"name": "one", "length": 3})
    assert "is of another version (Field required): run `dvc repro resolve`" in script(["--model", "one"]).output


def test_what_was_imported_is_kept_from_the_garbage_collector() -> None:
    ours = [[]]
    console.imported()
    assert all(one is not ours for one in gc.get_objects())
