"""Traces compared in one call."""

import dataclasses

import numpy as np
import pytest

from polyroute.artifacts.trace import Trace, TraceHeader
from polyroute.measures.layer_curves import AlignmentError
from polyroute.measures.of_traces import align, divergence, reading_of

HEADER = TraceHeader(
    model="m", model_digest="", corpus="c", corpus_digest="", language="eng_Latn", engine="transformers",
    dtype="float32", device="cpu", layers=(0, 1, 2), experts=2, top_k=1, selection=(), settings={}, versions={},
)  # fmt: skip


def made(language: str, soft_NLE: list, items=("a", "b")) -> Trace:
    soft_NLE = np.array(soft_NLE, dtype=np.float32)
    header = HEADER.model_copy(update={"language": language})
    count_NLE, pairs_NL = (soft_NLE > 0.5).astype(np.int64), np.ones(soft_NLE.shape[:2], dtype=np.float32)
    return Trace(
        header, items, np.ones(len(items), dtype=np.int64), count_NLE, soft_NLE, soft_NLE,
        {"consistency": pairs_NL, "consistency_far": pairs_NL},
    )  # fmt: skip


ENGLISH = made("eng_Latn", [[[1, 0], [1, 0], [1, 0]], [[1, 0], [1, 0], [0.5, 0.5]]])
GERMAN = made("deu_Latn", [[[1, 0], [0, 1], [0.5, 0.5]], [[0, 1], [1, 0], [0.5, 0.5]]])


def test_divergence_is_of_each_sentence_and_layer() -> None:
    # The same: 0. One expert against the other: the midpoint is uniform, 1.
    # (1, 0) and (1/2, 1/2): H(m) = H(3/4, 1/4) = .5623; mean entropy .3466; (.5623 - .3466) / (.6931 - .3466) = .6226
    found = divergence(ENGLISH, GERMAN)
    assert (found.index.name, found.columns.name) == ("item_id", "layer")
    np.testing.assert_allclose(found.loc["a"], [0, 1, 0.6226], atol=5e-5)
    np.testing.assert_allclose(found.loc["b"], [1, 0, 0], atol=5e-5)
    np.testing.assert_allclose(divergence(ENGLISH, GERMAN, reading="topk_count").loc["a", 1], 1)


def test_counts_are_compared_where_one_of_two_holds_nothing_else() -> None:
    counts = dataclasses.replace(GERMAN, soft_mass=None, topk_mass=None)
    assert (reading_of(ENGLISH, GERMAN), reading_of(ENGLISH, counts)) == ("soft_mass", "topk_count")
    np.testing.assert_allclose(divergence(ENGLISH, counts), divergence(ENGLISH, GERMAN, reading="topk_count"))


def test_what_is_not_parallel_is_refused_in_one_sentence() -> None:
    one = GERMAN.select(np.array([0]))
    with pytest.raises(AlignmentError, match=r"^trace of m on c in deu_Latn is not parallel .*lacks items \['b'\]"):
        divergence(ENGLISH, one)
    with pytest.raises(AlignmentError, match=r"the same items in another order$"):
        divergence(ENGLISH, GERMAN.select(np.array([1, 0])))
    other = dataclasses.replace(GERMAN, header=GERMAN.header.model_copy(update={"model": "n"}))
    with pytest.raises(AlignmentError, match="has model n"):
        divergence(ENGLISH, other)


def test_align_has_every_language_with_defaults() -> None:
    found = align([GERMAN, ENGLISH])
    assert (found.pivot, found.reading, tuple(found.zones.middle)) == ("eng_Latn", "soft_mass", (1, 1))
    np.testing.assert_allclose(found.curve()["deu_Latn"], [0.5, 0.5, 0.3113], atol=5e-5)
    assert list(found.summaries) == ["deu_Latn"]
    np.testing.assert_allclose(align({"eng_Latn": ENGLISH, "deu_Latn": GERMAN}).curve(), found.curve())
    with pytest.raises(AlignmentError, match=r"no measure `depth`.*divergence"):
        found.curve("depth")


@pytest.mark.parametrize(
    ("traces", "said"),
    [
        ([], "no trace in the pivot eng_Latn; there are none"),
        ([GERMAN], "there are deu_Latn"),
        ([ENGLISH], "no trace beside the pivot's"),
        ([ENGLISH, ENGLISH], "two traces are in eng_Latn"),
        ({"deu_Latn": ENGLISH}, "is given as deu_Latn"),
    ],
)
def test_traces_that_cannot_be_aligned_say_why(traces, said) -> None:
    with pytest.raises(AlignmentError, match=said):
        align(traces)
