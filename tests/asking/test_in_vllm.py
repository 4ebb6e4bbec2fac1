"""Tasks answered by vLLM: the same prompts, choices, ends and texts as in transformers, and never taken for theirs.

A play-actor stands for the engine here, which answers requests by the model of transformers; tests/engines/vllm has the
engine itself.
"""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from asking.asked import QWEN, bytes_tokenizer
from asking.seated import ITEMS, NUMBERS, questions
from asking.seated import asker as seated
from models.tiny_models import tiny
from polyroute.artifacts.answers import comparable
from polyroute.asking import choices, generation
from polyroute.asking.generation import GenerationSettings
from polyroute.asking.in_vllm import InVllm, name_of
from polyroute.asking.prompts import Chat
from polyroute.asking.settings import AskSettings
from polyroute.ground.errors import AnswerError
from polyroute.models.load import LoadedModel
from polyroute.models.routers import find_routers
from polyroute.steering.apply import steer
from polyroute.steering.condition import BASELINE, Condition
from polyroute.steering.plan import Plan

SOFT = Plan(model="tiny", experts_per_layer=8, top_k=2, rule="soft", strength=1.5, experts={1: (1, 4)})
FEW, WRITTEN = ITEMS.head(3).reset_index(drop=True), NUMBERS.head(3).reset_index(drop=True)


@cache
def loaded_model() -> LoadedModel:
    model = tiny("qwen3_moe", vocab_size=300, max_position_embeddings=256)
    return LoadedModel(model, bytes_tokenizer(), find_routers(model), "d" * 64)


def asker(folder, items):
    return seated(folder, items, loaded=loaded_model())


class Played:
    """Answers requests as the child does; a text with stop strings is handed back two tokens at a time."""

    def __init__(self, plans=(SOFT,)):
        self.loaded, self.plans, self.asked = loaded_model(), {name_of(plan): plan for plan in plans}, []
        self.engine = {"model": "models/tiny", "dtype": "float32", "max_model_len": 200}
        self.about = {"context": 200, "gpu": "cpu", "dtype": "float32", "device": "cpu", "versions": {"vllm": "0.32.0"}}

    def ask(self, requests):
        self.asked.append(list(requests))
        return [self.answer(one) for one in requests]

    def answer(self, request):
        model, ids = self.loaded.model, list(request["ids"])
        plan = self.plans[request["plan"]] if request["plan"] else None
        with torch.inference_mode(), steer(model, [] if plan is None else [plan], routers=self.loaded.routers):
            if "from" in request:
                nats = model(torch.tensor([ids])).logits[0].float().log_softmax(-1)
                return {"nats": [float(nats[at - 1, ids[at]]) for at in range(request["from"], len(ids))]}
            written = []
            for _ in range(min(request["most"], 2 if request["stop"] else request["most"])):
                written.append(int(model(torch.tensor([ids + written])).logits[0, -1].argmax()))
                if written[-1] in request["ends"]:
                    break
        return {"ids": written}


class Config:
    vocab_size = 300

    def get_text_config(self):
        return self


def in_vllm(tokenizer=None, **played):
    loaded = loaded_model()
    running = Played(**played)
    later = type(
        "Later", (), {"tokenizer": tokenizer or loaded.tokenizer, "config": Config(), "digest": loaded.digest}
    )()
    engine = InVllm(running, later)
    engine._ends = lambda: generation.end_tokens(loaded.model.generation_config, later.tokenizer)
    return engine, running


def test_likelihoods_of_choices_are_those_of_transformers() -> None:
    loaded, (engine, running) = loaded_model(), in_vllm()
    given = []
    found = engine.score(FEW, [None, SOFT], max_tokens=100, conversation=None, on_answers=given.append)
    expected = choices.score_under(
        loaded.model, loaded.tokenizer, FEW, [None, SOFT], loaded.routers, batch_tokens=200, max_tokens=100
    )
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.drop(columns="log_likelihoods").equals(theirs.drop(columns="log_likelihoods"))
        np.testing.assert_allclose(ours["log_likelihoods"].tolist(), theirs["log_likelihoods"].tolist(), atol=1e-4)
    assert not np.allclose(found[0]["log_likelihoods"].tolist(), found[1]["log_likelihoods"].tolist(), atol=1e-3)
    assert given == [6]
    assert [len(requests) for requests in running.asked] == [18]  # 2 conditions x 3 items x 3 choices, in one batch


