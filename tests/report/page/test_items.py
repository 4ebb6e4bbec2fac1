"""Items that an edit turned right or wrong, on the page."""

import pandas as pd

from polyroute.report.page import items
from polyroute.report.page.study import Study
from polyroute.results.steering import TurnedRow


def test_the_page_shows_them_escaped(study: Study) -> None:
    text = items.shown(study, study.models["tiny"])
    assert "Items of arithmetic that the chosen plan turned: 9 right, 0 wrong" in text
    assert "Turned right; 1 of 9 shown" in text
    assert "&lt;one?&gt; eng_Latn" in text
    assert "yes &amp; no." in text
    assert 'before: <b dir="auto">(nothing)</b>' in text


def test_of_a_model_that_was_not_steered_nothing_is_said(study: Study) -> None:
    assert items.shown(study, study.models["counts"]) == ""


def test_a_plan_that_turned_nothing_says_so(study: Study) -> None:
    path = study.paths.metrics("tiny")
    before = TurnedRow.read(path)
    try:
        TurnedRow.write(path, [])
        assert "turned: 0 right, 0 wrong" in items.shown(study, study.models["tiny"])
    finally:
        TurnedRow.write(path, [pd.DataFrame(before)])
