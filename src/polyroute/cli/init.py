"""`polyroute init`: a params.yaml for a user's own model, text and languages, small or full."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

import click

from polyroute.cli.look import dtype_of
from polyroute.ground import console
from polyroute.ground.files import write_atomically
from polyroute.ground.frozen import ParamsError
from polyroute.ground.paths import Paths
from polyroute.params import file as params

SMALL: dict[str, Any] = {
    "about": "Small: it ends in minutes on two cores, to see that all works. Intervals are wide, and p-values coarse;\n"
    "# `polyroute init --full` writes the settings of a study.",
    "take": "\n    take: 100  # sentences; leave this line out for all",
    "resamples": 200, "most_weights": "20_000_000", "similarity_resamples": 100, "shuffles": 199, "turns": 99,
    "sets": 39, "taus": [0.1, 0.3], "strengths": [0.5], "doses": [0.5], "draws": 19, "magnitude": [0.3],
    "mask_draws": 1, "items": 2, "tokens": 128,
}  # fmt: skip
FULL: dict[str, Any] = {
    "about": "Full: the settings of a study. `polyroute init` without --full writes smaller ones to try it out.",
    "take": "",
    "resamples": 1000, "most_weights": "1_000_000_000", "similarity_resamples": 200, "shuffles": 1999, "turns": 999,
    "sets": 999, "taus": [0.1, 0.2, 0.3, 0.4, 0.5], "strengths": [0.5, 1.0], "doses": [-0.5, 0.5, 1.0], "draws": 99,
    "magnitude": [0.03, 0.3], "mask_draws": 2, "items": 5, "tokens": 512,
}  # fmt: skip

_TEMPLATE = Template("""\
# Every parameter of the study of $name. `polyroute check` tells whether it is sound.
# $about

study:
  name: $name
  models: [$name]
  distances: []
  # The language that divergence is measured from.
  pivot: $pivot
  seed: 0

languages:
  mine: [$languages]

corpora:
  # The same sentences in every language: docs/your-own.md has other layouts.
  text:
    reader: local
    files: $files$take

# None are asked yet: docs/your-own.md says how to add one, and to name it in the model's `tasks`.
tasks: {}

models:
  $name:
    engine: transformers
$source
    dtype: $dtype
    device: auto
    batch_tokens: $batch
    corpora: [text]
    languages: mine

trace: {pairs: 64, head: 12, special_tokens: exclude}
# Bootstrap intervals.
intervals: {resamples: $resamples, confidence: 0.95}
align: {nearest: 8}
# Random initialisations that curves are ranked among, of models up to so many weights.
nulls: {draws: 19, items: 100, most_weights: $most_weights}
# Languages against one another.
similarity:
  resamples: $similarity_resamples
  confidence: 0.95
  shuffles: $shuffles
  shared: {k: [15, 20], thr: [0.4, 0.7]}

# Of models with tasks.
experts: {taus: $taus}
turns: {resamples: $turns, sets: $sets, tau: 0.3}
evaluate: {chat: true, thinking: false, max_new_tokens: $tokens, temperature: 0, top_p: 1, top_k: 0}
score: {choice: sum, span: inclusion, number: correct}
steer:
  taus: [0.1, 0.2]
  strengths: $strengths
  doses: $doses
  draws: $draws
  std: population
  eps: variance
  magnitude: {k: 20, thr: 0.7, strengths: $magnitude}
  mechanism_items: $items
mask: {k: 15, thr: 0.4, width: 5, draws: $mask_draws, mechanism_items: $items}

