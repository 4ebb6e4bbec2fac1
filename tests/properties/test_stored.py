"""Files that the study or its user stores: they come back as they were, or are refused by name, whatever is done to
them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from polyroute.artifacts.recorded_counts import Counts, CountsHeader
from polyroute.artifacts.trace import Trace
from polyroute.ground import yaml12
from polyroute.steering.plan import Plan
from properties.made import few, told, values

PLAN = {
    "format": 1, "model": "m", "layers": 4, "experts_per_layer": 8, "top_k": 2, "rule": "soft", "strength": 0.5,
    "experts": {"1": [0, 3], "2": [7]},
}  # fmt: skip


def counts(layers: int, experts: int, tokens: list[int], seed: int) -> Counts:
    """Counts of V languages that can be: each token chose one expert of a layer."""
    codes = ("eng_Latn", "deu_Latn", "fra_Latn")[: len(tokens)]
    rng = np.random.default_rng(seed)
    counts_VLE = np.stack([rng.multinomial(n, np.full(experts, 1 / experts), size=layers) for n in tokens])
    header = CountsHeader(
        model="m", corpus="c", text="", languages=codes, layers=tuple(range(layers)), source="own", commit=None,
        licence="unknown", experts=experts, top_k=1, tokens=dict(zip(codes, tokens, strict=True)),
    )  # fmt: skip
    return Counts(header, counts_VLE)


made_counts = st.builds(
    counts,
    st.integers(1, 3),
    st.integers(2, 5),
    st.lists(st.integers(1, 2**53), min_size=1, max_size=3),
    st.integers(0, 9),
)


def flipped(path: Path, place: int, bit: int) -> None:
    raw = bytearray(path.read_bytes())
    raw[place % len(raw)] ^= 1 << bit
    path.write_bytes(bytes(raw))


@few
@given(counted=made_counts)
def test_counts_and_their_traces_come_back(tmp_path, counted) -> None:
    counted.write(tmp_path / "c.parquet")
    again = Counts.read(tmp_path / "c.parquet")
    assert again.header == counted.header
    assert np.array_equal(again.counts_VLE, counted.counts_VLE)
    one = counted.trace("eng_Latn", model="m")
    one.save(tmp_path / "t.safetensors")
    assert np.array_equal(Trace.load(tmp_path / "t.safetensors").columns()["topk_count"], one.columns()["topk_count"])


@few
@given(counted=made_counts, place=st.integers(0, 2**16), bit=st.integers(0, 7), cut=st.integers(0, 2**12))
def test_damaged_counts_are_counts_or_a_sentence(tmp_path, counted, place, bit, cut) -> None:
    path = tmp_path / "c.parquet"
    counted.write(path)
    flipped(path, place, bit)
    told(lambda: Counts.read(path), "c.parquet")
    path.write_bytes(path.read_bytes()[:cut])
    told(lambda: Counts.read(path), "c.parquet")


@few
@given(key=st.sampled_from([*PLAN, "std", "eps", "seed", "weights", "source", "more"]), value=values)
def test_a_plan_with_one_value_changed_comes_back_or_is_refused_by_name(tmp_path, key, value) -> None:
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(PLAN | {key: value}))
    plan = told(lambda: Plan.load(path), "plan.json")
    if plan is not None:
        plan.save(path)
        assert Plan.load(path) == plan


@few
@given(content=st.binary(max_size=40) | st.sampled_from([b'{"format": ' + b"9" * 5000 + b"}", b"\xff"]))
def test_any_bytes_are_a_plan_or_a_sentence(tmp_path, content) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(content)
    told(lambda: Plan.load(path), "plan.json")


def test_a_plan_nested_beyond_reading_is_refused(tmp_path) -> None:
    path = tmp_path / "plan.json"
    path.write_text("[" * 100_000)
    assert told(lambda: Plan.load(path), "plan.json: ", "plan.json is not a steering plan") is None


@few
@given(data=st.dictionaries(st.text(max_size=6), values, max_size=3))
def test_plain_data_comes_back_from_yaml_or_is_refused(data) -> None:
    read = told(lambda: yaml12.load(yaml12.dump(data)))
    assert read is None or json.dumps(read, sort_keys=True) == json.dumps(data, sort_keys=True)
