"""Whether verdicts keep what they promise: coverage, size and power of every interval and test, by simulation.

Each module beside this one simulates studies whose truth is known, and tells how often an interval covers it, a test
rejects though there is nothing, or a study finds what it said it would. All of them in one table, in CALIBRATION.md.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from types import ModuleType

import click
import numpy
import scipy
from bench.calibration.table import Row

FOLDER = Path(__file__).parent
RESULTS = FOLDER.parent / "CALIBRATION.md"
HEAD = """\
# Calibration

What the intervals, tests and powers of polyroute promise, and what they come to in simulated studies whose truth is
known. `python -m bench.calibration --write` wrote these tables; numpy {numpy}, scipy {scipy}.

Coverage of a 95% interval should be 93 to 97%, the size of a test at 5% at most 6%, and power where 80% is said 75 to
85%. A rate outside is marked with `!`, if by more than the noise of the simulation, and is a limit of the method.
"""


def _modules() -> dict[str, ModuleType]:
    names = [found.name for found in pkgutil.iter_modules([str(FOLDER)]) if found.name != "__main__"]
    return {name: importlib.import_module(f"bench.calibration.{name}") for name in names}


def simulations() -> dict[str, Callable[[int], Iterator[Row]]]:
    """Topic -> its simulation."""
    return {name: one.simulate for name, one in _modules().items() if hasattr(one, "simulate")}


def missed(row: Row) -> bool:
    """Whether a rate is not what was promised, beyond the noise of the simulation (two standard errors)."""
    noise = 2 * (row.nominal * (1 - row.nominal) / row.studies) ** 0.5
    if row.nominal <= 0.2:  # size: too few rejections are no broken promise
        return row.found > row.nominal * 1.2 + noise
    slack = 0.05 if "power" in row.quantity else 0.02
    return abs(row.found - row.nominal) > slack + noise


def table(rows: list[Row]) -> str:
    """The rows as Markdown, a section a topic, which begins with what its module says of rates outside the target."""
    lines, modules = [], _modules()
    for topic, part in groupby(rows, key=lambda row: row.topic):
        outside = getattr(modules.get(topic), "OUTSIDE", None)
        lines += [
            f"\n## {topic.replace('_', ' ').capitalize()}\n",
            *([f"{outside}\n"] if outside else []),
            "| quantity | population | n | promised | found | studies |",
            "|---|---|--:|--:|--:|--:|",
        ]
        lines += [
            f"| {row.quantity} | {row.population} | {row.n} | {row.nominal:.3f} | {row.found:.3f}"
            f"{' !' if missed(row) else ''} | {row.studies:,} |"
            for row in part
        ]
    return "\n".join(lines) + "\n"


def sections(text: str) -> dict[str, str]:
    """Heading -> section of a page that `table` wrote, the head of the page apart."""
    parts = text.split("\n## ")[1:]
    return {part.split("\n", 1)[0]: f"\n## {part.rstrip()}\n" for part in parts}


@click.command()
@click.option("--studies", default=1000, show_default=True, help="Simulated studies a rate.")
@click.option("--topic", "topics", multiple=True, type=click.Choice(sorted(simulations())), help="Only these anew.")
@click.option("--write", is_flag=True, help="Into CALIBRATION.md, whose other sections stay as they are.")
def main(studies: int, topics: tuple[str, ...], write: bool) -> None:
    """Simulate, and print or write what came out."""
    rows = []
    for topic, simulate in sorted(simulations().items()):
        if not topics or topic in topics:
            click.echo(f"{topic} ...", err=True)
            rows += list(simulate(studies))
    if not write:
        click.echo(table(rows))
        return
    known = sections(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    found = known | sections(table(rows))
    head = HEAD.format(numpy=numpy.__version__, scipy=scipy.__version__)
    RESULTS.write_text(head + "".join(found[heading] for heading in sorted(found)), encoding="utf-8")
    click.echo(f"{len(rows)} rates, {sum(map(missed, rows))} not as promised: {RESULTS.name}")


if __name__ == "__main__":
    main()
