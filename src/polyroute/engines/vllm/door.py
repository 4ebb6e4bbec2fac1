"""Requests that name a plan that there is not are refused before they enter the engine, which they would end.

vLLM asks processors of logits whether a request's parameters are sound; this one changes no logits. vLLM finds it by an
entry point of its own, which `VLLM_PLUGINS` does not govern: so it is also who notices that the plugin was left out.

This module imports vLLM.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor
from vllm.v1.sample.logits_processor.interface import LogitsProcessor

from polyroute.engines.vllm import plugin
from polyroute.engines.vllm.given import UnknownPlanError, held
from polyroute.workers.errors import EngineError

try:
    from vllm.v1.worker.gpu.sample.logits_processor.interface import LogitsProcessor as LogitsProcessorV2
except ImportError:  # another version, which is left alone as long as no plans are given
    LogitsProcessorV2 = object

LEFT_OUT = (
    "plans were given, and vLLM did not load the plugin `polyroute` that applies them: add polyroute to VLLM_PLUGINS, "
    "or unset it"
)


class Door(LogitsProcessor, LogitsProcessorV2):  # type: ignore[misc]
    """A processor of both of vLLM's model runners that processes nothing."""

    @classmethod
    def validate_params(cls, sampling_params: Any) -> None:
        """Refuse a request whose plan there is not.

        Raises:
            UnknownPlanError: which vLLM answers with HTTP 400.
        """
        plans, arguments = held(), sampling_params.extra_args
        if plans is not None:
            if not plugin.registered():
                raise UnknownPlanError(LEFT_OUT)
            plans.name_of(arguments)
        elif "plan" in (arguments or {}):
            raise UnknownPlanError(f"there is no plan `{arguments['plan']}`: this engine was given no plans")

    def __init__(self, *_: Any) -> None:
        if held() is not None and not plugin.registered():
            raise EngineError(LEFT_OUT)

    def apply(self, logits: Tensor, *_: Any) -> Tensor:
        """The logits as they are."""
        return logits

    def is_argmax_invariant(self) -> bool:
        """Nothing is changed."""
        return True

    def update_state(self, batch_update: Any) -> None:
        """Nothing is kept."""

    def add_request(self, *_: Any) -> bool:
        """Nothing is changed."""
        return False
