"""Routed experts in answers over HTTP: vLLM's npy and SGLang's int32, in base64."""

import base64
import io
import json
from pathlib import Path

import numpy as np
import pytest

from polyroute.artifacts.recording import RecordingError
from tracing.recorders.recording_of import COUNTS, as_array, routing


def npy(array: np.ndarray) -> str:
    file = io.BytesIO()
    np.save(file, array)
    return base64.b64encode(file.getvalue()).decode()


def raw(array: np.ndarray) -> str:
    return base64.b64encode(array.astype("<i4").tobytes()).decode()


def written(tmp_path: Path, *values: object) -> Path:
    (tmp_path / "a.json").write_text("\n".join(json.dumps(value) for value in values))
    return tmp_path / "a.json"


SGLANG = {"text": "a", "meta_info": {"routed_experts": raw(as_array())}}


@pytest.mark.parametrize(
    "values",
    [
        ({"choices": [{"routed_experts": npy(as_array())}]},),
        ([{"choices": [{"routed_experts": npy(as_array())}]}],),
        ({"choices": [{"routed_experts": npy(as_array()[1:])}], "prompt_routed_experts": npy(as_array()[:1])},),
        ({"choices": [{"routed_experts": npy(as_array()[:1])}]}, {"routed_experts": npy(as_array()[1:])}),
        (SGLANG,),
        ({"choices": [{"sgl_ext": {"routed_experts": raw(as_array())}}]},),
        ({"routed_experts": as_array().tolist()},),
        ({"routed_experts": {"shape": [3, 5, 2], "dtype": "uint8", "data": base64.b64encode(as_array()).decode()}},),
    ],
)  # fmt: skip
def test_routes_are_found_wherever_they_stand(tmp_path: Path, values: tuple) -> None:
    found = routing(written(tmp_path, *values), all_layers=5)
    assert (found.layers, found.tokens, found.counts_LE.tolist()) == ((3, 4), 3, COUNTS)


def test_several_answers_to_a_prompt_are_said(tmp_path: Path) -> None:
    two = {"choices": [{"routed_experts": npy(as_array())}, {"routed_experts": npy(as_array())}]}
    found = routing(written(tmp_path, two))
    assert found.tokens == 6
    assert found.said == ("2 answers to one prompt: its tokens count once in each",)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (({"meta_info": {"routed_experts": raw(as_array()[:2])}}, {"meta_info": {}}), "line 2: no `routed_experts` in"),
        (({"routed_experts": "!!"},), "routed_experts: cannot be decoded"),
        (({"routed_experts": raw(as_array())[:-16]},), "numbers are not tokens x 5 layers x 2: say with --all-layers"),
        (({"routed_experts": 7},), "is no base64, list or array, but int"),
        (({"routed_experts": [[1, 2]]},), "lists of lists of whole numbers"),
        (({"routed_experts": npy(np.zeros((3, 2)))},), r"an array \(3, 2\) of float64"),
        (({"routed_experts": {"shape": ["9", 5, 2], "dtype": "uint8", "data": ""}},), "not an array of numbers"),
        (({"routed_experts": {"shape": [9], "dtype": "uint8", "data": ""}},), "not an array of numbers"),
        (
            ({"routed_experts": {"shape": [9, 9, 9], "dtype": "uint8", "data": "AAAA"}},),
            "cannot be decoded",
        ),
    ],
)
def test_what_is_no_answer_is_named(tmp_path: Path, values: tuple, said: str) -> None:
    with pytest.raises(RecordingError, match=said):
        routing(written(tmp_path, *values), all_layers=5)


def test_another_number_of_layers_is_no_route(tmp_path: Path) -> None:
    """Numbers in a row divide by other numbers of layers too; then experts come twice, or layers are others."""
    with pytest.raises(RecordingError):
        routing(written(tmp_path, SGLANG), all_layers=3)
