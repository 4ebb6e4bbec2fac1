"""What a measure by layer says of itself, and those of tokens, which are taken while the model runs.

A measure of tokens is one module with a `MEASURE`, whose name stands in `measures.traced.TRACED`: traces hold a column
of its name. Whatever its module imports of ours is code that makes traces, and editing that traces every model anew:
this module and those of `TRACED` import no other of ours. They work on tensors, and import torch for types alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor

    from polyroute.measures.layer_measure import Compared
    from polyroute.stats.bootstrap import Interval


class Routed(Protocol):
    """What one router made of T tokens, padding among them; see `models.taps.RouterCall`."""

    @property
    def logits_TE(self) -> Tensor:
        """Router logits, before the model's own selection."""

    @property
    def weights_TK(self) -> Tensor:
        """The model's own weights of chosen experts; 0 marks a choice that it dropped."""

    @property
    def ids_TK(self) -> Tensor:
        """Chosen experts."""


@dataclass(frozen=True)
class LayerMeasure:
    """A measure of each language in each layer."""

    name: str
    """In layers.csv and in file names of figures."""
    _: KW_ONLY
    title: str
    """Of its figure; may name the `{pivot}`."""
    unit: str
    bounds: tuple[float, float]
    """The least and the largest value there can be, infinite where none is; with a largest, heights in figures read as
    amounts."""
    pivot: bool
    """Whether it compares with the pivot, which then has none."""
    axis: str = ""
    """Label of its axis; may name the `{pivot}` and the entropy of `{uniform}` routing. Empty: the title and unit."""
    drawn: bool = True
    """Whether it has a figure."""

    def curves(self, of: Compared) -> Iterator[tuple[str, Interval]]:
        """Name and (L,) values of each curve in one reading; none where the measure does not read it."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class _Traced(LayerMeasure):
    """A mean that traces hold as a column of the measure's name."""

    pivot: bool = False
    reading: str
    """What of the routers' output it reads."""

    def curves(self, of: Compared) -> Iterator[tuple[str, Interval]]:
        """One curve, where the trace holds the column: counts recorded elsewhere and older traces may not."""
        if of.reading == self.reading and self.name in of.trace.of_tokens:
            yield self.name, of.bootstrap.mean(of.trace.token_mean(self.name))


@dataclass(frozen=True, kw_only=True)
class OfTokens(_Traced):
    """Mean over the counted tokens of a sequence."""

    of: Callable[[Routed], Tensor]
    """(T,) a number for each token; what it says of padding is left out."""


@dataclass(frozen=True, kw_only=True)
class OfPairs(_Traced):
    """Mean over sampled pairs of counted tokens of a sequence (`tracing.pairs`); NaN where it has no such pair."""

    apart: int = 1
    """Least distance of the two tokens of a pair."""

    of: Callable[[Routed, Tensor], Tensor]
    """(P,) a number for each pair of tokens, from (P, 2) their places among the T."""
