"""Settings that training scripts leave in a checkpoint's configuration: they add outputs and change no logit.

With `output_router_logits: true` a forward also computes the auxiliary loss of training, which fails where a cache
makes the attention mask wider than the input; with `return_dict: false` its output has no names.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn

ASKED = {
    "output_router_logits": False,
    "output_hidden_states": False,
    "output_attentions": False,
    "return_dict": True,
}
"""Setting -> what measuring needs."""


@contextmanager
def without_outputs(model: nn.Module) -> Iterator[None]:
    """Run a model with no output but its logits; its configurations are put back as they were."""
    changed: list[tuple[Any, str, Any]] = []
    try:
        for config in _configurations(model):
            held = vars(config)
            for name, wanted in ASKED.items():
                # Some names are properties over a field of their own.
                field = name if name in held else f"_{name}"
                if field in held and held[field] not in (None, wanted):
                    changed.append((held, field, held[field]))
                    held[field] = wanted
        yield
    finally:
        for held, field, value in changed:
            held[field] = value


def _configurations(model: nn.Module) -> list[Any]:
    """Every configuration of the model and of the models in it, each once."""
    found: dict[int, Any] = {}

    def take(config: Any) -> None:
        if config is None or id(config) in found or not hasattr(config, "__dict__"):
            return
        found[id(config)] = config
        for name in getattr(config, "sub_configs", None) or ():
            take(getattr(config, name, None))

    for module in model.modules():
        take(getattr(module, "config", None))
    return list(found.values())
