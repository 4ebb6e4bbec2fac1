import numpy as np
import pytest

from experts.made import make_trace, random_trace
from polyroute.measures.specialisation import (
    SpecialisationError,
    activation_frequency,
    mean_frequency,
    specialisation,
)

# Two sentences of 4 and 2 tokens, one layer, three experts, top-2.
GENERIC = make_trace([[[4, 2, 2]], [[2, 2, 0]]], [4, 2])
DOMAIN = make_trace([[[5, 10, 5]]], [10], corpus="sums")


def test_by_hand() -> None:
    assert activation_frequency(GENERIC).tolist() == [[[1.0, 0.5, 0.5]], [[1.0, 1.0, 0.0]]]
    assert mean_frequency(GENERIC).tolist() == [[1.0, 0.75, 0.25]], "per sentence first, however long it is"
    assert specialisation(DOMAIN, GENERIC).tolist() == [[-0.5, 0.25, 0.25]]


def test_agrees_with_the_plain_reference() -> None:
    domain, generic = random_trace(0, 7, corpus="sums"), random_trace(1, 5)
    found = specialisation(domain, generic)
    for layer in range(3):
        for expert in range(8):
            each = [
                sum(trace.topk_count[i, layer, expert] / trace.tokens[i] for i in range(len(trace.tokens)))
                / len(trace.tokens)
                for trace in (domain, generic)
            ]
            assert found[layer, expert] == pytest.approx(each[0] - each[1])
    assert np.abs(found).max() <= 1
    assert found.sum(axis=1) == pytest.approx(0, abs=1e-12), "every token chooses as many experts"


def test_bounds_are_reached() -> None:
    found = specialisation(make_trace([[[3, 3, 0]]], [3], corpus="sums"), make_trace([[[0, 3, 3]]], [3]))
    assert found.tolist() == [[1.0, 0.0, -1.0]]


def test_pooled_counts_weigh_tokens_alike() -> None:
    generic = make_trace([[[6, 4, 2]]], [6], pooled=True)
    german = make_trace([[[2, 2, 0]]], [2], pooled=True, language="deu_Latn")
    assert specialisation(german, generic)[0] == pytest.approx([0, 1 / 3, -1 / 3])


@pytest.mark.parametrize(
    ("domain", "message"),
    [
        (make_trace([[[5, 10, 5]]], [10], corpus="sums", dtype="bfloat16"), "has dtype bfloat16"),
        (make_trace([[[5, 10, 5]]], [10], corpus="sums", layers=(3,)), "has layers"),
        (make_trace([[[5, 10, 5]]], [10], corpus="sums", pooled=True), "has pooled True"),
        (make_trace([[[5, 10, 5]]], [10], corpus="sums", language="deu_Latn"), "in both corpus and language"),
        (make_trace([[[4, 2, 2]], [[2, 2, 0]]], [4, 2]), "in neither corpus and language"),
        (make_trace([[[4, 2, 2]]], [4], language="deu_Latn"), r"lacks items \['text-1'\]"),
        (make_trace([[[0, 0, 0]]], [0], corpus="sums"), "item sums-0 has no counted token"),
        (make_trace([[[2, 9, 1]]], [6], corpus="sums"), "item sums-0, layer 0, expert 1 was chosen 9 times by 6"),
    ],
)
def test_texts_that_cannot_be_compared_are_refused(domain, message) -> None:
    with pytest.raises(SpecialisationError, match=message):
        specialisation(domain, GENERIC)
