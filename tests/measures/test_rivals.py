import numpy as np
import pytest
from scipy.spatial.distance import pdist

from experts.made import make_trace
from polyroute.measures.rivals import explain, fertility_distance, rival_distances

RNG = np.random.default_rng(5)
TEST = {"shuffles": 199, "seed": 1}


def families(count: int) -> list[str]:
    return [f"family {number % 3}" for number in range(count)]


def of_tokens(language: str, tokens, **options):
    return make_trace([[[t, t]] for t in tokens], tokens, language=language, **options)


def test_fertility_by_hand_with_sentences_and_pooled() -> None:
    sentences = [of_tokens("eng_Latn", [2, 4]), of_tokens("deu_Latn", [5, 7]), of_tokens("jpn_Jpan", [1, 2])]
    expected = np.log([2, 2, 4])
    assert fertility_distance(sentences) == pytest.approx(expected)
    pooled = [of_tokens(code, [t], pooled=True) for code, t in (("eng_Latn", 6), ("deu_Latn", 12), ("jpn_Jpan", 3))]
    assert fertility_distance(pooled) == pytest.approx(expected)


def test_rivals_of_three_languages() -> None:
    traces = [of_tokens(code, [3, 3]) for code in ("deu_Latn", "rus_Cyrl", "ind_Latn")]
    found = rival_distances(traces, None)
    assert found["family"].tolist() == [0, 1, 1]
    assert found["script"].tolist() == [1, 0, 1]
    assert found["fertility"].tolist() == [0, 0, 0]
    assert found["vocabulary"] is None


def test_the_cause_keeps_its_partial_correlation_and_its_shadow_loses_it() -> None:
    cause = RNG.normal(size=(12, 2))
    fertility, shadow = pdist(cause), pdist(cause + 0.4 * RNG.normal(size=(12, 2)))
    found = explain(fertility + 0.1 * RNG.random(66), {"fertility": fertility, "vocabulary": shadow},
                    families=families(12), **TEST)  # fmt: skip
    assert found["fertility"]["controlled_for"] == ["vocabulary"]
    assert found["fertility"]["partial"] > 0.9
    assert found["fertility"]["partial_p"] == 0.005
    assert found["fertility"]["within_families_p"] < 0.05
    assert found["vocabulary"]["mantel"] > 0.5
    assert found["vocabulary"]["p"] == 0.005
    assert abs(found["vocabulary"]["partial"]) < 0.3
    assert found["vocabulary"]["partial_p"] > 0.05


def test_what_cannot_be_told_says_why() -> None:
    routing = pdist(RNG.normal(size=(6, 2)))
    other = pdist(RNG.normal(size=(6, 2)))
    found = explain(
        routing, {"family": np.ones(15), "script": other, "fertility": 2 * other, "vocabulary": None},
        families=families(6), **TEST,
    )  # fmt: skip
    assert found["family"]["note"].startswith("the same for every pair")
    assert found["vocabulary"]["note"].startswith("not known")
    assert found["script"]["note"] == "nothing of it, or of routing, is left given fertility"
    assert found["script"]["partial"] is None
    assert found["script"]["mantel"] is not None
    assert found["family"]["mantel"] is found["vocabulary"]["partial_p"] is None
    same = explain(np.zeros(15), {"script": other}, families=families(6), **TEST)
    assert same["script"]["note"] == "routing distances are the same for every pair of languages"
    two = explain(np.array([0.1]), {"script": np.array([1.0])}, families=families(2), **TEST)
    assert two["script"]["note"] == "a permutation test needs at least 5 languages; there are 2"
