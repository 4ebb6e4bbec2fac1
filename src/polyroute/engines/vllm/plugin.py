"""The entry point that vLLM calls in each of its processes, before anything is built.

Where no plans were given it does nothing at all: vLLM runs as if polyroute were not installed.
"""

from __future__ import annotations

import logging
import os
from typing import Any

from polyroute.engines.vllm.given import held

log = logging.getLogger(__name__)
_REGISTERED: list[bool] = []


def registered() -> bool:
    """Whether `register` has prepared this process for plans."""
    return bool(_REGISTERED)


def register() -> None:
    """Prepare this process to follow the plans that were given; a second call changes nothing.

    Raises:
        EngineError, PlanError: plans that cannot be read end the engine at its start.
    """
    plans = held()
    if plans is None or registered():
        return
    # Before vLLM decides: the newer runner is not steered yet (`checks`), and is the default on GPUs.
    if os.environ.setdefault("VLLM_USE_V2_MODEL_RUNNER", "0") != "0":
        log.warning("plans need VLLM_USE_V2_MODEL_RUNNER=0, and it is set otherwise")
    from polyroute.engines.vllm import requests, runner

    runner.replace()
    requests.wrap_forward()
    requests.wrap_block_keys()
    _wrap_load()
    _REGISTERED.append(True)


def _wrap_load() -> None:
    """Have every worker check its model as soon as it is loaded, and take the plans."""
    from vllm.v1.worker.gpu_worker import Worker

    from polyroute.engines.vllm.checks import check, report
    from polyroute.engines.vllm.runner import layers

    load = Worker.load_model

    def load_model(self: Any, *args: Any, **kwargs: Any) -> Any:
        told = load(self, *args, **kwargs)
        plans, model = held(), self.model_runner.get_model()
        assert plans is not None, "registered because there are some"
        check(self.vllm_config, model, plans)
        for one in layers(model):
            one.follow(plans)
        found = report(model, plans)
        log.warning(
            "polyroute: %d layers follow plans %s; default: %s", len(found["layers"]), found["plans"], found["default"]
        )
        return told

    Worker.load_model = load_model
