"""What must hold of a task's items."""

from dataclasses import replace

import pytest

from polyroute.artifacts.questions import TaskError
from polyroute.readers.item_checks import check_items
from polyroute.readers.spec import Item

LANGUAGES = ["eng_Latn", "deu_Latn"]
CHOICES = [
    Item(f"i{number}", code, f"ask {number}", number % 2, (" a", " b"))
    for number in range(5) for code in LANGUAGES
]  # fmt: skip
NUMBERS = [Item(f"i{number}", code, f"ask {number}", "18") for number in range(5) for code in LANGUAGES]


def breach(items: list[Item], match: str, kind: str = "choice") -> None:
    with pytest.raises(TaskError, match=match) as caught:
        check_items(items, "t", LANGUAGES, kind)
    assert "task `t` cannot be used" in str(caught.value)


def test_whole_tasks_pass(caplog) -> None:
    check_items(CHOICES, "t", LANGUAGES, "choice")
    check_items(NUMBERS, "t", LANGUAGES, "number")
    assert not caplog.text


def test_each_breach_names_language_and_item() -> None:
    breach(CHOICES[:-1], "deu_Latn: missing, though in another language: i4")
    breach([*CHOICES, CHOICES[0]], "eng_Latn: there twice: i0")
    breach([item for item in CHOICES if item.language == "eng_Latn"], "deu_Latn: no items")
    breach([*CHOICES, replace(CHOICES[0], language="fra_Latn")], "fra_Latn: in a language that was not asked for: i0")
    breach(
        [replace(CHOICES[0], split="select"), *CHOICES[1:]], "deu_Latn: in another split than in another language: i0"
    )
    breach(
        [replace(CHOICES[0], choices=(" a", " b", " c")), *CHOICES[1:]], "deu_Latn: another number of choices .*: i0"
    )
    breach([replace(CHOICES[0], shown=("x", "")), *CHOICES[1:]], r"eng_Latn: option missing \(empty\): i0")
    breach([replace(CHOICES[0], answer="0"), *CHOICES[1:]], "eng_Latn: answer outside the choices: i0")
    breach([replace(NUMBERS[0], answer="19"), *NUMBERS[1:]], "deu_Latn: another answer .*: i0", "number")
    breach([replace(NUMBERS[0], answer=18), *NUMBERS[1:]], "eng_Latn: answer is no plain decimal .*: i0", "number")
    breach([replace(NUMBERS[0], choices=(" a", " b")), *NUMBERS[1:]], "eng_Latn: choices, though a number", "number")


def test_all_breaches_are_told_at_once_and_long_lists_cut_short() -> None:
    items = [replace(item, answer=7, prompt="") if item.language == "deu_Latn" else item for item in CHOICES]
    breach(
        items, r"deu_Latn: empty prompt: i0, i1, i2 and 2 more\n  deu_Latn: answer outside the choices: i0, i1, i2 and"
    )


def test_options_may_be_alike_where_letters_tell_them_apart() -> None:
    check_items([replace(item, shown=("same", "same")) for item in CHOICES], "t", LANGUAGES, "choice")


def test_equal_prompts_and_differing_keys_are_told_and_kept(caplog) -> None:
    check_items([replace(CHOICES[0], prompt="ask 1"), *CHOICES[1:]], "t", LANGUAGES, "choice")
    assert "t: items of equal prompt in eng_Latn, kept as they are: i0, i1" in caplog.text
    caplog.clear()
    check_items([replace(CHOICES[0], answer=1), *CHOICES[1:]], "t", LANGUAGES, "choice")
    assert "the right choice is not the same one in every language, kept as it is: i0" in caplog.text
