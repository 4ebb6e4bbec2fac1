"""`polyroute import-counts`: routing that others recorded becomes a file of `recorded/`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import click
from pydantic import ValidationError

from polyroute.ground import console
from polyroute.ground.errors import PolyrouteError
from polyroute.ground.names import check_names
from polyroute.ground.paths import Paths
from polyroute.languages.table import Scheme
from polyroute.models.settings import Shape
from polyroute.tracing.recorders.kinds import Format

_MARK = "{language}"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")


@click.command("import-counts", cls=console.Command)
@click.argument("files")
@click.option("--model", required=True, help="What its authors call the model.")
@click.option("--corpus", required=True, help="Short name of the text it was recorded on.")
@click.option("--text", default="", help="What of that text was read, in a sentence.")
@click.option("--layers", type=click.IntRange(1), required=True, help="Layers with routers.")
@click.option("--experts", type=click.IntRange(2), required=True, help="Experts a layer.")
@click.option("--top-k", type=click.IntRange(1), required=True, help="Experts a token.")
@click.option(
    "--format",
    "kind",
    type=click.Choice(get_args(Format)),
    help="Who wrote FILES (docs/recorded.md); by default it is told by what is in them.",
)
@click.option("--first-layer", type=click.IntRange(0), default=0, help="Number of an array's first layer.")
@click.option("--all-layers", type=click.IntRange(1), help="Layers of the model, with and without experts (SGLang).")
@click.option(
    "--codes",
    type=click.Choice(get_args(Scheme)),
    default="flores",
    show_default=True,
    help="How {language} is written in FILES.",
)
@click.option("--language", "languages", multiple=True, required=True, help="FLORES code; repeat for more.")
@click.option("--source", default="own", show_default=True, help="Repository and folder, or who recorded it.")
@click.option("--commit", help="Of the source, 40 hexadecimal digits.")
@click.option("--licence", default="unknown", show_default=True, help="Under which the counts may be passed on.")
@click.option("--notes", default="", help="What a reader of the numbers must know.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="File to write, recorded/NAME.parquet; NAME is what params.yaml calls it.",
)
@click.option("--add", "added", is_flag=True, help="Write the entry into params.yaml, as a model of the study.")
def import_counts(
    files: str,
    layers: int,
    experts: int,
    top_k: int,
    kind: Format | None,
    first_layer: int,
    all_layers: int | None,
    codes: Scheme,
    languages: tuple[str, ...],
    out: Path,
    added: bool,
    **about: str | None,
) -> None:
    """Make routing recorded elsewhere one file of recorded/, which the study's stages read.

    FILES is a path with {language} in it, a file a language; a `*` takes several, whose counts are added up, such as
    one a rank. Read are what vLLM, SGLang, Megatron, llama.cpp and hooks write, and paper 2's JSON. With an entry in
    params.yaml, which --add writes, the counts go through the same stages as a model, up to the same tables and
    figures.
    """
    from polyroute.cli import recorded
    from polyroute.tracing import counts

    name = _out_name(out)
    try:
        check_names(about["model"] or "", about["corpus"] or "")
        shape = Shape(layers=layers, experts=experts, top_k=top_k)
    except ValidationError as error:
        raise click.ClickException(error.errors()[0]["msg"].removeprefix("Value error, ")) from None
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    found = {language: _files(files, language, codes) for language in _once(languages)}
    made = counts.convert(found, shape, kind=kind, first=first_layer, all_layers=all_layers, **about)
    header = made.counts.header
    try:
        made.counts.write(out)
    except OSError as error:
        raise click.ClickException(f"{out} cannot be written: {error.strerror or error}") from None
    for sentence in made.said:
        click.echo(f"warning: {sentence}", err=True)
    soft = ", with soft mass" if made.counts.soft_VLE is not None else ""
    click.echo(
        f"{out}: {len(languages)} languages, {sum(header.tokens.values()):,} tokens, {len(header.layers)} layers "
        f"({header.layers[0]} to {header.layers[-1]}){soft}"
    )
    if added:
        recorded.add(Paths().params, name, out, header)
        click.echo(f"`{name}` is a model of the study now: `polyroute study` measures it")
    else:
        lines = (f"{section}:\n{entry}" for section, entry in recorded.entry(name, out, header).items())
        click.echo("To measure it, add to params.yaml (or call this again with --add):\n\n" + "".join(lines), nl=False)


def _out_name(out: Path) -> str:
    """What params.yaml calls the file: a name that is part of paths."""
    if not _NAME.fullmatch(out.stem) or out.suffix != ".parquet":
        raise click.BadParameter(f"{out.name} is no NAME.parquet of lower case, digits and hyphens", param_hint="--out")
    return out.stem


def _once(languages: tuple[str, ...]) -> tuple[str, ...]:
    twice = [language for place, language in enumerate(languages) if language in languages[:place]]
    if twice:
        raise click.BadParameter(f"{twice[0]} is named twice", param_hint="--language")
    return languages


def _files(pattern: str, language: str, codes: Scheme) -> list[Path]:
    """A language's files.

    Raises:
        PolyrouteError: no file is there where `*` stands for several, or the language has no code in the scheme.
        click.BadParameter: the pattern has no {language}, or another mark.
    """
    from polyroute.languages import table

    if _MARK not in pattern:
        raise click.BadParameter("no {language} in it: each language has its own file", param_hint="FILES")
    if other := re.search(r"\{[^{}]*\}", pattern.replace(_MARK, "")):
        raise click.BadParameter(f"{other[0]} means nothing here: {_MARK} alone is filled in", param_hint="FILES")
    path = pattern.replace(_MARK, table.code_in(language, codes))
    if "*" not in path:
        return [Path(path)]
    root = Path(Path(path).anchor)
    several = sorted(root.glob(str(Path(path).relative_to(root))))
    if not several:
        raise PolyrouteError(f"no file of {language} is there that is called {path}")
    return several
