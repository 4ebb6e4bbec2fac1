import dataclasses

import numpy as np
import pytest

from polyroute.artifacts.trace import Trace, TraceError, TraceFiles, read_header
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
    assert set(traced.columns()) == {"tokens", "topk_count", "soft_mass", "topk_mass", "consistency", "consistency_far"}
    for name, values in traced.columns().items():
        assert np.array_equal(loaded.columns()[name], values, equal_nan=True)
    assert np.isnan(loaded.token_mean("consistency")[1]).all()  # one token has no pair


def test_a_cut_file_and_an_absent_one_are_named(traced, tmp_path) -> None:
    path = tmp_path / "trace.safetensors"
    traced.save(path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(TraceError, match=r"trace.safetensors is damaged: .* or trace the model again"):
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


def test_a_mapped_trace_holds_the_same_and_leaves_it_in_the_file(traced, tmp_path) -> None:
    path = tmp_path / "trace.safetensors"
    traced.save(path)
    mapped = Trace.load(path, mapped=True)
    assert mapped.header == traced.header
    assert mapped.item_ids == traced.item_ids
    for name, column in traced.columns().items():
        assert np.array_equal(mapped.columns()[name], column, equal_nan=True)
    assert mapped.topk_count.dtype == np.uint8
    assert not mapped.soft_mass.flags.writeable
    for reading in mapped.readings:
        assert np.array_equal(mapped.distributions(reading), traced.distributions(reading))
        some = np.array([2, 0])
        assert np.array_equal(mapped.distributions(reading, some), traced.distributions(reading)[:, some])
        assert np.array_equal(mapped.pooled(reading), traced.pooled(reading))


def test_traces_in_files_are_read_when_asked_for(traced, tmp_path) -> None:
    paths = [tmp_path / name for name in ("one.safetensors", "two.safetensors")]
    files = TraceFiles(paths)
    traced.save(paths[0])
    assert len(files) == 2
    assert files[0].header == files[:1][0].header == traced.header
    with pytest.raises(TraceError, match=r"two.safetensors is absent"):
        list(files)
    paths[1].write_bytes(paths[0].read_bytes()[:-100])
    with pytest.raises(TraceError, match=r"two.safetensors is damaged"):
        files[1]
