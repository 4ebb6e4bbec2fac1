"""Accuracy of a model as it is, in a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from polyroute.report import words
from polyroute.report.words import NONE
from polyroute.results.model import ModelResults


def accuracy_table(measured: Sequence[ModelResults]) -> str:
    """A row a model and task: accuracy in the pivot, mean and range of the other languages, and chance.

    Chance is what the best constant answer gets, or guessing evenly where that is more. `stated` and `transfer` are of
    the other languages, in facts that training states in the language and in those that it states elsewhere alone.
    """
    columns = [
        "model", "task", "languages", "items", "pivot", "others", "worst", "best", "chance", "stated", "transfer",
    ]  # fmt: skip
    rows = []
    for one in measured:
        found = one.accuracy
        for task, held in found.tasks.items() if found is not None else ():
            assert found is not None, "it has tasks"
            scored = found.table[found.table["task"] == task]
            others = scored[scored["language"] != one.pivot].sort_values("accuracy", kind="stable")
            extremes = (
                f"{words.percent(others['accuracy'].iloc[place])} ({words.named(others['language'].iloc[place])})"
                if len(others) else NONE
                for place in (0, -1)
            )  # fmt: skip
            rows.append(
                [
                    one.model, task, str(len(scored)), _span(scored["items"]),
                    f"{words.percent(held.pivot)} ({words.named(one.pivot)})", words.percent(held.others),
                    *extremes,
                    *(
                        NONE if share is None else words.percent(share)
                        for share in (held.chance, held.stated, held.transfer)
                    ),
                ]
            )  # fmt: skip
    return words.markdown(columns, rows)


def _span(counts: Iterable[float]) -> str:
    """A number, or the smallest and the largest."""
    low, high = min(counts), max(counts)
    return f"{low:.0f}" if low == high else f"{low:.0f}-{high:.0f}"
