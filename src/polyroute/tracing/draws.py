"""The random initialisations of one model of the study: what is finished is taken up, what is new is computed.

Each draw is kept as a part, outside DVC's outputs, under all that determines it and nothing else: models of one
architecture and tokenizer share their draws, whatever their names, and a killed run goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import transformers

from polyroute.artifacts.draws import Curves
from polyroute.artifacts.turns import Item
from polyroute.ground.code import code_digest
from polyroute.ground.device import device_name, usable
from polyroute.ground.files import digest
from polyroute.models.source import locate_settled
from polyroute.models.without_weights import load_config, load_tokenizer
from polyroute.tracing.collect import encode
from polyroute.tracing.random_init import (
    NAMES_ONLY,
    RandomSettings,
    bare,
    build,
    check_size,
    finished,
    keep,
    read_model,
)
from polyroute.workers.errors import PartsError

if TYPE_CHECKING:
    from polyroute.models.settings import ModelSettings
    from polyroute.workers.pool import Pool


@dataclass(frozen=True)
class Material:
    """What a process needs to draw."""

    name: str
    """Of the model, for errors and for where to begin."""
    config: Any
    """Of transformers; it is not changed."""
    tokenizer: Any
    device: str = "cpu"
    """Where draws are run, as the model's entry says it; their weights do not depend on it."""

    def usable_device(self) -> str:
        """Where they are run in this process.

        Raises:
            PolyrouteError: there is no such device here.
        """
        return usable(self.device, f"models.{self.name}.device")

    @classmethod
    def load(cls, name: str, spec: ModelSettings) -> Material:
        """Find and load it, in the process that calls this.

        Raises:
            ModelError: as `locate_settled`, `load_config` and `load_tokenizer`.
        """
        source = locate_settled(name, spec)
        config, tokenizer = load_config(name, spec, source), load_tokenizer(name, spec, source)
        return cls(name, config, tokenizer, spec.device)


def read_random(
    material: Material,
    texts: Mapping[str, Mapping[str, Item]],
    settings: RandomSettings,
    parts: Path,
    *,
    advance: Callable[[int], None] = lambda _done: None,
    pool: Pool | None = None,
) -> list[Curves]:
    """Read random initialisations of an architecture, those that are not finished yet.

    Models begin at different draws, so that two processes of one architecture side by side share the work.

    Args:
        material: the architecture, its tokenizer, and where it runs.
        texts: as for `read_model`.
        settings: how.
        parts: folder of all parts of the study.
        advance: told of draws as they are computed now.
        pool: workers that hold `Material`, which run the draws; None runs them here. Numbers do not depend on it.

    Returns:
        Each draw by layer, in order of seed.

    Raises:
        NoRandomModelError: the architecture is too large, or cannot be built at random.
        RouterError, TraceError, SummaryError: as `read_model`; finished draws stay.
        EngineError, PartsError: as `Pool.run`; likewise.
    """
    name, config = material.name, bare(material.config)
    determines = {
        "config": {key: value for key, value in config.to_dict().items() if key not in NAMES_ONLY},
        "ids": {
            language: [[ids.tolist(), counted.tolist()] for ids, counted in zip(found.ids, found.counted, strict=True)]
            for language, items in texts.items()
            for found in [encode(material.tokenizer, items, settings.trace)]
        },
        "items": {language: list(items) for language, items in texts.items()},
        "settings": [settings.nearest, settings.seed],
        "trace": settings.trace.determining() | {"layers": settings.layers},
        "device": device_name(material.usable_device()) if pool is None else pool.device,
        "versions": [torch.__version__, transformers.__version__, np.__version__],
        "code": code_digest("polyroute.tracing.random_init"),
    }
    folder = parts / "random_init" / digest(determines)
    start = int(digest(name), 16) % settings.draws
    draws = {n: _Draw(n, texts, settings, folder / f"{n}.json") for n in [*range(start, settings.draws), *range(start)]}
    found = {number: curves for number, draw in draws.items() if (curves := finished(draw.part)) is not None}
    missing = [draw for number, draw in draws.items() if number not in found]
    if missing:
        check_size(name, config, settings.most_weights)
    if pool is None:
        found |= {draw.number: _drawn(material, draw, advance) for draw in missing}
    else:
        called = {f"draw {draw.number}": draw for draw in missing}
        done = pool.run(_drawn, called, advance)
        if done.failed:
            raise PartsError(f"draw {name}", done.failed, len(missing))
        found |= {called[one].number: curves for one, curves in done.values.items()}
    return [found[draw] for draw in sorted(found)]


@dataclass(frozen=True)
class _Draw:
    """One random initialisation and the texts that it reads."""

    number: int
    texts: Mapping[str, Mapping[str, Item]]
    settings: RandomSettings
    part: Path


def _drawn(material: Material, draw: _Draw, advance: Callable[[int], None]) -> Curves:
    """Read one draw and keep its curves; those that another process had finished meanwhile stay."""
    curves = finished(draw.part)
    if curves is None:
        model = build(material.name, bare(material.config), draw.number).to(material.usable_device())
        curves = read_model(model, material.tokenizer, draw.texts, draw.settings)
        keep(draw.part, curves)
    advance(1)
    return curves
