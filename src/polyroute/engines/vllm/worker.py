"""What a worker of vLLM can be asked while it runs, `LLM(worker_extension_cls=EXTENSION)`.

llm.collective_rpc("polyroute_report")
hold(llm, {"maths": plan}, default="maths")
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from polyroute.engines.vllm.checks import check_plans, report
from polyroute.engines.vllm.given import held
from polyroute.steering.plan import Plan
from polyroute.workers.errors import EngineError

EXTENSION = "polyroute.engines.vllm.worker.Extension"


class Extension:
    """Methods that vLLM adds to its workers."""

    model_runner: Any

    def polyroute_report(self) -> dict[str, Any]:
        """As `checks.report`."""
        return report(self.model_runner.get_model(), held())

    def polyroute_hold(self, plans: dict[str, str], default: str | None) -> None:
        """Follow other plans, each as JSON, from the next step on.

        Raises:
            EngineError: as `Held.hold`.
            PlanError: a plan is for another model.
        """
        from polyroute.engines.vllm.runner import layers

        known = held()
        if known is None:
            raise EngineError("this engine was started without room for plans: set POLYROUTE_SLOTS")
        steered = layers(self.model_runner.get_model())
        known.hold({name: Plan.model_validate_json(told, strict=False) for name, told in plans.items()}, default)
        check_plans(known, {int(one.layer_id): (one.experts, one.top_k) for one in steered})
        for one in steered:
            one.follow(known)


def hold(llm: Any, plans: Mapping[str, Plan], default: str | None = None) -> None:
    """Have an engine follow other plans from now on, without loading it anew; requests are to be finished.

    Args:
        llm: vLLM's `LLM`, started with `worker_extension_cls=EXTENSION` and room for plans.
        plans: name -> plan.
        default: the name of the one for requests that name none.

    Raises:
        EngineError: as `Held.hold`.
    """
    known = held()
    if known is None:
        raise EngineError("this engine was started without room for plans: set POLYROUTE_SLOTS")
    known.hold(plans, default)
    llm.collective_rpc("polyroute_hold", args=({name: plan.model_dump_json() for name, plan in plans.items()}, default))
    llm.reset_prefix_cache()


def steered(llm: Any) -> dict[str, Any]:
    """What all workers of an engine steer.

    Raises:
        EngineError: a worker steers no layer, or workers disagree: the plugin was left out of one of them.
    """
    reports: list[dict[str, Any]] = llm.collective_rpc("polyroute_report")
    if any(one != reports[0] for one in reports) or not reports[0]["layers"]:
        raise EngineError(
            f"workers steer {[one['layers'] for one in reports]} layers: the plugin `polyroute` was left out of some; "
            "see VLLM_PLUGINS, and that polyroute is installed where each worker runs"
        )
    return reports[0]
