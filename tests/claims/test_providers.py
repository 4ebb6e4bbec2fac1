"""Quantities by hand, from small results."""

from copy import deepcopy
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from claims.made import LANGUAGES, asked, committed, ranked
from polyroute.claims import correlation, experts, families, masking, routing, steering
from polyroute.claims.asked import Asked, Found
from polyroute.claims.nulls import from_nulls
from polyroute.results.alignment import OfHalves, SplitHalves
from polyroute.results.experts import DomainDepth
from polyroute.results.similarity import Hub, Relatedness
from polyroute.results.steering import HELPED

CLAIMS = committed()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    return asked(tmp_path_factory.mktemp("made"))


@pytest.fixture
def made(written: Asked) -> Asked:
    """A copy: some tests change its tables in place."""
    return deepcopy(written)


def found(name: str, provider: Any, one: Asked) -> Found:
    gathered = Found(CLAIMS.get(name))
    provider(one, gathered)
    return gathered


def with_layers(one: Asked, change: Any) -> Asked:
    """The same results with other layers.csv."""
    return replace(one, results=replace(one.results, layers=change(one.results.layers.copy())))


def test_the_u_counts_languages_with_both_arms(made) -> None:
    languages = dict(made.alignment.languages)
    flat = next(iter(languages))
    low = languages[flat].late_minus_middle.model_copy(update={"low": -0.01})
    languages[flat] = languages[flat].model_copy(update={"late_minus_middle": low})
    corpora = {made.corpus: made.alignment.model_copy(update={"languages": languages})}
    summary = made.results.alignment.model_copy(update={"corpora": corpora})
    one = found("p1.u_shape", routing.u_shape, replace(made, results=replace(made.results, alignment=summary)))
    assert one.values["share_u"] == pytest.approx(1 - 1 / LANGUAGES)


def test_entropy_falls_are_differences_of_zones(made) -> None:
    def falling(table: pd.DataFrame) -> pd.DataFrame:
        entropy = table["measure"] == "entropy"
        rank = table["language"].map({code: place for place, code in enumerate(sorted(set(table["language"])))})
        slope = (1 + (table["language"] != "eng_Latn") + 0.1 * rank).astype(float)
        table.loc[entropy, "value"] = 3 - (0.1 * slope * table["layer"])[entropy]
        table.loc[entropy, "low"], table.loc[entropy, "high"] = table["value"] - 0.01, table["value"] + 0.01
        return table

    one = with_layers(made, falling)
    depth = found("p1.entropy_by_depth", routing.entropy_by_depth, one)
    codes = sorted({*made.codes, "eng_Latn"})
    slopes = np.array([2 + 0.1 * codes.index(code) for code in made.codes])
    english = 1 + 0.1 * codes.index("eng_Latn")
    assert depth.values["fall_en.value"] == pytest.approx(0.7 * english)
    assert depth.values["fall_en.low"] == pytest.approx(0.7 * english - 0.02)
    assert depth.values["fall_x.value"] == pytest.approx(0.7 * slopes.mean())
    assert depth.values["steeper.value"] == pytest.approx(0.7 * (slopes - english).mean())
    drop = found("p1.entropy_last_drop", routing.entropy_last_drop, one)
    assert drop.values["drop.value"] == pytest.approx(0.3 * slopes.mean())
    assert drop.values["usual"] == pytest.approx(drop.values["drop.value"])
    assert drop.values["beyond_en.value"] == pytest.approx(0.3 * (slopes - english).mean())


