"""Specification curves: every combination by effect, and below it which level of each choice it has."""

from polyroute.report.page import specification
from polyroute.report.page.figure import Figure
from polyroute.report.page.study import Study
from report.plausible_multiverse import CLAIM


def curve(study: Study) -> Figure:
    (one,) = specification.figures(study.multiverses["tiny"], study.cells["tiny"], study.claims)
    return one


def test_combinations_of_the_studys_unit_are_ordered_by_effect(study: Study) -> None:
    one = curve(study)
    assert one.columns == ["place", "effect", "low", "high", "verdict", "own", "layer zones"]
    assert [row[1] for row in one.rows] == [-0.1, 0.3]
    assert [row[4:] for row in one.rows] == [["not replicated", "", "RISE's"], ["replicated", "yes", "the study's"]]


def test_it_says_what_the_effect_is_and_how_many_combinations_came_to_what(study: Study) -> None:
    one = curve(study)
    assert one.title == f"{CLAIM}: a U over depth"
    assert one.notes[0].startswith("4 combinations: not replicated in 2, replicated in 2. The 2 with the study's own")
    assert "late zone - middle zone" in one.notes[1]


def test_rows_below_are_choices_with_their_levels(study: Study) -> None:
    rows = curve(study).spec["layer"][1]["encoding"]["y"]["scale"]["domain"]
    assert rows == ["layer zones, 100%", "layer zones: the study's", "layer zones: RISE's"]


def test_a_claim_whose_effect_is_unknown_has_none(study: Study) -> None:
    cells = study.cells["tiny"].assign(effect=float("nan"))
    assert list(specification.figures(study.multiverses["tiny"], cells, study.claims)) == []
