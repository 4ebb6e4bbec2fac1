import math

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon

from polyroute.artifacts.importance import ImportanceError, normalise
from polyroute.measures.chunks import by_chunk
from polyroute.measures.divergence import jensen_shannon, routing_divergence
from polyroute.measures.entropy import routing_entropy


def plain_divergence(p: list[float], q: list[float]) -> float:
    """Paper 1, Eq. 2, one number at a time."""

    def entropy(r: list[float]) -> float:
        return -sum(x * math.log(x) for x in r if x > 0)

    m = [(a + b) / 2 for a, b in zip(p, q, strict=True)]
    within = (entropy(p) + entropy(q)) / 2
    return (entropy(m) - within) / (math.log(len(p)) - within)


def test_by_hand() -> None:
    # H(p) = 0, H(q) = ln 2, H(m) = H(3/4, 1/4, 0, 0): JSD = .562335 - .346574, room = ln 4 - .346574.
    divergence = routing_divergence([1, 0, 0, 0], [0.5, 0.5, 0, 0])
    assert divergence == pytest.approx((0.5623351446 - 0.3465735903) / (1.3862943611 - 0.3465735903), abs=1e-9)


def test_zero_for_equal_distributions_even_uniform_or_certain() -> None:
    for p in ([0.7, 0.2, 0.1], [1 / 3] * 3, [1.0, 0, 0]):
        assert routing_divergence(p, p) == 0


def test_one_iff_the_midpoint_is_uniform() -> None:
    assert routing_divergence([1, 0], [0, 1]) == pytest.approx(1)
    assert routing_divergence([0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]) == pytest.approx(1)
    assert routing_divergence([0.4, 0.1, 0.25, 0.25], [0.1, 0.4, 0.25, 0.25]) == pytest.approx(1)
    assert routing_divergence([1, 0, 0, 0], [0, 1, 0, 0]) < 1  # disjoint, but half of the experts idle


def test_symmetric_within_bounds_and_as_the_plain_formula() -> None:
    rng = np.random.default_rng(0)
    p, q = rng.dirichlet(np.full(16, 0.3), size=(2, 500))
    divergence = routing_divergence(p, q)
    assert np.array_equal(divergence, routing_divergence(q, p))
    assert ((divergence >= 0) & (divergence <= 1)).all()
    assert divergence == pytest.approx([plain_divergence(list(a), list(b)) for a, b in zip(p, q, strict=True)])


def test_jensen_shannon_agrees_with_scipy() -> None:
    p, q = np.random.default_rng(1).dirichlet(np.ones(8), size=(2, 50))
    assert jensen_shannon(p, q) == pytest.approx(jensenshannon(p, q, axis=1) ** 2)


def test_nan_stays_nan_and_spreads_no_further() -> None:
    p = np.array([[0.5, 0.5], [np.nan, np.nan]])
    assert np.array_equal(np.isnan(routing_divergence(p, [[0.9, 0.1], [0.9, 0.1]])), [False, True])


def test_by_chunk_gives_the_bits_of_everything_at_once() -> None:
    p, q = np.random.default_rng(2).dirichlet(np.ones(8), size=(2, 17, 3))
    assert np.array_equal(by_chunk(routing_divergence, p, q, chunk=50), routing_divergence(p, q))


def test_entropy_by_hand_and_at_its_limits() -> None:
    assert routing_entropy([0.5, 0.25, 0.25]) == pytest.approx(1.5 * math.log(2))
    assert routing_entropy([1.0, 0, 0]) == 0
    assert routing_entropy(np.full(128, 1 / 128)) == pytest.approx(math.log(128))
    assert np.isnan(routing_entropy([np.nan, 1.0]))


def test_normalise_marks_an_empty_sequence_and_refuses_what_is_no_mass() -> None:
    assert normalise([[1, 3], [2, 2]]).tolist() == [[0.25, 0.75], [0.5, 0.5]]
    assert np.isnan(normalise([[0, 0]])).all()
    with pytest.raises(ImportanceError, match="not negative"):
        normalise([1, -1])
