"""Which score decides."""

import pytest

from polyroute.scoring.kinds import SCORES
from polyroute.scoring.settings import Score


@pytest.mark.parametrize(
    ("kind", "changes", "score"),
    [
        ("choice", {}, "token"), ("number", {}, "correct"),
        ("number", {"number": "flexible_extract"}, "flexible_extract"), ("span", {}, "inclusion"),
        ("span", {"span": "f1"}, "f1"),
        ("span", {"span": "inclusion_as_released"}, "inclusion_as_released"), ("translation", {}, "chrf"),
    ],
)  # fmt: skip
def test_the_score_that_decides_is_the_one_that_is_asked_for(kind, changes, score) -> None:
    assert Score(choice="token", **changes).of(kind) == score
    assert score in SCORES[kind]
