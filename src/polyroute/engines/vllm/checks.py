"""What is refused when an engine starts with plans, by name, and what each worker says of its layers.

Refused is all that passes by the runner of experts or gives its logits another meaning, and what was not tried here:
whoever needs it is told, and nothing runs unsteered in silence.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from polyroute.engines.vllm.given import Held
from polyroute.steering.plan import PlanError
from polyroute.workers.errors import EngineError

VERSION = "0.32.0"
"""Of vLLM, whose inside is read here by names that other versions may move."""


def refused_settings(config: Any) -> Iterator[str]:
    """What in an engine's settings cannot be steered.

    Args:
        config: vLLM's `VllmConfig`.

    Yields:
        A clause for each.
    """
    parallel = config.parallel_config
    if config.use_v2_model_runner:
        yield "Model Runner V2 does not say here which request a token is of: set VLLM_USE_V2_MODEL_RUNNER=0"
    if config.speculative_config is not None:
        yield "speculative decoding was not tried: leave it out"
    if config.lora_config is not None:
        yield "LoRA was not tried: leave it out"
    if parallel.data_parallel_size > 1:
        yield "data parallelism was not tried: start one server for each rank"
    if parallel.pipeline_parallel_size > 1:
        yield "pipeline parallelism was not tried: use tensor parallelism"
    if parallel.use_ubatching:
        yield "batches that are cut in two (dual batch overlap) begin in the middle of the rows: leave it out"
    if parallel.use_sequence_parallel_moe:
        yield "sequence-parallel experts cut the rows over ranks: leave it out"
    if getattr(config.model_config, "enable_sleep_mode", False):
        yield "sleep mode may drop the tables of plans with the weights: leave it out"


def refused_layers(model: Any) -> Iterator[str]:
    """What in a model's layers cannot be steered.

    Args:
        model: as vLLM has built and loaded it.

    Yields:
        A clause for each kind, with the first layer of it.
    """
    from vllm.model_executor.layers.fused_moe.router.routing_simulator_router import RoutingSimulatorRouter
    from vllm.model_executor.layers.fused_moe.router.zero_expert_router import ZeroExpertRouter
    from vllm.model_executor.layers.fused_moe.runner.moe_runner_interface import MoERunnerInterface

    from polyroute.engines.vllm.runner import SteeredRunner

    runners = [module for module in model.modules() if isinstance(module, MoERunnerInterface)]
    if not runners:
        yield "it has no runner of experts: it is dense, or vLLM runs its experts some other way"
    told: dict[str, str] = {}
    for runner in runners:
        name = getattr(runner, "layer_name", type(runner).__name__)
        if not isinstance(runner, SteeredRunner):
            told.setdefault(f"is run by {type(runner).__name__}, which is not steered", name)
            continue
        if runner.moe_config.has_hash_routing:
            told.setdefault("chooses experts by the token's id (hash routing), not by logits", name)
        if isinstance(runner.router, RoutingSimulatorRouter):
            told.setdefault(
                "has simulated routing, which ignores logits (VLLM_MOE_ROUTING_SIMULATION_STRATEGY): unset it", name
            )
        if isinstance(runner.router, ZeroExpertRouter):
            told.setdefault("has zero experts, which were not tried", name)
        if runner.is_monolithic:
            told.setdefault(
                "chooses experts inside its kernel (monolithic), where nothing was proved: choose another moe_backend",
                name,
            )
        if runner._fse_fuse_gate:
            told.setdefault("fuses the gate of shared experts with the router's", name)
    yield from (f"{name} {what}" for what, name in told.items())


def check(config: Any, model: Any, plans: Held) -> None:
    """Refuse to run unsteered.

    Args:
        config: vLLM's `VllmConfig`.
        model: as vLLM has built and loaded it.
        plans: that were given.

    Raises:
        EngineError: names everything that hinders.
        PlanError: a plan is for another model; names every difference.
    """
    import vllm

    why = [*refused_settings(config), *refused_layers(model)]
    if vllm.__version__.partition("+")[0] != VERSION:
        why.insert(0, f"this is vLLM {vllm.__version__}, and plans are applied inside {VERSION}: install that")
    if why:
        raise EngineError(f"{config.model_config.model} cannot be steered:\n" + "\n".join(f"  {one}" for one in why))
    from polyroute.engines.vllm.runner import layers

    check_plans(plans, {int(one.layer_id): (one.experts, one.top_k) for one in layers(model)})


def check_plans(plans: Held, shape: dict[int, tuple[int, int]]) -> None:
    """Refuse plans for another model.

    Args:
        plans: that were given.
        shape: layer -> experts and top-k, of all layers with routers.

    Raises:
        PlanError: names every difference.
    """
    differences = []
    for name, plan in plans.plans.items():
        if plan.layers is not None and plan.layers != len(shape):
            differences.append(f"{name}: layers is {plan.layers} in the plan, {len(shape)} here")
        for layer in plan.experts:
            if layer not in shape:
                differences.append(f"{name}: experts.{layer}: layer {layer} has no router here")
            elif shape[layer] != (plan.experts_per_layer, plan.top_k):
                experts, top_k = shape[layer]
                differences.append(
                    f"{name}: experts_per_layer and top_k are {plan.experts_per_layer} and {plan.top_k} in the plan, "
                    f"{experts} and {top_k} in layer {layer} here"
                )
                break
    if differences:
        raise PlanError("plans do not fit this model:\n" + "\n".join(f"  {difference}" for difference in differences))


def report(model: Any, plans: Held | None) -> dict[str, Any]:
    """What a worker steers.

    Returns:
        `layers` that follow plans, the names of the `plans`, the `default` and, by plan, the layers in which it `moves`
        experts, as this worker's tables have them.
    """
    from polyroute.engines.vllm.runner import layers

    steered = [] if plans is None else layers(model)
    names = [] if plans is None else list(plans.plans)
    moves: dict[str, list[int]] = {
        name: [int(one.layer_id) for one in steered if bool(one.moved_WSE[:, slot].any())]
        for slot, name in enumerate(names, 1)
    }
    return {
        "layers": [int(one.layer_id) for one in steered],
        "plans": names,
        "default": None if plans is None else plans.default,
        "moves": moves,
    }