def test_a_cap_of_a_domain_is_middle_minus_outer_layers_with_bounds_where_it_has_a_shape(made) -> None:
    told = {
        "sentences": 60, "early_minus_middle": {"value": -0.05, "low": -0.08, "high": -0.02},
        "late_minus_middle": {"value": -0.04, "low": -0.07, "high": 0.01},
        "floor_early_minus_middle": 0.0, "floor_late_minus_middle": 0.001,
    }  # fmt: skip
    summary = made.results.experts.summary
    tasks = {
        "arithmetic": summary.tasks["arithmetic"].model_copy(update={"domain_depth": DomainDepth(**told)}),
        "knowledge": summary.tasks["knowledge"].model_copy(
            update={"domain_depth": DomainDepth(**told | {"sentences": 9}), "domain_shape": None}
        ),
    }
    changed = replace(made.results.experts, summary=summary.model_copy(update={"tasks": tasks}))
    one = found("p1.domain_cap", routing.domain_cap, replace(made, results=replace(made.results, experts=changed)))
    assert [one.values[f"me.maths.{part}"] for part in ("low", "value", "high")] == [0.02, 0.05, 0.08]
    assert [one.values[f"ml.maths.{part}"] for part in ("low", "value", "high")] == [-0.01, 0.04, 0.07]
    assert one.values["me.medical.value"] == 0.05
    assert "me.medical.low" not in one.values
    assert one.items == 9


def test_bambara_is_held_against_what_is_understood(made) -> None:
    absent = found("p1.bambara_high", routing.bambara_high, made)
    if "bam_Latn" not in made.codes:
        assert {why.kind for why in absent.missing.values()} == {"language"}
        languages = {"bam_Latn" if place == 0 else code: one for place, (code, one) in
                     enumerate(made.alignment.languages.items())}  # fmt: skip
        corpora = {made.corpus: made.alignment.model_copy(update={"languages": languages})}
        summary = made.results.alignment.model_copy(update={"corpora": corpora})
        layers = made.results.layers.replace({"language": {made.codes[0]: "bam_Latn"}})
        made = replace(made, results=replace(made.results, alignment=summary, layers=layers))
    one = found("p1.bambara_high", routing.bambara_high, made)
    middle = made.interval("bam_Latn", "divergence", made.layers_of("middle"))
    edges = [made.interval("bam_Latn", "divergence", made.layers_of(zone)).value for zone in ("early", "late")]
    assert one.values["depth.value"] == pytest.approx(middle.value / np.mean(edges))
    assert one.values["depth.low"] < one.values["depth.value"] < one.values["depth.high"]


def test_experts_in_both_sets_are_those_of_tau_3(made) -> None:
    summary = made.results.experts.summary
    one = found("p1.no_overlap", experts.no_overlap, made)
    for role, task in (("maths", "arithmetic"), ("medical", "knowledge")):
        at = [sets for sets in summary.tasks[task].sets if sets.tau == experts.TAU]
        if at:
            assert one.values[f"both.{role}.value"] == at[0].both
        else:
            assert "experts.taus" in one.missing[f"both.{role}"].what


def test_an_overlap_that_one_language_brings_is_named(made) -> None:
    summary = made.results.experts.summary
    sets = [one.model_copy(update={"both_hinges_on": ["deu_Latn"]} if one.tau == 0.3 else {})
            for one in summary.tasks["arithmetic"].sets]  # fmt: skip
    tasks = dict(summary.tasks) | {"arithmetic": summary.tasks["arithmetic"].model_copy(update={"sets": sets})}
    changed = replace(made.results.experts, summary=summary.model_copy(update={"tasks": tasks}))
    one = found("p1.no_overlap", experts.no_overlap, replace(made, results=replace(made.results, experts=changed)))
    assert [(at.used, at.meant) for at in one.stand_ins if at.kind == "hinge"] == [("deu_Latn", "both.maths")]


def test_the_hub_has_its_interval_over_languages_and_balanced_sets(made) -> None:
    assert made.results.similarity is not None
    without = found("p2.layerwise_hub", families.hub, made)
    assert "overlap_me.low" not in without.values
    told = {"value": 0.1, "low": 0.02, "high": 0.2, "balanced": 0.05, "turns_without": []}
    late = told | {"value": -0.1, "turns_without": ["deu_Latn", "fra_Latn"]}
    hub = Hub.model_validate(
        {"languages_of_a_set": 3, "sets": 8, "overlap_middle_minus_early": told, "overlap_middle_minus_late": late,
         "specificity_middle_minus_outer": told | {"balanced": -0.3}}
    )  # fmt: skip
    similarity = made.results.similarity
    corpora = {made.corpus: similarity.corpora[made.corpus].model_copy(update={"hub": hub})}
    one = found(
        "p2.layerwise_hub", families.hub,
        replace(made, results=replace(made.results, similarity=replace(similarity, corpora=corpora))),
    )  # fmt: skip
    assert [one.values[f"overlap_me.{part}"] for part in ("low", "value", "high")] == [0.02, 0.1, 0.2]
    assert one.values["balanced.overlap_ml"] == 0.05
    assert one.values["balanced.specificity"] == -0.3
    assert [(at.used, at.meant) for at in one.stand_ins if at.kind == "hinge"] == [("deu_Latn, fra_Latn", "overlap_ml")]


