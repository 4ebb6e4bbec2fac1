import dataclasses
import itertools

import numpy as np
import pytest
from scipy.spatial import distance

from experts.made import make_trace, random_trace
from polyroute.ground.layers import Zones
from polyroute.measures.divergence import routing_divergence
from polyroute.measures.language_distance import (
    Similarity,
    SimilarityError,
    corpus_distribution,
    cosine_distance,
    jaccard_distance,
    pairwise,
    square,
)
from polyroute.measures.resampled_distances import most_used
from polyroute.measures.specialisation import SpecialisationError
from polyroute.measures.zones import ZoneError
from polyroute.results.similarity import DistanceRow
from polyroute.stats.bootstrap import Bootstrap
from recorded import recorded_counts

CODES = ("eng_Latn", "deu_Latn", "fra_Latn", "rus_Cyrl")
ZONES = Zones(early=(0, 0), middle=(1, 2), late=(2, 2))


def with_soft_mass(trace, seed):
    mass = np.random.default_rng(seed).dirichlet(np.full(8, 0.5), size=trace.topk_count.shape[:2])
    return dataclasses.replace(trace, soft_mass=mass.astype(np.float32))


@pytest.fixture(scope="module")
def traces():
    rng = np.random.default_rng(0)
    counted = [random_trace(n, 12, shift_LE=rng.normal(size=(3, 8)), language=code) for n, code in enumerate(CODES)]
    return [with_soft_mass(trace, number) for number, trace in enumerate(counted)]


def similarity(traces, **options) -> Similarity:
    return Similarity(traces, resamples=150, confidence=0.9, seed=5, **({"zones": ZONES} | options))


def chosen(q_E):
    """The two most used of eight."""
    return np.isin(np.arange(8), np.argsort(-q_E, kind="stable")[:2])


def test_every_number_agrees_with_plain_loops(traces) -> None:
    found = similarity(traces)
    counts_RN = Bootstrap(12, 150, 0.9, 5).counts_RN
    plain = {
        "jsd": lambda p, q: distance.jensenshannon(p, q) ** 2,
        "divergence": lambda p, q: float(routing_divergence(p, q)),
        "cosine": distance.cosine,
        "jaccard": lambda p, q: distance.jaccard(chosen(p), chosen(q)),
    }
    assert [(one.measure, one.reading) for one in found.distances] == [
        ("jsd", "soft_mass"), ("divergence", "soft_mass"), ("cosine", "soft_mass"), ("jsd", "topk_count"),
        ("jaccard", "topk_count"),
    ]  # fmt: skip
    pairs = list(itertools.combinations(traces, 2))
    for one in found.distances:
        for place, (a, b) in enumerate(pairs):
            p_NLE, q_NLE = a.distributions(one.reading), b.distributions(one.reading)
            for layer in range(3):
                expected = plain[one.measure](p_NLE[:, layer].mean(axis=0), q_NLE[:, layer].mean(axis=0))
                assert one.layers_LP[layer, place] == pytest.approx(expected, abs=1e-9)
            drawn_RL = np.array(
                [
                    [plain[one.measure](weights @ p_NLE[:, layer], weights @ q_NLE[:, layer]) for layer in range(3)]
                    for weights in counts_RN / 12  # the same sentences of both languages
                ]
            )
            drawn_RZ = np.stack([drawn_RL[:, 0], drawn_RL[:, 1:].mean(axis=1), drawn_RL[:, 2]], axis=1)
            bounds = np.quantile(drawn_RZ, [0.05, 0.95], axis=0)
            assert one.low_ZP[:, place] == pytest.approx(bounds[0], abs=1e-6)
            assert one.high_ZP[:, place] == pytest.approx(bounds[1], abs=1e-6)
            if one is found.headline:
                assert one.draws_RZP[:, :, place] == pytest.approx(drawn_RZ, abs=1e-6)


def test_every_sentence_counts_the_same() -> None:
    trace = make_trace([[[8, 0, 0]], [[0, 1, 1]]], [4, 1])
    assert corpus_distribution(trace, "topk_count").tolist() == [[0.5, 0.25, 0.25]]


def test_the_table_has_zones_with_intervals_and_layers_without(traces) -> None:
    table = similarity(traces).table()
    assert list(table.columns) == DistanceRow.columns()
    assert len(table) == 6 * (5 * 3 + 3)
    zones, layers = table[table["zone"].notna()], table[table["layer"].notna()]
    assert len(zones) + len(layers) == len(table)
    assert set(zip(layers["measure"], layers["reading"], strict=True)) == {("jsd", "soft_mass")}
    assert layers["low"].isna().all()
    jsd = zones[(zones["measure"] == "jsd") & (zones["reading"] == "soft_mass") & (zones["zone"] == "middle")]
    assert list(zip(jsd["language_a"], jsd["language_b"], strict=True)) == list(itertools.combinations(CODES, 2))
    inside = layers[layers["layer"].isin([1, 2])]
    of_layers = inside.groupby(["language_a", "language_b"], sort=False)["distance"].mean()
    assert jsd["distance"].to_numpy() == pytest.approx(of_layers.to_numpy(), abs=2e-6)
    assert (zones["low"] <= zones["high"]).all()


