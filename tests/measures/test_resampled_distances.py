import numpy as np
import pytest

from experts.made import random_trace
from polyroute.measures import resampled_distances as module
from polyroute.measures.divergence import jensen_shannon, routing_divergence
from polyroute.measures.language_distance import cosine_distance, pairwise
from polyroute.measures.midpoints import halves
from polyroute.measures.resampled_distances import midpoint_information, most_used, resampled_distances
from polyroute.stats.bootstrap import Bootstrap

PLAIN = {"jsd": jensen_shannon, "divergence": routing_divergence, "cosine": cosine_distance}


def found(traces, nearly_uniform: bool, bootstrap: Bootstrap):
    uniform_L = np.full(4, nearly_uniform)
    measures = [*PLAIN, "jaccard"]
    return resampled_distances(
        traces, "topk_count", measures, np.isin(np.arange(len(uniform_L)), [1, 3]), uniform_L, bootstrap
    )


@pytest.mark.parametrize(
    ("nearly_uniform", "few", "within"), [(False, 0, 5e-7), (True, 0, 1e-12), (False, 70 * 3 * 2 * 8, 1e-12)]
)
def test_distances_agree_with_plain_float64(nearly_uniform, few, within, monkeypatch) -> None:
    monkeypatch.setattr(module, "FEW", few)
    traces = [random_trace(n, 20, layers=4, language=code) for n, code in enumerate(("a", "b", "c"))]
    bootstrap = Bootstrap(20, 70, 0.9, 1)
    q_VNLE = np.stack([trace.distributions("topk_count")[:, [1, 3]] for trace in traces])
    q_RVLE = np.einsum("rn,vnle->rvle", bootstrap.counts_RN / 20, q_VNLE)
    expected = {name: pairwise(of, q_RVLE).mean(axis=1) for name, of in PLAIN.items()}
    whole = found(traces, nearly_uniform, bootstrap)
    for name, expected_RP in expected.items():
        # D divides by what routing lacks of uniform, here as little as 0.1 nats.
        assert whole[name] == pytest.approx(expected_RP, abs=within * (10 if name == "divergence" else 1)), name
    monkeypatch.setattr(module, "AT_A_TIME", 1)
    monkeypatch.setattr(module, "BLOCK", 1)
    apart = found(traces, nearly_uniform, bootstrap)
    assert all(np.allclose(apart[name], whole[name], rtol=0, atol=10 * within) for name in whole)


def test_midpoints_are_in_the_order_of_pairs() -> None:
    q_RVE = np.random.default_rng(0).dirichlet(np.ones(8), size=(5, 4))
    found_RP = midpoint_information(halves(q_RVE, np.float64))
    first_P, second_P = np.triu_indices(4, k=1)
    t_RPE = halves(q_RVE, np.float64)[:, first_P] + halves(q_RVE, np.float64)[:, second_P]
    assert found_RP == pytest.approx((t_RPE * np.log(t_RPE)).sum(axis=-1) / 8)


def test_the_most_used_are_k_at_most_and_never_unused() -> None:
    assert most_used(np.array([0.2, 0.4, 0.2, 0.2]), 2).tolist() == [1, 1, 0, 0], "of equals the lower number"
    assert most_used(np.array([0.0, 1.0, 0.0, 0.0]), 2).tolist() == [0, 1, 0, 0]
    assert most_used(np.array([0.5, 0.5, 0.0]), 3).tolist() == [1, 1, 0]
    ties_NE = np.random.default_rng(1).integers(0, 4, size=(500, 12)).astype(float)
    order_NE = np.argsort(-ties_NE, axis=-1, kind="stable")[:, :5]
    expected_NE = np.zeros_like(ties_NE)
    np.put_along_axis(expected_NE, order_NE, 1, axis=-1)
    assert np.array_equal(most_used(ties_NE, 5), expected_NE * (ties_NE > 0))
