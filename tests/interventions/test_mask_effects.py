"""Masks reach the model, and what they do is told as it is."""

from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from asking.seated import ITEMS, LANGUAGES, NUMBERS, asker, loaded_model, preferring, target
from interventions import played
from polyroute.artifacts.answers import Answers, comparable
from polyroute.asking import choices, generation
from polyroute.interventions.mask_effects import ACCURACY, COLUMNS, CONSISTENCY, headlines, matrix
from polyroute.interventions.mask_plans import Masks
from polyroute.interventions.settings import Mask
from polyroute.interventions.verdicts import Rule
from polyroute.models.routers import observe
from polyroute.stats.fdr import benjamini_hochberg
from polyroute.stats.paired import PairedScores, mcnemar
from polyroute.stats.paired_interval import paired_interval
from polyroute.steering.apply import steer
from polyroute.steering.condition import BASELINE, Condition
from polyroute.steering.mechanism import MechanismError
from polyroute.steering.plan import Plan

CONFIDENCE = 0.9
RULE = Rule(confidence=CONFIDENCE, studies=60, seed=0)
MEANS = ("diagonal", "off_diagonal", "random_diagonal", "random_off_diagonal", "own_minus_others", "own_minus_random")
# Each language has two of the 8 experts to itself, in every layer.
TRACES = {
    "eng_Latn": preferring("eng_Latn", [14, 12, 1, 2, 3, 3, 3, 2]),
    "deu_Latn": preferring("deu_Latn", [1, 2, 14, 12, 3, 3, 3, 2]),
    "swh_Latn": preferring("swh_Latn", [1, 2, 3, 3, 14, 12, 3, 2]),
}


def masks(traces=TRACES, **changes) -> Masks:
    given = {"k": 32, "thr": 0.4, "width": 5, "draws": 1, "mechanism_items": 3} | changes
    return Masks(target(), Mask.model_validate(given), traces, {}, seed=1)


@dataclass(frozen=True)
class Masked:
    """What the stages hand on, and what was answered on the way."""

    table: pd.DataFrame
    summary: dict[str, Any]
    answers: dict[str, Answers]
    """The baseline and every mask, scored."""


def masked(
    folder: Path, made: Masks | None = None, items: pd.DataFrame = ITEMS, *, own_only: bool = False, **changes
) -> Masked:
    languages = list(items["language"].drop_duplicates())
    lacking = [language for language in LANGUAGES if language not in languages]
    plans = (made or masks()).planned(languages, lacking, own_only=own_only)
    asked = replace(asker(folder, items, mechanism_items=3, **changes), own_only=own_only)
    table, summary = played.masked(asked, plans, items)
    return Masked(table, summary, played.scored(asked, "report", [BASELINE, *plans.conditions], items))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("parts")


@pytest.fixture(scope="module")
def found(folder: Path) -> Masked:
    return masked(folder)


def test_a_mask_reaches_the_model(found: Masked) -> None:
    """In the paper's release the mask of MGSM is written to a file that the model never reads."""
    exclusive = found.table[found.table["kind"] == "exclusive"]
    assert (exclusive["share_before"] > 0).any(), "tokens chose the experts"
    assert (exclusive["rerouted"] > 0).any(), "and went elsewhere"
    baseline = found.answers["baseline"].frame
    assert len(found.answers) == 1 + 3 * 3 * 2
    for name, one in found.answers.items():
        if name == "baseline":
            continue
        assert one.frame["item_id"].tolist() == baseline["item_id"].tolist()
        different = np.stack(one.frame["log_likelihoods"]) != np.stack(baseline["log_likelihoods"])
        assert different.any(), f"{name} does something to answers"


