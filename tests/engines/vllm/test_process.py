"""Tasks asked of a real engine in a process of its own: texts and likelihoods of transformers, base and steered."""

import sys
from pathlib import Path

import numpy as np
import pytest

from asking.asked import bytes_tokenizer
from asking.seated import ITEMS, NUMBERS
from engines.vllm.engine import ARCHITECTURES, PLANS, SETTINGS, SIZES, InTransformers, made, needs_vllm
from polyroute.asking import choices, generation
from polyroute.asking.generation import GenerationSettings
from polyroute.asking.in_vllm import started
from polyroute.asking.settings import AskedTask, AskSettings
from polyroute.engines.vllm.process import ARGUMENTS, PYTHON, VllmProcess
from polyroute.models.later import LoadedLater
from polyroute.models.settings import ModelSettings
from polyroute.models.source import ModelSource
from polyroute.workers.errors import EngineError


def test_an_environment_without_vllm_is_told_of_and_of_one_that_has_it(monkeypatch) -> None:
    monkeypatch.setenv(PYTHON, "/nowhere/python")
    with pytest.raises(EngineError, match="POLYROUTE_VLLM_PYTHON: /nowhere/python cannot be run"), VllmProcess({}, {}):
        pass
    monkeypatch.setenv(ARGUMENTS, "[2]")
    with pytest.raises(EngineError, match="POLYROUTE_VLLM_ARGUMENTS is not an object"):
        VllmProcess({}, {})


def test_an_engine_that_does_not_start_says_why(monkeypatch, tmp_path) -> None:
    stub = tmp_path / "python"
    stub.write_text("#!/bin/sh\necho \"/x/python: No module named 'polyroute'\"\nexit 1\n")
    stub.chmod(0o755)
    monkeypatch.setenv(PYTHON, str(stub))
    with (
        pytest.raises(EngineError, match=r"not installed where it is to run: .*No module named 'polyroute'"),
        VllmProcess({}, PLANS),
    ):
        pass


@needs_vllm
def test_texts_and_likelihoods_are_those_of_transformers(monkeypatch, tmp_path) -> None:
    for name, value in SETTINGS.items():
        if not name.startswith("POLYROUTE"):
            monkeypatch.setenv(name, value)
    monkeypatch.setenv(PYTHON, sys.executable)
    monkeypatch.setenv(ARGUMENTS, '{"enforce_eager": true}')
    monkeypatch.setitem(SIZES, "vocab_size", 320)
    assert "Olmoe" in ARCHITECTURES
    folder, tokenizer = made("Olmoe", tmp_path / "model"), bytes_tokenizer()
    tokenizer.save_pretrained(folder)
    reference = InTransformers(folder)
    model = ModelSettings(folder=folder, dtype="float32", digest="d" * 64, batch_tokens=400, max_tokens=100)
    settings = AskSettings(
        name="tiny", model=model, engine="vllm", seed=0, mechanism_items=0, chat=False, thinking=False,
        max_new_tokens=12, temperature=0, top_p=1, top_k=0,
        tasks={"task": AskedTask(kind="choice", languages=["eng_Latn"])},
    )  # fmt: skip
    source = ModelSource(str(folder), None, "d" * 64, True)
    loaded = LoadedLater("tiny", model, source)
    plans = [None, PLANS["soft"], PLANS["mask"]]
    few, written = (table.head(4).reset_index(drop=True) for table in (ITEMS, NUMBERS))
    with started(settings, loaded, [one for one in plans if one is not None]) as engine:
        assert engine.about["steered"]["layers"] == [0, 1, 2, 3]
        assert engine.determining()["versions"]["vllm"].startswith("0.32.0")
        chosen = engine.score(few, plans, max_tokens=100, conversation=None, on_answers=lambda _: None)
        texts = {}
        for stop in ((), ("a", "e", "\n", "1", " ", "t", "s")):
            how = GenerationSettings(max_new_tokens=12, batch_tokens=400, stop=stop)
            texts[how] = engine.write(written, plans, how, conversation=None, on_answers=lambda _: None)
        with pytest.raises(EngineError, match="there is no plan"):
            engine._running.ask([{"ids": [5, 6], "plan": "loud", "from": 1}])
    theirs = choices.score_under(
        reference.model, tokenizer, few, plans, reference.routers, batch_tokens=400, max_tokens=100
    )
    for ours, expected in zip(chosen, theirs, strict=True):
        np.testing.assert_allclose(ours["log_likelihoods"].tolist(), expected["log_likelihoods"].tolist(), atol=1e-3)
    for how, found in texts.items():
        expected = generation.generate_under(reference.model, tokenizer, written, plans, reference.routers, how)
        for ours, other in zip(found, expected, strict=True):
            assert ours.equals(other), how.stop
    assert not texts[next(iter(texts))][0].equals(texts[next(iter(texts))][1])
    assert Path(folder).exists()
