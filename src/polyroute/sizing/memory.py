"""What a model takes of a GPU's memory and of the disk.

    memory       weights + cache of a batch + activations of a batch + what CUDA takes itself
    cache        batch_tokens x bytes of keys and values of a token
    activations  batch_tokens x (6 h + (H + 2 G) d + K (3 w + h)) x bytes, and the router's logits in float32, E a token
    disk         the released files, traces of 17 bytes a text, layer and expert

Letters as in `weights`. Weights and cache are exact; activations are those of one layer, of which most are freed before
the next, and were not measured: `polyroute rehearse` measures them. A batch that does not fit is halved, so that a
model fits with an eighth of its batch, and is slower.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from polyroute.sizing.shape import BYTES, ModelShape
from polyroute.sizing.speed import Device, Dtype
from polyroute.sizing.weights import cache_bytes, stored_bytes, weights

CUDA = 1e9
"""Bytes that CUDA and its libraries take of a GPU."""
USABLE = 0.95
"""Share of a GPU's memory that can be filled."""
TRACED = 17
"""Bytes of a trace a text, layer and expert: four readings in float32, one count."""


@dataclass(frozen=True)
class Memory:
    """Bytes by what takes them."""

    weights: float
    cache: float
    activations: float
    cuda: float = CUDA

    @property
    def total(self) -> float:
        """All."""
        return self.weights + self.cache + self.activations + self.cuda


def memory(shape: ModelShape, dtype: Dtype, batch_tokens: int) -> Memory:
    """What a model takes in memory, with a batch of so many padded tokens."""
    width = 6 * shape.hidden + (shape.heads + 2 * shape.kv_heads) * shape.head_dim
    width += shape.top_k * (3 * shape.expert_width + shape.hidden)
    return Memory(
        weights=weights(shape).total * BYTES[dtype],
        cache=batch_tokens * cache_bytes(shape, dtype),
        activations=batch_tokens * (width * BYTES[dtype] + shape.experts * BYTES["float32"]),
    )


SHARES = (1.0, 0.5, 0.25, 0.125)
"""Of a batch, as it is halved where memory is short."""


def gpus_needed(needed: Memory, on: Device) -> int:
    """How many of a device hold the model with the least share of its batch.

    Its layers are divided among them, and each has CUDA's own part.
    """
    return max(1, math.ceil((needed.weights + SHARES[-1] * _of_batch(needed)) / _room(needed, on)))


def share(needed: Memory, on: Device, gpus: int) -> float:
    """The largest share of a batch that so many hold; the least where none does."""
    room = gpus * _room(needed, on) - needed.weights
    return next((part for part in SHARES if part * _of_batch(needed) <= room), SHARES[-1])


def _room(needed: Memory, on: Device) -> float:
    return on.memory * 1e9 * USABLE - needed.cuda


def _of_batch(needed: Memory) -> float:
    return needed.cache + needed.activations


@dataclass(frozen=True)
class Disk:
    """Bytes on disk."""

    checkpoint: float
    traces: float


def disk(shape: ModelShape, dtype: Dtype, sentences: int) -> Disk:
    """The released files, and traces of so many texts."""
    layers = shape.layers - shape.dense_layers
    return Disk(stored_bytes(shape, dtype), sentences * layers * shape.experts * TRACED)
