"""The verdict that a plan carries in its file, made of what was found when it was asked."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from polyroute.interventions.effects import FindingsError
from polyroute.results.quantities import rounded
from polyroute.results.steering import HELPED, Verdict
from polyroute.steering.verdict import Checked, Gain, PlanVerdict, RandomPlans


def plan_verdict(
    table: pd.DataFrame, condition: str, found: Verdict, *, task: str, score: str, checked: Checked,
    item_ids: Sequence[str], languages: Sequence[str],
) -> PlanVerdict:  # fmt: skip
    """What a plan's file says of it.

    Args:
        table: of its condition and random sets, as `effects.compared` returns it; languages that it is not for may be
            in it beside those of `HELPED`.
        condition: its name there.
        found: its verdict.
        task: that was asked.
        score: that is compared.
        checked: on which items.
        item_ids: of these.
        languages: that it is for, those of `HELPED`.

    Raises:
        FindingsError: the condition is not in the table.
    """
    own = table[table["condition"] == condition]
    pooled = own[own["group"] == HELPED]
    if pooled.empty:
        raise FindingsError(f"`{condition}` has no verdict: it was not asked in a language that it is for")
    drawn = table[(table["group"] == HELPED) & (table["kind"] == "random")]
    by_language = {str(row["group"]): _gain(row) for row in own[own["group"] != HELPED].to_dict("records")}
    return PlanVerdict(
        code=found.code, task=task, score=score, checked=checked, items=digest_of(item_ids),
        languages=list(languages), gain=_gain(pooled.to_dict("records")[0]),
        random=RandomPlans(
            draws=found.draws, p=found.rank_p,
            mean=rounded(np.mean(drawn["difference"])) if len(drawn) else None,
        ),
        detectable=found.power.detectable, by_language=by_language,
    )  # fmt: skip


def digest_of(item_ids: Sequence[str]) -> str:
    """SHA-256 of the ids of items in order, a line each."""
    return hashlib.sha256("".join(f"{item}\n" for item in sorted(item_ids)).encode()).hexdigest()


def _gain(row: dict[Any, Any]) -> Gain:
    return Gain(
        base=float(row["base"]), steered=float(row["edited"]), difference=float(row["difference"]),
        low=float(row["low"]), high=float(row["high"]), items=int(row["items"]),
    )  # fmt: skip
