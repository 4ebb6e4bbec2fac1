"""Thought is told by its marks, whatever a model calls them."""

import pytest

from polyroute.artifacts.thoughts import answer_part, is_open, thoughts

PAIRS = [
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("[THINK]", "[/THINK]"),
    ("<seed:think>", "</seed:think>"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|channel>thought\n", "<channel|>"),
    ("◁think▷", "◁/think▷"),
]


@pytest.mark.parametrize(("opening", "closing"), PAIRS)
def test_what_is_thought_is_left_out(opening: str, closing: str) -> None:
    text = f"{opening}Bonn was one once.{closing}Berlin"
    assert answer_part(text) == "Berlin"
    assert list(thoughts(text)) == [(0, len(text) - len("Berlin"))]
    assert answer_part(f"Bonn?{closing}Berlin") == "Berlin"  # the template has opened it
    assert not is_open(text)


@pytest.mark.parametrize(("opening", "_closing"), PAIRS)
def test_a_thought_that_never_ends_leaves_nothing(opening: str, _closing: str) -> None:
    assert answer_part(f"{opening}16 - 3 = 13, and so") == ""
    assert is_open(f"18 {opening}or is it 13?")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("18", "18"),
        ("[Thinking]\n9 * 2\n[Answer]\n18", "[Thinking]\n9 * 2\n[Answer]\n18"),  # headings are no marks
        ("<reasoning>\n9 * 2 = 18", "<reasoning>\n9 * 2 = 18"),
        ("<reasoning>9 * 2</reasoning>18", "18"),
        ("<think>1</think>12<think>2</think>18", "18"),
        ("<think>Bonn?</think>\n<answer>\nBerlin\n</answer>", "Berlin"),
        ("<|START_THINKING|>12<|END_THINKING|><|START_RESPONSE|>18<|END_RESPONSE|>", "18"),
        ("<|channel|>analysis<|message|>12<|end|><|start|>assistant<|channel|>final<|message|>18", "18"),
        ("<|channel|>analysis<|message|>12", ""),
    ],
)
def test_the_answer_is_what_follows(text: str, said: str) -> None:
    assert answer_part(text) == said


def test_channels_but_the_final_one_are_thought() -> None:
    text = "<|channel|>analysis<|message|>12<|channel|>final<|message|>18"
    assert list(thoughts(text)) == [(0, text.rindex("<|channel|>"))]


@pytest.mark.parametrize(
    "text",
    [
        "<solution>18</solution>",
        "<final_answer>18</final_answer>",
        "18</s>",
        "18<eos>",
        "<think>a</think>18<end_of_turn>",
    ],
)
def test_marks_around_and_behind_an_answer_are_taken_off(text: str) -> None:
    assert answer_part(text) == "18"
