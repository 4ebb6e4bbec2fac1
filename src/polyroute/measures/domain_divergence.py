"""Routing divergence between two texts that are not parallel: in-task English against generic English.

Paper 1 finds a cap over depth here, weaker than the U of languages. There are no sentence pairs, so each text is
pooled to one distribution a layer, in which every token counts the same, and D (Eq. 2) is taken between the two.

Unit: the sentence (or passage) of each text on its own, left out in turn, since its tokens share a topic and a syntax.
So intervals and the shape speak of more text of these two kinds. They say nothing of other domains: of those the unit
is the domain, and a study has two or three, below the five that a verdict over languages needs as well.

D of two samples lies above D of what they were drawn from, by sampling error alone: two samples of one text diverge by
more than 0. The jackknife takes that off. The floor, the divergence of generic text from other generic text, is that of
two halves of its sentences, mean over `SPLITS` random splits, with the same correction; differences between zones are
told less those of the floor.

In simulation (`bench/calibration`) the intervals cover 92 to 97% of true differences, and up to 100% where two texts do
not differ at all; a bootstrap of the sentences covers less (87 to 97%), and is why it is not used.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from polyroute.artifacts.importance import normalise
from polyroute.artifacts.trace import Trace
from polyroute.ground.layers import Zones
from polyroute.measures.chunks import by_chunk
from polyroute.measures.divergence import routing_divergence
from polyroute.measures.rounding import bounded
from polyroute.measures.specialisation import SpecialisationError, check_comparable
from polyroute.measures.zones import Difference, depth_shape, inside
from polyroute.results.quantities import DECIMALS, DepthShape, rounded
from polyroute.stats.bootstrap import Interval
from polyroute.stats.jackknife import jackknife_of_samples

SPLITS = 10
"""Random splits of generic text; the mean of so many varies little."""
FEWEST = 20
"""Sentences of either text, below which a curve has no shape: intervals of fewer cover 90 of 100 true differences."""
Distance = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]
_HALVED = 4
"""Sentences, below which halves cannot lose one."""


@dataclass(frozen=True)
class LeftOut:
    """D by layer without one sentence, for each of them."""

    domain_NL: NDArray[np.float64]
    """Without one of the domain's."""
    generic_NL: NDArray[np.float64]
    """Without one of the generic text's."""
    floor_L: NDArray[np.float64]
    """D between halves of the generic text, mean over splits, nothing left out."""
    floor_NL: NDArray[np.float64]
    """The same without one of its sentences."""


@dataclass(frozen=True)
class DomainDivergence:
    """D between a text and generic text by layer, with what each sentence adds to it."""

    model: str
    corpus: str
    language: str
    layers: tuple[int, ...]
    """The model's own numbers."""
    reading: str
    plug_in_L: NDArray[np.float64]
    """D of the two texts as they are."""
    left: LeftOut | None
    """None where there are no sentences to leave out."""
    confidence: float

    def table(self) -> pd.DataFrame:
        """`results.experts.DomainRow` but its task.

        `value` is corrected for bias and within [0, 1] as its bounds are, `plug_in` is D as it stands. Where no
        sentences are known `value` is `plug_in` and the bounds are NaN.
        """
        blank_L = np.full_like(self.plug_in_L, np.nan)
        found = Interval(self.plug_in_L, blank_L, blank_L)
        if self.left is not None:
            left = (self.left.domain_NL, self.left.generic_NL)
            found = jackknife_of_samples(self.plug_in_L, left, self.confidence)
        value_L, low_L, high_L = (np.clip(part, 0, 1).round(DECIMALS) for part in (found.value, found.low, found.high))
        return pd.DataFrame(
            {
                "model": self.model,
                "corpus": self.corpus,
                "language": self.language,
                "layer": self.layers,
                "reading": self.reading,
                "value": value_L,
                "low": low_L,
                "high": high_L,
                "plug_in": self.plug_in_L.round(DECIMALS),
            }
        )

    def outer_minus_middle(self, zones: Zones) -> tuple[Difference, Difference]:
        """Early minus middle and late minus middle layers, less the same of the floor, with intervals.

        Args:
            zones: in the model's numbering.

        Returns:
            Without sentences the differences as they are, floor and intervals unknown.

        Raises:
            ZoneError: a zone holds no traced layer.
        """
        weights_L2 = self._outer_minus_middle(zones)
        if self.left is None:
            early, late = self.plug_in_L @ weights_L2
            return Difference(float(early), None, None), Difference(float(late), None, None)
        generic_NL = self.left.generic_NL - self.left.floor_NL
        # What the domain's sentences do not touch is taken off all the same, so that each row is the whole statistic.
        domain_NL = self.left.domain_NL - self.left.floor_L
        found = jackknife_of_samples(
            (self.plug_in_L - self.left.floor_L) @ weights_L2,
            (domain_NL @ weights_L2, generic_NL @ weights_L2),
            self.confidence,
        )
        # Of a few sentences the interval may reach beyond what a difference of two divergences can be.
        low, high = np.clip(found.low, -1, 1), np.clip(found.high, -1, 1)
        early, late = (Difference(*map(float, one)) for one in zip(found.value, low, high, strict=True))
        return early, late

    def shape(self, zones: Zones) -> DepthShape | None:
        """What the curve over depth looks like; paper 1 finds a `cap`.

        By the rule for languages: a cap or a U needs both differences beyond 0, each in a one-sided test at half of
        what the confidence leaves. None where either text has fewer than `FEWEST` sentences, or they are not known.

        Raises:
            SpecialisationError: as `outer_minus_middle`.
        """
        differences = self.outer_minus_middle(zones)
        return depth_shape(*differences) if self.left is not None and self.sentences >= FEWEST else None

    @property
    def sentences(self) -> int:
        """Of the text that has fewer; 0 where they are not known."""
        return 0 if self.left is None else min(len(self.left.domain_NL), len(self.left.generic_NL))

    def depth(self, zones: Zones) -> dict[str, Any] | None:
        """Plain data of `results.experts.DomainDepth`; None where no sentences are known.

        Raises:
            SpecialisationError: as `outer_minus_middle`.
        """
        if self.left is None:
            return None
        early, late = self.outer_minus_middle(zones)
        floor = jackknife_of_samples(self.left.floor_L, [self.left.floor_NL], self.confidence).value
        floor_early, floor_late = floor @ self._outer_minus_middle(zones)
        return {
            "sentences": self.sentences,
            "early_minus_middle": bounded(early),
            "late_minus_middle": bounded(late),
            "floor_early_minus_middle": rounded(floor_early),
            "floor_late_minus_middle": rounded(floor_late),
        }

    def _outer_minus_middle(self, zones: Zones) -> NDArray[np.float64]:
        """(L, 2) weights of layers in the two differences."""
        inside_3L = inside(zones, self.layers)
        early_L, middle_L, late_L = inside_3L / inside_3L.sum(axis=1, keepdims=True)
        return np.stack([early_L - middle_L, late_L - middle_L], axis=1)


