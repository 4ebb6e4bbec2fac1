"""Two conditions on the same items in several languages: the difference of their accuracies.

Units. Items are translations of one another, so what one item does in ten languages is not ten observations. The
bootstrap resamples item ids and the permutation test exchanges the two conditions of an item id, both in all its
languages together. One language alone has one observation an item, for which McNemar's exact test is made; where items
have scores between right and wrong (F1, chrF), conditions are exchanged there too.
What follows: intervals and p-values speak of other items in these languages, not of other languages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from polyroute.ground.errors import PolyrouteError
from polyroute.stats.bootstrap import Bootstrap
from polyroute.stats.fdr import benjamini_hochberg
from polyroute.stats.resampled import percentile_bounds, resampled_means

COLUMNS = (
    "group", "languages", "items", "base", "edited", "difference", "low", "high", "gained", "lost", "test", "p", "q"
)  # fmt: skip
FLIPS = 9999
"""Random patterns of exchange; all of them where there are no more."""


class PairedError(PolyrouteError):
    """Answers of two conditions that cannot be compared item by item."""


@dataclass(frozen=True)
class PairedScores:
    """What two conditions scored on the same N items in V languages."""

    item_ids: tuple[str, ...]
    languages: tuple[str, ...]
    base_NV: NDArray[np.float64]
    """1 where the answer is right, 0 where it is wrong, or a score between; NaN where the language lacks the item."""
    edited_NV: NDArray[np.float64]
    """The same of the condition that is compared with the base; NaN in the same places."""

    def __post_init__(self) -> None:
        shape = (len(self.item_ids), len(self.languages))
        for name, scores_NV in (("base_NV", self.base_NV), ("edited_NV", self.edited_NV)):
            if scores_NV.shape != shape:
                raise PairedError(f"`{name}` has shape {scores_NV.shape}, its items and languages say {shape}")
            for item, language in np.argwhere(~((scores_NV >= 0) & (scores_NV <= 1)) & ~np.isnan(scores_NV)):
                raise PairedError(
                    f"item {self.item_ids[item]} in {self.languages[language]}: `{name}` is "
                    f"{scores_NV[item, language]}, not between 0 (wrong) and 1 (right)"
                )
        for item, language in np.argwhere(np.isnan(self.base_NV) != np.isnan(self.edited_NV)):
            raise PairedError(
                f"item {self.item_ids[item]} in {self.languages[language]} was answered under one condition only: "
                "evaluate both on the same items"
            )
        for place in np.flatnonzero(np.isnan(self.base_NV).all(axis=0)):
            raise PairedError(f"no item is answered in {self.languages[place]}: leave the language out")

    @property
    def difference_NV(self) -> NDArray[np.float64]:
        """Edited minus base: in [-1, 1], or NaN."""
        return self.edited_NV - self.base_NV

    @property
    def graded(self) -> bool:
        """Whether some score is neither 0 nor 1."""
        both = np.stack([self.base_NV, self.edited_NV])
        return bool((~np.isin(both, [0.0, 1.0]) & ~np.isnan(both)).any())

    @classmethod
    def from_tables(cls, base: pd.DataFrame, edited: pd.DataFrame) -> PairedScores:
        """Pair the answers of two conditions by item and language.

        Args:
            base: answers with the columns `item_id`, `language` and `correct` (true or false, or a score in [0, 1]);
                others are ignored, the order of rows means nothing.
            edited: of the condition that is compared with it.

        Returns:
            Items in order of their ids, languages in that of their codes.

        Raises:
            PairedError: a column is absent, an item is answered twice, or under one condition only.
        """
        wide = [_wide(name, table) for name, table in (("base", base), ("edited", edited))]
        items = wide[0].index.union(wide[1].index)
        languages = wide[0].columns.union(wide[1].columns)
        scores = [table.reindex(index=items, columns=languages).to_numpy(np.float64) for table in wide]
        return cls(tuple(map(str, items)), tuple(map(str, languages)), *scores)


def compare(
    scores: PairedScores,
    *,
    resamples: int,
    confidence: float,
    seed: int,
    groups: Mapping[str, Sequence[str]] | None = None,
) -> pd.DataFrame:
    """Difference of accuracy in each language and over groups of them.

    Args:
        scores: of both conditions.
        resamples: bootstrap resamples over item ids.
        confidence: coverage of the percentile intervals.
        seed: of the resamples and of the exchanges.
        groups: name -> languages that are averaged over, each language counting the same however many items it
            has; by default one group `all` of all languages.

    Returns:
        Columns `COLUMNS`, a row a language, then a row a group: `group` names it, `base` and `edited` are accuracies,
        `difference` is edited minus base with its interval, `gained` and `lost` count answers that became right and
        wrong, or better and worse. `p` is two-sided: McNemar's exact test for a language, the exchange of conditions by
        item for a group, and for a language whose items have scores between 0 and 1.
        `q` adjusts the languages' p-values for one another; groups have none.

    Raises:
        PairedError: a group names no language, one twice, one that was not scored, or is named as a language is.
    """
    groups = {"all": scores.languages} if groups is None else groups
    for name, members in groups.items():
        _check_group(name, members, scores.languages)
    bootstrap = Bootstrap(len(scores.item_ids), resamples, confidence, seed)
    draws_RV = resampled_means(bootstrap, scores.difference_NV)
    rows, p_V = [], []
    for place, language in enumerate(scores.languages):
        difference_N = scores.difference_NV[:, place]
        gained, lost = int((difference_N > 0).sum()), int((difference_N < 0).sum())
        p_V.append(exchange_p(difference_N[:, None], seed) if scores.graded else mcnemar(gained, lost))
        rows.append(_row(scores, language, [place], draws_RV, confidence))
    for row, p, q in zip(rows, p_V, benjamini_hochberg(p_V), strict=True):
        row |= {"test": "exchange" if scores.graded else "McNemar", "p": p, "q": q}
    for name, members in groups.items():
        places = [scores.languages.index(member) for member in members]
        p = exchange_p(scores.difference_NV[:, places], seed)
        rows.append(_row(scores, name, places, draws_RV, confidence) | {"test": "exchange", "p": p, "q": np.nan})
    return pd.DataFrame(rows, columns=list(COLUMNS))


def mcnemar(gained: int, lost: int) -> float:
    """Exact two-sided p-value that an answer which changed was as likely to turn right as wrong (McNemar 1947).

    Args:
        gained: answers that became right.
        lost: answers that became wrong.
    """
    if gained + lost == 0:
        return 1.0
    return float(stats.binomtest(gained, gained + lost, 0.5).pvalue)


def exchange_p(difference_NV: NDArray[np.float64], seed: int, flips: int = FLIPS) -> float:
    """Two-sided p-value that the conditions are exchangeable, item by item in all languages together.

    The statistic is the mean over languages of each language's mean difference; exchanging an item's conditions turns
    the sign of what it adds.

    Args:
        difference_NV: edited minus base; NaN where a language lacks an item.
        seed: of the patterns of exchange.
        flips: how many random patterns; all 2^n where n items that add something have no more.
    """
    share_V = 1 / np.maximum((~np.isnan(difference_NV)).sum(axis=0), 1)
    added_N = np.nansum(difference_NV * share_V, axis=1)
    # An item whose gains and losses cancel adds nothing either way; rounding must not make it count.
    added_N = added_N[np.abs(added_N) > 1e-12]
    if len(added_N) < 2:
        return 1.0
    found = stats.permutation_test(
        (added_N,), np.sum, permutation_type="samples", vectorized=True, n_resamples=flips,
        alternative="two-sided", axis=0, rng=np.random.default_rng(seed),
    )  # fmt: skip
    return float(found.pvalue)


def _row(
    scores: PairedScores, name: str, places: list[int], draws_RV: NDArray[np.float64], confidence: float
) -> dict[str, object]:
    base_NV, edited_NV = scores.base_NV[:, places], scores.edited_NV[:, places]
    difference_NV = edited_NV - base_NV
    # A plain mean: a resample that lost one of the languages would be of another group.
    low, high = percentile_bounds(draws_RV[:, places].mean(axis=1), confidence)
    return {
        "group": name,
        "languages": len(places),
        "items": int((~np.isnan(base_NV)).any(axis=1).sum()),
        "base": float(np.nanmean(base_NV, axis=0).mean()),
        "edited": float(np.nanmean(edited_NV, axis=0).mean()),
        "difference": float(np.nanmean(difference_NV, axis=0).mean()),
        "low": float(low),
        "high": float(high),
        "gained": int((difference_NV > 0).sum()),
        "lost": int((difference_NV < 0).sum()),
    }


def _wide(name: str, table: pd.DataFrame) -> pd.DataFrame:
    lacking = [column for column in ("item_id", "language", "correct") if column not in table]
    if lacking:
        raise PairedError(f"the {name} answers lack the columns {', '.join(lacking)}")
    for _, row in table[table.duplicated(["item_id", "language"])].iterrows():
        raise PairedError(f"the {name} answers hold item {row['item_id']} in {row['language']} twice")
    for _, row in table[table["correct"].isna()].iterrows():
        raise PairedError(f"the {name} answers do not say whether item {row['item_id']} in {row['language']} is right")
    return table.assign(correct=table["correct"].astype(np.float64)).pivot(
        index="item_id", columns="language", values="correct"
    )


def _check_group(name: str, members: Sequence[str], languages: tuple[str, ...]) -> None:
    if name in languages:
        raise PairedError(f"group `{name}` has the name of a language")
    if not members:
        raise PairedError(f"group `{name}` names no language")
    if len(set(members)) < len(members):
        raise PairedError(f"group `{name}` names a language twice: {', '.join(members)}")
    unknown = [member for member in members if member not in languages]
    if unknown:
        raise PairedError(f"group `{name}` names {', '.join(unknown)}, not among the scored {', '.join(languages)}")
