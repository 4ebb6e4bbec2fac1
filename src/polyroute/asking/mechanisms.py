"""What conditions do to routing on a task's own prompts, beside what they do to its answers (`steering.mechanism`)."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from polyroute.asking.prompts import device_of
from polyroute.asking.sitting import Sitting
from polyroute.interventions.plans import Condition
from polyroute.steering import mechanism
from polyroute.steering.mechanism import padded_batches

COLUMNS = ("condition", *mechanism.COLUMNS)
"""Columns of the table."""


def mechanisms(
    sitting: Sitting, conditions: Sequence[Condition], count: int, languages: Sequence[str] | None = None
) -> pd.DataFrame:
    """Measure every condition's edit on prompts of the report half.

    Args:
        sitting: the model and the task.
        conditions: what to do to the model; a baseline among them does nothing and gives no row.
        count: prompts of each language.
        languages: of the task; all of them, pooled by token, if None.

    Returns:
        `COLUMNS`, a row a condition and edited layer; the columns are those of `steering.mechanism`.

    Raises:
        MechanismError: as `steering.mechanism.mechanism`.
    """
    loaded = sitting.loaded
    rows = sitting.prompts("report", count, languages)
    batches = list(padded_batches(rows, batch_tokens=sitting.examiner.batch_tokens, device=device_of(loaded.model)))
    found = [
        mechanism.mechanism(loaded.model, condition.plan, batches, routers=loaded.routers).assign(
            condition=condition.name
        )
        for condition in conditions
        if condition.plan is not None
    ]
    return pd.concat(found, ignore_index=True)[list(COLUMNS)] if found else pd.DataFrame(columns=list(COLUMNS))
