from pathlib import Path

import pytest

from asking.seated import LANGUAGES, sitting
from polyroute.asking.mechanisms import COLUMNS, mechanisms
from polyroute.interventions.plans import BASELINE, Condition
from polyroute.steering.plan import Plan

SHAPE = {"model": "tiny", "experts_per_layer": 8, "top_k": 2}
TINY = Condition("tiny", "dose", Plan(**SHAPE, rule="soft", strength=1e-6, experts={1: (1, 4)}))
MASK = Condition("mask", "exclusive", Plan(**SHAPE, rule="mask", experts={1: (0, 1, 2), 2: (3, 4, 5)}))


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    return sitting(tmp_path_factory.mktemp("parts"))


def test_every_condition_has_a_row_for_each_layer_that_it_edits(asked) -> None:
    found = mechanisms(asked, [BASELINE, TINY, MASK], 2)
    assert tuple(found.columns) == COLUMNS
    assert list(zip(found["condition"], found["layer"], found["experts"], strict=True)) == [
        ("tiny", 1, 2), ("mask", 1, 3), ("mask", 2, 3),
    ]  # fmt: skip


def test_a_tiny_push_sends_no_token_elsewhere_and_a_mask_all_of_them(asked) -> None:
    found = mechanisms(asked, [TINY, MASK], 3).set_index(["condition", "layer"])
    tiny = found.loc["tiny", 1]
    assert tiny["changed"] == 0
    assert 0 < tiny["size"] < 1e-4
    assert tiny["before"] == tiny["after"]
    mask = found.loc["mask"]
    assert (mask["after"] == 0).all()
    assert (mask["before"] > 0).all()
    # A token that chose a masked expert must choose another; K = 2, so they are between before and 2 before.
    assert (mask["changed"] >= mask["before"]).all()
    assert (mask.loc[1, "changed"]) <= 2 * mask.loc[1, "before"]


def test_only_the_languages_that_are_asked_for_count(asked) -> None:
    lengths = {language: [len(row) for row in asked.prompts("report", 2, [language])] for language in LANGUAGES}
    assert all(len(one) == 2 for one in lengths.values())
    for chosen in (["deu_Latn"], ["eng_Latn", "swh_Latn"], None):
        expected = sum(sum(lengths[language]) for language in chosen or LANGUAGES)
        assert set(mechanisms(asked, [TINY, MASK], 2, chosen)["tokens"]) == {expected}


def test_prompts_are_the_first_of_the_report_half(asked, tmp_path: Path) -> None:
    decode = asked.loaded.tokenizer.decode
    assert [decode(row) for row in asked.prompts("report", 2)] == [f"{code} {n}" for code in LANGUAGES for n in (0, 2)]
    assert [decode(row) for row in asked.prompts("select", 1, ["swh_Latn"])] == ["swh_Latn 1"]


def test_a_baseline_alone_gives_no_row(asked) -> None:
    found = mechanisms(asked, [BASELINE], 2)
    assert found.empty
    assert tuple(found.columns) == COLUMNS
