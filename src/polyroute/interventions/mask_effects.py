"""What masking a language's exclusive experts does to every language: the matrix of paper 2 (arXiv 2601.14050).

Every (evaluated language x, target language y) is compared with the unmasked model item by item. Unit: for a pair the
item, of which there is one in x. For the headline the item with all its translations and all masks: intervals speak of
other items in these languages and under these masks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from polyroute.experts.specialised import size
from polyroute.interventions.mask_plans import MaskPlans
from polyroute.interventions.verdicts import EQUIVALENCE, LEVEL, MARGIN, Rank, Rule, all_rounded, power_of, undecided
from polyroute.results.masking import MaskCode, MaskRow
from polyroute.results.quantities import DECIMALS, rounded
from polyroute.stats.fdr import benjamini_hochberg
from polyroute.stats.over_items import changes_by_item
from polyroute.stats.paired import PairedScores, compare, mean_change
from polyroute.steering.condition import Condition

ACCURACY, CONSISTENCY = "accuracy", "consistency"
"""Scores: the one that decides the task, and whether a text is in the language that was asked in."""
COLUMNS = tuple(MaskRow.columns())
"""Columns of the table."""


def mask_effects(
    plans: MaskPlans,
    right: Mapping[str, Mapping[str, pd.DataFrame]],
    mechanism: pd.DataFrame,
    rule: Rule,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Every mask against the unmasked model, in every language that was asked.

    Args:
        plans: which experts of which language were masked where.
        right: `ACCURACY` or `CONSISTENCY` -> `baseline` or mask -> answers with `correct`.
        mechanism: `condition`, `evaluated` and, by layer, `share_before` and `rerouted`; see `steering.mechanism`.
        rule: what verdicts are computed with.

    Returns:
        `COLUMNS` but `task`, a row a score, evaluated language and mask; and sets, what was left out and the headline,
        plain data.
    """
    masks = plans.conditions
    tables, headline = [], {}
    for score, answers in right.items():
        paired = {one.name: _paired(answers["baseline"], answers[one.name]) for one in masks}
        tables.append(matrix(masks, paired, rule.confidence, rule.seed).assign(score=score))
        headline[score] = headlines(masks, paired, rule)
    pair = ["condition", "evaluated"]
    rerouting = mechanism.groupby(pair, sort=False)[["share_before", "rerouted"]].mean().round(DECIMALS)
    table = pd.concat(tables, ignore_index=True).merge(rerouting.reset_index(), on=pair, how="left")
    return table.reindex(columns=list(COLUMNS[1:])), {
        "own_only": plans.own_only, "languages": list(plans.languages), "targets": list(plans.targets),
        "targets_without_task": list(plans.lacking),
        "k": plans.k, "thr": plans.thr, "ranges": {name: list(layers) for name, layers in plans.ranges.items()},
        "exclusive": plans.exclusive,
        "left_out": [{"name": one.name, "reason": one.reason} for one in plans.left_out],
        "balance": {name: [row.model_dump() for row in rows] for name, rows in plans.balance.items()},
        "headline": headline, "unit": "items with all their translations, under all masks",
    }  # fmt: skip


def matrix(masks: Sequence[Condition], paired: dict[str, PairedScores], confidence: float, seed: int) -> pd.DataFrame:
    """Every pair of an evaluated language and a mask.

    Args:
        masks: which experts of which language were masked where.
        paired: name of a mask's condition -> scores without and with it.
        confidence: coverage of intervals.
        seed: of exchanges.

    Returns:
        `condition`, then `COLUMNS` from `evaluated` to `q`. `p` is of one pair; `q` adjusts those of all pairs and
        ranges for one another, of exclusive and of random masks apart.
    """
    tables = []
    for mask in masks:
        table = compare(paired[mask.name], confidence=confidence, seed=seed, groups={})
        tables.append(
            table.rename(columns={"group": "evaluated"}).assign(
                condition=mask.name, target=mask.target, range=mask.range, kind=mask.kind,
                draw=pd.Series(mask.draw, index=table.index, dtype="Int64"), experts=_count(mask),
            )
        )  # fmt: skip
    found = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=["condition", *COLUMNS[2:-2]])
    for _, rows in found.groupby("kind"):
        found.loc[rows.index, "q"] = benjamini_hochberg(rows["p"].astype(float))
    numbers = ["base", "edited", "difference", "low", "high", "p", "q"]
    found[numbers] = found[numbers].astype(float).round(DECIMALS) + 0.0  # no -0.0 in tables
    return found[["condition", *COLUMNS[2:-2]]]


