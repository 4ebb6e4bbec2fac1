"""Rules by which an expert is multilingual: the one that paper 1 states, and two older ones of its authors' code.

- `any` (paper 1, arXiv 2510.04694, by its Eq. 3): Delta > tau in any language but English, Delta a difference of
  activation frequencies (`experts.specialised`).
- `three_sd` (XL, expert_importance_eda.ipynb): with d = mean over sequences of the soft mass in a language, less that
  of English, an expert whose d lies more than 3 standard deviations of its layer's d above 0, in any language.
- `weighted_mean`: the same of a weighted mean of d over languages.

The standard deviation is over the E experts of a layer, with divisor E - 1; d sums to 0 over a layer, so its mean is 0.
The layer itself says what is much, so a layer in which all experts move alike has none. Of E values none lies beyond
(E - 1) / sqrt(E) standard deviations from their mean (Samuelson 1968), so layers of 10 experts or fewer never have one.

Deviations from the code: soft mass is used as it is, where the code takes a softmax of what may be probabilities
already; every layer is looked at unless a range is given, the code has 7 to 33 of Qwen3-30B-A3B.

Unit: none is resampled; sets of several rules are set beside one another as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyroute.artifacts.trace import Trace
from polyroute.experts import ExpertSet, set_of
from polyroute.experts.settings import OlderRule
from polyroute.experts.specialised import ExpertsError
from polyroute.ground.layers import LayerRange
from polyroute.measures.specialisation import check_comparable
from polyroute.results.quantities import DECIMALS

SDS = 3
"""Standard deviations of a layer's differences that an expert must exceed."""


def older_experts(
    generic: Trace,
    languages: Iterable[Trace],
    rules: Iterable[OlderRule],
    *,
    weights: Mapping[str, float],
    layers: LayerRange | None = None,
) -> dict[OlderRule, ExpertSet]:
    """The multilingual experts by the older rules.

    Args:
        generic: English generic text.
        languages: the same in other languages; one at a time is in memory if they are made one at a time.
        rules: which ones.
        weights: FLORES code -> its weight in the mean; 1 where it is not named.
        layers: first and last layer; all of them where None.

    Returns:
        Rule -> layer -> experts, ascending.

    Raises:
        ExpertsError: there is no language, weights of all are 0, or a trace holds no soft mass.
        SpecialisationError: as `measures.specialisation.check_comparable`.
    """
    _need_soft_mass(generic)
    base_LE = generic.distributions("soft_mass").mean(axis=0)
    largest_LE = np.full(base_LE.shape, -np.inf)
    sum_LE, total = np.zeros(base_LE.shape), 0.0
    for trace in languages:
        check_comparable(trace, generic)
        _need_soft_mass(trace)
        difference_LE = trace.distributions("soft_mass").mean(axis=0) - base_LE
        largest_LE = np.maximum(largest_LE, standardised(difference_LE))
        weight = weights.get(trace.header.language, 1.0)
        sum_LE, total = sum_LE + weight * difference_LE, total + weight
    if not np.isfinite(largest_LE).all() or total <= 0:
        raise ExpertsError("multilingual experts need at least one language besides the pivot, of a weight above 0")
    found = {"three_sd": largest_LE, "weighted_mean": standardised(sum_LE / total)}
    first, last = (min(generic.header.layers), max(generic.header.layers)) if layers is None else layers
    inside = [place for place, layer in enumerate(generic.header.layers) if first <= layer <= last]
    numbers = [generic.header.layers[place] for place in inside]
    return {rule: set_of(found[rule][inside] > SDS, numbers) for rule in rules}


def standardised(difference_LE: NDArray[np.float64]) -> NDArray[np.float64]:
    """Differences by the standard deviation of their layer (divisor E - 1), rounded; 0 where a layer has none."""
    spread_L1 = difference_LE.std(axis=-1, ddof=1, keepdims=True)
    found_LE: NDArray[np.float64] = np.zeros_like(difference_LE)
    np.divide(difference_LE, spread_L1, out=found_LE, where=spread_L1 > 0)
    return found_LE.round(DECIMALS)


def beside(task: ExpertSet, multilingual: Mapping[OlderRule, ExpertSet], experts: int) -> list[dict[str, Any]]:
    """How a task's experts meet the multilingual ones of each rule.

    Args:
        task: its experts.
        multilingual: rule -> experts; layers that it leaves out hold none.
        experts: E.

    Returns:
        A record a rule, as `results.experts.OlderSets`; `expected` are those in both had each layer's sets been drawn
        at random.
    """
    rows = []
    for rule, chosen in multilingual.items():
        both = sum(len(set(task.get(layer, ())) & set(ours)) for layer, ours in chosen.items())
        expected = sum(len(task.get(layer, ())) * len(ours) for layer, ours in chosen.items()) / experts
        size = sum(map(len, chosen.values()))
        rows.append({"rule": rule, "multilingual": size, "both": both, "expected": round(expected, DECIMALS)})
    return rows


def _need_soft_mass(trace: Trace) -> None:
    if trace.soft_mass is None:
        raise ExpertsError(f"{trace.place} holds counts alone, and the older rules need soft mass: leave them out")
