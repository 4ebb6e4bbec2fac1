"""What long work shows of itself: log lines, a progress bar in tokens, a summary line a stage."""

import gc
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from polyroute.ground.errors import PolyrouteError
from polyroute.ground.frozen import Frozen
from polyroute.ground.os_errors import sentence
from polyroute.ground.outputs import kept
from polyroute.ground.paths import Paths
from polyroute.ground.times import timed

LEVELS = ("debug", "info", "warning", "error")
_stderr = Console(stderr=True)


class SettingsError(PolyrouteError):
    """The settings of a stage are absent or of another version."""


class _Lines(logging.Handler):
    """Log lines above a progress bar, unbroken, so that a pipe gets one a message."""

    def emit(self, record: logging.LogRecord) -> None:
        style = {"WARNING": "yellow", "ERROR": "red"}.get(record.levelname, "dim")
        line = Text(f"{record.levelname.lower()}: {self.format(record)}", style=style)
        _stderr.print(line, soft_wrap=True, highlight=False)


def start_logging(level: str) -> None:
    """Send log lines of `level` and above to standard error."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[_Lines()], force=True)
    logging.getLogger("polyroute").setLevel(level.upper())
    # The client prints its own lines; ours say the same with what to do.
    logging.getLogger("huggingface_hub").propagate = False


class Command(click.Command):
    """A command that shows a user's mistake as a sentence and keeps tracebacks for ours."""

    def invoke(self, context: click.Context) -> Any:
        """Run, turning `PolyrouteError` and what the machine refuses into an error message and exit status 1."""
        try:
            return super().invoke(context)
        except PolyrouteError as error:
            raise click.ClickException(str(error)) from error
        except OSError as error:
            if (told := sentence(error)) is None:
                raise
            raise click.ClickException(told) from error


Settings = TypeVar("Settings", bound=Frozen)
F = TypeVar("F", bound=Callable[..., Any])


def log_level_option(command: F) -> F:
    """The `--log-level` option (also read from POLYROUTE_LOG_LEVEL) of stages and, before the verb, of `polyroute`."""

    def begin(_context: click.Context, _parameter: click.Parameter, level: str) -> None:
        start_logging(level)

    return click.option(
        "--log-level",
        type=click.Choice(LEVELS),
        default="info",
        show_default=True,
        envvar="POLYROUTE_LOG_LEVEL",
        expose_value=False,
        callback=begin,
        help="How much to tell on standard error.",
    )(command)


class _Speed(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f} {task.fields['unit']}/s" if speed else f"– {task.fields['unit']}/s")


@contextmanager
def progress(title: str, total: int, unit: str = "tokens") -> Iterator[Callable[[int], None]]:
    """A bar with speed and time left on a terminal; nothing where standard error is not one.

    Yields:
        A function to call with the number of units just done.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        _Speed(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=_stderr, disable=not _stderr.is_terminal, transient=True) as bar:
        task = bar.add_task(title, total=total, unit=unit)
        yield lambda done: bar.advance(task, done)


def summary(stage: str, text: str) -> None:
    """The one line that a stage leaves on standard output."""
    click.echo(f"{click.style(stage, bold=True)}: {text}")


def stage(
    kind: type[Settings], *, each: bool = True, purposes: Mapping[str, Any] | None = None
) -> Callable[[Callable[..., Iterator[str]]], click.Command]:
    """Make a stage's script of a function that is given its settings and the study's paths, and nothing else.

    The stage is called as the file is; its settings are read from `settings/<model>/<stage>.json`, and each line that
    the function yields is shown after `<stage>@<model>`. If it fails, what the stage wrote before is left as it was.

    Args:
        kind: type of the settings.
        each: whether the stage is run for each model (`--model`); else its settings are `settings/<stage>.json`.
        purposes: values of `--purpose` -> what the function is given for it; the settings are those of the purpose.
    """

    def decorate(main: Callable[..., Iterator[str]]) -> click.Command:
        script = Path(main.__code__.co_filename).stem

        def command(model: str | None = None, purpose: str | None = None) -> None:
            imported()
            paths, name = Paths(), purpose or script
            settings = _settings(kind, paths, name, model)
            given = () if purposes is None or purpose is None else (purposes[purpose],)
            whole = name if model is None else f"{name}@{model}"
            with kept(paths, name, model), timed(paths.times, whole):
                for line in main(settings, paths, *given):
                    summary(whole, line)

        command = log_level_option(command)
        if each:
            command = click.option("--model", required=True, help="Entry of `study.models` in params.yaml.")(command)
        if purposes is not None:
            command = click.option("--purpose", required=True, type=click.Choice(list(purposes)))(command)
        return click.command(cls=Command, help=main.__doc__)(command)

    return decorate


def imported() -> None:
    """Say that much was imported, which stays to the end: the garbage collector need not go through it again.

    Stages begin with it, since a whole collection takes a third of a second with pandas and torch in memory.
    """
    gc.freeze()


def _settings(kind: type[Settings], paths: Paths, stage: str, model: str | None) -> Settings:
    path = paths.stage_settings(*(() if model is None else (model,)), stage)
    again = "run `dvc repro resolve`, which makes it from params.yaml for every model of `study.models`"
    try:
        return kind.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise SettingsError(f"{path} is absent: {again}") from None
    except ValidationError as error:
        raise SettingsError(f"{path} is of another version ({error.errors()[0]['msg']}): {again}") from None
