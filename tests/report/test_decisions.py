"""What open choices do to answers, from cells made by hand."""

from pathlib import Path
from typing import get_args

import pandas as pd
import pytest

from polyroute.claims.claim import read_claims
from polyroute.ground.files import write_json
from polyroute.ground.paths import Paths
from polyroute.params import file as params
from polyroute.params.decisions import decisions
from polyroute.report import decisions as shown
from polyroute.results.model import ModelResults
from polyroute.results.multiverse import ChoiceName, MultiverseRow, MultiverseSummary
from report.shown import measure, rows
from tiny import ROOT

# cell  zones  unit      holding failing verdict          answer
# 0     study  language  2       0       replicated       holds
# 1     study  family    1       1       inconclusive     open
# 2     rise   language  1       1       not_replicated   refuted
# 3     rise   family    0       2       not_replicated   refuted
CELLS = [
    ("study", "language", 0.3, 2, 0, "replicated"), ("study", "family", 0.3, 1, 1, "inconclusive"),
    ("rise", "language", -0.1, 1, 1, "not_replicated"), ("rise", "family", -0.1, 0, 2, "not_replicated"),
]  # fmt: skip
COLUMNS = ["zones", "unit", "effect", "holding", "failing", "verdict"]
CLAIM = "p1.u_shape"


def write(paths: Paths, model: str) -> None:
    table = pd.DataFrame(CELLS, columns=COLUMNS)
    empty = dict.fromkeys(MultiverseRow.columns(), "")
    table = pd.DataFrame([empty | row | {"claim": CLAIM, "cell": n} for n, row in enumerate(table.to_dict("records"))])
    table["low"] = table["high"] = float("nan")
    folder = paths.metrics(model)
    folder.mkdir(parents=True, exist_ok=True)
    MultiverseRow.write(folder, table)
    choices = [
        {"choice": "zones", "levels": ["study", "rise"], "effect": 1.0, "holding": 0.5},
        {"choice": "unit", "levels": ["language", "family"], "effect": 0.0, "holding": 0.5},
        {"choice": "reading", "levels": ["soft_mass"], "effect": None, "holding": None},
    ]
    one = {
        "cells": 4, "verdicts": {"inconclusive": 1, "not_replicated": 2, "replicated": 1}, "replicated": 0.25,
        "all_known_hold": 0.25, "same_sign": 0.5, "effect": 0.3, "lowest": -0.1, "highest": 0.3, "in_unit": 4,
        "board": "replicated", "base": "replicated", "choices": choices, "flips": [], "unknown": {}, "elsewhere": [],
    }  # fmt: skip
    write_json(folder / MultiverseSummary.file, {"model": model, "claims": {CLAIM: one}, "single": {}})


@pytest.fixture
def found(tmp_path: Path) -> shown.Multiverses:
    write(Paths(tmp_path), "tiny")
    return shown.gather(Paths(tmp_path), ["absent", "tiny"])


def test_an_answer_is_the_verdict_by_what_is_known() -> None:
    table = pd.DataFrame(CELLS, columns=COLUMNS)
    assert list(shown.answers(table)) == ["holds", "open", "refuted", "refuted"]
    # A cell whose known conditions hold holds, whatever it lacks; one of which nothing is known is open.
    table["verdict"], table["holding"] = "cannot_be_tested", [2, 1, 1, 0]
    table["failing"] = [0, 1, 1, 0]
    assert list(shown.answers(table)) == ["holds", "open", "open", "open"]


def test_changes_are_counted_over_the_other_choices() -> None:
    table = pd.DataFrame(CELLS, columns=COLUMNS)
    # Zones: (holds, refuted) with languages, (open, refuted) with families: 2 of 2 change.
    assert shown.changes(table, ["unit"]) == 1.0
    # Unit: (holds, open) under study's zones, (refuted, refuted) under RISE's: 1 of 2.
    assert shown.changes(table, ["zones"]) == 0.5
    # The only choice: one comparison of all its levels.
    assert shown.changes(table, []) == 1.0
    assert shown.changes(table[table["zones"] == "rise"], []) == 0.0


