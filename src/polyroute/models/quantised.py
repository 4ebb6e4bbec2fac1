"""Checkpoints whose weights are stored in fewer bits: by which method, and what to do where it cannot be read here."""

from __future__ import annotations

from typing import Any

from polyroute.models.folder import ModelError
from polyroute.models.source import ModelSource


def method_of(config: Any) -> str | None:
    """The method that a configuration names, such as `mxfp4`; None of plain weights.

    Args:
        config: of transformers, or what is written in config.json.
    """
    held = config if isinstance(config, dict) else vars(config)
    named = held.get("quantization_config") or {}
    keys = named if isinstance(named, dict) else vars(named)
    method = keys.get("quant_method")
    if method is None and (keys.get("load_in_4bit") or keys.get("load_in_8bit")):
        return "bitsandbytes"  # older releases do not say it
    return None if method is None else str(getattr(method, "value", method))


def check_known(name: str, source: ModelSource, config: Any) -> None:
    """Transformers leaves weights as they are stored where it does not know the method; we do not.

    Raises:
        ModelError: names the method, and those that can be.
    """
    from transformers.quantizers.auto import AUTO_QUANTIZATION_CONFIG_MAPPING

    method = method_of(config)
    known = sorted({str(one).removesuffix("_4bit").removesuffix("_8bit") for one in AUTO_QUANTIZATION_CONFIG_MAPPING})
    if method is not None and method.removesuffix("_4bit").removesuffix("_8bit") not in known:
        raise ModelError(
            f"models.{name}: {source.place}/config.json: `quantization_config.quant_method` is `{method}`, which "
            f"transformers does not read (it reads {', '.join(known)}): name a checkpoint that is not quantised"
        )


def remedy(method: str) -> str:
    """What to do about weights of a method that cannot be loaded here."""
    return (
        f"its weights are quantised with `{method}`: install what that needs, on a machine with a GPU that it runs on, "
        "or name a checkpoint that is not quantised"
    )