def test_sentences_are_resampled_together_across_languages(traces) -> None:
    """A language and its twin stay at distance 0 in every resample."""
    twin = dataclasses.replace(traces[0], header=traces[0].header.model_copy(update={"language": "nld_Latn"}))
    table = similarity([*traces, twin]).table()
    same = table[(table["language_a"] == "eng_Latn") & (table["language_b"] == "nld_Latn")]
    assert (same["distance"] == 0).all()
    assert (same[["low", "high"]].dropna() == 0).all(axis=None)


def test_one_sentence_and_pooled_counts_have_no_intervals(traces) -> None:
    for few in (
        [trace.select(np.array([0])) for trace in traces],
        [make_trace([[[3, 2, 1]] * 3], [3], language=code, pooled=True, engine="recorded") for code in CODES[:2]],
    ):
        found = similarity(few)
        assert found.headline.draws_RZP is None
        assert found.table()["low"].isna().all()


def test_two_languages_are_enough_and_one_is_not(traces) -> None:
    assert similarity(traces[:2]).headline.zones_ZP.shape == (3, 1)
    with pytest.raises(SimilarityError, match="at least two languages; there are 1"):
        similarity(traces[:1])


def test_cosine_of_equals_is_zero_and_of_strangers_one() -> None:
    p = np.array([0.3, 0.7, 0.0])
    assert cosine_distance(p, p) == 0
    assert cosine_distance(p, np.array([0, 0, 1.0])) == pytest.approx(1)


def test_jaccard_is_of_the_most_used() -> None:
    a, b = most_used(np.array([[0.5, 0.3, 0.2, 0], [0, 1, 0, 0]]), 2)
    assert jaccard_distance(a, b) == 0.5


def test_large_and_small_chunks_give_the_same(traces, monkeypatch) -> None:
    q_RVLE = np.random.default_rng(1).dirichlet(np.ones(8), size=(7, 4, 3))
    whole = pairwise(routing_divergence, q_RVLE)
    monkeypatch.setattr("polyroute.measures.language_distance.CHUNK", 1)
    assert (pairwise(routing_divergence, q_RVLE) == whole).all()
    assert whole.shape == (7, 3, 6)
    assert square(whole[0, 0])[1, 3] == whole[0, 0, 4]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"dtype": "bfloat16"}, SpecialisationError, "in deu_Latn has dtype"),
        ({"language": "eng_Latn"}, SpecialisationError, "neither corpus and language"),
        ({"language": "fra_Latn"}, SimilarityError, "traced twice: eng_Latn, fra_Latn, fra_Latn"),
    ],
)
def test_traces_that_cannot_be_compared_are_named(traces, change, error, message) -> None:
    english, german, french, _ = traces
    wrong = dataclasses.replace(german, header=german.header.model_copy(update=change))
    with pytest.raises(error, match=message):
        similarity([english, wrong, french])


def test_places_without_numbers_are_named(traces) -> None:
    with pytest.raises(ZoneError, match=r"zone late = \[7, 9\] holds no traced layer"):
        similarity(traces, zones=Zones(early=(0, 0), middle=(1, 1), late=(7, 9)))
    empty = make_trace([[[1, 1]], [[0, 0]]], [1, 1], layers=(6,))
    with pytest.raises(SimilarityError, match="item text-1 has no topk_count in layer 6"):
        corpus_distribution(empty, "topk_count")


def test_real_counts_of_qwen3() -> None:
    """D against English, mean of layers 0-4, 10-39 and 43-47."""
    traces = recorded_counts()
    found = similarity(traces, zones=Zones(early=(0, 4), middle=(10, 39), late=(43, 47)))
    assert (found.headline.measure, found.headline.reading) == ("jsd", "topk_count")
    (divergence,) = [one for one in found.distances if one.measure == "divergence"]
    expected = {
        "deu_Latn": (0.148, 0.059, 0.198), "spa_Latn": (0.135, 0.045, 0.197), "jpn_Jpan": (0.252, 0.115, 0.342),
        "swh_Latn": (0.321, 0.149, 0.293), "zho_Hans": (0.258, 0.082, 0.396),
    }  # fmt: skip
    for place, (zone, _) in enumerate(found.zones):
        row = dict(zip(found.languages, square(divergence.zones_ZP[place])[0], strict=True))
        assert found.languages[0] == "eng_Latn"
        for language, values in expected.items():
            assert row[language] == pytest.approx(values[place], abs=6e-4), (language, zone)
    # Spanish, German and English stand nearer to one another than to any of the others but in the late layers,
    # where Swahili is as near to Spanish and German as English is.
    european = [found.languages.index(code) for code in ("eng_Latn", "deu_Latn", "spa_Latn")]
    for (zone, _), distance_P in zip(found.zones, found.headline.zones_ZP, strict=True):
        if zone == "late":
            continue
        matrix = square(distance_P)
        others = [place for place in range(6) if place not in european]
        assert matrix[np.ix_(european, european)].max() < matrix[np.ix_(european, others)].min(), zone