def test_r_is_that_of_zone_means_and_accuracy(made) -> None:
    accuracy = made.results.accuracy.table
    knowledge = accuracy[accuracy["task"] == "knowledge"].set_index("language")["accuracy"]
    rng = np.random.default_rng(0)
    middle = rng.uniform(0.1, 0.3, len(made.codes))
    languages = {
        code: one.model_copy(update={"middle": float(value), "early": 0.4 - float(value) / 9 - place / 99})
        for place, ((code, one), value) in enumerate(zip(made.alignment.languages.items(), middle, strict=True))
    }
    corpora = {made.corpus: made.alignment.model_copy(update={"languages": languages})}
    summary = made.results.alignment.model_copy(update={"corpora": corpora})
    one = found(
        "p1.correlation", correlation.divergence_and_accuracy,
        replace(made, results=replace(made.results, alignment=summary, correlations=None)),
    )  # fmt: skip
    assert one.values["r.value"] == pytest.approx(stats.pearsonr(middle, knowledge[made.codes]).statistic)
    assert one.languages == len(made.codes)


def test_the_middle_of_a_model_that_the_paper_names_is_the_papers(made) -> None:
    claim = CLAIMS.get("p1.correlation").model_copy(update={"setting": {"middle": {"tiny": [1, 2]}}})
    by_language = made.published_middle(claim)
    curves = made.by_layer("divergence", "soft_mass")
    assert by_language[made.codes[0]] == pytest.approx(curves.loc[made.codes[0], [1, 2]].mean())
    assert made.published_middle(CLAIMS.get("p1.correlation")) is None
    gathered = Found(claim)
    correlation.divergence_and_accuracy(made, gathered)
    accuracy = made.results.accuracy.table
    knowledge = accuracy[accuracy["task"] == "knowledge"].set_index("language")["accuracy"]
    r = stats.pearsonr(by_language[made.codes], knowledge[made.codes]).statistic
    assert gathered.values["r.value"] == pytest.approx(r)


def test_what_correlate_says_of_zones_is_taken_as_it_stands(made) -> None:
    def zone(r: float) -> SimpleNamespace:
        given = {"all": SimpleNamespace(r=r / 2, p=0.03)}
        return SimpleNamespace(r=r, low=r - 0.1, high=r + 0.1, p=0.01, given=given)

    task = SimpleNamespace(
        zones={"early": zone(-0.2), "middle": zone(-0.6), "late": zone(-0.3)}, points=dict.fromkeys(made.codes)
    )
    told = replace(made.results.correlations, tasks={"knowledge": task})
    one = found(
        "p1.correlation",
        correlation.divergence_and_accuracy,
        replace(made, results=replace(made.results, correlations=told)),
    )
    assert one.values["r.value"] == -0.6
    assert one.values["r_edges.value"] == -0.3
    assert (one.values["r_given.value"], one.values["r_given.q"]) == (-0.3, 0.03)
    assert one.languages == len(made.codes)


def test_a_steered_pivot_is_pooled_over_tasks(made) -> None:
    one = found("p1.english_unharmed", steering.english_unharmed, made)
    table = made.results.steering.table
    rows = table[(table["kind"] == "chosen") & (table["group"] == "eng_Latn")]
    assert one.items == rows["items"].sum()
    assert one.values["en_mean.ci90_low"] < 0 < one.values["en_mean.ci90_high"]
    unpublished = table.replace({"kind": {"published": "dose"}})
    results = replace(made.results, steering=replace(made.results.steering, table=unpublished))
    one = found("p1.english_unharmed", steering.english_unharmed, replace(made, results=results))
    assert ("plan", "published settings") in {(stand.kind, stand.meant) for stand in one.stand_ins}


