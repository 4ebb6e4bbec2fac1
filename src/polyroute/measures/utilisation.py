"""How evenly languages load the experts of each layer, and how their loads differ.

A load is the share of a text's choices that fall on an expert; uniform is 1 / E. Over all languages it is the mean of
theirs, so a language with many tokens weighs no more than another.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from polyroute.artifacts.trace import Trace
from polyroute.measures.entropy import routing_entropy
from polyroute.measures.information import PERMUTATIONS, language_information
from polyroute.measures.specificity import overlap_of_choices, specificity_of_choices
from polyroute.measures.usage import UsageError, usage
from polyroute.results.quantities import DECIMALS
from polyroute.results.similarity import UtilisationRow

DEAD_BELOW = 0.1
"""An expert below this share of the uniform load counts as dead."""
HOT_ABOVE = 3.0
"""An expert above this multiple of the uniform load counts as hot."""


def evenness(load_E: ArrayLike) -> NDArray[np.float64]:
    """Entropy of a load by its largest value, ln E; in [0, 1], 1 iff uniform.

    Args:
        load_E: distributions over E >= 2 experts, any leading axes.
    """
    load_E = np.asarray(load_E, dtype=np.float64)
    share: NDArray[np.float64] = routing_entropy(load_E) / np.log(load_E.shape[-1])
    return share


def dead_experts(load_E: ArrayLike, below: float = DEAD_BELOW) -> NDArray[np.int64]:
    """How many experts are never chosen, or less often than a share of the uniform load.

    Args:
        load_E: distributions over E experts, any leading axes.
        below: in [0, 1); 0 counts only those never chosen.
    """
    load_E = np.asarray(load_E, dtype=np.float64)
    dead: NDArray[np.int64] = ((load_E == 0) | (load_E * load_E.shape[-1] < below)).sum(axis=-1)
    return dead


def hot_experts(load_E: ArrayLike, above: float = HOT_ABOVE) -> NDArray[np.int64]:
    """How many experts are chosen more often than a multiple of the uniform load.

    Args:
        load_E: distributions over E experts, any leading axes.
        above: at least 1. With top-k choices no load exceeds E / K times uniform.
    """
    load_E = np.asarray(load_E, dtype=np.float64)
    hot: NDArray[np.int64] = (load_E * load_E.shape[-1] > above).sum(axis=-1)
    return hot


def max_violation(load_E: ArrayLike) -> NDArray[np.float64]:
    """MaxVio, by how much the busiest expert exceeds the mean load (Wang et al. 2024, arXiv 2408.15664, Eq. 4).

    Args:
        load_E: distributions over E experts, any leading axes.

    Returns:
        max load / mean load - 1, in [0, E - 1]; 0 iff uniform, at most E / K - 1 with top-k choices.
    """
    load_E = np.asarray(load_E, dtype=np.float64)
    violation: NDArray[np.float64] = load_E.max(axis=-1) / load_E.mean(axis=-1) - 1
    return violation


def utilisation_table(
    traces: Sequence[Trace],
    *,
    seed: int,
    dead_below: float = DEAD_BELOW,
    hot_above: float = HOT_ABOVE,
    permutations: int = PERMUTATIONS,
) -> pd.DataFrame:
    """Use of experts by layer and language.

    Args:
        traces: of one model on one parallel corpus, each of another language.
        seed: of the permutations behind `information_null`.
        dead_below: share of the uniform load, in [0, 1).
        hot_above: multiple of the uniform load, at least 1.
        permutations: of sentences between languages.

    Returns:
        Those of `results.similarity.UtilisationRow`, a row a layer and language, and one with language "" a layer.
        `specificity` of language "" is the mean over languages; `information_null` and `information_p` are missing
        where counts are pooled or there is one sentence or one language.

    Raises:
        UsageError: as `measures.usage.usage`; or a threshold or `permutations` is out of range.
    """
    if not 0 <= dead_below < 1 or hot_above < 1:
        raise UsageError(
            f"dead_below = {dead_below} must be in [0, 1) and hot_above = {hot_above} at least 1: "
            "they are multiples of the uniform load"
        )
    of = usage(traces)
    information = language_information(traces, seed=seed, permutations=permutations)
    specificity_VL = specificity_of_choices(of)
    together = {
        "specificity": specificity_VL.mean(axis=0),
        "overlap": overlap_of_choices(of),
        "information": information.gain_L,
        "information_null": information.null_L,
        "information_p": information.p_L,
    }
    loads = {"": of.load_VLE.mean(axis=0)} | dict(zip(of.languages, of.load_VLE, strict=True))
    own = {"": together} | {
        language: {"specificity": row_L} for language, row_L in zip(of.languages, specificity_VL, strict=True)
    }
    rows = [
        pd.DataFrame(
            {
                "layer": of.layers,
                "language": language,
                "entropy": routing_entropy(load_LE),
                "evenness": evenness(load_LE),
                "dead": dead_experts(load_LE, dead_below),
                "hot": hot_experts(load_LE, hot_above),
                "max_violation": max_violation(load_LE),
                **own[language],
            }
        )
        for language, load_LE in loads.items()
    ]
    table = pd.concat(rows, ignore_index=True).sort_values("layer", kind="stable", ignore_index=True)
    return table.assign(corpus=of.corpus).reindex(columns=UtilisationRow.columns()).round(DECIMALS)
