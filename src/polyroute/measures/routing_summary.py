"""What one set of weights does with parallel text, in a few numbers that can be ranked among random weights.

Random weights with the same tokenizer route translations too: what they do is the null of every claim about depth
and alignment. So a model and each random initialisation are read by the same code from the same sentences, and compared
number by number.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyroute.artifacts.draws import Curves
from polyroute.artifacts.trace import Trace
from polyroute.ground.errors import PolyrouteError
from polyroute.ground.layers import Zones
from polyroute.measures.divergence import routing_divergence
from polyroute.measures.entropy import routing_entropy
from polyroute.measures.sentence_alignment import unrelated_divergence
from polyroute.measures.specificity import overlap_of_choices, rise_zones, specificity_of_choices
from polyroute.measures.usage import Usage
from polyroute.measures.zones import default_zones, inside

READING = "soft_mass"
"""Paper 1's own (Eq. 1)."""


class SummaryError(PolyrouteError):
    """Traces that cannot be summarised together."""


@dataclass(frozen=True)
class Reading:
    """One number of one set of weights."""

    quantity: str
    """Large values are those that a claim speaks of. alignment_middle: the largest alignment in the middle zone.
    early_minus_middle, late_minus_middle: zone means of divergence D, mean over languages. entropy_fall_pivot: routing
    entropy in the early zone less that in the late one, in nats, of the pivot. entropy_fall_others: the same, mean over
    the other languages. entropy_fall_steeper: others less pivot. overlap_middle_minus_early, overlap_middle_minus_late:
    overlap of experts over all languages in the zones of `specificity.rise_zones`. specificity_outer_minus_middle:
    specificity there, mean of the outer zones less the middle, mean over languages. By layer: alignment and divergence,
    mean over languages."""
    layer: int | None
    """The model's own number, of a quantity by layer; else None."""
    value: float


def summarise(traces: Sequence[Trace], *, zones: Zones | None, nearest: int, seed: int) -> list[Reading]:
    """Read the quantities off one set of weights: `over_depth` of `by_layer`."""
    return over_depth(by_layer(traces, nearest=nearest, seed=seed), zones)


def by_layer(traces: Sequence[Trace], *, nearest: int, seed: int) -> Curves:
    """Read one set of weights layer by layer, whatever the zones.

    Args:
        traces: of parallel sentences, the pivot first, then one a language.
        nearest: other sentences of the most similar length that each one is compared with for sentence alignment.
        seed: of the order among sentences of one length.

    Raises:
        SummaryError: there is no language beside the pivot, fewer than two sentences, or sentences are not parallel.
        TraceError: the traces hold counts only.
    """
    pivot, *others = traces
    _check(pivot, others)
    p_NLE = pivot.distributions(READING)
    divergence_VL, alignment_VL, entropy_VL = [], [], []
    for trace in others:
        q_NLE = trace.distributions(READING)
        near_L = routing_divergence(p_NLE, q_NLE).mean(axis=0)
        far_L = unrelated_divergence(p_NLE, q_NLE, trace.tokens, nearest, seed).mean(axis=0)
        divergence_VL.append(near_L)
        # Where no two sentences are told apart, a translation is no nearer than any other.
        alignment_VL.append(1 - np.divide(near_L, far_L, out=np.ones_like(near_L), where=far_L > 0))
        entropy_VL.append(routing_entropy(q_NLE).mean(axis=0))
    overlap_L, specificity_L = _use(traces)
    return Curves(
        layers=list(pivot.header.layers),
        alignment=np.mean(alignment_VL, axis=0).tolist(),
        divergence=np.mean(divergence_VL, axis=0).tolist(),
        entropy_pivot=routing_entropy(p_NLE).mean(axis=0).tolist(),
        entropy_others=np.mean(entropy_VL, axis=0).tolist(),
        overlap=overlap_L.tolist(),
        specificity=specificity_L.tolist(),
    )


def over_depth(curves: Curves, zones: Zones | None) -> list[Reading]:
    """The quantities of one set of weights.

    Args:
        curves: from `by_layer`.
        zones: early, middle and late layers in the model's numbering; by share of depth where None.

    Returns:
        The quantities of the whole depth, then alignment and divergence by layer.

    Raises:
        ZoneError: a zone holds no traced layer.
    """
    inside_3L = inside(zones or default_zones(curves.layers), curves.layers)
    divergence_L, alignment_L = np.array(curves.divergence), np.array(curves.alignment)
    early, middle, late = (float(divergence_L[inside_L].mean()) for inside_L in inside_3L)
    fall_pivot = _fall(np.array(curves.entropy_pivot), inside_3L)
    fall_others = _fall(np.array(curves.entropy_others), inside_3L)
    depth = {
        "alignment_middle": float(alignment_L[inside_3L[1]].max()),
        "early_minus_middle": early - middle,
        "late_minus_middle": late - middle,
        "entropy_fall_pivot": fall_pivot,
        "entropy_fall_others": fall_others,
        "entropy_fall_steeper": fall_others - fall_pivot,
        **_use_over_depth(curves),
    }
    each = {"alignment": alignment_L, "divergence": divergence_L}
    return [Reading(quantity, None, value) for quantity, value in depth.items()] + [
        Reading(quantity, layer, float(value))
        for quantity, value_L in each.items()
        for layer, value in zip(curves.layers, value_L, strict=True)
    ]


def spread(items: int, most: int | None) -> NDArray[np.int64]:
    """Places of at most so many of a corpus's sentences, at even steps, since neighbours are often of one source.

    Args:
        items: sentences of the corpus.
        most: how many are wanted; all of them where None.
    """
    wanted = items if most is None else min(items, most)
    return np.arange(wanted, dtype=np.int64) * items // max(1, wanted)


def _use(traces: Sequence[Trace]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Overlap and specificity of experts by layer."""
    first = traces[0].header
    of = Usage(
        first.corpus,
        tuple(trace.header.language for trace in traces),
        first.layers,
        np.stack([trace.topk_count.sum(axis=0, dtype=np.int64) for trace in traces]),
        np.array([trace.tokens.sum() for trace in traces]),
    )
    return overlap_of_choices(of), specificity_of_choices(of).mean(axis=0)


def _use_over_depth(curves: Curves) -> dict[str, float]:
    """Overlap and specificity of experts over depth."""
    inside_3L = inside(rise_zones(curves.layers), curves.layers)
    overlap_L, specificity_L = np.array(curves.overlap), np.array(curves.specificity)
    (shared_early, shared_middle, shared_late), (own_early, own_middle, own_late) = (
        [float(value_L[inside_L].mean()) for inside_L in inside_3L] for value_L in (overlap_L, specificity_L)
    )
    return {
        "overlap_middle_minus_early": shared_middle - shared_early,
        "overlap_middle_minus_late": shared_middle - shared_late,
        "specificity_outer_minus_middle": (own_early + own_late) / 2 - own_middle,
    }


def _fall(entropy_L: NDArray[np.float64], inside_3L: NDArray[np.bool_]) -> float:
    return float(entropy_L[inside_3L[0]].mean() - entropy_L[inside_3L[2]].mean())


def _check(pivot: Trace, others: Sequence[Trace]) -> None:
    if not others:
        raise SummaryError(f"{pivot.place} has no language beside it: routing is compared between languages")
    if len(pivot.item_ids) < 2:
        raise SummaryError(f"{pivot.place} holds a single sentence: alignment compares it with others")
    for trace in others:
        if trace.item_ids != pivot.item_ids or trace.header.layers != pivot.header.layers:
            raise SummaryError(f"{trace.place} is not of the pivot's sentences and layers: trace the same of both")
