"""vLLM under plans answers as transformers does under the same plans: tokens, and chosen experts."""

import os
from pathlib import Path

import pytest
import torch

from engines.vllm.engine import (
    ARCHITECTURES,
    LAYERS,
    PLANS,
    SETTINGS,
    TOKENS,
    InTransformers,
    made,
    needs_vllm,
    plan,
    prompts,
)
from polyroute.models.routers import observe

pytestmark = needs_vllm
CONDITIONS = [None, *PLANS]


class InVllm:
    """An engine of this process; plans are held anew for each."""

    def __init__(self, folder, **settings):
        from vllm import LLM

        from polyroute.engines.vllm.worker import hold, steered

        self.llm = LLM(
            str(folder), dtype="float32", max_model_len=256, worker_extension_cls="watching.Watching",
            max_num_batched_tokens=64, max_num_seqs=32, seed=0, **{"enforce_eager": True} | settings,
        )  # fmt: skip
        hold(self.llm, PLANS)
        self.steers = steered(self.llm)

    def writes(self, asked: list[tuple[list[int], str | None]], tokens: int = TOKENS):
        from vllm import SamplingParams

        how = [
            SamplingParams(
                temperature=0, max_tokens=tokens, ignore_eos=True, detokenize=False,
                extra_args=None if name is None else {"plan": name},
            )
            for _, name in asked
        ]  # fmt: skip
        self.told = self.llm.generate([{"prompt_token_ids": ids} for ids, _ in asked], how, use_tqdm=False)
        return [list(one.outputs[0].token_ids) for one in self.told]

    def close(self):
        self.llm.llm_engine.engine_core.shutdown()


@pytest.fixture(scope="module", autouse=True)
def settings():
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SETTINGS.items():
            patch.setenv(name, value)
        patch.syspath_prepend(Path(__file__).parent)  # vLLM's processes import `watching`
        yield


def check_all(engine: InVllm, reference: InTransformers) -> None:
    """All prompts under all conditions in one batch."""
    assert engine.steers["layers"] == list(range(LAYERS))
    assert engine.steers["moves"] == {name: [] if name == "zero" else [1, 2] for name in PLANS}
    asked = [(ids, name) for ids in prompts(5, 17, 33, 80, 120) for name in CONDITIONS]
    found = engine.writes(asked)
    for (ids, name), ours in zip(asked, found, strict=True):
        assert ours == reference.writes(ids, name), (len(ids), name)
    by_plan = {
        name: [ours for (_, other), ours in zip(asked, found, strict=True) if other == name] for name in CONDITIONS
    }
    assert by_plan["zero"] == by_plan[None]
    for name in set(PLANS) - {"zero"}:
        assert by_plan[name] != by_plan[None], f"{name} changes nothing, so its agreement says nothing"


@pytest.mark.parametrize("architecture", [name for name in ARCHITECTURES if name != "Qwen3Moe"])
def test_every_rule_writes_the_same_tokens(architecture, tmp_path) -> None:
    folder = made(architecture, tmp_path / architecture)
    engine = InVllm(folder)
    try:
        check_all(engine, InTransformers(folder))
    finally:
        engine.close()


def test_compiled_too(folder, reference) -> None:
    engine = InVllm(folder, enforce_eager=False)
    try:
        check_all(engine, reference)
    finally:
        engine.close()


@pytest.mark.parametrize("eager", [True, False], ids=["eager", "compiled"])
def test_over_two_workers_too(folder, reference, monkeypatch, eager) -> None:
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("two workers need two cores")
    monkeypatch.setenv("VLLM_CPU_OMP_THREADS_BIND", "0|1")
    engine = InVllm(folder, tensor_parallel_size=2, enforce_eager=eager)
    try:
        check_all(engine, reference)
    finally:
        engine.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return made("Qwen3Moe", tmp_path_factory.mktemp("qwen3"))


@pytest.fixture(scope="module")
def reference(folder):
    return InTransformers(folder)


@pytest.fixture(scope="module")
def engine(folder, settings):
    engine = InVllm(folder)
    yield engine
    engine.close()


def test_every_rule_writes_the_same_tokens_in_qwen3(engine, reference) -> None:
    check_all(engine, reference)


def test_the_same_experts_are_chosen(engine, reference) -> None:
    (ids,) = prompts(40)
    for name in CONDITIONS:
        engine.llm.reset_prefix_cache()
        engine.llm.collective_rpc("polyroute_watch")
        engine.writes([(ids, name)], tokens=1)
        (found,) = engine.llm.collective_rpc("polyroute_seen")
        theirs: dict[int, list[set[int]]] = {}

        def keep(router, call, theirs=theirs):
            theirs[router.layer] = [set(row) for row in call.ids_TK.tolist()]

        with torch.inference_mode(), reference.steered(name), observe(reference.routers, keep):
            reference.model(torch.tensor([ids]))
        ours = {layer: [set(row) for row in rows[: len(ids)]] for layer, rows in found.items()}
        assert ours == theirs, name
        if name == "mask":
            assert not any(row & {1, 4} for row in ours[1])


def test_a_prefix_is_shared_under_the_same_plan_alone(engine, reference) -> None:
    (ids,) = prompts(200)
    engine.llm.reset_prefix_cache()
    read = set()
    for name in (None, "soft", "mask", None, "soft"):
        (ours,) = engine.writes([(ids, name)])
        assert (engine.told[0].num_cached_tokens == 0) == (name not in read), name
        assert ours == reference.writes(ids, name), name
        read.add(name)


def test_plans_change_without_loading_anew(engine, reference) -> None:
    from polyroute.engines.vllm.worker import hold

    (ids,) = prompts(33)
    before = engine.writes([(ids, "soft")])
    try:
        hold(engine.llm, {"soft": PLANS["mask"]}, default="soft")
        assert engine.writes([(ids, None), (ids, "soft")]) == [reference.writes(ids, "mask")] * 2
        assert engine.writes([(ids, "none")]) == [reference.writes(ids, None)]
    finally:
        hold(engine.llm, PLANS)
    assert engine.writes([(ids, "soft")]) == before


def test_a_plan_for_another_model_is_refused(engine) -> None:
    from polyroute.engines.vllm.worker import hold

    other = plan("soft", strength=1.0).model_copy(update={"layers": 48})
    try:
        with pytest.raises(Exception, match="layers is 48 in the plan, 4 here"):
            hold(engine.llm, {"other": other})
    finally:
        hold(engine.llm, PLANS)


def test_an_unknown_plan_is_refused_and_the_engine_lives(engine) -> None:
    (ids,) = prompts(5)
    with pytest.raises(Exception, match="there is no plan `loud`"):
        engine.writes([(ids, "loud")])
    assert engine.writes([(ids, None)])