def test_harm_is_the_row_of_the_condition(made) -> None:
    table = made.results.steering.table
    for name, provider, kind, quantity in (
        ("p1.ablation.outside_middle", steering.outside_middle, "early", "harm.early"),
        ("p1.ablation.multilingual_experts", steering.multilingual, "multilingual", "harm"),
    ):
        rows = table[(table["kind"] == kind) & (table["group"] == HELPED) & (table["task"] == "arithmetic")]
        one = found(name, provider, made)
        if len(rows):
            assert one.values[f"{quantity}.low"] == rows["low"].iloc[0]
        else:
            assert one.missing[quantity].kind == "new"


def test_too_few_random_sets_are_said_to_be_few(made) -> None:
    one = found("p1.ablation.random_experts", steering.random_experts, made)
    assert (one.missing["harm"].kind, "harm.value" in one.values) == ("few", False)


def test_masks_are_those_of_the_headline(made) -> None:
    headline = made.results.masking.tasks["arithmetic"].headline["accuracy"]
    one = found("p2.middle_masks_differ", masking.middle_masks, made)
    own = {name: headline[name].own_minus_others for name in ("early", "middle", "late")}
    assert one.values["own_early.high"] == own["early"].high
    lower = min((own["early"], own["late"]), key=lambda part: part.value)
    assert one.values["difference.value"] == pytest.approx(own["middle"].value - lower.value)
    more = found("p2.mask_own_more", masking.own_more, made)
    assert more.values["own.consistency.late.value"] == pytest.approx(
        made.results.masking.tasks["arithmetic"].headline["consistency"]["late"].own_minus_others.value
    )


def test_q_of_families_is_over_the_zones(made) -> None:
    one = found("p2.families", families.families, made)
    zones = made.results.similarity.corpora[made.corpus].zones
    p = [zones[zone].labels["family"].cophenetic_p for zone in families.ZONES]
    q = stats.false_discovery_control(p)
    assert [one.values[f"family.{zone}.q"] for zone in families.ZONES] == pytest.approx(list(q))


def test_from_every_pivot_the_difference_is_that_of_its_row(made) -> None:
    codes = ["eng_Latn", "deu_Latn", "fra_Latn", "spa_Latn", "ita_Latn", "por_Latn"]
    pairs = [(a, b) for place, a in enumerate(codes) for b in codes[place + 1 :]]
    rows = [
        {"corpus": made.corpus, "measure": "divergence", "reading": "soft_mass", "zone": zone, "layer": None,
         "language_a": a, "language_b": b, "distance": {"early": 0.4, "middle": 0.1, "late": 0.3}[zone] + place / 1000 *
         (zone == "middle"), "low": None, "high": None}
        for place, (a, b) in enumerate(pairs) for zone in ("early", "middle", "late")
    ]  # fmt: skip
    similarity = replace(made.results.similarity, distances=pd.DataFrame(rows))
    one = found(
        "own.other_pivot", families.other_pivot, replace(made, results=replace(made.results, similarity=similarity))
    )
    assert one.values["pivots"] == 1
    of = {code: [place for place, pair in enumerate(pairs) if code in pair] for code in codes[1:]}
    means = [0.3 - np.mean(places) / 1000 for places in of.values()]
    assert one.values["em.value"] == pytest.approx(np.mean(means))


def test_resource_is_the_training_text_where_it_is_known(made) -> None:
    shares = {code: 1 / (place + 2) for place, code in enumerate(made.codes)}
    known = replace(made, settings=made.settings.model_copy(update={"text_shares": shares}))
    gathered = Found(CLAIMS.get("p1.consistency_low_resource"))
    resource = known.resource(gathered, made.codes)
    assert resource[made.codes[0]] == pytest.approx(np.log(1 / 2))
    assert [one.kind for one in gathered.stand_ins] == ["resource"]


@pytest.mark.parametrize(("draws", "why"), [(19, set()), (18, {"few"}), (None, {"stage"})])
def test_nulls_are_the_models_among_random_initialisations(made, draws: int | None, why: set[str]) -> None:
    one = found("own.translation_nearest", from_nulls, made if draws is None else ranked(made, draws, largest=0.1))
    assert one.values == ({"a_random": 0.1, "a_rank": 0.05} if draws == 19 else {})
    assert {missing.kind for missing in one.missing.values()} == why