def domain_divergence(
    domain: Trace,
    generic: Trace,
    *,
    confidence: float,
    seed: int,
    reading: str | None = None,
    distance: Distance = routing_divergence,
) -> DomainDivergence:
    """D between a text and generic text, each pooled (paper 1, Eq. 2).

    Args:
        domain: in-task text in the language of the generic text.
        generic: generic text of the same model, traced in the same way.
        confidence: coverage of intervals.
        seed: of the splits of generic text.
        reading: `soft_mass`, `topk_mass` or `topk_count`; by default the first that the traces can give.
        distance: of two distributions over experts, D unless a multiverse asks for another.

    Raises:
        SpecialisationError: the traces cannot be compared, or are of one corpus, whose sentences are parallel: then
            `measures.alignment` compares them pair by pair.
        TraceError: the traces cannot give the reading.
    """
    check_comparable(domain, generic)
    if domain.header.corpus == generic.header.corpus:
        raise SpecialisationError(f"{domain.place} is parallel to the generic text: compare them sentence by sentence")
    reading = reading or generic.readings[0]
    plug_in_L = distance(generic.pooled(reading), domain.pooled(reading))
    left = None
    if not generic.header.pooled and len(generic.item_ids) >= _HALVED and len(domain.item_ids) > 1:
        left = left_out(_by_sentence(domain, reading), _by_sentence(generic, reading), seed, distance)
    about = domain.header
    return DomainDivergence(
        about.model, about.corpus, about.language, about.layers, reading, plug_in_L, left, confidence
    )


def left_out(
    domain_NLE: NDArray[np.float64],
    generic_NLE: NDArray[np.float64],
    seed: int,
    distance: Distance = routing_divergence,
) -> LeftOut:
    """D without each sentence.

    Args:
        domain_NLE: what each sentence of the domain adds to each expert, over all its tokens.
        generic_NLE: the same of generic text, at least `_HALVED` sentences.
        seed: of the splits of generic text.
        distance: of two distributions over experts.
    """

    def apart(one_NLE: NDArray[np.float64], other_NLE: NDArray[np.float64]) -> NDArray[np.float64]:
        # Subtracting a sentence from a sum may leave -1e-17 of an expert that no other sentence uses.
        return by_chunk(distance, normalise(np.maximum(one_NLE, 0.0)), normalise(other_NLE))

    whole = {"domain": domain_NLE.sum(axis=0), "generic": generic_NLE.sum(axis=0)}
    floor_L, floor_NL = np.zeros(generic_NLE.shape[1]), np.zeros(generic_NLE.shape[:2])
    rng = np.random.default_rng(seed)
    for _ in range(SPLITS):
        first_N = np.zeros(len(generic_NLE), dtype=np.bool_)
        first_N[rng.permutation(len(generic_NLE))[: len(generic_NLE) // 2]] = True
        first_LE, second_LE = generic_NLE[first_N].sum(axis=0), generic_NLE[~first_N].sum(axis=0)
        floor_L += apart(first_LE[None], second_LE[None])[0] / SPLITS
        of_first_N11 = first_N[:, None, None]
        floor_NL += apart(
            np.where(of_first_N11, first_LE, second_LE) - generic_NLE, np.where(of_first_N11, second_LE, first_LE)
        ) / SPLITS  # fmt: skip
    return LeftOut(
        domain_NL=apart(whole["domain"] - domain_NLE, np.broadcast_to(whole["generic"], domain_NLE.shape)),
        generic_NL=apart(whole["generic"] - generic_NLE, np.broadcast_to(whole["domain"], generic_NLE.shape)),
        floor_L=floor_L,
        floor_NL=floor_NL,
    )


def _by_sentence(trace: Trace, reading: str) -> NDArray[np.float64]:
    """(N, L, E) what each sentence adds to a text in which every token counts the same; 0 of one without tokens."""
    mass_NLE = trace.distributions(reading)
    # Counts of a sequence add up to its choices, which are K a token but for dropped ones.
    weight_NL = (
        trace.topk_count.sum(axis=-1, dtype=np.int64)
        if reading == "topk_count"
        else np.broadcast_to(trace.tokens[:, None], mass_NLE.shape[:2])
    )
    return np.where(weight_NL[:, :, None] > 0, mass_NLE * weight_NL[:, :, None], 0.0)
