"""What the stage `evaluate` says of a task."""

import pytest

from pipeline.test_stages import load_script
from tiny import ROOT


@pytest.mark.parametrize(
    ("score", "words"),
    [
        ("inclusion", "right in 41% of items in eng_Latn, 20%"),
        ("sum", "right in 41% of items in eng_Latn, 20%"),
        ("chrf", "chrF 0.41 in eng_Latn, 0.20"),
        ("f1", "F1 0.41 in eng_Latn, 0.20"),
    ],
)
def test_a_graded_score_is_not_told_as_right_or_wrong(score: str, words: str) -> None:
    told = load_script(ROOT / "pipeline" / "evaluate.py")._told
    assert told(score, {"pivot": 0.41, "others": 0.2}, "eng_Latn") == words
