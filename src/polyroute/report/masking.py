"""What masks of exclusive experts did on one task, and a verdict by a stated rule.

Paper 2 finds that masking the experts that are exclusive to a language hurts that language, in early and late layers
most. For each score and range of layers mask.json holds the mean difference of the masked from the unmasked model with
95% intervals over items: `diagonal`, where the asked language is the one whose experts are masked, and how it differs
from other languages' (`own_minus_others`) and from random experts, as many and as frequent (`own_minus_random`). The
verdict, for each range by itself:

- "hurts its own language, beyond others and beyond random experts": all three lie below 0 with their intervals;
- "hurts its own language beyond random experts, others no less": not told from the others;
- "hurts its own language more than others, as random experts do": not told from random experts;
- "hurts its own language, as random experts do, others no less": told from neither;
- "no loss told in its own language": the interval of `diagonal` is not below 0;
- "...; random experts cost it more": `own_minus_random` lies above 0 with its interval;
- "not masked": no language has an exclusive expert there, or none could be masked.
"""

from __future__ import annotations

import pandas as pd

from polyroute.report import wording
from polyroute.results.masking import MaskHeadline, MeanDifference, Score
from polyroute.results.model import Masking

SCORES: dict[Score, str] = {"accuracy": "score on", "consistency": "answers in the asked language on"}
"""What mask.csv calls a score -> in plain words, before the name of a task."""


def verdict(headline: MaskHeadline) -> str:
    """The verdict on a range, by the rule of this module.

    Args:
        headline: of one score and range.
    """
    if headline.diagonal.value is None:
        return "not masked"
    beside_random = _sign(headline.own_minus_random)
    match _sign(headline.own_minus_others) < 0, beside_random < 0:
        case True, True:
            words = "hurts its own language, beyond others and beyond random experts"
        case False, True:
            words = "hurts its own language beyond random experts, others no less"
        case True, False:
            words = "hurts its own language more than others, as random experts do"
        case _:
            words = "hurts its own language, as random experts do, others no less"
    if _sign(headline.diagonal) >= 0:
        words = "no loss told in its own language"
    if beside_random > 0:
        words = words.replace(", as random experts do", "") + "; random experts cost it more"
    return words


def _sign(held: MeanDifference) -> int:
    """Side of 0 that an interval lies on; 0 where it holds 0 or there is none."""
    if held.low is None or held.high is None:
        return 0
    return 1 if held.low > 0 else -1 if held.high < 0 else 0


def matrix(found: Masking, task: str, score: str, where: str, kind: str, column: str = "difference") -> pd.DataFrame:
    """A column of mask.csv for every pair: a row an evaluated language, a column a target; the mean over draws.

    Args:
        found: of a model.
        task: one of `found.tasks`.
        score: `accuracy` or `consistency`.
        where: range of layers.
        kind: `exclusive` or `random`.
        column: which.

    Returns:
        Rows in the order of the task's languages; the same columns, and after them targets in which the task is not
        asked. NaN where there was no mask.
    """
    table = found.table
    rows = table[(table["task"] == task) & (table["score"] == score)]
    rows = rows[(rows["range"] == where) & (rows["kind"] == kind)]
    held = found.tasks[task]
    codes = held.languages
    means = rows.groupby(["evaluated", "target"])[column].mean().unstack("target")
    return means.reindex(index=codes, columns=[*codes, *(code for code in held.among if code not in codes)])


def mean(held: MeanDifference) -> str:
    """`-3.1` in points; a dash where there is none."""
    return "–" if held.value is None else wording.points(held.value)


def told(held: MeanDifference) -> str:
    """`-3.1 [-4.0, -2.2]` in points; a dash where there is none."""
    if held.value is None:
        return "–"
    return wording.points_with_interval(pd.Series({"difference": held.value, "low": held.low, "high": held.high}))
