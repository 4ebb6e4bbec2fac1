import dataclasses

import numpy as np
import pytest

from polyroute.artifacts.trace import Trace
from polyroute.ground.layers import Zones
from polyroute.measures.divergence import routing_divergence
from polyroute.measures.layer_curves import Alignment, AlignmentError, headline_curves, in_short
from polyroute.measures.zones import Difference, ZoneError, default_zones, depth_shape
from polyroute.results.alignment import LayerRow
from polyroute.tracing.collect import trace

ENGLISH = {"a": "hello world", "b": "the fox jumps", "c": "a dog and a cat", "d": "the cat is", "e": "world and dog"}
GERMAN = {"a": "hallo welt", "b": "der fuchs springt", "c": "ein hund und eine katze", "d": "die katze ist",
          "e": "welt und hund"}  # fmt: skip


@pytest.fixture(scope="module")
def english(model, tokenizer) -> Trace:
    return trace(model, tokenizer, ENGLISH, language="eng_Latn")


@pytest.fixture(scope="module")
def german(model, tokenizer) -> Trace:
    return trace(model, tokenizer, GERMAN, language="deu_Latn")


def alignment(pivot: Trace, **options) -> Alignment:
    return Alignment(pivot, resamples=200, confidence=0.95, nearest=5, seed=0, **options)


def test_divergence_is_the_mean_over_sentence_pairs(english, german) -> None:
    rows = alignment(english).language(german).rows
    assert list(rows.columns) == LayerRow.columns()
    for reading in ("soft_mass", "topk_mass", "topk_count"):
        chosen = rows[(rows["measure"] == "divergence") & (rows["reading"] == reading)]
        p, q = english.distributions(reading), german.distributions(reading)
        for layer in range(3):
            pairs = [float(routing_divergence(p[i, layer], q[i, layer])) for i in range(5)]
            row = chosen[chosen["layer"] == layer].iloc[0]
            assert row["value"] == pytest.approx(np.mean(pairs), abs=5e-5)
            assert row["low"] <= row["value"] <= row["high"]


def test_the_pivot_has_entropy_and_consistency_but_no_divergence(english) -> None:
    curves = alignment(english).language(english)
    assert set(curves.rows["measure"]) == {"entropy", "entropy_pooled", "consistency", "consistency_far"}
    assert curves.summary is None


def test_a_language_that_is_the_pivots_text_diverges_by_nothing(english) -> None:
    twin = dataclasses.replace(english, header=english.header.model_copy(update={"language": "deu_Latn"}))
    curves = alignment(english).language(twin)
    divergence = curves.rows[curves.rows["measure"].str.startswith("divergence")]
    assert (divergence["value"] == 0).all()
    assert curves.summary["shape"] == "flat"
    aligned = curves.rows[curves.rows["measure"] == "alignment"]
    assert (aligned[["value", "low", "high"]] == 1).all(axis=None)


def test_alignment_is_what_parallel_sentences_save_of_unrelated_ones(english, german) -> None:
    curves = alignment(english).language(german)
    rows = curves.rows[curves.rows["reading"] == "soft_mass"].pivot(index="layer", columns="measure", values="value")
    expected = 1 - rows["divergence"] / rows["unrelated_divergence"]
    assert rows["alignment"].to_numpy() == pytest.approx(expected.to_numpy(), abs=1e-3)
    assert curves.alignment_L.tolist() == rows["alignment"].tolist()


@pytest.mark.parametrize(
    ("field", "value"),
    [("dtype", "bfloat16"), ("model_digest", "other"), ("settings", {"pairs": 1}), ("device", "cuda")],
)
def test_traces_that_differ_in_more_than_language_are_refused(english, german, field, value) -> None:
    other = dataclasses.replace(german, header=german.header.model_copy(update={field: value}))
    with pytest.raises(AlignmentError, match=f"in deu_Latn has {field}"):
        alignment(english).language(other)


def test_sentences_must_be_parallel(english, german) -> None:
    with pytest.raises(AlignmentError, match=r"lacks items \['c'\]"):
        alignment(english).language(german.select(np.array([0, 1, 3, 4])))


def test_sentences_in_another_order_are_not_parallel(english, german) -> None:
    with pytest.raises(AlignmentError, match="not parallel"):
        alignment(english).language(german.select(np.array([1, 0, 2, 3, 4])))


