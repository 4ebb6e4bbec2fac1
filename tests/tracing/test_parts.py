"""Killed at any moment, a trace goes on where it stopped."""

import multiprocessing
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from polyroute.artifacts.trace import Trace, TraceError
from polyroute.models.routers import find_routers
from polyroute.tracing import collect as collect_module
from polyroute.tracing.collect import TraceSettings, collect, make_header
from polyroute.tracing.parts import TraceParts, place, prune

TEXTS = {f"item-{i}": "abc " * (1 + i) for i in range(6)}
SETTINGS = TraceSettings(batch_tokens=1, pairs=4)  # a batch a sequence
BATCHES = len(TEXTS)


def run(model, tokenizer, folder: Path) -> tuple[Trace, int]:
    """Trace with parts kept in `folder`; returns the trace and how many batches were computed."""
    routers = find_routers(model)
    header = make_header(
        model, routers, SETTINGS, name="m", model_digest="", corpus="c", corpus_digest="", language="und"
    )
    parts = TraceParts(folder, {"all": "that determines the numbers"})
    computed: list[int] = []
    forward = collect_module._Runner._forward

    def counted(self, indices, item_ids):
        computed.append(len(indices))
        return forward(self, indices, item_ids)

    collect_module._Runner._forward = counted
    try:
        parts.finish(collect(model, tokenizer, TEXTS, routers, header, SETTINGS, store=parts))
    finally:
        collect_module._Runner._forward = forward
    return Trace.load(parts.whole()), len(computed)


def run_until_killed(model, tokenizer, folder: Path, survived: int) -> None:
    """In a process of its own: die at the file after so many."""
    replace, done = Path.replace, [0]

    def replace_or_die(self, target):
        if done[0] == survived:
            os.kill(os.getpid(), signal.SIGKILL)  # the file is written but not yet in its place
        done[0] += 1
        return replace(self, target)

    Path.replace = replace_or_die
    run(model, tokenizer, folder)


@pytest.mark.parametrize("survived", [0, 3, BATCHES])
def test_kill_loses_at_most_the_batch_in_flight(model, tokenizer, tmp_path, survived) -> None:
    undisturbed, computed = run(model, tokenizer, tmp_path / "undisturbed")
    assert computed == BATCHES
    # Forked, it has torch imported and the model made.
    killed = multiprocessing.get_context("fork").Process(
        target=run_until_killed, args=(model, tokenizer, tmp_path / "parts", survived), daemon=True
    )
    killed.start()
    killed.join(60)
    assert killed.exitcode == -signal.SIGKILL
    resumed, computed = run(model, tokenizer, tmp_path / "parts")
    assert computed == BATCHES - survived
    for name, values in undisturbed.columns().items():
        assert np.array_equal(resumed.columns()[name], values, equal_nan=True), name


def test_a_damaged_part_is_computed_again(model, tokenizer, tmp_path) -> None:
    parts = TraceParts(tmp_path, "key")
    path = parts._batch(["a"])
    path.parent.mkdir(parents=True)
    path.write_bytes(b"half a file")
    assert parts.get(["a"]) is None
    assert not path.exists()


def test_a_damaged_whole_is_computed_again(model, tokenizer, tmp_path) -> None:
    run(model, tokenizer, tmp_path)
    (whole,) = (tmp_path / "traces").glob("*.safetensors")
    whole.write_bytes(whole.read_bytes()[:-10])
    assert run(model, tokenizer, tmp_path)[1] == BATCHES


def test_batches_go_when_the_whole_is_there(model, tokenizer, tmp_path) -> None:
    run(model, tokenizer, tmp_path)
    assert {path.suffix for path in (tmp_path / "traces").iterdir()} == {".safetensors", ".json"}


def test_place_links_or_copies_and_leaves_nothing_half(tmp_path, monkeypatch) -> None:
    part = tmp_path / "part"
    part.write_bytes(b"whole")
    place(part, tmp_path / "out" / "linked")
    assert (tmp_path / "out" / "linked").read_bytes() == b"whole"
    monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError("no hard links here")))
    place(part, tmp_path / "out" / "copied")
    assert (tmp_path / "out" / "copied").read_bytes() == b"whole"
    with pytest.raises(TraceError, match="cannot be written"):
        place(tmp_path / "absent", tmp_path / "out" / "nothing")
    assert not (tmp_path / "out" / "nothing").exists()


def test_prune_keeps_the_wanted_and_leaves_no_empty_folder(tmp_path) -> None:
    kept, dropped = tmp_path / "own" / "deu_Latn.safetensors", tmp_path / "old" / "fra_Latn.safetensors"
    for path in (kept, dropped, tmp_path / "manifest.json"):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    prune(tmp_path, {kept})
    assert kept.exists()
    assert not dropped.parent.exists()
    assert (tmp_path / "manifest.json").exists()