@pytest.mark.parametrize("name", ["early-eng_Latn", "middle-deu_Latn", "late-swh_Latn"])
def test_no_token_gets_a_masked_expert(name) -> None:
    (plan,) = [mask.plan for mask in masks().of(LANGUAGES) if mask.name == name]
    (layer, experts), loaded = *plan.experts.items(), loaded_model()
    chosen: dict[bool, torch.Tensor] = {}
    logits: dict[bool, torch.Tensor] = {}
    (router,) = [router for router in loaded.routers if router.layer == layer]
    for masking in (False, True):
        with (
            torch.no_grad(),
            steer(loaded.model, plan, routers=loaded.routers) if masking else nullcontext(),
            observe([router], lambda _, call, masking=masking: chosen.__setitem__(masking, call.ids_TK)),
        ):
            logits[masking] = loaded.model(torch.arange(2, 42)[None]).logits
    assert set(experts) & set(chosen[False].flatten().tolist())
    assert not set(experts) & set(chosen[True].flatten().tolist())
    assert not torch.equal(logits[False], logits[True])


def test_a_mask_that_does_not_reach_the_model_stops_the_study(folder: Path, found, monkeypatch) -> None:
    monkeypatch.setattr("polyroute.steering.mechanism.steer", lambda *_, **__: nullcontext())
    with pytest.raises(MechanismError, match=r"mask early-eng_Latn in layer 0: .*% of the choices in eng_Latn fall on"):
        masked(folder)


def test_every_pair_of_languages_is_told_for_every_range(found: Masked) -> None:
    table = found.table
    assert tuple(table.columns) == COLUMNS[1:]
    assert set(table["score"]) == {ACCURACY}, "a choice is written in no language"
    keys = ["evaluated", "target", "range", "kind"]
    assert not table.duplicated(keys).any()
    assert len(table) == 3 * 3 * 3 * 2
    assert set(table["experts"]) == {2}
    assert set(table["items"]) == {6}
    assert table[table["kind"] == "exclusive"]["draw"].isna().all()
    assert set(table[table["kind"] == "random"]["draw"]) == {0}
    assert (table["difference"] - (table["edited"] - table["base"])).abs().max() < 2e-4


def test_the_summary_says_what_was_masked(found: Masked) -> None:
    told = found.summary
    assert told["languages"] == told["targets"] == LANGUAGES
    assert told["targets_without_task"] == []
    assert (told["k"], told["thr"]) == (2, 0.4)
    assert told["ranges"] == {"early": [0, 0], "middle": [1, 1], "late": [2, 2]}
    assert told["exclusive"] == dict.fromkeys(told["ranges"], dict.fromkeys(LANGUAGES, 2))
    assert told["left_out"] == []
    assert list(told["headline"]) == [ACCURACY]
    own = found.table[(found.table["kind"] == "exclusive") & (found.table["evaluated"] == found.table["target"])]
    for name, means in told["headline"][ACCURACY].items():
        expected = own[own["range"] == name]["difference"].mean()
        assert means["diagonal"]["value"] == pytest.approx(expected, abs=2e-4)


def test_each_language_under_its_own_masks_alone(folder: Path, found: Masked, tmp_path: Path, monkeypatch) -> None:
    """As paper 2 asks XQuAD: the cells of the diagonal, as they are among all pairs, and nothing else asked."""
    asked: list[tuple[str, int]] = []
    score_under = choices.score_under

    def counted(model, tokenizer, questions, plans, *rest, **more):
        asked.append((questions["language"].iloc[0], len(plans)))
        return score_under(model, tokenizer, questions, plans, *rest, **more)

    monkeypatch.setattr("polyroute.asking.choices.score_under", counted)
    own = masked(tmp_path, own_only=True)
    assert asked == [(language, 1 + 3 * 2) for language in LANGUAGES], "the baseline, and three ranges with a draw each"
    for name, one in own.answers.items():
        assert name == "baseline" or set(one.frame["language"]) == {name.split("-")[1]}
    pair = ["target", "range", "kind"]
    diagonal = found.table[found.table["evaluated"] == found.table["target"]].drop(columns="q")
    pd.testing.assert_frame_equal(
        own.table.drop(columns="q").sort_values(pair, ignore_index=True), diagonal.sort_values(pair, ignore_index=True)
    )
    assert own.summary["own_only"]
    for name, told in own.summary["headline"][ACCURACY].items():
        among_all = found.summary["headline"][ACCURACY][name]
        assert told["off_diagonal"] == {"value": None, "low": None, "high": None, "pairs": 0}
        assert told["beyond_others"] is None
        assert told | dict.fromkeys(APART) == among_all | dict.fromkeys(APART)


