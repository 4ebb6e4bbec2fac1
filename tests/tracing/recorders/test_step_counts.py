"""SGLang's `logical_count`, in a torch file and in npz."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from polyroute.artifacts.recording import RecordingError
from tracing.recorders.recording_of import COUNTS, routing


def steps() -> torch.Tensor:
    """Two steps of five layers, the first three dense."""
    of = torch.zeros(2, 5, 4, dtype=torch.int64)
    of[0, 3:] = torch.tensor([[2, 0, 1, 1], [0, 1, 2, 1]])
    of[1, 3:] = torch.tensor([[0, 2, 0, 0], [1, 0, 1, 0]])
    return of


@pytest.mark.parametrize("kind", [torch.int32, torch.int64, torch.float32])
def test_steps_are_added_up_and_rows_of_zeros_are_dense(tmp_path: Path, kind: torch.dtype) -> None:
    torch.save({"rank": 0, "logical_count": steps().to(kind)}, tmp_path / "a.pt")
    found = routing(tmp_path / "a.pt")
    assert (found.layers, found.tokens, found.counts_LE.tolist()) == ((3, 4), 3, COUNTS)


def test_a_parameter_is_read_as_its_numbers(tmp_path: Path) -> None:
    torch.save({"logical_count": torch.nn.Parameter(steps().float())}, tmp_path / "a.pt")
    assert routing(tmp_path / "a.pt").counts_LE.tolist() == COUNTS


@pytest.mark.parametrize(
    ("kind", "said"),
    [("<U9", "is of <U9, not of whole numbers"), ("float16", "the count 4000 is rounded, .* apart up to 2047: save")],
)
def test_npz_of_what_are_no_exact_counts_is_refused(tmp_path: Path, kind: str, said: str) -> None:
    np.savez(tmp_path / "a.npz", logical_count=(2000 * steps()).numpy().astype(kind))
    with pytest.raises(RecordingError, match=said):
        routing(tmp_path / "a.npz")


def test_npz_is_what_the_documented_line_makes(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", logical_count=steps()[:, 3:].numpy())
    found = routing(tmp_path / "a.npz", first=3)
    assert (found.layers, found.counts_LE.tolist()) == ((3, 4), COUNTS)


def test_a_torch_file_of_other_objects_is_not_run(tmp_path: Path) -> None:
    torch.save({"logical_count": steps(), "other": Fraction(1, 2)}, tmp_path / "a.pt")
    with pytest.raises(RecordingError, match=r"runs no code of a file: .* make npz of it with python -c"):
        routing(tmp_path / "a.pt")


def test_a_damaged_torch_file_is_named(tmp_path: Path) -> None:
    torch.save({"logical_count": steps()}, tmp_path / "a.pt")
    whole = (tmp_path / "a.pt").read_bytes()
    (tmp_path / "a.pt").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RecordingError, match=r"a.pt is damaged or holds more"):
        routing(tmp_path / "a.pt", kind="torch")


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ({"records": [1]}, "holds no tensor `logical_count` but records"),
        (steps(), "holds no tensor `logical_count` but Tensor"),
        ({"logical_count": steps()[..., :3]}, r"has the shape \(2, 5, 3\), not \(steps, layers, 4\)"),
        ({"logical_count": steps().float() + 0.5}, "layer 0, step 0, expert 0: the count 0.5 is not a whole number"),
        ({"logical_count": -steps()}, "layer 3, step 0, expert 0: the count -2 is not"),
        ({"logical_count": steps() * 2**60}, "is not a whole number from 0 to 2.53"),
        ({"logical_count": torch.zeros_like(steps())}, "0 layers have choices"),
        ({"logical_count": steps() > 0}, "`logical_count` is of bool, not of whole numbers"),
        ({"logical_count": steps().to(torch.complex64)}, "is of complex64, not of whole numbers"),
        ({"logical_count": steps().to_sparse()}, r"is a torch.sparse_coo .* cannot take: save it as plain"),
        ({"logical_count": steps().to("meta")}, "that NumPy cannot take"),
        ({"logical_count": 300 * steps().bfloat16()}, "layer 3: the count 600 is rounded, .* apart up to 255: save"),
    ],
)
def test_what_cannot_be_names_the_layer(tmp_path: Path, held: object, said: str) -> None:
    torch.save(held, tmp_path / "a.pt")
    with pytest.raises(RecordingError, match=said):
        routing(tmp_path / "a.pt")
