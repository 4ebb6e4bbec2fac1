"""What the stage `score` says of a task."""

import pytest

from pipeline.test_stages import load_script
from tiny import ROOT


@pytest.mark.parametrize(
    ("score", "words"),
    [
        ("inclusion", "accuracy: eng_Latn 41%, mean of 17 others 20%"),
        ("sum", "accuracy: eng_Latn 41%, mean of 17 others 20%"),
        ("chrf", "chrF: eng_Latn 0.41, mean of 17 others 0.20"),
        ("f1", "F1: eng_Latn 0.41, mean of 17 others 0.20"),
    ],
)
def test_a_graded_score_is_not_told_as_right_or_wrong(score: str, words: str) -> None:
    summary_line = load_script(ROOT / "pipeline" / "score.py")._summary_line
    assert summary_line(score, {"pivot": 0.41, "others": 0.2}, "eng_Latn", 17) == words