APART = ("off_diagonal", "random_off_diagonal", "own_minus_others", "beyond_others")


def test_a_language_without_the_task_has_no_masks_where_each_meets_its_own(tmp_path: Path) -> None:
    found = masked(tmp_path, items=ITEMS[ITEMS["language"] != "swh_Latn"], own_only=True)
    assert set(found.table["target"]) == set(found.summary["targets"]) == {"eng_Latn", "deu_Latn"}


def test_a_study_again_asks_nothing_and_says_the_same(folder: Path, found: Masked, monkeypatch) -> None:
    monkeypatch.setattr("polyroute.asking.choices.score", lambda *_, **__: pytest.fail("asked again"))
    again = masked(folder)
    pd.testing.assert_frame_equal(found.table, again.table)
    assert found.summary == again.summary


def test_without_an_exclusive_expert_nothing_is_masked(tmp_path: Path) -> None:
    alike = {code: preferring(code, [14, 12, 1, 2, 3, 3, 3, 2]) for code in LANGUAGES}
    nothing = masked(tmp_path, masks(alike))
    assert nothing.table.empty
    assert tuple(nothing.table.columns) == COLUMNS[1:]
    assert nothing.summary["headline"] == {ACCURACY: {}}
    assert len(nothing.summary["left_out"]) == 9


def test_a_language_in_which_the_task_is_not_asked_is_masked_all_the_same(tmp_path: Path) -> None:
    found = masked(tmp_path, items=ITEMS[ITEMS["language"] != "swh_Latn"])
    assert set(found.table["evaluated"]) == {"eng_Latn", "deu_Latn"}
    assert set(found.table["target"]) == set(LANGUAGES)
    assert found.summary["languages"] == ["eng_Latn", "deu_Latn"]
    assert found.summary["targets_without_task"] == ["swh_Latn"]
    told = found.summary["headline"][ACCURACY]["early"]
    assert (told["diagonal"]["pairs"], told["off_diagonal"]["pairs"]) == (2, 4)


def test_masks_in_fewer_languages_are_held_against_the_whole_baseline(folder: Path, found: Masked) -> None:
    """The baseline is that of the stage `evaluate`, in all of the model's languages."""
    some = ["deu_Latn", "swh_Latn"]
    fewer = masked(folder, items=ITEMS[ITEMS["language"].isin(some)])
    for name, one in fewer.answers.items():
        comparable(found.answers["baseline"], one)
        pd.testing.assert_frame_equal(one.frame, found.answers[name].only(some).frame)
    both = found.table[found.table["evaluated"].isin(some)].reset_index(drop=True)
    told = ["evaluated", "target", "range", "kind", "base", "edited", "difference", "low", "high", "p", "rerouted"]
    pd.testing.assert_frame_equal(fewer.table[told], both[told])


def test_where_a_model_writes_it_is_told_whether_in_the_language(tmp_path: Path, monkeypatch) -> None:
    write = generation.generate_under

    def in_english(*args, **kwargs):
        text = "I have counted all of the apples and there are 18"
        return [written.assign(output=text, finished=True) for written in write(*args, **kwargs)]

    monkeypatch.setattr(generation, "generate_under", in_english)
    found = masked(tmp_path, items=NUMBERS[NUMBERS["item_id"].isin(["i0", "i2"])], max_new_tokens=1)
    assert list(found.summary["headline"]) == [ACCURACY, CONSISTENCY]
    base = found.table.groupby(["score", "evaluated"])["base"].agg(["min", "max"])
    for language in LANGUAGES:
        assert tuple(base.loc[ACCURACY, language]) == (1, 1)
        assert tuple(base.loc[CONSISTENCY, language]) == ((1, 1) if language == "eng_Latn" else (0, 0))
    assert not found.table["rerouted"].isna().any(), "the mechanism stands beside both scores"


