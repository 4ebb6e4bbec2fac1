"""How the values of a measure by layer come from traces.

A measure is one module with a `MEASURE`, whose name stands in `measures.registry.MEASURES`. Rows of layers.csv, their
check against `bounds`, figures and MLflow follow from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from polyroute.artifacts.importance import HEAD
from polyroute.artifacts.trace import Trace
from polyroute.measures.chunks import by_chunk
from polyroute.measures.midpoints import halves
from polyroute.measures.of_tokens import LayerMeasure
from polyroute.stats.bootstrap import Bootstrap, Interval

POOLED = "_pooled"
"""Ends the name of a measure of the corpus as one distribution a layer."""


@dataclass(frozen=True)
class Drawing:
    """What is drawn by chance."""

    bootstrap: Bootstrap | None
    """Resamples of sentences; None of counts recorded elsewhere, which hold none."""
    nearest: int
    """Other sentences of the most similar length that each one is compared with."""
    seed: int


@dataclass
class Compared:
    """One reading of one language beside the pivot's."""

    pivot: Trace
    trace: Trace
    reading: str
    headline: bool
    """Whether summaries show this reading."""
    drawing: Drawing
    of_pivot: Compared | None = None
    """The pivot's own, kept from language to language; None of the pivot itself."""
    _kept: dict[Callable[[Compared], NDArray[np.float64]], NDArray[np.float64]] = field(default_factory=dict)

    @property
    def of_head(self) -> bool:
        """Whether this is of the first tokens of sentences alone."""
        return self.reading == HEAD

    @property
    def bootstrap(self) -> Bootstrap:
        """Resamples of the sentences that a measure by sentence has."""
        assert self.drawing.bootstrap is not None, "pooled traces have no sentences to resample"
        return self.drawing.bootstrap

    @property
    def beside(self) -> Compared:
        """The pivot's own."""
        return self.of_pivot or self

    @property
    def p_NLE(self) -> NDArray[np.float64]:
        """The pivot's distributions."""
        return self.beside.q_NLE

    @cached_property
    def q_NLE(self) -> NDArray[np.float64]:
        """The language's distributions, in the same order of sentences."""
        return self.trace.distributions(self.reading)

    @cached_property
    def pooled_LE(self) -> NDArray[np.float64]:
        """The language's corpus as one distribution a layer."""
        return self.trace.pooled(self.reading)

    @cached_property
    def half_NLE(self) -> NDArray[np.floating]:
        """The language's distributions for midpoints with many others."""
        return halves(self.q_NLE)

    def once(self, values: Callable[[Compared], NDArray[np.float64]]) -> NDArray[np.float64]:
        """(N, L) values of each sentence, computed once however many measures need them."""
        if values not in self._kept:
            self._kept[values] = values(self)
        return self._kept[values]


@dataclass(frozen=True)
class OfDistributions(LayerMeasure):
    """A function of distributions over experts: of every reading, sentence by sentence and of the pooled corpus."""

    of: Callable[..., NDArray[np.float64]]
    """From q, or p of the pivot and q, to a number, over the last axis."""

    def by_sentence(self, of: Compared) -> NDArray[np.float64]:
        """(N, L) of each sentence."""
        return by_chunk(self.of, *((of.p_NLE, of.q_NLE) if self.pivot else (of.q_NLE,)))

    def curves(self, of: Compared) -> Iterator[tuple[str, Interval]]:
        """The pooled curve, which has no interval, and the mean over sentences; of first tokens this alone."""
        if of.reading not in of.trace.readings and not of.of_head:
            return
        if not of.of_head:
            pooled = [one.pooled_LE for one in ((of.beside, of) if self.pivot else (of,))]
            value_L = self.of(*pooled)
            blank_L = np.full(len(value_L), np.nan)
            yield self.name + POOLED, Interval(value_L, blank_L, blank_L)
        if not of.trace.header.pooled:
            yield self.name, of.bootstrap.mean(of.once(self.by_sentence))


@dataclass(frozen=True)
class OfSentences(LayerMeasure):
    """A measure that needs all sentences at once: of the reading that summaries show, and of first tokens."""

    over_sentences: Callable[[Compared], Interval]
    """(L,) with its interval."""

    def curves(self, of: Compared) -> Iterator[tuple[str, Interval]]:
        """One curve, where there are sentences."""
        if (of.headline or of.of_head) and not of.trace.header.pooled:
            yield self.name, self.over_sentences(of)
