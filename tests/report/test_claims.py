"""The board reads without colour, fits a screen, and says what is wrong with a claim."""

from pathlib import Path

import pytest

from claims.made import ENTRY, asked, committed, write
from polyroute.claims.claim import lock_new, read_claims
from polyroute.claims.verdict import judge
from polyroute.report.claims import MARKS, WIDTH, as_data, board, brief, details, missing, stand_in
from polyroute.report.topics import speaking
from polyroute.results.claims import ClaimsSummary, Missing, StandIn

CLAIMS = committed()


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> dict[str, ClaimsSummary]:
    one = judge(CLAIMS, asked(tmp_path_factory.mktemp("one")))
    other = judge(CLAIMS, asked(tmp_path_factory.mktemp("other"), tasks=False, model="phi35-moe"))
    return {"tiny": one, "phi35-moe": other}


def test_the_board_has_the_legend_first_a_line_a_claim_and_counts_last(found) -> None:
    lines = board(CLAIMS, found).splitlines()
    assert lines[0] == "+ replicated  - not replicated  ? inconclusive  . cannot be tested"
    assert lines[2] == "Models: A tiny, B phi35-moe"
    for name in CLAIMS.by_id:
        (line,) = [line for line in lines if f" {name} " in line.replace("!", " ")]
        assert line[0] == MARKS[found["tiny"].claims[name].code]
        assert line[2] == MARKS[found["phi35-moe"].claims[name].code]
    assert lines[-2].startswith("A tiny: ")
    assert lines[-1].startswith("B phi35-moe: ")
    assert max(map(len, lines)) <= WIDTH


def test_the_brief_board_has_a_line_a_question_with_the_verdict_of_the_claim_that_speaks_for_it(found) -> None:
    first, *lines, legend, models = brief(CLAIMS, found).splitlines()
    assert (first, models) == ("A  B", "A tiny, B phi35-moe")
    assert len(lines) == 10
    assert max(map(len, [*lines, legend])) <= WIDTH
    (depth,) = [line for line in lines if "first and last layers and converge" in line]
    assert [depth[0], depth[3]] == [MARKS[found[model].claims["p1.u_shape"].code] for model in found]


def test_of_claims_on_several_models_the_first_that_could_be_tested_speaks(found) -> None:
    codes = {name: verdict.code for name, verdict in found["tiny"].claims.items()}
    untested = next(name for name, code in codes.items() if code == "cannot_be_tested")
    tested = next(name for name, code in codes.items() if code != "cannot_be_tested")
    assert speaking([untested, tested], found["tiny"]) == codes[tested]
    assert speaking([untested], found["tiny"]) == "cannot_be_tested"
    assert speaking(["p9.none"], found["tiny"]) is None


def test_marks_differ_without_colour() -> None:
    assert len(set(MARKS.values())) == len(MARKS) == 4


def test_a_changed_claim_and_one_without_a_lock_are_marked(tmp_path: Path) -> None:
    folder = write(tmp_path / "claims", ENTRY)
    model = asked(tmp_path)
    claims = read_claims(folder)
    found = {"tiny": judge(claims, model)}
    assert " own.one* " in board(claims, found)
    assert "Not locked" in details(claims, claims.get("own.one"), found)
    lock_new(folder, claims, "2026-11-29", "ab" * 20)
    locked = read_claims(folder)
    assert " own.one " in board(locked, found)
    assert f"Fixed on 2026-11-29, commit {'ab' * 20}" in details(locked, locked.get("own.one"), found)
    write(folder, ENTRY | {"replicated_if": ["x.low > 1"]})
    changed = read_claims(folder)
    assert " own.one! " in board(changed, found)
    assert "Changed after the fact" in details(changed, changed.get("own.one"), found)
    assert "1 verdicts are on claims as they were" in board(changed, found)


def test_details_have_each_condition_with_its_numbers_and_what_is_missing(found) -> None:
    text = details(CLAIMS, CLAIMS.get("p1.u_shape"), found)
    assert "yes share_u >= 1.0   (share_u 1)" in text
    assert "yes em.value > noise.em   (em.value 0.2, noise.em 0.01)" in text
    assert "?   em.value > random_init.em   (em.value 0.2, random_init.em –)" in text
    assert "unknown: random_init.em, random_init.lm: the stage `nulls` has not run for this model" in text
    assert "8 languages at hand: enough to see the published effect (4 needed)" in text
    assert "published 0.184" in text
    assert max(map(len, text.splitlines())) <= WIDTH


def test_details_of_every_claim_fit_a_screen(found) -> None:
    for claim in CLAIMS.by_id.values():
        assert max(map(len, details(CLAIMS, claim, found).splitlines())) <= WIDTH


def test_a_claim_over_models_is_told_where_one_of_them_was_measured(found) -> None:
    assert "Over the models that it is made of" in details(CLAIMS, CLAIMS.get("p1.u_shape"), found)
    assert "Over the models" not in details(CLAIMS, CLAIMS.get("p2.families"), found)


def test_machines_get_the_claim_and_every_number(found) -> None:
    data = as_data(CLAIMS, found, CLAIMS.get("p1.correlation"))
    assert list(data) == ["p1.correlation"]
    one = data["p1.correlation"]
    assert one["verdicts"]["tiny"]["code"] == found["tiny"].claims["p1.correlation"].code
    assert one["lock"] == "locked"
    assert one["replicated_if"][0] == "r.high < 0"
    assert list(as_data(CLAIMS, found)) == list(CLAIMS.by_id)


@pytest.mark.parametrize("kind", ["model", "stage", "task", "language", "few", "new"])
def test_every_reason_has_words(kind) -> None:
    assert "this" in missing(Missing(kind=kind, what="this"))


KINDS = ["corpus", "task", "resource", "plan", "interval", "reading", "families", "setting", "hinge"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_stand_in_has_words(kind) -> None:
    assert "that" in stand_in(StandIn(kind=kind, used="this", meant="that"))
