"""What one set of weights does with parallel text, in a few numbers that can be ranked among random weights.

Random weights with the same tokenizer route translations too: what they do is the null of every claim about depth
and alignment (issue 17, point 2; the claims `p1` ask for it). So a model and each random initialisation are read by
the same code from the same sentences, and compared number by number.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyroute.artifacts.trace import Trace
from polyroute.ground.layers import Zones
from polyroute.measures.divergence import routing_divergence
from polyroute.measures.entropy import routing_entropy
from polyroute.measures.layer_curves import AlignmentError
from polyroute.measures.sentence_alignment import unrelated_divergence
from polyroute.measures.zones import default_zones

READING = "soft_mass"
"""Paper 1's own (Eq. 1)."""


@dataclass(frozen=True)
class Reading:
    """One number of one set of weights."""

    quantity: str
    """early_minus_middle, late_minus_middle: zone means of divergence D, mean over languages. alignment: sentence
    alignment in one layer, mean over languages. entropy_fall_pivot: routing entropy in the early zone less that in the
    late one, in nats, of the pivot. entropy_fall_others: the same, mean over the other languages.
    entropy_fall_steeper: others less pivot."""
    layer: int | None
    """The model's own number, of a quantity by layer; else None."""
    value: float


def summarise(traces: Sequence[Trace], *, zones: Zones | None, shuffles: int, seed: int) -> list[Reading]:
    """Read the quantities off one set of weights.

    Args:
        traces: of parallel sentences, the pivot first, then one a language.
        zones: early, middle and late layers in the model's numbering; by share of depth where None.
        shuffles: other sentences that each one is compared with for sentence alignment.
        seed: of these.

    Returns:
        The five quantities of depth, then alignment by layer.

    Raises:
        AlignmentError: there is no language beside the pivot, fewer than two sentences, sentences are not parallel, or
            a zone holds no traced layer.
        TraceError: the traces hold counts only.
    """
    pivot, *others = traces
    _check(pivot, others)
    inside_3 = _zones(pivot, zones)
    p_NLE = pivot.distributions(READING)
    divergence_VL, alignment_VL, entropy_VL = [], [], []
    for trace in others:
        q_NLE = trace.distributions(READING)
        near_L = routing_divergence(p_NLE, q_NLE).mean(axis=0)
        far_L = unrelated_divergence(p_NLE, q_NLE, shuffles, seed).mean(axis=0)
        divergence_VL.append(near_L)
        # Where no two sentences are told apart, a translation is no nearer than any other.
        alignment_VL.append(1 - np.divide(near_L, far_L, out=np.ones_like(near_L), where=far_L > 0))
        entropy_VL.append(routing_entropy(q_NLE).mean(axis=0))
    early, middle, late = (float(np.mean(np.stack(divergence_VL)[:, inside])) for inside in inside_3)
    fall_pivot = _fall(routing_entropy(p_NLE).mean(axis=0), inside_3)
    fall_others = _fall(np.mean(entropy_VL, axis=0), inside_3)
    depth = {
        "early_minus_middle": early - middle,
        "late_minus_middle": late - middle,
        "entropy_fall_pivot": fall_pivot,
        "entropy_fall_others": fall_others,
        "entropy_fall_steeper": fall_others - fall_pivot,
    }
    aligned = zip(pivot.header.layers, np.mean(alignment_VL, axis=0), strict=True)
    return [Reading(quantity, None, value) for quantity, value in depth.items()] + [
        Reading("alignment", layer, float(value)) for layer, value in aligned
    ]


def _fall(entropy_L: NDArray[np.float64], inside_3: Sequence[NDArray[np.bool_]]) -> float:
    return float(entropy_L[inside_3[0]].mean() - entropy_L[inside_3[2]].mean())


def _check(pivot: Trace, others: Sequence[Trace]) -> None:
    if not others:
        raise AlignmentError(f"{pivot.place} has no language beside it: routing is compared between languages")
    if len(pivot.item_ids) < 2:
        raise AlignmentError(f"{pivot.place} holds a single sentence: alignment compares it with others")
    for trace in others:
        if trace.item_ids != pivot.item_ids or trace.header.layers != pivot.header.layers:
            raise AlignmentError(f"{trace.place} is not of the pivot's sentences and layers: trace the same of both")


def _zones(pivot: Trace, zones: Zones | None) -> list[NDArray[np.bool_]]:
    numbered = np.array(pivot.header.layers) if zones else np.arange(len(pivot.header.layers))
    found = []
    for zone, (first, last) in zones or default_zones(len(numbered)):
        found.append((numbered >= first) & (numbered <= last))
        if not found[-1].any():
            raise AlignmentError(f"zone {zone} = [{first}, {last}] holds no traced layer of {pivot.header.model}")
    return found
