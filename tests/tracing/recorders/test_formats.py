"""Formats are told by what is in a file, and a format can be said."""

from pathlib import Path

import numpy as np
import pytest
import torch

from polyroute.artifacts.recording import RecordingError
from polyroute.tracing.recorders.formats import recognise
from tracing.recorders.recording_of import as_array


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('{"0": {"total_tokens": 1}}', "json"),
        ('{\n "0": null\n}', "json"),
        ("layer_id,expert_id,count\n3,0,1\n", "csv"),
        ('"layer","expert","count","weight"\n', "csv"),
        ('{"choices": [{"routed_experts": "a"}]}', "responses"),
        ('[\n {"meta_info": {"routed_experts": "a"}}\n]', "responses"),
        ('{"type": "meta"}\n{"layer": 0, "topk_ids": [0]}\n', "lines"),
        ('\n\n{"layer_number": 1, "tokens_per_expert": [0]}\n', "lines"),
        ("[12:00:00] layer 3 experts: [0, 1]\n", "log"),
        ("llama_model_loader: loaded\n", "log"),
    ],
)
def test_text_is_told_by_its_first_lines(tmp_path: Path, text: str, kind: str) -> None:
    (tmp_path / "a").write_text(text)
    assert recognise(tmp_path / "a") == kind


def test_binary_files_are_told_by_their_first_bytes(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(1)}, tmp_path / "torch")
    torch.save({"a": torch.zeros(1)}, tmp_path / "older", _use_new_zipfile_serialization=False)
    for name, save in (("npz", np.savez), ("npy", np.save)):
        with (tmp_path / name).open("wb") as file:
            save(file, as_array())
    (tmp_path / "parquet").write_bytes(b"PAR1")
    found = {path.name: recognise(path) for path in tmp_path.iterdir()}
    assert found == {"torch": "torch", "older": "torch", "npz": "numpy", "npy": "numpy", "parquet": "parquet"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b'{"a": 1}', "is JSON, but neither paper 2's layout"),
        (b"\xff\xfe\x00", "is no text in UTF-8: say with --format"),
    ],
)
def test_what_is_none_of_these_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(RecordingError, match=said):
        recognise(tmp_path / "a")


def test_a_folder_and_a_file_that_is_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="cannot be read: Is a directory"):
        recognise(tmp_path)
    with pytest.raises(RecordingError, match="b is absent"):
        recognise(tmp_path / "b")
