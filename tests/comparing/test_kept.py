"""Sets of experts kept and lost, and what chance keeps, by hand."""

import itertools

import numpy as np
import pytest
from scipy import stats

from checkpoints import random, trace
from polyroute.comparing.kept import Sets, by_chance, kept, most_used, specialised


def test_members_by_hand() -> None:
    frequency = np.array([[0.9, 0.2, 0.5, 0.5], [0.1, 0.1, 0.8, 0.8]])
    # Of equals (2 and 3) the lower number.
    assert most_used(frequency, 2).tolist() == [[True, False, True, False], [False, False, True, True]]
    generic = np.array([[0.6, 0.2, 0.1, 0.2], [0.1, 0.1, 0.4, 0.5]])
    # Delta .3 is not above .3, however it is rounded.
    assert specialised(frequency, generic, 0.3).tolist() == [[False, False, True, False], [False, False, True, False]]


def test_kept_lost_and_gained_by_hand() -> None:
    one = np.array([[1, 1, 0, 0], [0, 0, 1, 0]], dtype=bool)
    other = np.array([[1, 0, 0, 1], [0, 0, 0, 0]], dtype=bool)
    found = kept("deu_Latn", "most used", one, other, (5, 6))
    assert (found.one, found.other, found.both, found.jaccard) == (3, 2, 1, 0.25)
    assert (found.lost, found.gained) == ({5: (1,), 6: (2,)}, {5: (3,)})
    nothing = kept("deu_Latn", "specialised", one & False, other & False, (5, 6))
    assert (nothing.jaccard, nothing.expected, nothing.p) == (None, None, None)


def test_chance_is_that_of_all_sets() -> None:
    # Every pair of experts in layer 0 (2 of 4) and every expert of layer 1 (1 of 4), against {0, 1} and {0}.
    drawn = [(set(two), last) for two in itertools.combinations(range(4), 2) for last in range(4)]
    both = [len(two & {0, 1}) + (last == 0) for two, last in drawn]
    expected = np.mean([in_both / (6 - in_both) for in_both in both])
    found, p = by_chance(np.array([2, 1]), np.array([2, 1]), 4, 2)
    assert found == pytest.approx(expected)
    assert p == pytest.approx(np.mean([in_both >= 2 for in_both in both]))
    assert by_chance(np.array([3]), np.array([4]), 10, 2)[1] == pytest.approx(stats.hypergeom.sf(1, 10, 3, 4))


def test_the_same_checkpoint_keeps_everything_and_another_what_chance_keeps() -> None:
    soft = {
        code: random(place, sentences=40, layers=6, experts=16) for place, code in enumerate(("eng_Latn", "deu_Latn"))
    }
    own = {code: trace(values, language=code) for code, values in soft.items()}
    same = Sets(own["eng_Latn"], own["eng_Latn"], tau=0.1, seed=0).of("deu_Latn", own["deu_Latn"], own["deu_Latn"])
    assert [one.jaccard for one in same] == [1, 1]
    assert not any(one.lost or one.gained for one in same)
    # Sentences that say nothing of their language: halves agree little more than chance.
    assert same[0].itself < 0.6
    other = trace(random(9, sentences=40, layers=6, experts=16), model="child")
    (pivot,) = Sets(own["eng_Latn"], other, tau=0.1, seed=0).of_pivot()
    assert pivot.p > 0.01
    assert pivot.expected == pytest.approx(0.08, abs=0.03)


def test_halves_agree_where_sentences_do() -> None:
    soft = np.tile(random(0, sentences=1), (12, 1, 1))
    one = trace(soft)
    (pivot,) = Sets(one, one, tau=0.3, seed=0).of_pivot()
    assert pivot.itself == 1
