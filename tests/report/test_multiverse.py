from typing import get_args

from claims.made import committed
from polyroute.report import multiverse
from polyroute.report.claims import WIDTH
from polyroute.results.multiverse import ChoiceName, ElsewhereName, MultiverseSummary, Single
from report.plausible_multiverse import CLAIM, SINGLE, summary

CLAIMS = committed()
FOUND = {"tiny": MultiverseSummary.model_validate(summary())}


def test_every_choice_and_reason_has_words() -> None:
    assert set(multiverse.CHOICES) == set(get_args(ChoiceName))
    assert set(multiverse.ELSEWHERE) == set(get_args(ElsewhereName))
    assert set(multiverse.SINGLE) == set(get_args(Single))


def test_the_board_says_how_often_a_claim_survives_and_what_moves_it() -> None:
    lines = multiverse.board(CLAIMS, FOUND).splitlines()
    assert lines[2].split() == ["p1.u_shape", "4", "50%", "50%", "50%", "layer", "zones", "(100%)"]
    assert "1 more with one verdict, resting on answers: " in lines[3]
    assert max(map(len, lines)) <= WIDTH


def test_one_claim_is_told_in_full() -> None:
    text = multiverse.details(CLAIMS.get(CLAIM), FOUND)
    assert "4 cells: 2 not replicated, 2 replicated" in text
    assert "lm: 0.3 in the study's own cell (replicated), -0.1 to 0.3 over 2 cells of its unit" in text
    assert "    layer zones: the study's, RISE's                    100%      25%" in text
    assert "    distance: D, JSD                                      0%        –" in text
    assert "soft_mass" not in text, "a choice with one level moves nothing"
    assert "alone, layer zones = RISE's makes it not replicated" in text
    assert "unknown in some cells: share_u: too little data: sentences" in text
    assert "takes another run: text in the model's chat template, or plain (here no), by `trace`" in text
    assert max(map(len, text.splitlines())) <= WIDTH


def test_a_claim_with_one_verdict_says_why_in_a_sentence() -> None:
    text = multiverse.details(CLAIMS.get(SINGLE), FOUND)
    assert text.endswith("tiny\n  one verdict, resting on answers: every other choice means asking the model again.")
    assert multiverse.as_data(FOUND, CLAIMS.get(SINGLE)) == {"tiny": {"single": "needs_answers"}}


def test_machines_get_the_same() -> None:
    assert multiverse.as_data(FOUND, CLAIMS.get(CLAIM))["tiny"]["cells"] == 4
    assert multiverse.as_data(FOUND, None)["tiny"]["claims"][CLAIM]["base"] == "replicated"
