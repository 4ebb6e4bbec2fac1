"""The grammar of conditions, and what an unknown quantity does to a verdict."""

import pytest

from polyroute.claims.conditions import ConditionError, decide, every, parse, some


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("em.low > 0", {"em.low": 0.1}, True),
        ("em.low > 0", {"em.low": 0.0}, False),
        ("em.low > 0", {}, None),
        ("em.low > 0", {"em.low": None}, None),
        ("em.low > 0", {"em.low": float("nan")}, None),
        ("not em.low > 0", {}, None),
        ("abs(x.value) >= abs(y.value) / 2", {"x.value": -0.2, "y.value": 0.4}, True),
        ("x / y > 0", {"x": 1, "y": 0}, None),
        ("-0.01 < x < 0.01", {"x": 0.005}, True),
        ("-0.01 < x < y", {"x": -0.02}, False),
        ("a > 0 or b > 0", {"a": 1}, True),
        ("a > 0 or b > 0", {"a": -1}, None),
        ("a > 0 and b > 0", {"a": -1}, False),
        ("own.middle > min(own.early, own.late)", {"own.middle": 1, "own.early": 2, "own.late": 0}, True),
        ("own.middle > min(own.early, own.late)", {"own.middle": 1, "own.early": 0}, None),
    ],
)
def test_a_condition_is_true_false_or_unknown(text, values, expected) -> None:
    assert parse(text).holds(values) is expected


def test_a_condition_names_its_quantities() -> None:
    assert parse("a.b.low > max(c, 2) and not d == 1").symbols == {"a.b.low", "c", "d"}


@pytest.mark.parametrize(
    "text",
    ["em.low", "em.low >", "", "True", "f(x) > 0", "x[0] > 0", "x > 'a'", "x > True", "abs(x, y) > 0", "min(x) > 0",
     "x in y", "x ** 9 > 0", "(a > 0) > 1", "__import__('os').name > 0", "(y := 1) > 0", "f().low > 0"],
)  # fmt: skip
def test_what_is_not_of_the_grammar_is_refused(text) -> None:
    with pytest.raises(ConditionError):
        parse(text)


def test_every_and_some_follow_kleene() -> None:
    assert every([]) is True
    assert some([]) is False
    assert (every([True, None]), every([False, None])) == (None, False)
    assert (some([True, None]), some([False, None])) == (True, None)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"low": 0.1, "high": 0.2, "noise": 0.0}, "replicated"),
        ({"low": -0.2, "high": -0.1, "noise": 0.0}, "not_replicated"),
        ({"low": -0.1, "high": 0.1, "noise": 0.0}, "inconclusive"),
        ({"low": 0.1, "high": 0.2}, "cannot_be_tested"),  # a null that was not run is not beaten
        ({"low": -0.1, "high": 0.1}, "inconclusive"),  # whatever the null says
        ({"low": -0.1, "noise": 0.0}, "cannot_be_tested"),
        ({"high": -0.1}, "not_replicated"),
        ({}, "cannot_be_tested"),
    ],
)
def test_a_verdict_needs_all_that_it_rests_on(values, code) -> None:
    assert decide([parse("low > 0"), parse("low > noise")], [parse("high < 0")], values) == code


def test_where_both_sets_hold_nothing_is_concluded() -> None:
    assert decide([parse("x > 0")], [parse("x < 0.01")], {"x": 0.005}) == "inconclusive"


def test_a_claim_without_conditions_has_no_verdict() -> None:
    with pytest.raises(ConditionError, match="add them"):
        decide([], [parse("x > 1")], {"x": 2})