@pytest.mark.parametrize("sentences", [1, 2, 4])
def test_few_sentences_give_values_without_a_verdict(english, german, sentences) -> None:
    few = np.arange(sentences) % len(english.item_ids)
    summary = alignment(english.select(few)).language(german.select(few)).summary
    assert summary["shape"] == "unclear"
    assert summary["early_minus_middle"]["low"] is None


def test_zones_outside_the_trace_are_named(english, german) -> None:
    zones = Zones(early=(0, 0), middle=(1, 1), late=(7, 9))
    with pytest.raises(ZoneError, match=r"zone late = \[7, 9\] holds no traced layer"):
        alignment(english, zones=zones).language(german)


def test_default_zones() -> None:
    assert default_zones(range(48)) == Zones(early=(0, 4), middle=(10, 37), late=(43, 47))
    assert default_zones(range(8)) == Zones(early=(0, 0), middle=(2, 5), late=(7, 7))
    # Every second layer has a router.
    assert default_zones((1, 3, 5, 7, 9)) == Zones(early=(1, 1), middle=(3, 7), late=(9, 9))
    for layers in range(1, 100):
        for _, (first, last) in default_zones(range(layers)):
            assert 0 <= first <= last < layers


@pytest.mark.parametrize(
    ("early", "late", "shape"),
    [
        ((0.2, 0.1, 0.3), (0.1, 0.05, 0.2), "U"),
        ((-0.2, -0.3, -0.1), (-0.1, -0.2, -0.05), "cap"),
        ((0.2, 0.1, 0.3), (-0.1, -0.2, -0.05), "falling"),
        ((-0.2, -0.3, -0.1), (0.1, 0.05, 0.2), "rising"),
        ((0.0, -0.1, 0.1), (0.05, -0.1, 0.2), "flat"),
        ((0.2, 0.1, 0.3), (0.05, -0.1, 0.2), "unclear"),
        ((0.2, None, None), (0.1, None, None), "U"),
        ((0.2, float("nan"), float("nan")), (0.1, float("nan"), float("nan")), "unclear"),
    ],
)
def test_shapes(early, late, shape) -> None:
    assert depth_shape(Difference(*early), Difference(*late)) == shape


def test_headline_curves_show_the_reading_of_summaries(english, german) -> None:
    table = alignment(english).language(german).rows
    curves = headline_curves(table, {"texts": "topk_mass"})
    chosen = table[(table["measure"] == "divergence") & (table["reading"] == "topk_mass")]
    assert [row["divergence"] for row in curves] == list(chosen["value"])
    assert [row["layer"] for row in curves] == [0, 1, 2]


def test_in_short_counts_the_languages_with_a_u(english, german) -> None:
    found = alignment(english)
    summary = found.language(german).summary
    shapes = {"a": {"shape": "U"}, "b": {"shape": "cap"}, "c": {"shape": "U"}}
    rows = [{"layer": layer, "value": value} for layer, value in enumerate([0.1, 0.3, 0.2])]
    short = in_short({"mean": summary, "languages": shapes, "over_languages": {"alignment": rows}})
    assert (short["languages"], short["languages_with_u"]) == (3, 2)
    assert short["middle"] == summary["middle"]
    assert (short["alignment_peak"], short["alignment_peak_layer"]) == (0.3, 1)
    assert "alignment_peak" not in in_short({"mean": summary, "languages": shapes, "over_languages": {}})


def test_summaries_rest_on_the_reading_that_is_named(english, german) -> None:
    ours, by_count = alignment(english), alignment(english, reading="topk_count")
    assert (ours.reading, by_count.reading) == ("soft_mass", "topk_count")
    curves = [one.language(german).rows.query("measure == 'divergence'") for one in (ours, by_count)]
    assert curves[0]["value"].tolist() == curves[1]["value"].tolist(), "each is measured either way"
    assert ours.language(german).summary["early"] != by_count.language(german).summary["early"]
    counts = dataclasses.replace(english, soft_mass=None, topk_mass=None)
    assert alignment(counts).reading == "topk_count"
    with pytest.raises(AlignmentError, match="holds no `softmax_of_weights`, which `importance` in the model's entry"):
        alignment(english, reading="softmax_of_weights")
