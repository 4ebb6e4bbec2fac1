"""The cells of text by turn."""

from polyroute.artifacts.turns import Turn
from polyroute.experts.turn_cells import CELLS, DELTAS, as_chat, cells_of

ITEM = (Turn("user", "2+2?"), Turn("assistant", "Four."))


def said(cell, item) -> list[tuple[str, str, bool]]:
    return [(one.turn.role, one.turn.text, one.content) for one in as_chat(cell, "rendered").conversation(item)]


def test_each_text_is_said_by_whom_its_cell_says() -> None:
    request = ("user", "Write a short text.", False)
    assert said("passage_user", "A cat.") == [("user", "A cat.", True)]
    assert said("passage_assistant", "A cat.") == [request, ("assistant", "A cat.", True)]
    assert said("item_both", ITEM) == [("user", "2+2?", True), ("assistant", "Four.", True)]
    assert said("item_user", ITEM) == [("user", "2+2?\n\nFour.", True)]
    assert said("item_assistant", ITEM) == [request, ("assistant", "2+2?\n\nFour.", True)]
    assert said("solution_assistant", ITEM) == [request, ("assistant", "Four.", True)]


def test_cells_are_of_two_texts_and_every_difference_is_of_cells() -> None:
    assert [*cells_of("passage"), *cells_of("item")] == list(CELLS)
    assert {cell for pair in DELTAS.values() for cell in pair} == set(CELLS)


def test_what_counts_is_said_as_chats_say_it() -> None:
    assert as_chat("item_user", "rendered").counted == "rendered"
    assert as_chat("item_user", "content").counted == "content_without_bos"
    assert as_chat("item_user", "without_digits").counted == "content_without_digits"
