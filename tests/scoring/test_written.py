"""From what was written to right and wrong."""

import pandas as pd
import pytest

from polyroute.scoring.written import answer_part, score_numbers, score_spans, score_translations
from scoring.answered import Recogniser, number_task, raw_numbers


@pytest.mark.parametrize(
    ("output", "number", "correct"),
    [("18", "18", True), ("Answer: $18.00", "18", True), ("17", "17", False), ("", None, False),
     ("who knows", None, False), ("<think>9 * 2 = 17?</think>18", "18", True), ("<think>it is 18, or 18", None, False)],
)  # fmt: skip
def test_a_number_is_right_if_it_equals_the_right_one(output, number, correct) -> None:
    scored = score_numbers(raw_numbers(output), number_task("18"), "t")
    found = scored["extracted"][0]
    assert (None if pd.isna(found) else found) == number
    assert scored["correct"].tolist() == [correct]
    assert scored["output_language"].isna().all()


def test_the_harness_rule_stands_beside_ours_and_reads_all_that_was_written() -> None:
    outputs = ("18", "$18.00", "<think>9 * 2 = 17?</think>18", "<think>it is 18, or 18", "who knows")
    scored = score_numbers(raw_numbers(*outputs, finished=False), number_task(*["18"] * 5), "t")
    assert scored["by_flexible_extract"].where(scored["by_flexible_extract"].notna(), None).tolist() == [
        "18", "$18.00", "18", "18", None,
    ]  # fmt: skip
    assert scored["flexible_extract"].tolist() == [True, False, True, True, False]
    assert not scored["correct"].any()


def test_a_truncated_answer_is_wrong_even_where_its_number_is_right() -> None:
    scored = score_numbers(raw_numbers("18", finished=False), number_task("18"), "t")
    assert scored["extracted"].tolist() == ["18"]
    assert scored["correct"].tolist() == [False]


def test_numbers_are_read_as_the_items_language_writes_them() -> None:
    for language, right in (("deu_Latn", True), ("eng_Latn", False)):
        scored = score_numbers(raw_numbers("1.234", language=language), number_task("1234", language=language), "t")
        assert scored["correct"].tolist() == [right]


def test_a_formula_is_right_if_it_has_the_value_of_the_right_one() -> None:
    outputs = (r"so $\boxed{\frac{2\pi}{6}}$", r"$\boxed{\pi}$", "I cannot say.", "", "18")
    answers = (*[r"$\frac{\pi}{3}$"] * 4, "18")
    scored = score_numbers(raw_numbers(*outputs), number_task(*answers), "t")
    assert scored["correct"].tolist() == [True, False, False, False, True]
    assert scored["extracted"].isna().tolist() == [False, False, True, True, False]


def test_a_span_has_every_score() -> None:
    outputs = ("It was the Panthers.", "", "Carolina", "the Carolina Panthers!", "<think>Panthers</think>Broncos")
    scored = score_spans(raw_numbers(*outputs), number_task(*["Carolina Panthers"] * 5), "t", Recogniser())
    assert scored["inclusion"].tolist() == [False, False, True, True, False]
    # The empty answer is right in the release, whose letters must match: "Panthers." is not in "Carolina Panthers".
    assert scored["inclusion_as_released"].tolist() == [False, True, True, True, False]
    assert scored["exact_match"].tolist() == [False, False, False, True, False]
    # "it was panthers" shares one of its 3 tokens and one of 2: 2 * 1 / 5.
    assert scored["f1"].tolist() == pytest.approx([0.4, 0, 2 / 3, 1, 0])
    assert scored["output_language"].tolist() == ["eng_Latn"] * 5


def test_a_span_that_is_not_finished_has_no_score_but_the_releases() -> None:
    scored = score_spans(raw_numbers("308", finished=False), number_task("308"), "t")
    assert scored[["inclusion", "inclusion_as_released", "exact_match", "f1"]].iloc[0].tolist() == [
        False,
        True,
        False,
        0,
    ]
    assert scored["output_language"].isna().all()


def test_a_translation_has_the_chrf_of_what_is_said() -> None:
    outputs = ("<think>abc</think>abc", "", "xyz")
    raw = raw_numbers(*outputs).assign(finished=[True, True, False])
    scored = score_translations(raw, number_task("abc", "abc", "xyz"), "t", Recogniser())
    assert scored["chrf"].tolist() == [1.0, 0.0, 1.0]
    assert scored["reference"].tolist() == ["abc", "abc", "xyz"]


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("18", "18"),
        (" 18 <|im_end|>", "18"),
        ("<think>\nhm</think>\n\n18", "18"),
        ("<think>a</think>b<think>c</think>d", "d"),
        ("hm</think>18", "18"),  # the template opened the thought
        ("<think>hm", ""),
        ("<|channel|>analysis<|message|>17?<|end|><|start|>assistant<|channel|>final<|message|>18<|return|>", "18"),
        ("<|channel|>analysis<|message|>17?", ""),
        ("<|channel|>final <|constrain|>json<|message|>18", "18"),
        ("a < b and c > d", "a < b and c > d"),
    ],
)
def test_what_is_thought_is_no_part_of_the_answer(output, said) -> None:
    assert answer_part(output) == said
