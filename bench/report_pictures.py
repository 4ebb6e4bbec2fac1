"""Pictures of the report at two widths, in light and dark and as printed: `python -m bench.report_pictures`.

Needs Chromium. The pictures go into a folder that git ignores; look at them after every change of the page.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path

import click
from bench.chromium import Chromium

WIDTHS = {"wide": 1400, "phone": 400}


@click.command()
@click.argument("report", type=click.Path(path_type=Path, exists=True, dir_okay=False), default="report.html")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default="build/screenshots", show_default=True)
@click.option("--model", help="Name in params.yaml; by default the first.")
@click.option("--only", help="Widths and schemes, such as wide-light; by default all.")
def main(report: Path, out: Path, model: str | None, only: str | None) -> None:
    """Save the first screen and every section of REPORT, and tell what the console said."""
    out.mkdir(parents=True, exist_ok=True)
    for (width, pixels), scheme in product(WIDTHS.items(), ("light", "dark")):
        if only is not None and only != f"{width}-{scheme}":
            continue
        with Chromium(pixels, 900, dark=scheme == "dark") as page:
            page.open(report)
            page.wait_for("window.polyroute")
            if model is not None:
                page.evaluate(f"polyroute.choose({model!r})")
            page.picture(out / f"{width}-{scheme}-first.png")
            page.evaluate("polyroute.drawAll()")
            for section in page.evaluate("[...document.querySelectorAll('section')].map((one) => one.id)"):
                page.picture(out / f"{width}-{scheme}-{section}.png", box(page, section))
            if (width, scheme) == ("wide", "light"):
                page.show(800, 1100, media="print")
                page.picture(out / "print-first.png")
            for line in page.console:
                click.echo(f"{width} {scheme}: {line}", err=True)
    click.echo(f"{len(list(out.glob('*.png')))} pictures in {out}")


def box(page: Chromium, section: str) -> dict[str, float]:
    """Where a section stands on the page."""
    found: dict[str, float] = page.evaluate(
        f"(({{x, y, width, height}}) => ({{x, y: y + scrollY, width, height}}))"
        f"(document.getElementById({section!r}).getBoundingClientRect())"
    )
    return found


if __name__ == "__main__":
    main()
