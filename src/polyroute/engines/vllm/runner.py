"""vLLM's runner of experts with plans applied to the router's logits, in place of its own by its name.

`_maybe_dispatch` gets the logits of this rank's tokens in every architecture, whether the gate is inside the runner
(Qwen3-MoE) or in front of it (OLMoE), and hands them on to the choice of experts. Under compilation it is traced on a
CPU and runs inside an opaque operator and a captured graph on a GPU: so it holds tensors alone, which are changed in
place, and asks nothing.

This module imports vLLM.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from vllm.config import get_current_vllm_config
from vllm.model_executor.custom_op import PluggableLayer, op_registry_oot
from vllm.model_executor.layers.fused_moe.runner.moe_runner import MoERunner

from polyroute.engines.vllm import tables
from polyroute.engines.vllm.given import Held, held
from polyroute.engines.vllm.requests import slots_of_tokens

REPLACED = "MoERunner"
"""Name of vLLM's own class."""


class SteeredRunner(MoERunner):  # type: ignore[misc]
    """A runner whose router's logits follow the plan of each token's request."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        plans = held()
        self.ways = () if plans is None else plans.ways
        if plans is None:
            return
        config = get_current_vllm_config()
        self.experts = int(self.moe_config.num_logical_experts)
        self.top_k = int(self.moe_config.experts_per_token)
        moved_WSE, amounts_WSE = tables.empty(plans.ways, plans.slots, self.experts)
        # Not persistent: a checkpoint has none of these.
        self.register_buffer("moved_WSE", moved_WSE, persistent=False)
        self.register_buffer("amounts_WSE", amounts_WSE, persistent=False)
        self.register_buffer("slot_T", slots_of_tokens(config), persistent=False)
        self.model_dtype = config.model_config.dtype
        if isinstance(config.additional_config, dict):
            # What is computed depends on these: a compiled graph is looked up by a digest of the configuration.
            config.additional_config["polyroute"] = {"ways": [list(way) for way in plans.ways], "slots": plans.slots}

    def follow(self, plans: Held) -> None:
        """Write the plans that are held into this layer's tables."""
        own = (self.moved_WSE, self.amounts_WSE)
        tables.fill(own, self.ways, list(plans.plans.values()), self.layer_id, self.model_dtype)

    def _maybe_dispatch(self, hidden_states: Tensor, router_logits: Tensor) -> tuple[Tensor, Tensor]:
        if self.ways:
            slot_T = self.slot_T[: router_logits.shape[0]]
            own = (self.moved_WSE, self.amounts_WSE)
            router_logits = tables.edited(router_logits, slot_T, self.ways, own, self.experts)
        told: tuple[Tensor, Tensor] = super()._maybe_dispatch(hidden_states, router_logits)
        return told


def replace() -> None:
    """Have vLLM build our runner where it would build its own; a second call changes nothing."""
    if not replaced():
        PluggableLayer.register_oot(name=REPLACED)(SteeredRunner)


def replaced() -> bool:
    """Whether vLLM builds our runner in this process."""
    return op_registry_oot.get(REPLACED) is SteeredRunner


def layers(model: torch.nn.Module) -> list[SteeredRunner]:
    """The steered runners of a model, by layer."""
    found = [module for module in model.modules() if isinstance(module, SteeredRunner)]
    return sorted(found, key=lambda runner: int(runner.layer_id))
