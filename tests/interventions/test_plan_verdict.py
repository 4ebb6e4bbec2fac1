"""The verdict that a plan carries, from the table of what it did."""

import hashlib

import pandas as pd
import pytest

from interventions.test_effects import BASE, BETTER, CONDITIONS, DRAWING, RULE, SAME
from polyroute.interventions.effects import FindingsError, compared, judge
from polyroute.interventions.plan_verdict import digest_of, plan_verdict
from polyroute.results.steering import Verdict

ANSWERS = {"baseline": BASE, "chosen": BETTER, "random0": SAME, "random1": SAME}
TABLE = compared(CONDITIONS, ANSWERS, **DRAWING)
FOUND = Verdict.model_validate(judge(TABLE, ANSWERS, CONDITIONS[0], CONDITIONS, "eng_Latn", RULE).plain())
ABOUT = {"task": "quiz", "score": "sum", "checked": "cross_fitted", "item_ids": ["i1", "i0"]}


def test_it_is_what_the_table_says() -> None:
    told = plan_verdict(TABLE, "chosen", FOUND, languages=["deu_Latn", "swh_Latn"], **ABOUT)
    assert (told.code, told.languages) == ("helps_unranked", ["deu_Latn", "swh_Latn"])
    # German 50 to 80, Swahili 20 to 40: 35 to 60 on average.
    assert (told.gain.base, told.gain.steered, told.gain.difference, told.gain.items) == (0.35, 0.6, 0.25, 60)
    assert (told.random.draws, told.random.mean) == (2, 0)
    assert told.random.p == pytest.approx(1 / 3, abs=1e-4)
    assert set(told.by_language) == {"eng_Latn", "deu_Latn", "swh_Latn"}
    assert told.by_language["eng_Latn"].difference == pytest.approx(-0.05)
    assert told.items == hashlib.sha256(b"i0\ni1\n").hexdigest() == digest_of(["i0", "i1"])


def test_languages_that_it_is_not_for_may_stand_beside() -> None:
    beside = compared(CONDITIONS[:1], {"baseline": BASE, "chosen": BETTER}, **DRAWING).replace("swh_Latn", "yor_Latn")
    table = pd.concat([TABLE, beside[beside["group"] == "yor_Latn"]])
    told = plan_verdict(table, "chosen", FOUND, languages=["deu_Latn", "swh_Latn"], **ABOUT)
    assert told.by_language["yor_Latn"].difference == pytest.approx(0.2)
    assert told.gain.difference == 0.25


def test_a_plan_that_was_not_asked_has_none() -> None:
    with pytest.raises(FindingsError, match="`published` has no verdict"):
        plan_verdict(TABLE, "published", FOUND, languages=["deu_Latn"], **ABOUT)
