"""A run rehearsed: the architecture with random weights, its routers proved, its speed and memory measured.

Reading is a batch of short texts through the backbone, as a trace runs it; writing is greedy, so many texts beside one
another. Both are the best of a few repetitions after one that warms up: what else a machine does only ever slows it.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from polyroute.ground.device import device_name
from polyroute.models.contract import ContractReport, check_contract
from polyroute.models.limits import context, words_of
from polyroute.models.routers import find_routers
from polyroute.models.trial import at_rest
from polyroute.sizing.configs import FACTORS, built, counted, reduced
from polyroute.sizing.shape import ModelShape, SizingError, from_config
from polyroute.sizing.speed import ROWS

ON_CPU = 1e9
"""Bytes of weights at most, on a CPU: widths are reduced until they fit."""
OF_GPU = 0.8
"""Share of a GPU's free memory that weights may take."""
_TEXT, _PROMPT, _WRITTEN, _TIMES = 64, 16, 16, 3


@dataclass(frozen=True)
class Rehearsal:
    """What was built, proved and measured."""

    architecture: str
    device: str
    dtype: str
    width: int
    """By which widths were divided; 1 is full size."""
    weights: int
    contract: ContractReport
    reading: float
    """Tokens a second through the backbone."""
    writing: float
    """Tokens a second, `rows` texts beside one another."""
    rows: int
    peak: int
    """Bytes: most that was allocated on the GPU, or resident of this process on a CPU."""
    shape: ModelShape | None
    """Of what was built; None of a type that the arithmetic does not count."""


def rehearse(
    name: str,
    config: Any,
    *,
    device: str,
    dtype: torch.dtype,
    width: int | None = None,
    batch_tokens: int | None = None,
) -> Rehearsal:
    """Build a model with random weights, prove its routers, and measure it.

    Args:
        name: of the model, for messages.
        config: of transformers; it is not changed.
        device: `cpu`, or one GPU.
        dtype: of the weights.
        width: by which widths are divided; None takes the least that fits.
        batch_tokens: of the batch that is read; None takes a large one on a GPU and a small one on a CPU.

    Raises:
        SizingError: not even the smallest fits, or it cannot be built.
        RouterError: the contract is broken.
    """
    gpu = device.startswith("cuda")
    width = _fitting(name, config, dtype, _room(device)) if width is None else width
    small = reduced(config, width)
    if gpu:
        torch.cuda.reset_peak_memory_stats(device)
    with torch.random.fork_rng(devices=[]), torch.device(device):
        torch.manual_seed(0)
        model: Any = built(name, small, dtype)
    routers = find_routers(model)
    report = check_contract(model, routers)
    with at_rest(model), torch.inference_mode():
        reading = _reading(model, batch_tokens or (16384 if gpu else 1024), device)
        writing = _writing(model, device)
    peak = torch.cuda.max_memory_allocated(device) if gpu else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    try:
        shape: ModelShape | None = from_config(model.config.to_dict(), name)
    except SizingError:
        shape = None
    return Rehearsal(
        architecture=type(model).__name__, device=device_name(device),
        dtype=str(dtype).removeprefix("torch."), width=width, weights=sum(one.numel() for one in model.parameters()),
        contract=report, reading=reading, writing=writing, rows=ROWS, peak=int(peak), shape=shape,
    )  # fmt: skip


def _room(device: str) -> float:
    return torch.cuda.mem_get_info(device)[0] * OF_GPU if device.startswith("cuda") else ON_CPU


def _fitting(name: str, config: Any, dtype: torch.dtype, room: float) -> int:
    """The least factor by which widths are divided so that the weights fit."""
    for factor in FACTORS:
        if counted(name, reduced(config, factor)) * dtype.itemsize <= room:
            return factor
    raise SizingError(
        f"{name}: even with widths divided by {FACTORS[-1]} its weights take more than {room / 1e9:.1f} GB: rehearse "
        "it where there is more memory"
    )


def _reading(model: Any, batch_tokens: int, device: str) -> float:
    length = min(_TEXT, context(model))
    ids = torch.randint(0, words_of(model), (max(1, batch_tokens // length), length), device=device)
    base: nn.Module = getattr(model, "base_model", model)
    return ids.numel() / _best(lambda: base(input_ids=ids, use_cache=False), device)


def _writing(model: Any, device: str) -> float:
    """Seconds of more tokens less seconds of one, so that reading the prompt does not count."""
    prompt = min(_PROMPT, max(1, context(model) // 4))
    written = min(_WRITTEN, max(1, context(model) - prompt - 1))
    ids = torch.randint(0, words_of(model), (ROWS, prompt), device=device)

    def write(tokens: int) -> None:
        # No token ends a text: all of them are written.
        model.generate(
            input_ids=ids, attention_mask=torch.ones_like(ids), do_sample=False, min_new_tokens=tokens,
            max_new_tokens=tokens, pad_token_id=0, eos_token_id=None,
        )  # fmt: skip

    longer = _best(lambda: write(1 + written), device) - _best(lambda: write(1), device)
    return ROWS * written / max(longer, 1e-9)


def _best(run: Callable[[], object], device: str) -> float:
    """Seconds of the fastest repetition."""
    seconds = []
    for _ in range(_TIMES):
        begun = time.perf_counter()
        run()
        if device.startswith("cuda"):
            torch.cuda.synchronize(device)
        seconds.append(time.perf_counter() - begun)
    return min(seconds)
