"""Verdicts on whole sets of results: what each is, what is said where one is missing, and what corrects them."""

from dataclasses import replace
from pathlib import Path

import pytest

from claims.made import ENTRY, asked, committed, of, ranked, write
from polyroute.claims.claim import Claim, read_claims
from polyroute.claims.verdict import corrected, judge, over_models
from polyroute.results.claims import ClaimVerdict
from polyroute.results.model import Masking, Steering
from tiny import ROOT

CLAIMS = committed()
SHIPPED = ("pocket-plain", "pocket-planted", "pocket-untrained", "qwen3-30b-a3b-counts")


@pytest.fixture(scope="module")
def plausible_verdicts(tmp_path_factory) -> dict[str, ClaimVerdict]:
    return judge(CLAIMS, asked(tmp_path_factory.mktemp("study"))).claims


def test_every_claim_has_a_verdict(plausible_verdicts) -> None:
    assert list(plausible_verdicts) == list(CLAIMS.by_id)
    assert len(plausible_verdicts) >= 25
    assert {one.code for one in plausible_verdicts.values()} >= {"inconclusive", "cannot_be_tested"}


def test_what_cannot_be_tested_says_what_would_bring_it(plausible_verdicts) -> None:
    for name, one in plausible_verdicts.items():
        if one.code == "cannot_be_tested":
            assert one.missing, name


def test_a_claim_on_a_published_setting_is_asked_of_its_model_alone(plausible_verdicts) -> None:
    one = plausible_verdicts["p1.gain.gpt_oss.mgsm"]
    assert one.code == "cannot_be_tested"
    assert {(why.kind, why.what) for why in one.missing.values()} == {("model", "gpt-oss-20b")}


def test_an_entry_of_published_settings_is_asked_the_claims_on_its_model_and_its_own_tasks(tmp_path: Path) -> None:
    one = judge(CLAIMS, asked(tmp_path, known_as="gpt-oss-20b"))
    assert one.model == "tiny"
    assert "model" not in {why.kind for why in one.claims["p1.gain.gpt_oss.mgsm"].missing.values()}
    assert "model" in {why.kind for why in one.claims["p1.gain.phi.mgsm"].missing.values()}
    of_it = asked(tmp_path / "again", known_as="gpt-oss-20b")
    assert (of_it.own("mgsm"), of_it.own("global-mmlu-medical"), of_it.own("xquad")) == (
        "arithmetic", "knowledge", "xquad",
    )  # fmt: skip


def test_a_language_that_was_not_measured_is_named(plausible_verdicts) -> None:
    why = plausible_verdicts["p1.phi_first_layer"].missing["few"]
    assert (why.kind, why.what) == ("model", "phi35-moe")


def test_what_stands_in_is_said_and_only_where_it_does(plausible_verdicts) -> None:
    said = {(one.kind, one.used, one.meant) for one in plausible_verdicts["p1.correlation"].stand_ins}
    assert ("task", "knowledge", "belebele-reading") in said
    assert ("corpus", "text", "belebele") in said
    assert not [one for one in plausible_verdicts["p2.families"].stand_ins if one.kind == "task"]


def test_numbers_are_those_of_the_claim(plausible_verdicts) -> None:
    one = plausible_verdicts["p1.u_shape"]
    assert one.effect == pytest.approx(0.2)
    assert one.published == 0.184
    assert one.distance == pytest.approx(0.016)
    assert one.values["share_u"] == 1
    assert (one.languages, one.needed, one.needed_of, one.could_see) == (8, 4, "languages", True)
    assert (one.lock, one.digest) == ("locked", CLAIMS.get("p1.u_shape").digest)


def test_a_model_without_tasks_is_asked_all_the_same_and_names_the_stage(tmp_path: Path) -> None:
    found = judge(CLAIMS, asked(tmp_path, tasks=False)).claims
    assert len(found) == len(CLAIMS.by_id)
    for name, stage in (
        ("p1.no_overlap", "experts"), ("p2.families", "similarity"), ("p1.correlation", "evaluate"),
        ("p2.mask_own_more", "evaluate"),
    ):  # fmt: skip
        assert found[name].code == "cannot_be_tested"
        assert {(why.kind, why.what) for why in found[name].missing.values()} >= {("stage", stage)}


