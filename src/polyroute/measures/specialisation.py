"""Specialisation of experts: chosen more often on one text than on English generic text (paper 1, Eq. 3).

    Delta[l, e] = mean_i(a_i[l, e] / T_i) on the domain - mean_i(a_i[l, e] / T_i) on English generic text

a_i[l, e] counts the tokens of sequence i whose top-k holds expert e, T_i its tokens. Mean per sequence first, so a long
sequence weighs as much as a short one; pooled counts recorded elsewhere hold no sequences, and there each token weighs
the same. Delta lies in [-1, 1]; over the experts of a layer it sums to 0 unless the model drops choices.
"""

import numpy as np
from numpy.typing import NDArray

from polyroute.artifacts.trace import Trace
from polyroute.ground.errors import PolyrouteError

MUST_AGREE = (
    "model", "model_digest", "engine", "dtype", "device", "layers", "experts", "top_k", "settings", "versions", "pooled"
)  # fmt: skip
"""What two traces of one model must share for a difference between them to be one of their texts."""


class SpecialisationError(PolyrouteError):
    """Traces of two texts that cannot be compared."""


def activation_frequency(trace: Trace) -> NDArray[np.float64]:
    """Share of a sequence's tokens whose top-k holds the expert, a_i / T_i.

    Returns:
        (N, L, E) in [0, 1].

    Raises:
        SpecialisationError: a sequence has no counted token, or an expert more choices than tokens; names the item.
    """
    for item in np.flatnonzero(trace.tokens < 1):
        raise SpecialisationError(f"{trace.place}: item {trace.item_ids[item]} has no counted token: trace it again")
    for item, layer, expert in np.argwhere(trace.topk_count > trace.tokens[:, None, None]):
        raise SpecialisationError(
            f"{trace.place}: item {trace.item_ids[item]}, layer {trace.header.layers[layer]}, expert {expert} was "
            f"chosen {trace.topk_count[item, layer, expert]} times by {trace.tokens[item]} tokens: trace it again"
        )
    frequency_NLE: NDArray[np.float64] = trace.topk_count / trace.tokens[:, None, None]
    return frequency_NLE


def mean_frequency(trace: Trace) -> NDArray[np.float64]:
    """(L, E) activation frequency in [0, 1], mean over sequences.

    Raises:
        SpecialisationError: as `activation_frequency`.
    """
    mean_LE: NDArray[np.float64] = activation_frequency(trace).mean(axis=0)
    return mean_LE


def specialisation(domain: Trace, generic: Trace) -> NDArray[np.float64]:
    """Delta of every expert (paper 1, Eq. 3).

    Args:
        domain: in-task English text, or generic text in another language.
        generic: English generic text, traced in the same way.

    Returns:
        (L, E) in [-1, 1].

    Raises:
        SpecialisationError: as `check_comparable` and `activation_frequency`.
    """
    check_comparable(domain, generic)
    return mean_frequency(domain) - mean_frequency(generic)


def check_comparable(domain: Trace, generic: Trace) -> None:
    """Refuse two traces whose difference would not be one of either domain or language.

    Raises:
        SpecialisationError: they are of another model, engine or setting; or both or neither of corpus and language
            differ; or they are of one corpus but not of the same items.
    """
    for field in MUST_AGREE:
        ours, theirs = getattr(generic.header, field), getattr(domain.header, field)
        if ours != theirs:
            raise SpecialisationError(
                f"{domain.place} has {field} {theirs}, the generic text's has {ours}: differences of engine and "
                "settings would pass for specialisation; rerun the stage `trace`"
            )
    same_corpus = domain.header.corpus == generic.header.corpus
    if same_corpus == (domain.header.language == generic.header.language):
        raise SpecialisationError(
            f"{domain.place} differs from the generic text ({generic.header.corpus} in {generic.header.language}) in "
            f"{'neither' if same_corpus else 'both'} corpus and language: take in-task text in its language, or the "
            "same corpus in another language"
        )
    if same_corpus and domain.item_ids != generic.item_ids:
        lacking = sorted(set(generic.item_ids) - set(domain.item_ids))[:5]
        extra = sorted(set(domain.item_ids) - set(generic.item_ids))[:5]
        raise SpecialisationError(
            f"{domain.place} is not parallel to the generic text's: it lacks items {lacking or 'none'}, has besides "
            f"{extra or 'none'}, or has them in another order"
        )
