import numpy as np
import pytest

from experts.made import make_trace, random_trace
from polyroute.artifacts.trace import TraceError
from polyroute.ground.layers import Zones
from polyroute.measures import domain_divergence as domain_divergence_module
from polyroute.measures.divergence import routing_divergence
from polyroute.measures.domain_divergence import domain_divergence
from polyroute.measures.specialisation import SpecialisationError
from polyroute.measures.zones import ZoneError
from polyroute.results.experts import DomainRow

DRAWING = {"confidence": 0.95, "seed": 0}
ZONES = Zones(early=(0, 0), middle=(1, 1), late=(2, 2))


def with_masses(trace, seed: int):
    shares = np.random.default_rng(seed).dirichlet(np.ones(8), size=trace.topk_count.shape[:2])
    return make_trace(trace.topk_count, trace.tokens, corpus=trace.header.corpus, soft_mass=shares.astype(np.float32))


@pytest.mark.parametrize("reading", ["soft_mass", "topk_count"])
def test_value_and_those_without_a_sentence_are_of_pooled_tokens(reading) -> None:
    domain, generic = with_masses(random_trace(0, 6, corpus="sums"), 2), with_masses(random_trace(1, 9), 3)
    found = domain_divergence(domain, generic, reading=reading, **DRAWING)
    expected = routing_divergence(domain.pooled(reading), generic.pooled(reading))
    assert found.plug_in_L == pytest.approx(expected)
    # The slow way: select the sentences that are left and pool them.
    pairs = {
        "domain": (domain.select(np.delete(np.arange(6), 4)), generic),
        "generic": (domain, generic.select(np.delete(np.arange(9), 4))),
    }
    for name, pair in pairs.items():
        pooled = [text.pooled(reading) for text in pair]
        assert getattr(found.left, f"{name}_NL")[4] == pytest.approx(routing_divergence(*pooled), abs=1e-6)
    assert [len(found.left.domain_NL), len(found.left.generic_NL)] == [6, 9]


def test_the_floor_is_of_halves_of_the_generic_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domain_divergence_module, "SPLITS", 1)
    generic = random_trace(1, 5)
    left = domain_divergence(random_trace(0, 6, corpus="sums"), generic, **DRAWING).left
    order = np.random.default_rng(0).permutation(5)
    halves = sorted(order[:2]), sorted(order[2:])

    def between(*halves) -> np.ndarray:
        return routing_divergence(*(generic.select(np.array(half)).pooled("topk_count") for half in halves))

    assert left.floor_L == pytest.approx(between(*halves))
    gone = halves[1][0]
    assert left.floor_NL[gone] == pytest.approx(between(halves[0], halves[1][1:]))


def test_a_sentence_without_tokens_adds_nothing() -> None:
    domain, generic = with_masses(random_trace(0, 6, corpus="sums"), 2), with_masses(random_trace(1, 9), 3)
    empty = make_trace(
        np.concatenate([domain.topk_count, np.zeros((1, 3, 8), np.int64)]), [*domain.tokens, 0], corpus="sums",
        soft_mass=np.concatenate([domain.soft_mass, np.full((1, 3, 8), np.nan, np.float32)]),
    )  # fmt: skip
    found = domain_divergence(empty, generic, **DRAWING)
    assert found.left.domain_NL[-1] == pytest.approx(found.plug_in_L, abs=1e-6)


def test_by_default_the_papers_own_reading() -> None:
    domain, generic = random_trace(0, 6, corpus="sums"), random_trace(1, 9)
    assert domain_divergence(domain, generic, **DRAWING).reading == "topk_count"
    found = domain_divergence(with_masses(domain, 2), with_masses(generic, 3), **DRAWING)
    assert found.reading == "soft_mass"
    with pytest.raises(TraceError, match="topk_mass"):
        domain_divergence(domain, generic, reading="topk_mass", **DRAWING)


