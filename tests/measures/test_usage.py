import numpy as np
import pytest
import torch

from experts.made import make_trace
from polyroute.measures.usage import UsageError, counts_as_released, usage
from recorded import recorded_counts

ENGLISH = make_trace([[[2, 2, 0]], [[1, 0, 1]]], [2, 1])
GERMAN = make_trace([[[0, 3, 3]], [[0, 1, 1]]], [3, 1], language="deu_Latn")


def test_by_hand() -> None:
    of = usage([ENGLISH, GERMAN])
    assert (of.corpus, of.languages, of.layers) == ("text", ("eng_Latn", "deu_Latn"), (0,))
    assert of.count_VLE.tolist() == [[[3, 2, 1]], [[0, 4, 4]]]
    assert of.tokens_V.tolist() == [3, 4]
    assert of.frequency_VLE == pytest.approx(np.array([[[1, 2 / 3, 1 / 3]], [[0, 1, 1]]]))
    assert of.load_VLE == pytest.approx(np.array([[[1 / 2, 1 / 3, 1 / 6]], [[0, 1 / 2, 1 / 2]]]))


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (make_trace([[[1, 1, 0]]] * 2, [1, 1]), "eng_Latn is given twice"),
        (make_trace([[[1, 1, 0]]] * 3, [1] * 3, language="deu_Latn"), "in deu_Latn is not parallel to that in eng_Lat"),
        (make_trace([[[1, 1, 0]]] * 2, [1, 1], corpus="sums", language="deu_Latn"), "has corpus sums, that in eng_Lat"),
        (make_trace([[[1, 1, 0]]] * 2, [1, 1], engine="vllm", language="deu_Latn"), "has engine vllm"),
        (make_trace([[[0, 0, 0]]] * 2, [1, 1], language="deu_Latn"), "in deu_Latn: layer 0 holds no choice"),
    ],
)
def test_languages_that_cannot_be_compared_are_named(other, message) -> None:
    with pytest.raises(UsageError, match=message):
        usage([ENGLISH, other])


def test_no_trace_is_an_error() -> None:
    with pytest.raises(UsageError, match="there is no trace"):
        usage([])


def test_our_counts_are_exact_where_the_release_rounds() -> None:
    # 32 sentences of 40 tokens, the first two experts always chosen but once: 639 of a batch of 640 is no bfloat16.
    counts = np.zeros((32, 1, 4), dtype=np.int64)
    counts[:, 0, :2] = 40
    counts[[0, 16], 0, :] += [-1, 0, 0, 1]
    trace = make_trace(counts, [40] * 32)
    assert usage([trace]).count_VLE.tolist() == [[[1278, 1280, 0, 2]]]
    assert usage([trace]).count_VLE.sum() == 2 * trace.tokens.sum()
    assert counts_as_released(trace).tolist() == [[1280, 1280, 0, 2]], "639 becomes 640, twice"
    assert counts_as_released(trace, batch=4).tolist() == [[1278, 1280, 0, 2]], "160 a batch are exact"


def test_rounding_is_that_of_the_recorder() -> None:
    """Its own arithmetic: a bfloat16 mask of the batch's choices, added up and read as a whole number."""
    for tokens in (1, 255, 256, 257, 259, 1003, 5001):
        mask = torch.ones(tokens, dtype=torch.bfloat16)
        recorded = int(mask.sum().item())
        assert counts_as_released(make_trace([[[tokens]]], [tokens], top_k=1)).tolist() == [[recorded]]
        assert (recorded == tokens) == (tokens <= 256)


def test_recorded_layers_miss_their_total_as_rounding_would() -> None:
    worst = 0.0
    for trace in recorded_counts():
        off_L = trace.topk_count[0].sum(axis=-1) / (8 * trace.tokens[0]) - 1
        assert (off_L != 0).mean() > 0.9
        worst = max(worst, float(np.abs(off_L).max()))
    assert 0.0001 < worst < 0.0003


def test_pooled_counts_have_no_batches() -> None:
    with pytest.raises(UsageError, match="cannot be separated"):
        counts_as_released(make_trace([[[3, 1]]], [2], pooled=True))