pocket: {}
""")


@dataclass(frozen=True)
class Wanted:
    """What a user says of the study."""

    model: str
    """Folder of a checkpoint below models/, or `organisation/model` of the hub."""
    revision: str | None
    """Of the hub: a commit, or a branch for `polyroute pin`."""
    text: str
    """Path below text/, with `{language}` where that varies."""
    languages: Sequence[str]
    """FLORES codes."""
    pivot: str | None = None
    """One of them; None takes English, or the first."""
    name: str | None = None
    """Of the model; None makes one of the folder's or the hub's."""


def text_of(wanted: Wanted, size: Mapping[str, Any]) -> str:
    """A params.yaml, held against the types of its settings.

    Args:
        wanted: what the user says.
        size: `SMALL` or `FULL`.

    Raises:
        ParamsError: something in it cannot be; names the key.
    """
    codes = list(dict.fromkeys(wanted.languages))
    pivot = wanted.pivot or ("eng_Latn" if "eng_Latn" in codes else codes[0])
    if pivot not in codes:
        raise ParamsError(f"the pivot {pivot} is not among the languages {', '.join(codes)}: add it with --language")
    name = wanted.name or re.sub(r"[^a-z0-9]+", "-", wanted.model.rstrip("/").rsplit("/")[-1].lower()).strip("-")
    source, dtype = _source(wanted, name)
    written = _TEMPLATE.substitute(
        size, name=name, pivot=pivot, languages=", ".join([pivot, *(code for code in codes if code != pivot)]),
        files=json.dumps(wanted.text, ensure_ascii=False), source=source, dtype=dtype,
        batch=4096 if size is SMALL else 32768,
    )  # fmt: skip
    params.parse_text(written, "what was asked for")
    return written


def _source(wanted: Wanted, name: str) -> tuple[str, str]:
    """Lines of the model's entry that say where it lies, and its dtype."""
    if Path(wanted.model).is_dir():
        folder = Path(os.path.relpath(wanted.model))  # as typed from another place, its links not followed
        if wanted.revision:
            raise ParamsError(f"{wanted.model} is a folder, which has no revision: leave --revision out")
        if not (folder / "config.json").is_file():
            raise ParamsError(f"{wanted.model} holds no checkpoint (no config.json)")
        if folder.parts[:1] != ("models",):
            raise ParamsError(
                f"{wanted.model} is not below models/: link its files with `mkdir -p models && "
                f"cp -rs {folder.resolve()} models/{name}` and name models/{name}"
            )
        return f"    folder: {json.dumps(folder.as_posix(), ensure_ascii=False)}", dtype_of(folder)
    if wanted.model.count("/") != 1 or wanted.model.startswith((".", "models/")):
        raise ParamsError(
            f"{wanted.model} is neither the folder of a checkpoint below models/ nor `organisation/model` of the hub"
        )
    return f"    hub: {wanted.model}\n    revision: {wanted.revision or 'main'}", "bfloat16"


@click.command(cls=console.Command)
@click.argument("model")
@click.option("--revision", help="Of a model of the hub: a commit, or a branch.  [default: main]")
@click.option("--text", required=True, help="Your sentences: text/{language}.txt, or a table below text/.")
@click.option("--language", "languages", multiple=True, required=True, help="FLORES code; repeat for more.")
@click.option("--pivot", help="The language that others are compared with.  [default: eng_Latn, or the first]")
@click.option("--name", help="What to call the model.  [default: from its folder or hub]")
@click.option("--full", is_flag=True, help="Settings of a study; else small ones that end in minutes.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), default="params.yaml", show_default=True)
def init(full: bool, out: Path, **about: Any) -> None:
    """Write a params.yaml for MODEL: the folder of a checkpoint below models/, or organisation/model of the hub.

    A file that is there is never overwritten. Then `polyroute check` looks at your text.
    """
    if out.exists():
        raise click.ClickException(
            f"{out} is there, and is not overwritten: move it away first (`mv {out} {out.stem}-before{out.suffix}`), "
            "or write to another file with --out"
        )
    wanted = Wanted(**about)
    written = text_of(wanted, FULL if full else SMALL)
    write_atomically(out, written.encode())
    click.echo(f"{out}: {len(set(wanted.languages))} languages, {'full' if full else 'small'} settings")
    pinned = Path(wanted.model).is_dir() or re.fullmatch(r"[0-9a-f]{40}", wanted.revision or "")
    first = "" if pinned else "`polyroute pin` writes the model's commit into it; then "
    click.echo(f"{first}`polyroute check` looks at your text, and `polyroute study` runs it")
    if not Paths().dvc_yaml.is_file():
        click.echo(f"here are no stages to run: put {out}, models/ and text/ into the root of a clone of polyroute")
