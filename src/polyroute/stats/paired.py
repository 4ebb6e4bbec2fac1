"""Two conditions on the same items in several languages: the difference of their accuracies.

Units. Items are translations of one another, so what one item does in ten languages is not ten observations. The
interval of a group is over items (`stats.over_items`) and its permutation test exchanges the two conditions of an item
id, both in all its languages together. One language alone has one observation an item, for which McNemar's exact test
is made, with Agresti and Min's interval (`stats.paired_interval`); where items have scores between right and wrong (F1,
chrF), it is treated as a group. What follows: intervals and p-values speak of other items in these languages, not of
other languages.

No interval contradicts its p-value: it leaves out 0 exactly where p is at most 1 - confidence. In a group p is the
larger of the exchange's, which is exact if conditions do not differ at all, and of the interval's own; where the
exchange alone finds nothing, the interval is drawn out to 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from polyroute.ground.errors import PolyrouteError
from polyroute.stats.fdr import benjamini_hochberg
from polyroute.stats.over_items import ItemMean, changes_by_item, mean_over_items
from polyroute.stats.paired_interval import paired_interval

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
    inflation: float = 1.0
    """Factor of the variance of a mean over languages, where the condition is a plan that halves of the items chose for
    each other (`stats.cross_fitting`)."""

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

    def only(self, languages: Sequence[str]) -> PairedScores:
        """The same in some of the languages, and of the items that one of these has.

        Raises:
            PairedError: none is given, or one was not scored.
        """
        _check_group("of languages", languages, self.languages)
        places = [self.languages.index(language) for language in languages]
        base_NV, edited_NV = self.base_NV[:, places], self.edited_NV[:, places]
        held_N = np.asarray((~np.isnan(base_NV)).any(axis=1))
        items = tuple(item for item, held in zip(self.item_ids, held_N.tolist(), strict=True) if held)
        return PairedScores(items, tuple(languages), base_NV[held_N], edited_NV[held_N], self.inflation)

    def mean_difference(self, confidence: float, seed: int) -> ItemMean:
        """Difference of accuracy, mean over languages, with its interval and p-value.

        Args:
            confidence: coverage.
            seed: of the patterns of exchange.

        Returns:
            Of one language with answers right or wrong, McNemar's exact p and Agresti and Min's interval; else
            `mean_change`.
        """
        difference_NV = self.difference_NV
        if len(self.languages) > 1 or self.graded:
            return mean_change(changes_by_item(difference_NV), confidence, seed, self.inflation)
        counted = (~np.isnan(difference_NV), difference_NV > 0, difference_NV < 0)
        items, gained, lost = (int(count_N.sum()) for count_N in counted)
        return ItemMean(
            (gained - lost) / items, *paired_interval(gained, lost, items, confidence), mcnemar(gained, lost)
        )

    @classmethod
    def from_tables(cls, base: pd.DataFrame, edited: pd.DataFrame, inflation: float = 1.0) -> PairedScores:
        """Pair the answers of two conditions by item and language.

        Args:
            base: answers with the columns `item_id`, `language` and `correct` (true or false, or a score in [0, 1]);
                others are ignored, the order of rows means nothing.
            edited: of the condition that is compared with it.
            inflation: of the scores.

        Returns:
            Items in order of their ids, languages in that of their codes.

        Raises:
            PairedError: a column is absent, an item is answered twice, or under one condition only.
        """
        wide = [_wide(name, table) for name, table in (("base", base), ("edited", edited))]
        items = wide[0].index.union(wide[1].index)
        languages = wide[0].columns.union(wide[1].columns)
        base_NV, edited_NV = (table.reindex(index=items, columns=languages).to_numpy(np.float64) for table in wide)
        return cls(tuple(map(str, items)), tuple(map(str, languages)), base_NV, edited_NV, inflation)


def of_the_same_items(base: pd.DataFrame, edited: pd.DataFrame) -> pd.DataFrame:
    """The answers of a base to the items that another condition was asked, which may be some of them."""
    return base[base["item_id"].isin(edited["item_id"])]


def compare(
    scores: PairedScores, *, confidence: float, seed: int, groups: Mapping[str, Sequence[str]] | None = None
) -> pd.DataFrame:
    """Difference of accuracy in each language and over groups of them.

    Args:
        scores: of both conditions.
        confidence: coverage of the intervals.
        seed: of the exchanges.
        groups: name -> languages that are averaged over, each language counting the same however many items it
            has; by default one group `all` of all languages.

    Returns:
        Columns `COLUMNS`, a row a language, then a row a group: `group` names it, `base` and `edited` are accuracies,
        `difference` is edited minus base with its interval, which is never without width. `gained` and `lost` count
        answers that became right and wrong, or better and worse. `p` is two-sided: McNemar's exact test for one
        language, the exchange of conditions by item for several, and for a language whose items have scores between 0
        and 1. `q` adjusts the languages' p-values for one another; groups have none.

    Raises:
        PairedError: a group names no language, one twice, one that was not scored, or is named as a language is.
    """
    groups = {"all": scores.languages} if groups is None else groups
    for name, members in groups.items():
        _check_group(name, members, scores.languages)
    rows = [_row(language, scores.only([language]), scores.graded, confidence, seed) for language in scores.languages]
    for row, q in zip(rows, benjamini_hochberg([row["p"] for row in rows]), strict=True):
        row["q"] = q
    for name, members in groups.items():
        rows.append(_row(name, scores.only(members), scores.graded, confidence, seed) | {"q": np.nan})
    return pd.DataFrame(rows, columns=list(COLUMNS))


def mean_change(
    change_N: NDArray[np.float64], confidence: float, seed: int, inflation: float = 1.0
) -> ItemMean:  # fmt: skip
    """Mean change over items; interval and p-value agree with the exchange of conditions too.

    Args:
        change_N: one value an item, in [-1, 1].
        confidence: coverage.
        seed: of the patterns of exchange.
        inflation: factor of the variance.

    Returns:
        That of `stats.over_items`, its p no smaller than that of `exchange_p`, and its interval drawn out to 0 where
        the exchange does not reject at 1 - confidence.
    """
    found, p = mean_over_items(change_N, confidence, inflation), exchange_p(change_N[:, None], seed)
    if p > 1 - confidence:
        found = replace(found, low=min(found.low, 0.0), high=max(found.high, 0.0))
    return replace(found, p=max(found.p, p))


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


def _row(name: str, scores: PairedScores, graded: bool, confidence: float, seed: int) -> dict[str, Any]:
    difference_NV = scores.difference_NV
    exchanged = len(scores.languages) > 1 or graded
    # A language whose scores happen to be whole is treated as those that are compared with it.
    mean = (
        mean_change(changes_by_item(difference_NV), confidence, seed, scores.inflation)
        if exchanged
        else scores.mean_difference(confidence, seed)
    )
    return {
        "group": name,
        "languages": len(scores.languages),
        "items": len(scores.item_ids),
        "base": float(np.nanmean(scores.base_NV, axis=0).mean()),
        "edited": float(np.nanmean(scores.edited_NV, axis=0).mean()),
        "difference": mean.value,
        "low": mean.low,
        "high": mean.high,
        "gained": int((difference_NV > 0).sum()),
        "lost": int((difference_NV < 0).sum()),
        "test": "exchange" if exchanged else "McNemar",
        "p": mean.p,
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