# By hand: eight items in two languages; without a mask all are right in English and the first four in German.
BASE_NV = np.array([[1.0, 1]] * 4 + [[0, 1]] * 4)
CODES = ("deu_Latn", "eng_Latn")


def mask(target_language: str, name: str, lost: tuple[int, int], draw: int | None = None) -> tuple:
    """A mask under which the first so many items get lost, in German and in English."""
    edited_NV = BASE_NV.copy()
    for place, count in enumerate(lost):
        edited_NV[:count, place] = 0
    kind = "exclusive" if draw is None else "random"
    of = f"{name}-{target_language}" + ("" if draw is None else f"-random{draw}")
    plan = Plan(model="tiny", experts_per_layer=8, top_k=2, rule="mask", experts={1: (3,), 2: (4, 5)})
    scores = PairedScores(tuple(f"i{n}" for n in range(8)), CODES, BASE_NV, edited_NV)
    return Condition(of, kind, plan, (1, 2), draw, target_language, name), scores


def by_hand(*made: tuple) -> tuple[list[Condition], dict[str, PairedScores]]:
    return [one for one, _ in made], {one.name: scores for one, scores in made}


MADE = by_hand(
    mask("deu_Latn", "early", (4, 2)), mask("deu_Latn", "early", (1, 0), 0), mask("deu_Latn", "early", (3, 1), 1),
    mask("eng_Latn", "early", (1, 8)), mask("eng_Latn", "early", (0, 4), 0), mask("eng_Latn", "early", (0, 2), 1),
    mask("eng_Latn", "late", (0, 6)),
)  # fmt: skip


def test_the_matrix_by_hand() -> None:
    table = matrix(*MADE, CONFIDENCE, 0)
    assert list(table.columns) == ["condition", *COLUMNS[2:-2]]
    rows = table.set_index(["condition", "evaluated"])
    assert len(rows) == 2 * 7
    row = rows.loc["early-deu_Latn", "deu_Latn"]
    assert (row["base"], row["edited"], row["difference"]) == (0.5, 0, -0.5)
    assert (row["target"], row["range"], row["kind"], row["experts"]) == ("deu_Latn", "early", "exclusive", 3)
    assert rows.loc["early-deu_Latn", "eng_Latn"]["difference"] == -0.25
    assert rows.loc["early-eng_Latn", "eng_Latn"][["base", "edited", "low"]].tolist() == [1, 0, -1]
    assert rows.loc["early-eng_Latn", "eng_Latn"]["high"] == pytest.approx(paired_interval(0, 8, 8, 0.9)[1], abs=1e-4)
    assert rows.loc["early-eng_Latn", "eng_Latn"]["p"] == pytest.approx(2 / 2**8, abs=1e-4)
    assert rows.loc["early-eng_Latn-random1", "eng_Latn"]["draw"] == 1
    assert str(rows.loc["early-eng_Latn-random0", "deu_Latn"]["difference"]) == "0.0", "no minus before a 0"


def test_q_adjusts_exclusive_and_random_masks_apart() -> None:
    table = matrix(*MADE, CONFIDENCE, 0)
    lost = {
        "exclusive": [4, 2, 1, 8, 0, 6],
        "random": [1, 0, 3, 1, 0, 4, 0, 2],
    }
    for kind, counts in lost.items():
        expected = benjamini_hochberg([mcnemar(0, count) for count in counts])
        assert table[table["kind"] == kind]["q"].tolist() == pytest.approx(expected.tolist(), abs=1e-4)


def test_the_headline_by_hand() -> None:
    told = headlines(*MADE, RULE)
    assert list(told) == ["early", "late"]
    # In eighths. Own: German 4, English 8; others': English 2, German 1.
    # Random, of two draws each: own 1 and 3, 4 and 2; others' 0 and 1, 0 and 0.
    expected = {
        "diagonal": (-6 / 8, 2), "off_diagonal": (-1.5 / 8, 2), "random_diagonal": (-2.5 / 8, 4),
        "random_off_diagonal": (-0.25 / 8, 4),
    }  # fmt: skip
    for what, (value, pairs) in expected.items():
        assert told["early"][what]["value"] == pytest.approx(value, abs=1e-4)
        assert told["early"][what]["pairs"] == pairs
    assert told["early"]["own_minus_others"]["value"] == pytest.approx(-4.5 / 8, abs=1e-4)
    assert told["early"]["own_minus_random"]["value"] == pytest.approx(-3.5 / 8, abs=1e-4)
    for means in told.values():
        for row in (means[what] for what in MEANS):
            assert row["value"] is None or row["low"] <= row["value"] <= row["high"]