def headlines(masks: Sequence[Condition], paired: dict[str, PairedScores], rule: Rule) -> dict[str, dict[str, Any]]:
    """Does a mask hurt the language whose experts it takes, beyond others and beyond random experts?

    The code on the loss in the own language follows `interventions.verdicts`, but for its sign and for q: there is one
    test a range. A loss is beyond others where `own_minus_others` lies below 0 with its interval, and beyond random
    masks where its rank among them, each draw in all languages a draw, is at most `LEVEL`.

    Args:
        masks: as `matrix`.
        paired: as `matrix`; over the same items and languages.
        rule: what verdicts are computed with.

    Returns:
        Range -> what -> `value`, `low`, `high` (None where there is none) and `pairs` that are averaged over, each
        counting the same. What: `diagonal`, the mean difference of accuracy where the target is the evaluated
        language; `off_diagonal`, of all other pairs; `random_diagonal` and `random_off_diagonal`, the same of random
        masks, all draws; `own_minus_others` and `own_minus_random`, the diagonal minus its two rivals. Beside these the
        verdict: see `results.masking.MaskHeadline`.
    """

    def columns(chosen: Iterable[Condition], own: bool) -> NDArray[np.float64]:
        """(N, pairs) differences of the pairs on the diagonal, or off it."""
        found = [
            pd.Series(scores.difference_NV[:, place], index=scores.item_ids)
            for mask in chosen
            for scores in [paired[mask.name]]
            for place, language in enumerate(scores.languages)
            if (language == mask.target) == own
        ]
        return _beside(found) if found else np.empty((0, 0))

    told: dict[str, dict[str, Any]] = {}
    for name in dict.fromkeys(str(mask.range) for mask in masks):
        here = [mask for mask in masks if mask.range == name]
        exclusive = [mask for mask in here if mask.kind == "exclusive"]
        random = [mask for mask in here if mask.kind == "random"]
        cells = {
            "diagonal": columns(exclusive, True), "off_diagonal": columns(exclusive, False),
            "random_diagonal": columns(random, True), "random_off_diagonal": columns(random, False),
        }  # fmt: skip
        means = {what: _mean(rule, values_NP) | {"pairs": values_NP.shape[1]} for what, values_NP in cells.items()}
        for what, rival in (("own_minus_others", "off_diagonal"), ("own_minus_random", "random_diagonal")):
            means[what] = _mean(rule, cells["diagonal"], cells[rival])
        told[name] = means | _verdict(exclusive, random, paired, means, rule)
    return told


def _paired(baseline: pd.DataFrame, masked: pd.DataFrame) -> PairedScores:
    """With and without a mask, in the languages that met it."""
    return PairedScores.from_tables(baseline[baseline["language"].isin(masked["language"])], masked)


def _beside(columns: Sequence[pd.Series]) -> NDArray[np.float64]:
    """(N, columns) of the items that some column has, in the order of their ids; NaN where a column lacks one."""
    found: NDArray[np.float64] = pd.concat(columns, axis=1).sort_index().to_numpy(np.float64)
    return found


def _count(mask: Condition) -> int:
    """How many experts are masked."""
    assert mask.plan is not None, "a mask has a plan"
    return size(mask.plan.experts)


def _own(masks: Sequence[Condition], paired: dict[str, PairedScores]) -> PairedScores | None:
    """Scores of each mask's own language, a column a mask; None where none was asked."""
    own = [
        paired[mask.name].only([str(mask.target)]) for mask in masks if mask.target in paired[mask.name].languages
    ]  # fmt: skip
    if not own:
        return None
    base_NM, edited_NM = (
        _beside([pd.Series(getattr(one, side)[:, 0], index=one.item_ids) for one in own])
        for side in ("base_NV", "edited_NV")
    )
    items = sorted({item for one in own for item in one.item_ids})
    return PairedScores(tuple(items), tuple(f"mask {place}" for place in range(len(own))), base_NM, edited_NM)


def _verdict(
    exclusive: Sequence[Condition], random: Sequence[Condition], paired: dict[str, PairedScores],
    means: dict[str, Any], rule: Rule,
) -> dict[str, Any]:  # fmt: skip
    own = _own(exclusive, paired)
    others, beside = means["own_minus_others"], means["own_minus_random"]
    told: dict[str, Any] = {
        "code": "not_masked", "items": 0, "low90": None, "high90": None, "margin": MARGIN, "power": None,
        "beyond_others": None if others["high"] is None else others["high"] < 0,
        "random_costs_more": beside["low"] is not None and beside["low"] > 0,
        "beyond_random": None, "rank_p": None, "draws": 0,
    }  # fmt: skip
    if own is None:
        return told
    found, narrow = (own.mean_difference(coverage, rule.seed) for coverage in (rule.confidence, EQUIVALENCE))
    by_draw = [
        _own([mask for mask in random if mask.draw == draw], paired)
        for draw in sorted({mask.draw for mask in random if mask.draw is not None})
    ]
    drawn = [-one.mean_difference(rule.confidence, rule.seed).value for one in by_draw if one is not None]
    rank = Rank.among(round(-found.value, DECIMALS), [round(one, DECIMALS) for one in drawn])
    could = power_of(own, LEVEL, rule, losses=True)
    code: MaskCode
    if found.high < 0:
        code = "hurts"
    elif found.low > 0:
        code = "helps"
    else:
        open_code = undecided(own, narrow, could)
        code = "no_loss" if open_code == "equivalent" else open_code
    decided: dict[str, Any] = all_rounded(
        {
            "code": code, "items": len(own.item_ids), "low90": narrow.low, "high90": narrow.high,
            "power": asdict(could), "beyond_random": rank.beyond, "rank_p": rank.p, "draws": rank.draws,
        }
    )  # fmt: skip
    return told | decided


def _mean(rule: Rule, values_NP: NDArray[np.float64], *rival_NP: NDArray[np.float64]) -> dict[str, float | None]:
    """The mean over pairs, less that of rival pairs if there are any, with its interval over items."""
    cells = [values_NP, *rival_NP]
    if not all(one.size for one in cells):
        return dict.fromkeys(("value", "low", "high"))
    weight_P = np.concatenate(
        [np.full(one.shape[1], side / one.shape[1]) for one, side in zip(cells, (1, -1), strict=False)]
    )
    found = mean_change(changes_by_item(np.concatenate(cells, axis=1), weight_P), rule.confidence, rule.seed)
    told = {"value": found.value, "low": found.low, "high": found.high}
    return {name: rounded(number) for name, number in told.items()}
