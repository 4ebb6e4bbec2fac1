import numpy as np

from polyroute.experts.hinge import without_each

# One layer of four experts: the task's are the first three.
TASK = np.array([[0.5, 0.4, 0.4, 0.1]])
GERMAN, FRENCH, SWAHILI = (np.array([row]) for row in ([0.5, 0.0, 0.0, 0.5], [0.4, 0.5, 0.0, 0], [0.0, 0.0, 0.0, 0.5]))


def test_an_expert_of_one_language_alone_is_lost_with_it() -> None:
    by_language = {"deu_Latn": GERMAN, "fra_Latn": FRENCH, "swh_Latn": SWAHILI}
    # In both are experts 0 (German, French) and 1 (French alone).
    assert without_each(TASK, by_language, 0.3) == {"both_without_one": 1, "both_hinges_on": []}


def test_a_language_that_brings_all_is_named() -> None:
    found = without_each(TASK, {"deu_Latn": GERMAN, "swh_Latn": SWAHILI}, 0.3)
    assert found == {"both_without_one": 0, "both_hinges_on": ["deu_Latn"]}


def test_no_overlap_hinges_on_none_and_one_language_cannot_be_left_out() -> None:
    assert without_each(TASK, {"a": SWAHILI, "b": SWAHILI}, 0.3) == {"both_without_one": 0, "both_hinges_on": []}
    assert without_each(TASK, {"deu_Latn": GERMAN}, 0.3) == {}