@pytest.mark.parametrize("stop", [(), (" ",), ("a", "b", "c", "d", "e")])
@pytest.mark.parametrize("template", [None, QWEN])
def test_texts_end_where_they_end_in_transformers(stop, template) -> None:
    loaded, tokenizer = loaded_model(), bytes_tokenizer(template)
    chat = None if template is None else Chat()
    settings = GenerationSettings(max_new_tokens=7, batch_tokens=400, stop=stop)
    engine, _ = in_vllm(tokenizer)
    found = engine.write(WRITTEN, [None, SOFT], settings, conversation=chat, on_answers=lambda _: None)
    expected = generation.generate_under(
        loaded.model, tokenizer, WRITTEN, [None, SOFT], loaded.routers, settings, conversation=chat
    )
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.equals(theirs)


def test_draws_are_alike_under_all_conditions_and_other_by_prompt() -> None:
    engine, running = in_vllm()
    settings = GenerationSettings(max_new_tokens=2, batch_tokens=400, temperature=0.7, top_k=5, seed=3)
    engine.write(WRITTEN, [None, SOFT], settings, conversation=None, on_answers=lambda _: None)
    (requests,) = running.asked
    seeds = [one["seed"] for one in requests]
    assert seeds[:3] == seeds[3:]
    assert len(set(seeds)) == 3
    assert {(one["temperature"], one["top_k"]) for one in requests} == {(0.7, 5)}


def test_prompts_that_the_engine_cannot_hold_are_refused_by_item() -> None:
    engine, _ = in_vllm()
    settings = GenerationSettings(max_new_tokens=199, batch_tokens=400)
    with pytest.raises(AnswerError, match=r"item i0 in eng_Latn: .* more than the 200 that the model can hold"):
        engine.write(WRITTEN, [None], settings, conversation=None, on_answers=lambda _: None)
    with pytest.raises(AnswerError, match="item i0 in eng_Latn: prompt and choice"):
        engine.score(FEW, [None], max_tokens=5, conversation=None, on_answers=lambda _: None)


def test_answers_of_another_engine_are_never_taken_up_or_compared(tmp_path) -> None:
    engine, running = in_vllm()
    theirs = asker(tmp_path, FEW)
    ours = replace(theirs, engine=engine, settings=theirs.settings.model_copy(update={"engine": "vllm"}))
    conditions = [BASELINE, Condition("soft", "dose", SOFT)]
    of_transformers = theirs.ask("report", conditions)
    assert running.asked == []
    found = ours.ask("report", conditions)
    assert running.asked
    header = found["soft"].header
    assert (header.engine, header.versions, header.settings["vllm.max_model_len"]) == ("vllm", {"vllm": "0.32.0"}, 200)
    comparable(found["baseline"], found["soft"])
    with pytest.raises(AnswerError, match="engine"):
        comparable(of_transformers["baseline"], found["soft"])
    asked = len(running.asked)
    again = ours.ask("report", conditions)
    assert len(running.asked) == asked
    nats = [[list(one) for one in told["soft"].frame["log_likelihoods"]] for told in (again, found)]
    assert nats[0] == nats[1]


def test_experts_are_not_counted_while_vllm_writes(tmp_path) -> None:
    engine, _ = in_vllm()
    theirs = asker(tmp_path, questions(WRITTEN))
    ours = replace(
        theirs, purpose="evaluate", engine=engine, settings=theirs.settings.model_copy(update={"engine": "vllm"})
    )
    ours.ask("report", [BASELINE])
    assert set(ours.frequency()["part"]) == {"prompt"}


def test_settings_of_transformers_are_written_as_they_were(tmp_path) -> None:
    settings = asker(tmp_path, FEW).settings
    assert "engine" not in settings.model_dump()
    vllm = AskSettings.model_validate(settings.model_dump() | {"engine": "vllm"})
    assert vllm.model_dump()["engine"] == "vllm"
