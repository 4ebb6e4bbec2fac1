"""Routing that others recorded, in whatever format (`tracing.recorders`), made into a file of `recorded/`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from polyroute.artifacts.implausible_counts import implausible
from polyroute.artifacts.recorded_counts import Counts, CountsHeader
from polyroute.artifacts.recording import RecordingError, first_error
from polyroute.models.settings import Shape
from polyroute.tracing.recorders import formats
from polyroute.tracing.recorders.kinds import Format
from polyroute.tracing.recorders.tally import Routing, Tally


@dataclass(frozen=True)
class Converted:
    """A recording, and what its maker must know of it."""

    counts: Counts
    said: tuple[str, ...]
    """What was left out and what text does not do, a sentence each; the header's notes hold them too."""


def convert(
    files: Mapping[str, Sequence[Path]],
    shape: Shape,
    *,
    kind: Format | None = None,
    first: int = 0,
    all_layers: int | None = None,
    **about: Any,
) -> Converted:
    """Make one recording of several languages.

    Args:
        files: FLORES code -> its files, which are added up, such as one a rank.
        shape: layers with routers, experts and top-k of the model.
        kind: format of the files; None has each recognised.
        first: number of the first layer of arrays, whose layers have no numbers.
        all_layers: of numbers in a row: how many layers each token has; by default those with routers.
        about: `model`, `corpus`, `text`, `source`, `commit`, `licence`, `notes`: fields of the header.

    Raises:
        RecordingError: a file is absent, damaged or of no known format; two files are alike; counts cannot be, or
            cannot be those of text; languages differ in layers or in what was recorded; or the model or the corpus is
            no name.
    """
    checksums = _checksums(files)
    read = {
        language: read_language(paths, shape, kind=kind, first=first, all_layers=all_layers)
        for language, paths in files.items()
    }
    _alike(read)
    said = [f"{language}: {sentence}" for language, found in read.items() for sentence in found.said]
    fields = about | {"notes": " ".join([about.get("notes") or "", *map(_sentence, said)]).strip()}
    try:
        header = CountsHeader(
            languages=tuple(files), layers=next(iter(read.values())).layers, experts=shape.experts, top_k=shape.top_k,
            tokens={language: found.tokens for language, found in read.items()}, files=checksums, **fields,
        )  # fmt: skip
    except ValidationError as error:
        raise RecordingError(f"the recording cannot be named so: {first_error(error)}") from None
    names = ", ".join(str(path) for paths in files.values() for path in paths)
    soft = [found.soft_LE for found in read.values() if found.soft_LE is not None]
    counts_VLE = np.stack([found.counts_LE for found in read.values()])
    counts = Counts.checked(header, counts_VLE, names, np.stack(soft) if soft else None)
    if unlikely := implausible(counts, names):
        notes = " ".join([header.notes, *(_sentence(one) for one in unlikely)]).strip()
        counts = Counts(header.model_copy(update={"notes": notes}), counts.counts_VLE, counts.soft_VLE)
    return Converted(counts, (*said, *unlikely))


def read_language(
    paths: Sequence[Path], shape: Shape, *, kind: Format | None = None, first: int = 0, all_layers: int | None = None
) -> Routing:
    """One language's files, added up.

    Args:
        paths: at least one.
        shape: of the model.
        kind: format; None has each file recognised.
        first: number of the first layer of arrays.
        all_layers: of numbers in a row: how many layers each token has.

    Raises:
        RecordingError: as `convert`, of this language.
    """
    tally = Tally(shape, ", ".join(map(str, paths)))
    for path in paths:
        formats.read(path, tally, kind=kind, first=first, layers=all_layers or shape.layers)
    return tally.finish()


def _checksums(files: Mapping[str, Sequence[Path]]) -> dict[str, str]:
    """Name of each file -> its SHA-256; with as many folders as make names differ.

    Raises:
        RecordingError: a file is absent, or two are alike, which two languages or ranks cannot be.
    """
    of: dict[str, tuple[str, Path]] = {}
    paths = [(language, path) for language, several in files.items() for path in several]
    for language, path in paths:
        try:
            checksum = hashlib.sha256(path.read_bytes()).hexdigest()
        except FileNotFoundError:
            raise RecordingError(f"{path} is absent: name the folder that holds it") from None
        except OSError as error:
            raise RecordingError(f"{path} cannot be read: {error.strerror or error}") from None
        if checksum in of:
            other, twin = of[checksum]
            raise RecordingError(
                f"{path} ({language}) and {twin} ({other}) are the same file: each language has its own, and ranks "
                "that saw the same tokens count once"
            )
        of[checksum] = language, path
    depth = next((some for some in range(1, 9) if len({path.parts[-some:] for _, path in paths}) == len(paths)), 9)
    return {"/".join(path.parts[-depth:]).lstrip("/"): checksum for checksum, (_, path) in of.items()}


def _alike(read: Mapping[str, Routing]) -> None:
    """Languages were recorded alike."""
    first, one = next(iter(read.items()))
    for language, found in read.items():
        if found.layers != one.layers:
            raise RecordingError(
                f"{language} has the layers {', '.join(map(str, found.layers))}, and {first} "
                f"{', '.join(map(str, one.layers))}"
            )
        if (found.soft_LE is None) != (one.soft_LE is None):
            lacking = language if found.soft_LE is None else first
            raise RecordingError(f"{lacking} has no router logits, other languages do: record all alike")


def _sentence(text: str) -> str:
    return text if text.endswith(("?", ".")) else f"{text}."
