"""How fast a model reads and writes on a device, by two constants fitted to six measurements.

    FLOPs a token   2 (weights it is multiplied with) + 4 L H d s / 2     s tokens before it on average are s / 2
    reading         tokens / s = EFFICIENCY * peak / FLOPs a token
    a step          seconds = L * OVERHEAD + bytes read / bandwidth + B * FLOPs a token / (EFFICIENCY * peak)
    writing         tokens / s = B / seconds of a step

A step writes one token of each of B texts. It reads the experts that any of them is sent to, E (1 - (1 - K / E)^B) of a
layer if all are as likely, every other weight, and B caches of keys and values. OVERHEAD is what transformers, one
kernel after another, takes a layer beside the work itself.

EFFICIENCY is fitted to the three measured speeds of reading, OVERHEAD to the three of writing (`measured.toml`), each
so that the largest of three ratios is as small as can be. That the same share of the peak and the same overhead hold on
another device is assumed and was not measured; a slower host has a larger overhead. On a CPU the overhead is the same
assumption and hardly counts.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import Field

from polyroute.ground.frozen import Frozen
from polyroute.sizing.shape import BYTES, ModelShape, SizingError, table
from polyroute.sizing.weights import cache_bytes, weights

EFFICIENCY = 0.161
"""Share of a device's peak that reading reaches."""
OVERHEAD = 2.54e-3
"""Seconds a layer of one step of writing takes beside its work."""
SENTENCE = 64
"""Tokens of a text when reading was measured, as good as nothing beside the weights."""

Dtype = Literal["float32", "bfloat16", "float16"]


class Device(Frozen):
    """A GPU or CPU, as its maker states it."""

    title: str
    memory: float = Field(gt=0)
    """GB."""
    bandwidth: float = Field(gt=0)
    """GB/s."""
    bfloat16: float = Field(gt=0)
    """TFLOP/s."""
    float32: float = Field(gt=0)
    """TFLOP/s."""
    source: str

    def peak(self, dtype: Dtype) -> float:
        """FLOP/s."""
        return (self.float32 if dtype == "float32" else self.bfloat16) * 1e12


@cache
def devices() -> dict[str, Device]:
    """Name -> device, of `devices.toml`."""
    held = tomllib.loads((files("polyroute.sizing") / "devices.toml").read_text(encoding="utf-8"))
    return {name: Device(**entry) for name, entry in held.items()}


def device(name: str) -> Device:
    """One device by name.

    Raises:
        SizingError: the table lacks it.
    """
    if name not in devices():
        raise SizingError(f"there is no device `{name}`; there are {', '.join(devices())}")
    return devices()[name]


def of_gpu(driver: str) -> Device | None:
    """The device that a driver calls so, such as `NVIDIA A100-SXM4-80GB`; None where the table lacks it."""
    return next((one for one in devices().values() if one.title.removesuffix(f" {one.memory:g} GB") in driver), None)


def flops(shape: ModelShape, before: float, *, head: bool) -> float:
    """FLOPs of one token.

    Args:
        shape: of the model.
        before: tokens that it attends to.
        head: whether the output is computed too.
    """
    counted = weights(shape)
    multiplied = counted.backbone_active + (counted.vocabulary_rows if head else 0)
    return 2 * multiplied + 4 * shape.layers * shape.heads * shape.head_dim * before


def reading(shape: ModelShape, on: Device, dtype: Dtype, length: float = SENTENCE) -> float:
    """Tokens a second through the backbone, in full batches of texts of so many tokens."""
    return EFFICIENCY * on.peak(dtype) / flops(shape, length / 2, head=False)


@dataclass(frozen=True)
class Step:
    """One step of writing: a token of every text of a batch."""

    rows: int
    overhead: float
    """Seconds, as the next two."""
    memory: float
    work: float
    bytes_read: float

    @property
    def seconds(self) -> float:
        """Of the whole step."""
        return self.overhead + self.memory + self.work

    @property
    def tokens(self) -> float:
        """Written a second."""
        return self.rows / self.seconds


def writing(shape: ModelShape, on: Device, dtype: Dtype, rows: int, length: float) -> Step:
    """A step of writing.

    Args:
        shape: of the model.
        on: what it runs on.
        dtype: of weights and cache.
        rows: texts that are written beside one another.
        length: tokens of a text so far, its prompt with them.
    """
    counted = weights(shape)
    met = counted.experts * (1 - (1 - counted.top_k / counted.experts) ** rows)
    others = counted.attention + counted.router + counted.dense + counted.vocabulary_rows
    read = (others + counted.sparse_layers * met * counted.expert) * BYTES[dtype]
    read += rows * length * cache_bytes(shape, dtype)
    return Step(
        rows=rows,
        overhead=shape.layers * OVERHEAD,
        memory=read / (on.bandwidth * 1e9),
        work=rows * flops(shape, length, head=True) / (EFFICIENCY * on.peak(dtype)),
        bytes_read=read,
    )


class Measured(Frozen):
    """Speeds of a model that were measured on one H200."""

    forward: float
    decoding: float


@dataclass(frozen=True)
class Checked:
    """One measured speed beside the estimated one."""

    model: str
    what: Literal["reading", "writing"]
    measured: float
    """Tokens a second, as the next."""
    estimated: float

    @property
    def factor(self) -> float:
        """By which the two differ, at least 1."""
        return max(self.measured / self.estimated, self.estimated / self.measured)


ROWS, LENGTH = 32, 128.0
"""Texts in a batch when writing was measured, and about how long they were, prompts with them."""


def check() -> list[Checked]:
    """Every measured speed beside the estimated one."""
    held = tomllib.loads((files("polyroute.sizing") / "measured.toml").read_text(encoding="utf-8"))
    h200, found = device("h200"), []
    for name, entry in held.items():
        seen, shape = Measured(**entry), table()[name]
        found.append(Checked(name, "reading", seen.forward, reading(shape, h200, "bfloat16")))
        found.append(Checked(name, "writing", seen.decoding, writing(shape, h200, "bfloat16", ROWS, LENGTH).tokens))
    return found
