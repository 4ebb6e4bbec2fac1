"""Task or turn in words."""

from types import SimpleNamespace

from claims.test_turns import reading, summary
from polyroute.report.turns import in_short, turn_table

READING = reading((0.1, 0.05, 0.15), (0.9, 0.8, 1.0), 0.3)


def test_a_row_a_task_and_way_of_counting_and_none_where_it_was_not_asked() -> None:
    solution = READING.model_copy(update={"assistant": "solution"})
    asked = SimpleNamespace(model="big", turns=summary(READING, solution))
    others = [SimpleNamespace(model=name, turns=turns) for name, turns in
              {"small": summary(not_run="no_template"), "new": None}.items()]  # fmt: skip
    head, _, *rows = turn_table([asked, *others]).splitlines()
    assert head.startswith("| model | task | tokens |")
    assert rows == [
        "| big | arithmetic | rendered | 22 above 0.4 | 0.10 [0.05, 0.15] | 0.30 | 0.90 [0.80, 1.00] | "
        "0.90 [0.80, 1.00] | open |"
    ]


def test_in_short() -> None:
    assert in_short("mgsm", READING) == "mgsm open, turn share 0.10 [0.05, 0.15]"
    assert in_short("mgsm", READING.model_copy(update={"decision": "holds"})).startswith("mgsm of the turn, ")
