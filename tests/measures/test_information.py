import math

import numpy as np
import pytest

from experts.made import make_trace, random_trace
from polyroute.measures.divergence import jensen_shannon
from polyroute.measures.entropy import routing_entropy
from polyroute.measures.information import information_gain, language_information
from polyroute.measures.usage import UsageError, usage

CODES = ("eng_Latn", "deu_Latn", "swh_Latn")


def same_language(items: int, tokens: int = 10, layers: int = 2) -> list:
    """Three languages whose tokens choose by the same preferences, drawn anew for each sentence."""
    rng = np.random.default_rng(5)
    preferred = rng.dirichlet(np.ones(6), size=(items, layers))
    return [make_trace(rng.multinomial(tokens, preferred), [tokens] * items, language=code, top_k=1) for code in CODES]


def test_by_hand() -> None:
    # Half and half between two experts against the first alone: mean load (3/4, 1/4).
    whole = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert information_gain(np.array([[[0.5, 0.5]], [[1.0, 0.0]]])) == pytest.approx([1 - math.log(2) / 2 / whole])


def test_limits() -> None:
    same = np.tile([0.5, 0.3, 0.2], (4, 1, 1))
    assert information_gain(same) == pytest.approx([0], abs=1e-15)
    assert information_gain(np.eye(4)[:, None]) == pytest.approx([1]), "one expert a language: it tells all"
    apart = np.repeat(np.eye(4), 3, axis=1)[:, None] / 3
    assert information_gain(apart) == pytest.approx([math.log(4) / math.log(12)])
    assert information_gain(np.array([[[1.0, 0.0]], [[1.0, 0.0]]])).tolist() == [0], "nothing is left to tell"


def test_of_two_languages_it_is_their_jensen_shannon_divergence() -> None:
    of = usage([random_trace(n, 20, language=code) for n, code in enumerate(CODES[:2])])
    first_LE, second_LE = of.load_VLE
    expected = jensen_shannon(first_LE, second_LE) / routing_entropy((first_LE + second_LE) / 2)
    assert information_gain(of.load_VLE) == pytest.approx(expected)


def test_languages_weigh_the_same_whatever_their_tokens() -> None:
    once = [make_trace([[[3, 1]]], [2]), make_trace([[[1, 3]]], [2], language="deu_Latn")]
    often = [once[0], make_trace([[[100, 300]]], [200], language="deu_Latn")]
    assert language_information(once, seed=0).gain_L == pytest.approx(language_information(often, seed=0).gain_L)


def test_the_null_takes_up_the_bias_of_languages_that_route_alike() -> None:
    found = language_information(same_language(30), seed=0)
    assert (found.gain_L > 0.001).all(), "the plug-in estimate lies above the truth, 0"
    assert found.null_L == pytest.approx(found.gain_L, rel=0.6)
    assert (found.p_L > 0.05).all()


def test_bias_falls_with_more_text() -> None:
    few, many = (language_information(same_language(items), seed=0, permutations=20).null_L for items in (20, 200))
    assert (many < few / 4).all()


def test_languages_that_differ_reach_the_smallest_p() -> None:
    shift = np.zeros((3, 8))
    shift[1] = [2, 2, 0, 0, 0, 0, 0, 0]
    traces = [
        random_trace(number, 40, language=code, shift_LE=shift if code == "swh_Latn" else 0.0)
        for number, code in enumerate(CODES)
    ]
    found = language_information(traces, seed=0, permutations=99)
    assert found.p_L[1] == 0.01
    assert found.gain_L[1] > 5 * found.null_L[1]


def test_null_matches_dealing_one_sentence_at_a_time() -> None:
    traces = [random_trace(number, 5, language=code) for number, code in enumerate(CODES)]
    found = language_information(traces, seed=3, permutations=4)
    order_RNV = np.random.default_rng(3).permuted(np.broadcast_to(np.arange(3), (4, 5, 3)), axis=-1)
    for draw, order_NV in enumerate(order_RNV):
        pooled = np.zeros((3, 3, 8))
        for item, order_V in enumerate(order_NV):
            for language, taken in enumerate(order_V):
                pooled[language] += traces[taken].topk_count[item]
        expected = information_gain(pooled / pooled.sum(axis=-1, keepdims=True))
        assert found.null_RL[draw] == pytest.approx(expected)


def test_the_null_is_exact_where_two_sentences_can_be_dealt_in_two_ways() -> None:
    """Each language's two sentences either stay together or mix; the gain is 0 where they mix."""
    pair = [
        make_trace([[[4, 0]], [[4, 0]]], [4, 4], top_k=1),
        make_trace([[[0, 4]], [[0, 4]]], [4, 4], top_k=1, language="deu_Latn"),
    ]
    found = language_information(pair, seed=1, permutations=400)
    assert found.gain_L.tolist() == [1]
    assert set(found.null_RL.ravel().round(12)) == {0, 1}
    assert found.null_L[0] == pytest.approx(0.5, abs=0.1)


def test_draws_do_not_depend_on_how_many_are_in_memory(monkeypatch) -> None:
    traces = [random_trace(number, 6, language=code) for number, code in enumerate(CODES)]
    at_once = language_information(traces, seed=0, permutations=9).null_RL
    monkeypatch.setattr("polyroute.measures.information._AT_A_TIME", 2 * 3 * 6)
    np.testing.assert_array_equal(language_information(traces, seed=0, permutations=9).null_RL, at_once)


def test_pooled_counts_single_sentences_and_single_languages_have_no_null() -> None:
    pooled = [make_trace([[[3, 1]]], [2], pooled=True, language=code) for code in CODES]
    for traces in (pooled, [random_trace(0, 1, language=c) for c in CODES], [random_trace(0, 5)]):
        found = language_information(traces, seed=0)
        assert found.null_RL is None
        assert np.isnan(found.null_L).all()
        assert np.isnan(found.p_L).all()
    with pytest.raises(UsageError, match="0 permutations"):
        language_information(pooled, seed=0, permutations=0)
