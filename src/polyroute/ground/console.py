"""What long work shows of itself: log lines, a progress bar in tokens, a summary line a stage."""

import errno
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from polyroute.ground.errors import PolyrouteError

LEVELS = ("debug", "info", "warning", "error")
_stderr = Console(stderr=True)


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
        """Run, turning `PolyrouteError` and a full disk into an error message and exit status 1."""
        try:
            return super().invoke(context)
        except PolyrouteError as error:
            raise click.ClickException(str(error)) from error
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise click.ClickException(f"no space left on the disk of {error.filename or Path.cwd()}") from error
            raise


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