def test_a_model_that_is_not_edited_says_so_of_what_edits_would_tell(tmp_path: Path) -> None:
    model = asked(tmp_path)
    steering, masking = model.results.steering, model.results.masking
    assert steering is not None
    assert masking is not None
    none = {
        "steering": Steering({}, steering.table[:0], steering.mechanism[:0]),
        "masking": Masking({}, masking.table[:0]),
    }
    without = replace(model, results=replace(model.results, **none))
    assert (model.edited, without.edited) == (True, False)
    found = judge(CLAIMS, without).claims
    for name, stage in (
        ("p1.english_unharmed", "steer"), ("p1.ablation.random_experts", "steer"), ("p2.mask_own_more", "mask"),
    ):  # fmt: skip
        assert found[name].code == "cannot_be_tested", name
        assert {(why.kind, why.what) for why in found[name].missing.values()} == {("edits", stage)}, name
    assert found["p1.correlation"].effect == judge(CLAIMS, model).claims["p1.correlation"].effect


def test_nulls_decide_what_waits_for_them(tmp_path: Path) -> None:
    model = asked(tmp_path)

    def verdict(draws: int, largest: float) -> ClaimVerdict:
        one = ranked(model, draws, largest=largest) if draws else model
        return judge(CLAIMS, one).claims["own.translation_nearest"]

    without = verdict(0, 0.01).missing["a_rank"]
    assert (without.kind, without.what) == ("stage", "nulls")
    assert verdict(3, 0.01).missing["a_rank"].what == "19 random initialisations (here 3)"
    enough = verdict(19, 0.01)
    assert (enough.null, enough.p, set(enough.missing)) == (0.01, 0.05, {"a_budget"})
    assert verdict(19, 0.99).code == "not_replicated"


def test_a_verdict_rests_on_the_claims_of_a_model_together() -> None:
    def verdict(code: str, p: float | None) -> ClaimVerdict:
        return ClaimVerdict(
            code=code, alone=code, effect=1.0, low=None, high=None, p=p, q=None, null=None, published=None,
            distance=None, replicated_if=[], not_replicated_if=[], values={}, missing={}, stand_ins=[], languages=None,
            items=None, needed=None, needed_of=None, could_see=None, digest="", lock="locked", fixed_on=None,
            fixed_by=None,
        )  # fmt: skip

    # q of .04, .01, .9: .06 (.04 x 3 / 2), .03, .9
    given = {
        "a": verdict("replicated", 0.04), "b": verdict("replicated", 0.01), "c": verdict("not_replicated", 0.9),
        "d": verdict("replicated", None),
    }  # fmt: skip
    found = dict(corrected(given))
    assert [(one.code, one.q) for one in found.values()] == [
        ("inconclusive", 0.06), ("replicated", 0.03), ("not_replicated", 0.9), ("replicated", None),
    ]  # fmt: skip
    assert found["a"].alone == "replicated"


@pytest.mark.parametrize(
    ("codes", "rule", "expected"),
    [
        ({"other": "replicated"}, {}, None),
        ({"a": "replicated", "b": "replicated", "c": "replicated"}, {}, "replicated"),
        ({"a": "replicated", "b": "replicated", "c": "inconclusive"}, {}, "inconclusive"),
        ({"a": "replicated", "b": "replicated", "c": "inconclusive"}, {"replicated": 2}, "replicated"),
        ({"a": "not_replicated", "b": "replicated", "c": "replicated"}, {"not_replicated": 1}, "not_replicated"),
        ({"a": "not_replicated", "b": "not_replicated", "c": "not_replicated"}, {}, "not_replicated"),
        ({"a": "replicated"}, {}, "cannot_be_tested"),
    ],
)
def test_over_its_models_a_claim_holds_in_all_or_in_as_many_as_it_says(codes, rule, expected) -> None:
    claim = Claim.model_validate(ENTRY | {"models": ["a", "b", "c"], "over_models": rule})
    assert over_models(claim, codes) == expected


def test_a_claim_that_was_changed_says_so_in_the_result(tmp_path: Path) -> None:
    folder = write(tmp_path / "claims", ENTRY)
    (folder / "lock.yaml").write_text(f"own.one: {{digest: {'a' * 64}, fixed_on: '2026-11-29'}}")
    one = judge(read_claims(folder), asked(tmp_path)).claims["own.one"]
    assert (one.lock, one.fixed_on, one.fixed_by) == ("changed", "2026-11-29", None)
    assert one.missing["x"].kind == "few"


@pytest.mark.parametrize("model", SHIPPED)
def test_committed_results_have_at_least_25_verdicts_and_the_same_twice(model) -> None:
    folder = ROOT / "metrics" / model
    one = judge(CLAIMS, of(folder, tasks="counts" not in model))
    assert len(one.claims) >= 25
    assert all(verdict.missing for verdict in one.claims.values() if verdict.code == "cannot_be_tested")
    assert one == judge(CLAIMS, of(folder, tasks="counts" not in model))
