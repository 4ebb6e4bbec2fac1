"""Random initialisations of a model's architecture on the same text: what weights that learnt nothing do."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from polyroute.artifacts.draws import Curves
from polyroute.artifacts.trace import Trace
from polyroute.artifacts.turns import Item
from polyroute.ground.checksum import ChecksumError
from polyroute.ground.files import read_checked_json, write_checked_json
from polyroute.ground.layers import LayerRange
from polyroute.measures.routing_summary import by_layer
from polyroute.models.load import language_model
from polyroute.models.routers import find_routers
from polyroute.models.source import ModelError
from polyroute.tracing.collect import TraceSettings, trace

FIRST_SEED = 2**31
"""Far from the seeds that people train with: a model that was never trained must not meet itself among the draws."""
NAMES_ONLY = ("_name_or_path", "transformers_version", "dtype", "torch_dtype", "quantization_config")
"""Of a configuration: what random float32 weights do not depend on."""


@dataclass(frozen=True)
class RandomSettings:
    """How random initialisations are drawn and read."""

    draws: int
    """Initialisations, of the seeds from `FIRST_SEED` on."""
    most_weights: int
    """An architecture of more weights is refused: each draw would hold all of them in float32."""
    nearest: int
    """Other sentences of the most similar length that each one is compared with for sentence alignment."""
    seed: int
    """Of the order among sentences of one length."""
    trace: TraceSettings
    layers: LayerRange | None = None
    """First and last layer to trace, in the model's own numbering; all of them where None."""


class NoRandomModelError(ModelError):
    """An architecture of which no random initialisation can be had here."""

    def __init__(self, code: Literal["too_large", "cannot_build"], told: str):
        super().__init__(told)
        self.code = code


def read_model(
    model: nn.Module, tokenizer: Any, texts: Mapping[str, Mapping[str, Item]], settings: RandomSettings
) -> Curves:
    """Read any weights by the code that reads random ones, so that they rank among these.

    Args:
        model: of transformers.
        tokenizer: its tokenizer.
        texts: language -> item id -> text, the pivot first, the same items in each.
        settings: how.

    Raises:
        RouterError, TraceError: as `trace`.
        SummaryError: as `by_layer`.
    """
    routers = find_routers(model)
    if settings.layers is not None:
        first, last = settings.layers
        routers = tuple(router for router in routers if first <= router.layer <= last)
    traces: list[Trace] = [
        trace(model, tokenizer, items, language=language, settings=settings.trace, routers=routers)
        for language, items in texts.items()
    ]
    return by_layer(traces, nearest=settings.nearest, seed=settings.seed)


def bare(config: Any) -> Any:
    """A copy that asks for no quantised weights: random ones are drawn in float32."""
    config = copy.deepcopy(config)
    if getattr(config, "quantization_config", None) is not None:
        del config.quantization_config
    return config


def check_size(name: str, config: Any, most: int) -> None:
    """Refuse an architecture of more weights than `most`, without building it.

    Raises:
        NoRandomModelError: it has more, or cannot be built.
    """
    with torch.device("meta"):
        weights = sum(parameter.numel() for parameter in _from_config(name, config).parameters())
    if weights > most:
        raise NoRandomModelError(
            "too_large",
            f"models.{name}: a random initialisation has {weights:,} weights, more than nulls.most_weights = {most:,}: "
            "raise it where memory holds them in float32",
        )


def build(name: str, config: Any, draw: int) -> nn.Module:
    """The weights of one draw, in float32 on the CPU.

    Raises:
        NoRandomModelError: the architecture cannot be built.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(FIRST_SEED + draw)
        return _from_config(name, config).eval()


def _from_config(name: str, config: Any) -> nn.Module:
    try:
        auto = language_model(name, config)
        model: nn.Module = auto.from_config(copy.deepcopy(config), dtype=torch.float32)
    except (ModelError, OSError, ValueError, ImportError) as error:
        told = f"models.{name}: its architecture cannot be built with random weights: {error}"
        raise NoRandomModelError("cannot_build", told) from error
    return model


def _of(part: Path) -> str:
    """What decides a draw's curves, and its number."""
    return f"{part.parent.name}/{part.stem}"


def keep(part: Path, curves: Curves) -> None:
    """Write the curves of a draw."""
    write_checked_json(part, curves.model_dump(mode="json"), _of(part))


def finished(part: Path) -> Curves | None:
    """The curves of a draw that was finished before."""
    try:
        return Curves.model_validate(read_checked_json(part, _of(part), ChecksumError))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, ChecksumError):  # damaged, or of others: computing again is always right
        part.unlink()
        return None
