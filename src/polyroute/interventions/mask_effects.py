"""What masking a language's exclusive experts does to every language: the matrix of paper 2 (arXiv 2601.14050).

Every (evaluated language x, target language y) is compared with the unmasked model item by item. Unit: for a pair the
item, of which there is one in x. For the headline the item with all its translations and all masks: items are
resampled as a whole, so intervals speak of other items in these languages and under these masks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from polyroute.artifacts.answers import Answers, comparable
from polyroute.asking.examiner import IN_LANGUAGE
from polyroute.asking.mechanisms import mechanisms
from polyroute.asking.sitting import Sitting
from polyroute.experts.specialised import size
from polyroute.ground.errors import PolyrouteError
from polyroute.interventions.mask_plans import Masks, TargetMask
from polyroute.interventions.plans import BASELINE
from polyroute.measures.layer_curves import DECIMALS
from polyroute.measures.settings import Align
from polyroute.stats.bootstrap import Bootstrap
from polyroute.stats.fdr import benjamini_hochberg
from polyroute.stats.paired import PairedScores, compare
from polyroute.stats.resampled import percentile_bounds, resampled_means

ACCURACY, CONSISTENCY = "accuracy", "consistency"
"""Scores: the one that decides the task, and whether a text is in the language that was asked in."""
COLUMNS = (
    "task", "score", "evaluated", "target", "range", "kind", "draw", "experts", "items", "base", "other", "difference",
    "low", "high", "p", "q", "before", "changed",
)  # fmt: skip
"""Columns of the table. `before` is the share of a token's choices that fell on the masked experts and `changed` the
share of tokens sent to other experts for the mask, each the mean over the layers with a masked expert, on a few
prompts."""


class MaskingError(PolyrouteError):
    """A mask that did not do what masks do."""


@dataclass(frozen=True)
class Masked:
    """What masks did on one task."""

    table: pd.DataFrame
    """`COLUMNS` but `task`, a row a score, evaluated language and mask."""
    summary: dict[str, Any]
    """Sets, what was left out, and the headline; plain data."""
    answers: tuple[Answers, ...]
    """Of the report half, every mask."""


def study_masks(sitting: Sitting, masks: Masks, *, settings: Align, seed: int) -> Masked:
    """Ask every language under every mask, and compare with the unmasked model.

    Args:
        sitting: asks the model; its languages are the evaluated ones.
        masks: makes the masks; all its languages are targets, also those in which the task is not asked.
        settings: resamples and confidence of intervals.
        seed: of resamples.

    Raises:
        MaskingError: a masked expert got a token.
    """
    made = masks.of(masks.languages)
    conditions = [mask.condition for mask in made]
    answers = sitting.ask_shown("report", [BASELINE, *conditions])
    for one in answers.values():
        comparable(answers[BASELINE.name], one)
    moved = _mechanism(sitting, made, masks.settings.mechanism_items)
    tables, headline = [], {}
    for score, name in _scores(sitting).items():
        right = {condition: sitting.right(one, score) for condition, one in answers.items()}
        paired = {one.name: PairedScores.from_tables(right[BASELINE.name], right[one.name]) for one in conditions}
        tables.append(matrix(made, paired, settings, seed).assign(score=name))
        headline[name] = headlines(made, paired, settings, seed)
    table = pd.concat(tables, ignore_index=True)
    table = table.merge(moved, on=["condition", "evaluated"], how="left")
    summary = {
        "languages": sitting.languages, "among": masks.languages, "k": masks.k, "thr": masks.thr,
        "ranges": {name: list(layers) for name, layers in masks.ranges},
        "exclusive": {
            name: {language: size(experts) for language, experts in by_language.items()}
            for name, by_language in masks.exclusive.items()
        },
        "left_out": [{"name": one.name, "reason": one.reason} for one in masks.left_out],
        "headline": headline, "unit": "items with all their translations, under all masks",
    }  # fmt: skip
    return Masked(
        table.reindex(columns=list(COLUMNS[1:])), summary, tuple(answers[condition.name] for condition in conditions)
    )


def matrix(masks: Sequence[TargetMask], paired: dict[str, PairedScores], settings: Align, seed: int) -> pd.DataFrame:
    """Every pair of an evaluated language and a mask.

    Args:
        masks: which experts of which language were masked where.
        paired: name of a mask's condition -> scores without and with it.
        settings: resamples and confidence of intervals.
        seed: of resamples.

    Returns:
        `condition`, then `COLUMNS` from `evaluated` to `q`. `p` is of one pair; `q` adjusts those of all pairs and
        ranges for one another, of exclusive and of random masks apart.
    """
    tables = []
    for mask in masks:
        condition = mask.condition
        table = compare(
            paired[condition.name], resamples=settings.resamples, confidence=settings.confidence, seed=seed, groups={}
        )
        tables.append(
            table.rename(columns={"over": "evaluated"}).assign(
                condition=condition.name, target=mask.target, range=mask.range, kind=condition.kind,
                draw=pd.Series(condition.draw, index=table.index, dtype="Int64"), experts=mask.experts,
            )
        )  # fmt: skip
    found = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=["condition", *COLUMNS[2:-2]])
    for _, rows in found.groupby("kind"):
        found.loc[rows.index, "q"] = benjamini_hochberg(rows["p"].astype(float))
    numbers = ["base", "other", "difference", "low", "high", "p", "q"]
    found[numbers] = found[numbers].astype(float).round(DECIMALS) + 0.0  # no -0.0 in tables
    return found[["condition", *COLUMNS[2:-2]]]


def headlines(
    masks: Sequence[TargetMask], paired: dict[str, PairedScores], settings: Align, seed: int
) -> dict[str, dict[str, Any]]:
    """Does a mask hurt the language whose experts it takes, beyond others and beyond random experts?

    Args:
        masks: as `matrix`.
        paired: as `matrix`; over the same items and languages.
        settings: as `matrix`.
        seed: as `matrix`.

    Returns:
        Range -> what -> `value`, `low`, `high` (None where there is none) and `pairs` that are averaged over, each
        counting the same. What: `diagonal`, the mean difference of accuracy where the target is the evaluated
        language; `off_diagonal`, of all other pairs; `random_diagonal` and `random_off_diagonal`, the same of random
        masks, all draws; `own_minus_others` and `own_minus_random`, the diagonal minus its two rivals.
    """

    def columns(chosen: Iterable[TargetMask], own: bool) -> NDArray[np.float64]:
        """(N, pairs) differences of the pairs on the diagonal, or off it."""
        found = [
            scores.difference_NV[:, place]
            for mask in chosen
            for scores in [paired[mask.condition.name]]
            for place, language in enumerate(scores.languages)
            if (language == mask.target) == own
        ]
        return np.stack(found, axis=1) if found else np.empty((0, 0))

    told: dict[str, dict[str, Any]] = {}
    for name in dict.fromkeys(mask.range for mask in masks):
        here = [mask for mask in masks if mask.range == name]
        exclusive = [mask for mask in here if mask.condition.kind == "exclusive"]
        random = [mask for mask in here if mask.condition.kind == "random"]
        cells = {
            "diagonal": columns(exclusive, True), "off_diagonal": columns(exclusive, False),
            "random_diagonal": columns(random, True), "random_off_diagonal": columns(random, False),
        }  # fmt: skip
        means = {what: _mean(values_NP) for what, values_NP in cells.items()}
        draws = {what: _draws(values_NP, settings, seed) for what, values_NP in cells.items()}
        rivals = {"own_minus_others": "off_diagonal", "own_minus_random": "random_diagonal"}
        for what, rival in rivals.items():
            means[what] = means["diagonal"] - means[rival]
            draws[what] = draws["diagonal"] - draws[rival]
        told[name] = {
            what: _interval(means[what], draws[what], settings.confidence)
            | ({"pairs": cells[what].shape[1]} if what in cells else {})
            for what in means
        }
    return told


def _mean(values_NP: NDArray[np.float64]) -> float:
    return float(np.nanmean(values_NP, axis=0).mean()) if values_NP.size else np.nan


def _draws(values_NP: NDArray[np.float64], settings: Align, seed: int) -> NDArray[np.float64]:
    """(R) the mean over pairs in every resample of items: the same resamples for whatever has as many items."""
    if not values_NP.size:
        return np.full(settings.resamples, np.nan)
    bootstrap = Bootstrap(len(values_NP), settings.resamples, settings.confidence, seed)
    draws_R: NDArray[np.float64] = resampled_means(bootstrap, values_NP).mean(axis=1)
    return draws_R


def _interval(value: float, draws_R: NDArray[np.float64], confidence: float) -> dict[str, float | None]:
    low, high = percentile_bounds(draws_R, confidence)
    told = {"value": value, "low": float(low), "high": float(high)}
    return {name: None if np.isnan(number) else round(number, DECIMALS) + 0.0 for name, number in told.items()}


def _scores(sitting: Sitting) -> dict[str | None, str]:
    """Scores that are compared -> what the table calls them."""
    written = sitting.examiner.task.kind != "choice"
    return {None: ACCURACY} | ({IN_LANGUAGE: CONSISTENCY} if written else {})


def _mechanism(sitting: Sitting, masks: Sequence[TargetMask], count: int) -> pd.DataFrame:
    """`condition`, `evaluated`, `before` and `changed`; and the proof that masks reach the model."""
    tables = []
    for language in sitting.languages if masks else ():
        found = mechanisms(sitting, [mask.condition for mask in masks], count, [language])
        reached = found[found["after"] > 0]
        if len(reached):
            row = reached.iloc[0]
            raise MaskingError(
                f"mask {row['condition']} in layer {row['layer']}: {row['after']:.2%} of the choices in {language} "
                "fall on masked experts: this model's selection does not heed its logits alone, and cannot be masked"
            )
        tables.append(
            found.groupby("condition", sort=False)[["before", "changed"]].mean().round(DECIMALS).reset_index()
            .assign(evaluated=language)
        )  # fmt: skip
    columns = ["condition", "evaluated", "before", "changed"]
    return pd.concat(tables, ignore_index=True)[columns] if tables else pd.DataFrame(columns=columns)