def test_a_cap_is_called_one() -> None:
    uneven = np.tile(np.linspace(0, 2, 8), (3, 1))
    shift = uneven.copy()
    shift[1, :3] += 1.5
    domain, generic = random_trace(0, 80, shift_LE=shift, corpus="sums"), random_trace(1, 80, shift_LE=uneven)
    found = domain_divergence(domain, generic, **DRAWING)
    assert found.shape(ZONES) == "cap"
    early, late = found.outer_minus_middle(ZONES)
    table = found.table()
    assert list(table.columns) == DomainRow.columns()[:-1]
    values = table["value"].tolist()
    left, n = found.left, 80
    plug_in = found.plug_in_L - left.floor_L
    parts = [left.domain_NL - left.floor_L, left.generic_NL - left.floor_NL]
    expected = plug_in - sum((n - 1) * (part_NL.mean(axis=0) - plug_in) for part_NL in parts)
    assert early.value == pytest.approx(expected[0] - expected[1])
    assert early.high < 0 > late.high
    told = found.depth(ZONES)
    assert told["sentences"] == 80
    assert told["early_minus_middle"]["high"] == round(early.high, 4)
    assert abs(told["floor_early_minus_middle"]) < 0.01, "corrected for bias it is about 0"
    assert values[1] > max(values[0], values[2])
    with pytest.raises(ZoneError, match=r"zone late = \[5, 6\] holds no traced layer"):
        found.shape(Zones(early=(0, 0), middle=(1, 1), late=(5, 6)))


@pytest.mark.parametrize(("sentences", "shape"), [((19, 80), None), ((80, 19), None), ((20, 20), "cap")])
def test_few_sentences_have_no_shape(sentences, shape) -> None:
    uneven = np.tile(np.linspace(0, 2, 8), (3, 1))
    shift = uneven.copy()
    shift[1, :3] += 2.5
    domain = random_trace(0, sentences[0], shift_LE=shift, corpus="sums")
    found = domain_divergence(domain, random_trace(1, sentences[1], shift_LE=uneven), **DRAWING)
    assert found.shape(ZONES) == shape
    assert found.depth(ZONES)["sentences"] == min(sentences)


def test_texts_that_do_not_differ_have_no_cap() -> None:
    uneven = np.tile(np.linspace(0, 2, 8), (3, 1))
    for seed in range(5):
        domain = random_trace(seed, 40, shift_LE=uneven, corpus="sums")
        found = domain_divergence(domain, random_trace(seed + 50, 40, shift_LE=uneven), **DRAWING)
        assert found.shape(ZONES) in ("flat", "unclear")


def test_interval_covers_the_true_divergence() -> None:
    uneven = np.linspace(0, 2, 8)
    shift = uneven + 0.4 * (np.arange(8) == 0)
    many = [random_trace(seed, 5000, 1, shift_LE=shift_E) for seed, shift_E in ((1, uneven), (2, shift))]
    truth = float(routing_divergence(*(trace.pooled("topk_count") for trace in many))[0])
    hits, above = 0, 0.0
    for start in range(0, 4800, 60):
        generic, domain = (trace.select(np.arange(start, start + 60)) for trace in many)
        domain = make_trace(domain.topk_count, domain.tokens, corpus="sums")
        row = domain_divergence(domain, generic, **DRAWING).table().iloc[0]
        hits += row["low"] <= truth <= row["high"]
        above += (row["plug_in"] - truth) / 80
    assert hits >= 72, "of 80"
    assert above > truth / 4, "what the correction takes off"


def test_no_sentences_no_interval() -> None:
    pooled = [random_trace(seed, 1, pooled=True, corpus=name) for seed, name in ((0, "sums"), (1, "text"))]
    single = [random_trace(0, 1, corpus="sums"), random_trace(1, 5)]
    three = [random_trace(0, 5, corpus="sums"), random_trace(1, 3)]
    for domain, generic in (pooled, single, three):
        found = domain_divergence(domain, generic, **DRAWING)
        assert found.left is None
        assert found.shape(ZONES) is None
        assert found.depth(ZONES) is None
        assert found.table()[["low", "high"]].isna().all(axis=None)
        assert found.outer_minus_middle(ZONES)[0].low is None


def test_parallel_text_is_compared_elsewhere() -> None:
    german = random_trace(1, 9, language="deu_Latn")
    with pytest.raises(SpecialisationError, match="parallel"):
        domain_divergence(german, random_trace(0, 9), **DRAWING)
