"""Groups of languages by rule."""

import copy

import pytest

from polyroute.ground.frozen import ParamsError
from polyroute.params.file import ParamsFile, parse
from polyroute.params.groups import used
from tiny import raw_params


@pytest.fixture(scope="module")
def shipped():
    return raw_params()


def with_group(shipped, rule) -> ParamsFile:
    raw = copy.deepcopy(shipped)
    raw["languages"]["mine"] = rule
    return parse(raw)


@pytest.mark.parametrize(
    ("group", "count"),
    [
        ("belebele-122", 122), ("belebele-50", 50), ("belebele-24", 24), ("flores-plus-205", 205), ("sib200-205", 205),
        ("sib200-50", 50), ("sib200-24", 24),
    ],
)  # fmt: skip
def test_wide_groups_ship_with_the_pivot_first(shipped, group, count) -> None:
    codes = parse(shipped).languages[group]
    assert len(set(codes)) == len(codes) == count
    assert codes[0] == "eng_Latn"
    assert codes[1:] == sorted(codes[1:])


def test_of_several_entries_those_that_all_hold_and_tasks_count_too(shipped) -> None:
    codes = with_group(shipped, {"covered_by": ["sib200", "mgsm"]}).languages["mine"]
    assert codes == with_group(shipped, {"covered_by": "mgsm"}).languages["mine"]
    assert len(codes) == 11
    assert len(with_group(shipped, {"covered_by": ["sib200", "belebele"]}).languages["mine"]) == 117


def test_a_model_may_name_one(shipped) -> None:
    raw = copy.deepcopy(shipped)
    raw["models"]["olmoe-1b-7b"]["languages"] = "sib200-205"
    assert len(parse(raw).languages["sib200-205"]) == 205


def test_check_says_how_many_and_which(shipped) -> None:
    lines = list(used(parse(shipped)))
    named = "eng_Latn, deu_Latn, fra_Latn, rus_Cyrl, zho_Hans, swh_Latn"
    assert f"group pocket-masked: 6 languages of 3 families, by resource class 2: 1, 4: 1, 5: 4: {named}" in lines
    assert not any(line.startswith("group sib200-205") for line in lines), "no model of the study names it"


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("sib200", ": Input should be a valid list"),
        ({"balanced": 24}, ".covered_by: missing key"),
        ({"covered_by": "sib200", "balance": 24}, ".balance: unknown key; did you mean balanced?"),
        (
            {"covered_by": "sib20"},
            ": covered_by: `sib20` is not an entry of `corpora` or `tasks`; did you mean sib200?",
        ),
        ({"covered_by": []}, ": covered_by: name an entry of `corpora` or `tasks`"),
        ({"covered_by": ["sib200", "sib200"]}, ": covered_by: listed twice: sib200"),
        ({"covered_by": "sib200", "balanced": 1}, ".balanced: Input should be greater than or equal to 2"),
        (
            {"covered_by": "belebele", "balanced": 123},
            ": balanced: 123 is more than the 122 languages of `belebele`; ask for fewer",
        ),
    ],
)
def test_a_rule_that_cannot_be_is_told_in_a_sentence(shipped, rule, message) -> None:
    with pytest.raises(ParamsError) as told:
        with_group(shipped, rule)
    assert str(told.value).splitlines()[1:] == [f"  languages.mine{message}"]


def test_text_of_ones_own_does_not_say_what_it_holds(shipped) -> None:
    raw = copy.deepcopy(shipped)
    raw["corpora"]["own"] = {"reader": "local", "files": "text/{language}.txt"}
    raw["languages"]["mine"] = {"covered_by": "own"}
    with pytest.raises(
        ParamsError, match=r"languages.mine: covered_by: which languages `own` holds depends on its files"
    ):
        parse(raw)


def test_a_breach_elsewhere_is_told_alone(shipped) -> None:
    raw = copy.deepcopy(shipped)
    raw["corpora"]["sib200"]["items"] = 0
    with pytest.raises(ParamsError) as told:
        parse(raw)
    assert str(told.value).splitlines()[1:] == [
        "  corpora.sib200.items: Input should be greater than or equal to 1"
    ]  # fmt: skip