def test_languages_are_held_against_other_english_sentences_where_they_exceed_them_least(made) -> None:
    curves = made.by_layer("divergence", made.alignment.reading).loc[made.codes]
    halves = SplitHalves(
        splits=99, divergence=[0.1] * len(curves.columns), high=[0.2, *[0.0] * (len(curves.columns) - 1)],
        early_minus_middle=OfHalves(mean=0, high=0), late_minus_middle=OfHalves(mean=0, high=0),
    )  # fmt: skip
    corpora = {made.corpus: made.alignment.model_copy(update={"split_half": halves})}
    summary = made.results.alignment.model_copy(update={"corpora": corpora})
    one = found(
        "own.english_floor", routing.english_floor, replace(made, results=replace(made.results, alignment=summary))
    )
    above = curves - np.array(halves.high)
    least = above[above.mean().idxmin()]
    interval = stats.t.interval(0.95, len(least) - 1, least.mean(), stats.sem(least))
    assert one.values["margin.low"] == pytest.approx(interval[0])
    assert one.values["margin.high"] == pytest.approx(interval[1])
    assert one.values["ratio"] == pytest.approx(np.mean(made.zone("middle")) / 0.1)
    pooled = made.alignment.model_copy(update={"split_half": None})
    summary = summary.model_copy(update={"corpora": {made.corpus: pooled}})
    none = found(
        "own.english_floor", routing.english_floor, replace(made, results=replace(made.results, alignment=summary))
    )
    assert none.missing["margin"].kind == "few"


def related(made, held: Relatedness):
    """The same data with another relatedness in every zone."""
    similarity = made.results.similarity
    corpus = similarity.corpora[made.corpus]
    zones = {name: zone.model_copy(update={"relatedness": held}) for name, zone in corpus.zones.items()}
    corpora = {made.corpus: corpus.model_copy(update={"zones": zones})}
    return replace(made, results=replace(made.results, similarity=replace(similarity, corpora=corpora)))


def test_relatives_are_held_against_others_and_scripts_that_leave_no_test_are_said(made) -> None:
    nothing = found("own.families_beyond_script", families.families_beyond_script, made)
    assert nothing.missing["gap"].what == "languages with a relative, the pivot apart"
    held = Relatedness(
        groups={"a": 2, "b": 2}, within=0.1, across=0.3, gap=0.2, ratio=0.3333, p=0.01, relabellings=210,
        within_script_p=None, within_script_relabellings=1, other_script_gap=0.1, other_script_p=0.04, low=0.05,
        high=0.35, low_if_pairs_independent=None, high_if_pairs_independent=None, by_family_low=0.02,
        by_family_high=0.38, other_script_low=-0.1, other_script_high=0.3,
    )  # fmt: skip
    one = found("own.families_beyond_script", families.families_beyond_script, related(made, held))
    assert (one.values["gap.p"], one.values["apart.p"]) == (0.01, 0.04)
    assert (one.values["gap.low"], one.values["apart.low"], one.values["apart.high"]) == (0.02, -0.1, 0.3)
    assert "script.p" not in one.values
    assert one.missing["script"].what == "languages that share a script (of which families have 1 order(s))"


def test_relatives_of_one_family_alone_have_no_verdict(made) -> None:
    held = Relatedness(
        groups={"a": 2, "b": 1}, within=0.1, across=0.3, gap=0.2, ratio=0.3333, p=0.01, relabellings=210,
        within_script_p=None, within_script_relabellings=1, other_script_gap=0.1, other_script_p=0.04, low=0.05,
        high=0.35, low_if_pairs_independent=None, high_if_pairs_independent=None,
    )  # fmt: skip
    one = found("own.families_beyond_script", families.families_beyond_script, related(made, held))
    assert one.values["gap.value"] == 0.2
    assert "gap.low" not in one.values
    assert one.missing["gap"].what.startswith("families of several languages")
    assert one.missing["apart"] == one.missing["gap"]
