"""Accuracy under two checkpoints on the same items.

Pairs and units are those of `stats.paired`: the item in one language, the item with all its translations over
languages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from polyroute.artifacts import answers
from polyroute.artifacts.answers import Answers
from polyroute.results.quantities import DECIMALS
from polyroute.scoring.kinds import SCORES, by_score
from polyroute.stats.paired import PairedScores, compare

OTHERS = "other languages"
"""Group of all languages but the pivot."""


@dataclass(frozen=True)
class Accuracy:
    """What became of the answers to one task."""

    task: str
    table: pd.DataFrame
    """A row a language and one for `OTHERS`, the columns of `stats.paired.compare`: `base` is the one checkpoint,
    `edited` the other."""
    left_out: dict[str, str]
    """Language -> why it is not compared."""


def records(one: Accuracy) -> list[dict[str, Any]]:
    """Its rows as plain data, None in place of NaN."""
    rows: list[dict[str, Any]] = one.table.astype(object).where(one.table.notna(), None).to_dict("records")  # type: ignore[assignment]
    return rows


def accuracy(
    one: Path, other: Path, *, pivot: str, scores: dict[str, str], confidence: float, seed: int
) -> tuple[list[Accuracy], dict[str, str]]:
    """Every task that both checkpoints were asked, as they are.

    Args:
        one: folder of scored answers, `<task>/<half>.parquet`.
        other: of the other checkpoint.
        pivot: language that is shown apart.
        scores: task -> the score that is compared; of others the first of their kind.
        confidence: coverage of intervals.
        seed: of exchanges.

    Returns:
        The tasks, and those that cannot be compared with the reason.

    Raises:
        AnswerError: a file is damaged.
    """
    found, refused = [], {}
    both = [{path.name for path in folder.glob("*/") if path.is_dir()} for folder in (one, other)]
    for task in sorted(both[0] & both[1]):
        sides = [_read(folder / task) for folder in (one, other)]
        headers = [side[0].header for side in sides]
        if headers[0].kind != headers[1].kind:
            refused[task] = f"it is scored as {headers[0].kind} in one and as {headers[1].kind} in the other"
            continue
        asked = [_questions(side) for side in sides]
        same = [code for code in asked[0] if asked[1].get(code) == asked[0][code]]
        apart = {code: "other questions, or asked in one alone" for code in {*asked[0], *asked[1]} if code not in same}
        if not same:
            refused[task] = "no language has the same questions in both"
            continue
        score = scores.get(task, next(iter(SCORES[headers[0].kind])))
        paired = PairedScores.from_tables(_scored(sides[0], same, score), _scored(sides[1], same, score))
        others = [code for code in paired.languages if code != pivot]
        groups = {OTHERS: others} if others else {}
        table = compare(paired, confidence=confidence, seed=seed, groups=groups)
        numbers = table.select_dtypes("number").columns
        table[numbers] = table[numbers].round(DECIMALS) + 0.0
        found.append(Accuracy(task, table, dict(sorted(apart.items()))))
    for task in sorted(both[0] ^ both[1]):
        refused[task] = "only one of the two was asked it"
    return found, refused


def _read(folder: Path) -> list[Answers]:
    return [answers.read(path) for path in sorted(folder.glob("*.parquet"))]


def _questions(side: Sequence[Answers]) -> dict[str, tuple[str, ...]]:
    """Language -> digests of its halves."""
    found: dict[str, tuple[str, ...]] = {}
    for half in side:
        for language, digest in half.header.questions.items():
            found[language] = (*found.get(language, ()), digest)
    return found


def _scored(side: Sequence[Answers], languages: Sequence[str], score: str) -> pd.DataFrame:
    parts: list[Any] = [by_score(half.frame, half.header.kind, score) for half in side]
    whole: pd.DataFrame = pd.concat(parts, ignore_index=True)
    kept: pd.DataFrame = whole[whole["language"].isin(languages)]
    return kept
