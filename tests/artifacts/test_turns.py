"""How items become conversations."""

import pytest

from polyroute.artifacts.turns import ChatText, Turn, TurnError, joined

SOLVED = (Turn("user", "2 + 2?"), Turn("assistant", "4"))


def told(item, **how) -> list[tuple[str, str, bool]]:
    return [(*said.turn, said.content) for said in ChatText(**how).conversation(item)]


def test_a_lone_text_is_the_users_and_turns_keep_their_roles() -> None:
    assert told("passage") == [("user", "passage", True)]
    assert told(SOLVED) == [("user", "2 + 2?", True), ("assistant", "4", True)]
    assert told([["user", "2 + 2?"], ["assistant", "4"]]) == told(SOLVED)


def test_the_five_cells_of_turn_against_task() -> None:
    request = ("user", "Write a short text.", False)
    assert told("passage") == [("user", "passage", True)]  # G_U
    assert told("passage", roles="assistant") == [request, ("assistant", "passage", True)]  # G_A
    assert [said[:2] for said in told(SOLVED)] == list(SOLVED)  # T_UA
    assert told(SOLVED, roles="user") == [("user", "2 + 2?\n\n4", True)]  # T_U
    assert told(SOLVED, roles="assistant") == [request, ("assistant", "2 + 2?\n\n4", True)]  # T_A


def test_some_turns_are_kept() -> None:
    assert told(SOLVED, keep="user") == [("user", "2 + 2?", True)]
    assert told(SOLVED, keep="assistant", roles="user") == [("user", "4", True)]
    with pytest.raises(TurnError, match="it has no turn of the assistant, only of user"):
        told("passage", keep="assistant")


def test_as_one_text_turns_are_a_blank_line_apart() -> None:
    assert joined("passage") == "passage"
    assert joined(SOLVED) == "2 + 2?\n\n4"
