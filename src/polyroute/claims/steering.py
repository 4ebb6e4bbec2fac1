"""Quantities of claims on steering, from steer.csv and steer.json.

A model with published settings is asked under them; any other under the plan that was chosen for it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from polyroute.claims.asked import Asked, Found
from polyroute.claims.estimates import CONFIDENCE, FEWEST, Estimate, correlation, paired_of_one_language
from polyroute.claims.relatives import gain_of_relatives, relatives
from polyroute.results.claims import Missing, StandIn
from polyroute.results.steering import HELPED

FEWEST_DRAWS = 19


def gain(asked: Asked, found: Found) -> None:
    """p1.gain and p1.cell: the difference under the published setting, in a language or over those to be helped."""
    setting = found.claim.setting or {}
    task = asked.own(setting["task"])
    rows = _rows(asked, task, "published")
    if (row := _row(rows, setting.get("language", HELPED))) is None:
        if asked.edited:
            found.lack(("diff", "rank"), Missing(kind="stage", what="judge"))
        return
    found.items = int(row["items"])
    found.put("diff", _difference(row))
    steering = asked.results.steering
    told = steering.tasks.get(task) if steering else None
    rank = getattr(getattr(getattr(told, "published", None), "verdict", None), "rank_p", None)
    if "language" not in setting:
        found.put("rank", rank)


def low_resource(asked: Asked, found: Found) -> None:
    """p1.gains_low_resource: gain and resource over languages, pooled over tasks; the pool of models is this one."""
    gains, bases = [], []
    for role in ("maths", "medical"):
        if (task := asked.read(found, role)) is None:
            continue
        rows = _plan(asked, found, task)
        rows = rows[rows["group"].isin(asked.codes)].set_index("group")
        if len(rows):
            gains.append(rows["difference"])
            bases.append(rows["base"])
            found.items = min(int(rows["items"].min()), found.items or 10**9)
    if not gains:
        return
    gain, base = (pd.concat(several, axis=1).mean(axis=1) for several in (gains, bases))
    resource = asked.resource(found, [str(code) for code in gain.index])
    codes, seed = list(resource), asked.settings.seed
    found.languages = len(codes)
    slope = correlation(gain[codes].to_numpy(), list(resource.values()), seed=seed)
    ceiling = correlation(gain[codes].to_numpy(), list(resource.values()), seed=seed, given=[base[codes].to_numpy()])
    for name, one in (("slope", slope), ("pool.slope", slope), ("pool.ceiling", ceiling)):
        found.put(name, one)


def english_unharmed(asked: Asked, found: Found) -> None:
    """p1.english_unharmed: what steering changes in the pivot, a row a task."""
    rows = []
    for role in ("maths", "medical"):
        task = asked.read(found, role)
        if task is not None and (row := _row(_plan(asked, found, task), asked.results.pivot)) is not None:
            rows.append(paired_of_one_language(int(row["items"]), int(row["gained"]), int(row["lost"])))
            found.items = (found.items or 0) + int(row["items"])
    if not rows:
        return
    centres = [_centre(one) for one in rows]
    half = float(np.sqrt(sum(_half(one) ** 2 for one in rows))) / len(rows)
    middle = sum(centres) / len(rows)
    value = sum(one.value or 0.0 for one in rows) / len(rows)
    found.put("en_mean", Estimate(value, ci90_low=middle - half, ci90_high=middle + half))
    outside = [one for one in rows if _centre(one) - _half(one) >= 0.01 or _centre(one) + _half(one) <= -0.01]
    found.put("rows_outside", float(len(outside)))


def outside_middle(asked: Asked, found: Found) -> None:
    """p1.ablation.outside_middle: steering in early and in late layers."""
    for zone in ("early", "late"):
        _harm(asked, found, zone, f"harm.{zone}")


def multilingual(asked: Asked, found: Found) -> None:
    """p1.ablation.multilingual_experts: steering toward multilingual experts."""
    _harm(asked, found, "multilingual", "harm")


def deactivated(asked: Asked, found: Found) -> None:
    """p1.ablation.deactivate: the chosen experts deactivated."""
    _harm(asked, found, "rule", "harm.task", condition="deactivate")


def random_experts(asked: Asked, found: Found) -> None:
    """p1.ablation.random_experts: mean over random sets, its interval that of items and that of draws added up."""
    task = asked.read(found, "maths")
    rows = _rows(asked, task or "", "random")
    rows = rows[rows["group"] == HELPED].dropna(subset=["low", "high"])
    if len(rows) < FEWEST_DRAWS:
        if task is not None and asked.results.steering is not None and asked.edited:
            found.lack(("harm",), Missing(kind="few", what=f"{FEWEST_DRAWS} random sets (here {len(rows)})"))
        return
    found.items = int(rows["items"].min())
    value = float(rows["difference"].mean())
    draws = float(stats.t.ppf((1 + CONFIDENCE) / 2, len(rows) - 1) * stats.sem(rows["difference"]))
    low, high = float(rows["low"].mean()) - draws, float(rows["high"].mean()) + draws
    found.stand_in(
        StandIn(kind="interval", used="the parts' intervals added up", meant="that of items and draws together")
    )
    found.put("harm", Estimate(value, low, high))


def for_relatives(asked: Asked, found: Found) -> None:
    """p2.more_for_relatives: gain under steering toward shared experts, by kinship and by distance from the source.

    Both sources are taken at the strength that was chosen, or as published where that was run.
    """
    task = asked.read(found, "maths")
    steering, similarity = asked.results.steering, asked.results.similarity
    shared: Any = None if steering is None or task is None else getattr(steering.tasks.get(task), "shared", None)
    chosen = getattr(shared, "chosen", None)
    if chosen is None or similarity is None:
        return
    for name, source in zip(("near.first", "near.second"), shared.pair, strict=True):
        rows = _shared_rows(asked, task or "", source, chosen.strength)
        gained = gain_of_relatives(rows, relatives(source, [str(code) for code in rows.index]))
        if gained.value is None:
            what = f"{FEWEST} languages, of which some and not all are relatives of {source}"
            found.lack((name,), Missing(kind="few", what=what))
        found.put(name, gained)
    found.stand_in(
        StandIn(
            kind="interval",
            used="t over languages, each with no less than its own error",
            meant="that of items resampled within languages",
        )
    )
    rows = _rows(asked, task or "", "shared")
    rows = rows[(rows["condition"] == chosen.condition) & rows["group"].isin(asked.codes)].set_index("group")
    table = similarity.distances
    near = table[
        (table["corpus"] == asked.corpus) & (table["measure"] == "jsd") & (table["reading"] == "soft_mass")
        & (table["zone"] == "middle")
    ]  # fmt: skip
    distance = {
        str(other): float(apart)
        for a, b, apart in zip(near["language_a"], near["language_b"], near["distance"], strict=True)
        for source, other in ((a, b), (b, a))
        if source == chosen.source
    }
    codes = [str(code) for code in rows.index if code in distance]
    found.stand_in(StandIn(kind="plan", used=chosen.condition, meant="published plans of English and Chinese"))
    found.languages, found.items = len(codes), int(rows["items"].min()) if len(rows) else None
    if len(codes) < 12:
        found.lack(("by_distance",), Missing(kind="few", what=f"12 target languages (here {len(codes)})"))
        return
    gains = rows.loc[codes, "difference"].to_numpy()
    if np.ptp(gains) == 0:
        found.lack(("by_distance",), Missing(kind="few", what="languages whose answers change"))
    far = [distance[code] for code in codes]
    found.put("by_distance", correlation(gains, far, seed=asked.settings.seed, ranks=True))


def _shared_rows(asked: Asked, task: str, source: str, strength: float) -> pd.DataFrame:
    """A row a language but the source and the pivot, steered toward what a source shares."""
    for kind, condition in (
        ("shared-published", f"shared-published-{source}"), ("shared", f"shared-{source}-{strength:g}")
    ):  # fmt: skip
        rows = _rows(asked, task, kind)
        rows = rows[(rows["condition"] == condition) & rows["group"].isin(asked.codes) & (rows["group"] != source)]
        if len(rows):
            break
    return rows.set_index("group")


def _harm(asked: Asked, found: Found, kind: str, name: str, condition: str | None = None) -> None:
    task = asked.read(found, "maths")
    rows = _rows(asked, task or "", kind)
    if condition is not None:
        rows = rows[rows["condition"] == condition]
    if (row := _row(rows, HELPED)) is None:
        if task is not None and asked.results.steering is not None and asked.edited:
            what = f"a condition `{condition or kind}` of {task}, which could not be run"
            found.lack((name,), Missing(kind="new", what=what))
        return
    found.items = int(row["items"])
    found.put(name, _difference(row))


def _plan(asked: Asked, found: Found, task: str) -> pd.DataFrame:
    """Rows of the published plan, or of the chosen one."""
    if len(published := _rows(asked, task, "published")):
        return published
    chosen = _rows(asked, task, "chosen")
    if len(chosen):
        found.stand_in(StandIn(kind="plan", used="the plan chosen for the model", meant="published settings"))
    return chosen


def _rows(asked: Asked, task: str, kind: str) -> pd.DataFrame:
    if asked.results.steering is None:
        return pd.DataFrame(columns=["group", "condition", "items", "low", "high", "difference", "base"])
    table = asked.results.steering.table
    return table[(table["task"] == task) & (table["kind"] == kind)]


def _row(rows: pd.DataFrame, group: str) -> Any:
    found = rows[rows["group"] == group]
    return found.iloc[0] if len(found) else None


def _difference(row: Any) -> Estimate:
    return Estimate(*(float(row[part]) for part in ("difference", "low", "high", "p", "q")))


def _centre(one: Estimate) -> float:
    return ((one.ci90_low or 0.0) + (one.ci90_high or 0.0)) / 2


def _half(one: Estimate) -> float:
    return ((one.ci90_high or 0.0) - (one.ci90_low or 0.0)) / 2
