"""Which plan each token of a step follows, and whose prefix may be taken up.

A request names its plan: `SamplingParams(extra_args={"plan": name})`, over HTTP `"vllm_xargs": {"plan": name}`. The
batch holds tokens of many requests, one after another: before each step their slots are written, in place, into a
tensor that all layers read. Tokens beyond the last request's have slot 0.

Keys and values of a prompt depend on the plan, so the same prompt under another plan shares no block of the prefix
cache.

This module imports vLLM inside its functions alone; `door`, where requests are turned away, needs it at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from polyroute.engines.vllm.given import held

_TENSOR: list[Tensor] = []
"""Of this process, once there is a layer: (T,) int64, the slot of each token's plan."""
_WRITTEN: list[np.ndarray[Any, np.dtype[np.int64]]] = []
"""What was written into it last."""


def slots_of_tokens(config: Any) -> Tensor:
    """The tensor of this process, on the device that is the default while a model is built."""
    if not _TENSOR:
        graphs = config.compilation_config.max_cudagraph_capture_size or 0
        size = max(config.scheduler_config.max_num_batched_tokens, graphs)
        _TENSOR.append(torch.zeros(size, dtype=torch.int64))
    return _TENSOR[0]


def assign(model_runner: Any) -> None:
    """Write the slots of a step's tokens.

    Args:
        model_runner: vLLM's `GPUModelRunner`, whose inputs of the step are prepared.
    """
    plans = held()
    if plans is None or not _TENSOR:
        return
    names = model_runner.input_batch.req_ids
    lengths = np.diff(model_runner.query_start_loc.np[: len(names) + 1])
    asked = (model_runner.requests[name].sampling_params for name in names)
    slots = [0 if one is None else plans.slot_of(one.extra_args) for one in asked]
    new = np.repeat(np.array(slots, dtype=np.int64), lengths)
    before = _WRITTEN[0] if _WRITTEN else np.zeros(0, dtype=np.int64)
    if np.array_equal(new, before):
        return  # as in most steps of decoding
    slot_T = _TENSOR[0]
    slot_T[: len(new)].copy_(torch.from_numpy(new))
    if len(before) > len(new):
        slot_T[len(new) : len(before)].zero_()
    _WRITTEN[:] = [new]


def wrap_forward() -> None:
    """Have every step's slots written before its forward; a second call changes nothing."""
    from vllm.v1.worker.gpu_model_runner import GPUModelRunner

    forward = GPUModelRunner._model_forward
    if getattr(forward, "polyroute", False):
        return

    def _model_forward(self: Any, *args: Any, **kwargs: Any) -> Any:
        assign(self)
        return forward(self, *args, **kwargs)

    _model_forward.polyroute = True  # type: ignore[attr-defined]
    GPUModelRunner._model_forward = _model_forward


def wrap_block_keys() -> None:
    """Make the plan a part of a prompt's first block in the prefix cache; a second call changes nothing."""
    from vllm.v1.core import block_pool, kv_cache_utils

    generate = kv_cache_utils.generate_block_hash_extra_keys
    if getattr(generate, "polyroute", False):
        return

    def generate_block_hash_extra_keys(request: Any, start_token_idx: int, *args: Any, **kwargs: Any) -> Any:
        keys, seen = generate(request, start_token_idx, *args, **kwargs)
        plans, asked = held(), getattr(request, "sampling_params", None)
        if start_token_idx == 0 and plans is not None and asked is not None:
            key = plans.key_of(asked.extra_args)
            if key is not None:
                keys = (*(keys or ()), ("polyroute", key))
        return keys, seen

    generate_block_hash_extra_keys.polyroute = True  # type: ignore[attr-defined]
    for module in (kv_cache_utils, block_pool):
        module.generate_block_hash_extra_keys = generate_block_hash_extra_keys
