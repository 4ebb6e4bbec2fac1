"""How numbers and tables are written in reports: accuracy in percent, its differences in points."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import pandas as pd

from polyroute.languages import table as languages
from polyroute.results.alignment import Lacking, OverLanguages
from polyroute.results.correlation import CorrelationVerdict
from polyroute.results.experts import TaskExperts
from polyroute.results.masking import MaskCode
from polyroute.results.nulls import NotRun, NullsSummary, NullVerdict
from polyroute.results.quantities import MiddleRule
from polyroute.results.steering import VerdictCode

LEVEL = 0.05
"""A q below it is called significant."""
NONE = "–"
"""What a cell without a value holds."""
NOT_SIGNIFICANT = "not distinguishable from chance"
"""Of a test whose q is not below 0.05; it says neither that there is an effect nor that there is none."""


HELPS: dict[VerdictCode, str] = {
    "helps": "yes",
    "helps_unranked": "yes, but not ranked: too few random sets",
    "random_do_as_well": "no: random experts do as well",
    "hurts": "no: it hurts",
    "no_difference": "no: within 1 point of the baseline",
    "not_distinguishable": "not distinguishable from the baseline",
    "too_few_items": "inconclusive: too few items",
    "cannot_be_told": "cannot be tested: nothing is right without it, or no possible difference would be significant",
}
"""Verdict on a plan -> whether it helps."""
HELPS_IN_SHORT: dict[VerdictCode, str] = {
    "helps": "yes", "helps_unranked": "yes (not ranked)", "random_do_as_well": "no more than random experts",
    "hurts": "hurts", "no_difference": "no", "not_distinguishable": "not distinguishable",
    "too_few_items": "too few items", "cannot_be_told": "cannot be tested",
}  # fmt: skip
OWN_LOSS: dict[MaskCode, str] = {
    "hurts": "hurts its own language",
    "helps": "raises its own language",
    "no_loss": "no loss in its own language: within 1 point",
    "not_distinguishable": "own language not distinguishable from the unmasked model",
    "too_few_items": "inconclusive: too few items",
    "cannot_be_told": "cannot be tested: nothing is right without masks, or no possible loss would be significant",
    "not_masked": "not masked",
}
"""What masks do to the language whose exclusive experts they take."""
CORRELATION: dict[CorrelationVerdict, str] = {
    "negative": "as the paper: negative in the middle zone",
    "positive": "opposite: positive in the middle zone",
    "not_distinguishable": "not distinguishable from none in the middle zone",
    "cannot_be_seen": "inconclusive: too few languages",
}
"""Verdict on divergence and accuracy -> what is said."""
CORRELATION_BY_FAMILY: dict[CorrelationVerdict, str] = {
    "negative": "negative", "positive": "positive", "not_distinguishable": "not distinguishable from none",
}  # fmt: skip
"""The same with the family as the unit, where the two disagree."""
NULLS: dict[NullVerdict, str] = {
    "beyond_random_init": "beyond random initialisations",
    "not_distinguishable": "not distinguishable from random initialisations",
    "not_run": "not compared with random initialisations",
}
"""Verdict on a quantity among random initialisations of the architecture -> what is said of the model."""
NO_NULLS: dict[NotRun, str] = {
    "recorded": "its counts were recorded elsewhere, without the model",
    "too_large": "each would have more weights than nulls.most_weights",
    "cannot_build": "its architecture cannot be built with random weights",
}
"""Why a model has no random initialisations -> words."""
LACKING: dict[Lacking, str] = {
    "soft_mass": "the softmax of the router's logits",
    "sentences": "single sentences (alignment, intervals over sentences)",
    "token_pairs": "pairs of tokens (consistency)",
}
"""What counts recorded elsewhere do not hold -> words."""
WITHIN = "within this model's sentences, no evidence against random weights"
"""What a permutation of sentences says of alignment where no random initialisation was read."""
MIDDLE: dict[MiddleRule, str] = {
    "trough": "",
    "shallow": ", default zone: trough too shallow",
    "at_first_layer": ", default zone: no trough, lowest from the first layer on",
    "at_last_layer": ", default zone: no trough, lowest up to the last layer",
    "few_languages": ", default zone: trough in too few languages",
    "params": ", set in params.yaml",
}
"""What decided on the layers of the middle -> what is said after them."""


def percent(share: float) -> str:
    """A share of right answers in percent, `76.4`."""
    return _plain(100 * share, 1)


def points(difference: float) -> str:
    """A difference of two shares in points, `+1.6`."""
    return _plain(100 * difference, 1, sign=True)


def points_with_interval(row: pd.Series) -> str:
    """`difference` of a row with its interval in points, `+1.6 [0.3, 2.9]`."""
    return f"{points(row['difference'])} [{_plain(100 * row['low'], 1)}, {_plain(100 * row['high'], 1)}]"


def coefficient(value: float) -> str:
    """A correlation, `-0.81`."""
    return _plain(value, 2)


def chance(q: float) -> str:
    """A p- or q-value, `0.004`; below a thousandth `<0.001`."""
    return "<0.001" if q < 0.001 else f"{q:.3f}"


def named(code: str) -> str:
    """English name of a language."""
    return languages.get(code).name


def layers(numbers: Sequence[int]) -> str:
    """`layer 3` or `layers 2-5`."""
    return f"layer{'s' if len(numbers) != 1 else ''} {spans(numbers)}"


def spans(layers: Sequence[int]) -> str:
    """Ascending layers in short: `0, 3-5`."""
    runs: list[list[int]] = []
    for layer in layers:
        if runs and layer == runs[-1][-1] + 1:
            runs[-1].append(layer)
        else:
            runs.append([layer])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def markdown(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    head = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    return "\n".join([*head, *(f"| {' | '.join(cells)} |" for cells in rows)])


def _plain(value: float, digits: int, *, sign: bool = False) -> str:
    """Rounded, without a minus before nothing; a dash where there is no number."""
    if not math.isfinite(value):
        return NONE
    return f"{round(value, digits) + 0.0:{'+' if sign else ''}.{digits}f}"


def layer_range(span: Sequence[int]) -> str:
    """First and last layer in short: `3-5`."""
    return spans(range(span[0], span[1] + 1))


def shape(over: OverLanguages) -> str:
    """The shape of divergence over depth, and that by family where it is another."""
    if over.shape is None:
        return f"too few languages ({over.languages})"
    by_family = over.by_family
    if by_family.shape is None:
        return f"{over.shape} (too few families to check)"
    return over.shape if by_family.agrees else f"{over.shape} (by family {by_family.shape})"


def domain_shape(held: TaskExperts) -> str:
    """The shape of a domain's divergence over depth, or why it has none."""
    if held.domain_shape is not None:
        return held.domain_shape
    if held.domain_depth is None:
        return "no sentences known"
    return f"too few sentences ({held.domain_depth.sentences})"


def nulls(found: NullsSummary | None) -> str:
    """Whether alignment lies beyond random initialisations, and by what rank."""
    if found is None or found.not_run is not None:
        why = "" if found is None or found.not_run is None else f" ({NO_NULLS[found.not_run]})"
        return NULLS["not_run"] + why
    middle = found.quantities["alignment_middle"]
    return (
        f"{NULLS[found.verdict]} (middle zone {_plain(middle.value, 2)}, largest of {found.draws} random "
        f"{_plain(middle.largest, 2)}; rank p {chance(middle.p)})"
    )


def depth_nulls(found: NullsSummary | None) -> str:
    """Whether divergence over depth lies beyond random initialisations; nothing where none was read."""
    if found is None or found.not_run is not None:
        return ""
    ranks = (
        f"{zone} - middle {NULLS[ranked.verdict]} (p {chance(ranked.p)})"
        for zone, ranked in (
            ("early", found.quantities["early_minus_middle"]), ("late", found.quantities["late_minus_middle"])
        )
    )  # fmt: skip
    return ", ".join(ranks)