def test_items_count_with_all_translations_under_all_masks() -> None:
    """Own and random masks lose the same items: their difference is nothing in each item."""
    made = by_hand(
        mask("deu_Latn", "early", (3, 0)), mask("deu_Latn", "early", (3, 0), 0),
        mask("eng_Latn", "early", (0, 3)), mask("eng_Latn", "early", (0, 3), 0),
    )  # fmt: skip
    told = headlines(*made, RULE)["early"]
    bound = pytest.approx(1 - 0.1 ** (1 / 8), abs=1e-4)
    assert (told["own_minus_random"]["value"], told["own_minus_random"]["high"]) == (0, bound), "no item of 8 differs"
    own = told["diagonal"]
    assert own["low"] < own["value"] < own["high"]
    # One language alone gives the same interval: two translations are not twice as many items.
    alone = headlines(*by_hand(mask("deu_Latn", "early", (3, 0))), RULE)["early"]["diagonal"]
    assert {key: own[key] for key in ("value", "low", "high")} == {key: alone[key] for key in ("value", "low", "high")}


def test_without_random_masks_there_is_no_comparison_with_them() -> None:
    late = headlines(*MADE, RULE)["late"]
    nothing = {"value": None, "low": None, "high": None}
    assert late["own_minus_random"] == nothing
    assert late["random_diagonal"] == nothing | {"pairs": 0}
    assert late["diagonal"]["value"] == -0.75
    assert late["own_minus_others"]["value"] == -0.75


def test_an_item_that_a_language_lacks_counts_for_the_others_alone() -> None:
    one, scores = mask("deu_Latn", "early", (4, 2))
    base_NV, edited_NV = scores.base_NV.copy(), scores.edited_NV.copy()
    base_NV[4:, 0] = edited_NV[4:, 0] = np.nan
    lacking = {one.name: PairedScores(scores.item_ids, CODES, base_NV, edited_NV)}
    told = headlines([one], lacking, RULE)["early"]
    assert told["diagonal"]["value"] == -1
    assert told["off_diagonal"]["value"] == -0.25
    assert matrix([one], lacking, CONFIDENCE, 0)["items"].tolist() == [4, 8]


def test_a_loss_is_judged_with_its_items_and_ranked_among_draws() -> None:
    told = headlines(*MADE, RULE)
    assert (told["early"]["code"], told["early"]["items"], told["early"]["draws"]) == ("hurts", 8, 2)
    assert told["early"]["beyond_others"]
    assert (told["early"]["rank_p"], told["early"]["beyond_random"]) == (pytest.approx(1 / 3, abs=1e-4), None)
    assert (told["late"]["rank_p"], told["late"]["draws"]) == (None, 0)
    many = by_hand(
        mask("eng_Latn", "early", (0, 8)), *(mask("eng_Latn", "early", (0, 1), draw) for draw in range(19))
    )  # fmt: skip
    assert headlines(*many, RULE)["early"]["beyond_random"] is True
    many[1]["early-eng_Latn-random3"] = many[1]["early-eng_Latn"]
    assert headlines(*many, RULE)["early"]["beyond_random"] is False


def test_a_language_without_a_loss_of_8_items_cannot_be_told_or_is_inconclusive() -> None:
    # German has 4 of 8 right: even losing all is p = 1/8. English has 8: it could have been seen.
    assert headlines(*by_hand(mask("deu_Latn", "early", (0, 0))), RULE)["early"]["code"] == "cannot_be_told"
    assert headlines(*by_hand(mask("eng_Latn", "early", (0, 0))), RULE)["early"]["code"] == "too_few_items"
