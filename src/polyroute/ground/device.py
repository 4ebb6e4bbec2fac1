"""What a model runs on: chosen, checked, and named as results and messages name it."""

from __future__ import annotations

from typing import Any

from polyroute.ground.errors import PolyrouteError


def usable(device: str, key: str) -> str:
    """A device of torch that there is.

    Args:
        device: `cpu`, `cuda:0`, ...; `auto` is the first GPU, or the CPU where there is none.
        key: of params.yaml, or the option, that names it.

    Raises:
        PolyrouteError: there is none of that name here.
    """
    import torch

    if device == "auto":
        return "cuda:0" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        why = str(error).splitlines()[0]
        raise PolyrouteError(f"{key}: `{device}` cannot be used here ({why}): take auto or cpu") from None
    return device


def device_name(device: Any = None) -> str:
    """Name of a GPU as its driver tells it, or `cpu`.

    Args:
        device: of torch, or its name; None is the GPU that torch uses first, where there is one.
    """
    import torch

    place = torch.device(usable("auto", "") if device is None else device)
    return torch.cuda.get_device_name(place) if place.type == "cuda" else place.type
