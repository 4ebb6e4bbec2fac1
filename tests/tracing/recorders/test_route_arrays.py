"""Arrays of expert numbers: vLLM's and SGLang's routed experts in npy and npz."""

from pathlib import Path

import numpy as np
import pytest

from polyroute.artifacts.recording import RecordingError
from polyroute.models.settings import Shape
from tracing.recorders.recording_of import COUNTS, as_array, routing


def saved(tmp_path: Path, *arrays: np.ndarray) -> Path:
    np.savez(tmp_path / "a.npz", *arrays)
    return tmp_path / "a.npz"


@pytest.mark.parametrize(("fill", "kind"), [(0, np.uint8), (-1, np.int32), (255, np.uint8), (65535, np.uint16)])
def test_dense_layers_are_filler_and_layers_keep_their_numbers(tmp_path: Path, fill: int, kind: type) -> None:
    found = routing(saved(tmp_path, as_array(fill=fill, kind=kind)))
    assert (found.layers, found.tokens, found.counts_LE.tolist(), found.said) == ((3, 4), 3, COUNTS, ())


def test_the_first_layers_number_can_be_said(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", as_array()[:, 3:])
    assert routing(tmp_path / "a.npy", first=3).layers == (3, 4)


def test_requests_are_added_up(tmp_path: Path) -> None:
    found = routing(saved(tmp_path, as_array()[:1], as_array()[1:]))
    assert (found.tokens, found.counts_LE.tolist()) == (3, COUNTS)


@pytest.mark.parametrize("fill", [0, 255])
def test_a_token_without_any_route_is_left_out_and_that_is_said(tmp_path: Path, fill: int) -> None:
    more = np.concatenate([as_array(), np.full((1, 5, 2), fill, np.uint8)])
    found = routing(saved(tmp_path, more))
    assert (found.tokens, found.counts_LE.tolist()) == (3, COUNTS)
    assert found.said == ("1 of 4 tokens have no route in any layer and are left out",)


def test_255_is_an_expert_where_there_are_256(tmp_path: Path) -> None:
    ids_TLK = np.array([[[255, 0]], [[255, 1]], [[254, 255]]], np.uint8)
    found = routing(saved(tmp_path, ids_TLK), shape=Shape(layers=1, experts=256, top_k=2))
    assert found.counts_LE[0, [0, 1, 254, 255]].tolist() == [1, 1, 1, 3]


def test_with_top_1_expert_0_is_an_expert_and_a_dense_layer_is_told_by_their_number(tmp_path: Path) -> None:
    ids_TLK = np.array([[[0], [0]], [[0], [1]], [[0], [0]]], np.int32)
    found = routing(saved(tmp_path, ids_TLK), shape=Shape(layers=1, experts=4, top_k=1))
    assert (found.layers, found.counts_LE.tolist()) == ((1,), [[2, 1, 0, 0]])
    both = routing(saved(tmp_path, ids_TLK), shape=Shape(layers=2, experts=4, top_k=1))
    assert (both.layers, both.counts_LE.tolist()) == ((0, 1), [[3, 0, 0, 0], [2, 1, 0, 0]])


def changed(token: int, layer: int, route: list[int]) -> np.ndarray:
    ids_TLK = as_array(kind=np.int64)
    ids_TLK[token, layer] = route
    return ids_TLK


@pytest.mark.parametrize(
    ("ids_TLK", "said"),
    [
        (changed(1, 4, [2, 2]), r"layer 4, token 1: chose \[2, 2\], an expert twice"),
        (changed(1, 4, [2, 4]), "layer 4, token 1: there is no expert 4 of 4"),
        (changed(1, 4, [2, -2]), "layer 4, token 1: there is no expert -2"),
        (changed(1, 4, [2, -1]), r"layer 4, token 1: \[2, -1\] is filled in part"),
        (changed(1, 4, [0, 0]), "layer 4, token 1: its row was never filled"),
        (np.zeros((3, 5, 2), np.uint8), "every route is 0 or filler: the recorder's hook did not run"),
        (as_array()[:, :, :1], r"routes have layers and experts a token \(5, 1\), not all \(layers, 2\)"),
        (as_array()[:, :4], r"1 layers have choices of experts \(3\), not 2"),
        (as_array().astype(np.float32), "holds no array of whole numbers"),
        (np.array([{}], object), "is not a whole file of NumPy arrays of numbers"),
    ],
)
def test_what_is_no_route_names_layer_and_token(tmp_path: Path, ids_TLK: np.ndarray, said: str) -> None:
    with pytest.raises(RecordingError, match=said):
        routing(saved(tmp_path, ids_TLK))


def test_a_file_cut_short_is_named(tmp_path: Path) -> None:
    whole = saved(tmp_path, as_array()).read_bytes()
    (tmp_path / "a.npz").write_bytes(whole[:-30])
    with pytest.raises(RecordingError, match=r"a.npz is not a whole file of NumPy arrays"):
        routing(tmp_path / "a.npz")
