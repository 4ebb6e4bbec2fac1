"""Shared and exclusive experts: which setting reports show, and languages by resource class.

shared.csv holds several k and thr. Reports show the k whose share of a layer is nearest paper 2's 15 of 128, and the
thr nearest its 0.4, what it masks with.
"""

from __future__ import annotations

import pandas as pd

SHARE, THR = 15 / 128, 0.4


def setting(shared: pd.DataFrame, corpus: str, experts: int | None) -> pd.DataFrame:
    """Rows of one corpus under the setting that is shown.

    Args:
        shared: shared.csv.
        corpus: which.
        experts: of a layer; the smallest k where it is not known.
    """
    rows = shared[shared["corpus"] == corpus]
    if rows.empty:
        return rows
    k, thr = shown(rows["k"].unique(), rows["thr"].unique(), experts)
    return rows[(rows["k"] == k) & (rows["thr"] == thr)]


def shown(ks: object, thrs: object, experts: int | None) -> tuple[float, float]:
    """The k and thr that are shown, of those that were computed; of two equally near the smaller."""
    wanted = SHARE * experts if experts else 0.0
    near = sorted(map(float, ks), key=lambda k: (abs(k - wanted), k))  # type: ignore[call-overload]
    return near[0], sorted(map(float, thrs), key=lambda thr: (abs(thr - THR), thr))[0]  # type: ignore[call-overload]


def by_resource(shared: pd.DataFrame) -> pd.Series[float]:
    """Resource class of each language, most resources first, unknown last; else in the order of the study."""
    classes: pd.Series[float] = (
        shared[shared["language"] != ""].drop_duplicates("language").set_index("language")["resource"].astype("float64")
    )
    return classes.sort_values(ascending=False, kind="stable", na_position="last")