def test_a_choice_with_one_level_moves_nothing(found: shown.Multiverses) -> None:
    moved = {one.choice: (one.effect, one.changes) for one in found.moved}
    assert moved == {"zones": (1.0, 1.0), "unit": (0.0, 0.5)}
    assert [*map(tuple, map(dict.values, rows(shown.moves_table(found))))] == [
        (f"`{CLAIM}`", "layer zones", "100% / 100%"), (f"`{CLAIM}`", "unit of the interval", "0% / 50%")
    ]  # fmt: skip


def test_a_level_is_held_against_the_studys_own_alone(found: shown.Multiverses) -> None:
    of = {(one.choice, one.level): (one.effect, one.changes) for one in found.levels}
    assert of == {("zones", "rise"): (None, 1.0), ("unit", "family"): (None, 0.5)}


def test_a_headline_says_how_far_it_holds_and_what_moves_it(found: shown.Multiverses) -> None:
    claims = read_claims(ROOT / "claims")
    text = shown.headlines(claims, found)
    assert text.startswith(f"**{claims.get(CLAIM).statement}** (`{CLAIM}`)\n\n- tiny: ")
    assert text.endswith(
        "tiny: **fragile answer**: replicated; 1 of 4 cells agree; 1 replicate it; all known conditions hold in 1; "
        "2 refute it; effect 0.3, over cells -0.1 to 0.3 and of the same sign in 50%. Most of the effect's variance: "
        "layer zones (100%). Changes the answer most often: layer zones (100%)."
    )


def test_a_row_a_choice_says_how_far_it_moves_an_answer(found: shown.Multiverses) -> None:
    table = rows(shown.choices_table(params.read(ROOT / "params.yaml"), found, []))
    assert [row["choice"] for row in table] == [one.choice for one in decisions()]
    by = {row["choice"]: row for row in table}
    far = "how far it moves an answer"
    assert by["early, middle and late layers"][far] == (
        "up to 100% of the variance (`p1.u_shape`, tiny); changes the answer in up to 100% of combinations "
        "(`p1.u_shape`, tiny)"
    )
    assert by["std(z)"][far].startswith("unknown here; takes `steer` again")
    assert by["languages in the mean of gains"][far] == "unknown here; nothing was steered"
    last = by["last layer of the middle"]
    assert (last["papers"], last["how sure"]) == ("7-34 (or 7-33, 8-35, 6-33)", "inferred")
    assert (by["std(z)"]["ours"], by["eps"]["papers"]) == ("population", "not known (or variance, std)")
    assert by["std(z)"]["the other by"] == "`steer.std`: `std: sample`"


def test_the_pivot_in_the_mean_of_gains_weighs_as_any_language(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    measure(paths, "tiny")
    one = ModelResults.read(paths.metrics("tiny"))
    table = one.steering.table
    for task in ("arithmetic", "knowledge"):
        single = table[(table["task"] == task) & (table["condition"] == "chosen") & (table["languages"] == 1)]
        assert "eng_Latn" in set(single["group"])
    far = rows(shown.choices_table(params.read(ROOT / "params.yaml"), shown.Multiverses({}, {}, {}, [], []), [one]))
    (cell,) = [row["how far it moves an answer"] for row in far if row["choice"] == "languages in the mean of gains"]
    assert cell.startswith("English moves the mean gain of a chosen plan by ")
    assert "(tiny, " in cell


def test_nothing_to_show_is_a_dash_and_a_head() -> None:
    nothing = shown.Multiverses({}, {}, {}, [], [])
    assert shown.headlines(read_claims(ROOT / "claims"), nothing) == "–"
    assert shown.moves_table(nothing) == "| claim | choice |\n|---|---|"


def test_every_choice_of_multiverses_has_a_row() -> None:
    varied = {one.choice for decision in decisions() for one in decision.cells}
    assert varied == set(get_args(ChoiceName))


def test_claims_that_choices_name_are_there() -> None:
    named = {claim for decision in decisions() for one in decision.cells for claim in one.claims}
    assert named <= set(read_claims(ROOT / "claims").by_id)
