import dataclasses

import numpy as np
import pytest

from polyroute.artifacts.trace import Trace, TraceError, read_header
from polyroute.tracing.collect import trace

TEXTS = {"a": "hello world", "b": "x", "c": "abc abc"}


@pytest.fixture(scope="module")
def traced(model, tokenizer) -> Trace:
    return trace(model, tokenizer, TEXTS)


def test_round_trip_and_same_bytes(traced, tmp_path) -> None:
    first, second = tmp_path / "first.safetensors", tmp_path / "second.safetensors"
    traced.save(first)
    loaded = Trace.load(first)
    loaded.save(second)
    assert first.read_bytes() == second.read_bytes()
    assert loaded.header == traced.header == read_header(first)
    assert loaded.item_ids == ("a", "b", "c")
    assert set(traced.columns()) == {"tokens", "topk_count", "soft_mass", "topk_mass", "consistency"}
    for name, values in traced.columns().items():
        assert np.array_equal(loaded.columns()[name], values, equal_nan=True)
    assert np.isnan(loaded.token_mean("consistency")[1]).all()  # one token has no pair


def test_a_cut_file_and_an_absent_one_are_named(traced, tmp_path) -> None:
    path = tmp_path / "trace.safetensors"
    traced.save(path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(TraceError, match=r"trace.safetensors is not a whole trace file"):
        Trace.load(path)
    with pytest.raises(TraceError, match="dvc pull"):
        Trace.load(tmp_path / "absent.safetensors")


def test_pooled_weighs_tokens_alike(traced) -> None:
    by_hand = (traced.soft_mass * traced.tokens[:, None, None]).sum(0) / traced.tokens.sum()
    np.testing.assert_allclose(traced.pooled("soft_mass"), by_hand, atol=1e-6)
    counts = traced.topk_count.sum(0)
    np.testing.assert_allclose(traced.pooled("topk_count"), counts / counts.sum(-1, keepdims=True))


def test_an_unknown_reading_and_wrong_shapes_are_refused(traced) -> None:
    with pytest.raises(TraceError, match="`logits` is no reading"):
        traced.distributions("logits")
    with pytest.raises(TraceError, match=r"`tokens` has shape \(2,\)"):
        Trace(traced.header, traced.item_ids, traced.tokens[:2], traced.topk_count)


def test_a_file_of_another_format_is_refused(traced, tmp_path) -> None:
    header = traced.header.model_copy(update={"format": 99})
    dataclasses.replace(traced, header=header).save(tmp_path / "trace.safetensors")
    with pytest.raises(TraceError, match="not a whole trace file of format 1"):
        Trace.load(tmp_path / "trace.safetensors")
