import numpy as np
import pytest

from experts.made import make_trace, random_trace
from polyroute.artifacts.trace import TraceError
from polyroute.ground.layers import Zones
from polyroute.measures.divergence import routing_divergence
from polyroute.measures.domain_divergence import domain_divergence
from polyroute.measures.specialisation import SpecialisationError
from polyroute.results.experts import DomainRow
from polyroute.stats.bootstrap import Bootstrap
from polyroute.stats.resampled import own_seed

DRAWING = {"resamples": 200, "confidence": 0.95, "seed": 0}
ZONES = Zones(early=(0, 0), middle=(1, 1), late=(2, 2))


def with_masses(trace, seed: int):
    shares = np.random.default_rng(seed).dirichlet(np.ones(8), size=trace.topk_count.shape[:2])
    return make_trace(trace.topk_count, trace.tokens, corpus=trace.header.corpus, soft_mass=shares.astype(np.float32))


@pytest.mark.parametrize("reading", ["soft_mass", "topk_count"])
def test_value_and_resamples_are_of_pooled_tokens(reading) -> None:
    domain, generic = with_masses(random_trace(0, 6, corpus="sums"), 2), with_masses(random_trace(1, 9), 3)
    found = domain_divergence(domain, generic, reading=reading, **DRAWING)
    expected = routing_divergence(domain.pooled(reading), generic.pooled(reading))
    assert found.plug_in_L == pytest.approx(expected)
    # The slow way: write a resample down sentence by sentence and pool it.
    pooled = []
    for trace in (domain, generic):
        bootstrap = Bootstrap(len(trace.tokens), 200, 0.95, own_seed(0, trace.header.corpus))
        index = np.repeat(np.arange(len(trace.tokens)), bootstrap.counts_RN[7].astype(int))
        pooled.append(trace.select(index).pooled(reading))
    assert found.draws_RL[7] == pytest.approx(routing_divergence(*pooled), abs=1e-6)


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
    assert early.value == pytest.approx(2 * (found.plug_in_L[0] - found.plug_in_L[1])
                                        - (found.draws_RL[:, 0] - found.draws_RL[:, 1]).mean())  # fmt: skip
    assert early.high < 0 > late.high
    assert values[1] > max(values[0], values[2])
    with pytest.raises(SpecialisationError, match=r"zone late = \[5, 6\] holds no traced layer"):
        found.shape(Zones(early=(0, 0), middle=(1, 1), late=(5, 6)))


def test_interval_covers_the_true_divergence_where_the_plain_one_does_not() -> None:
    uneven = np.linspace(0, 2, 8)
    shift = uneven + 0.4 * (np.arange(8) == 0)
    many = [random_trace(seed, 5000, 1, shift_LE=shift_E) for seed, shift_E in ((1, uneven), (2, shift))]
    truth = float(routing_divergence(*(trace.pooled("topk_count") for trace in many))[0])
    hits = plain = 0
    for start in range(0, 4800, 60):
        generic, domain = (trace.select(np.arange(start, start + 60)) for trace in many)
        domain = make_trace(domain.topk_count, domain.tokens, corpus="sums")
        row = (found := domain_divergence(domain, generic, **DRAWING)).table().iloc[0]
        hits += row["low"] <= truth <= row["high"]
        low, high = np.quantile(found.draws_RL[:, 0], [0.025, 0.975])
        plain += low <= truth <= high
    assert hits >= 72, "of 80"
    assert plain < 20


def test_no_sentences_no_interval() -> None:
    pooled = [random_trace(seed, 1, pooled=True, corpus=name) for seed, name in ((0, "sums"), (1, "text"))]
    single = [random_trace(0, 1, corpus="sums"), random_trace(1, 5)]
    for domain, generic in (pooled, single):
        found = domain_divergence(domain, generic, **DRAWING)
        assert found.draws_RL is None
        assert found.table()[["low", "high"]].isna().all(axis=None)
        assert found.outer_minus_middle(ZONES)[0].low is None


def test_parallel_text_is_compared_elsewhere() -> None:
    german = random_trace(1, 9, language="deu_Latn")
    with pytest.raises(SpecialisationError, match="parallel"):
        domain_divergence(german, random_trace(0, 9), **DRAWING)
