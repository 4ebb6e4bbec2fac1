"""Which plans a process of vLLM was given, by environment variables that all of its processes share.

| variable | what |
|---|---|
| `POLYROUTE_PLAN` | file of the plan for requests that name none |
| `POLYROUTE_PLANS` | `name=file,name=file`: plans that requests can name |
| `POLYROUTE_SLOTS` | how many plans there is room for at once, where plans are changed while the engine runs |
| `POLYROUTE_RULES` | `rule,rule`: rules of plans to come, beside those of the plans given |

A request that names the plan `none` is not steered, whatever the default; the default has the name `default`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from polyroute.ground.files import digest
from polyroute.steering.plan import Plan
from polyroute.steering.rules import RULES
from polyroute.steering.tables import Way, way_of
from polyroute.workers.errors import EngineError

PLAN, PLANS, SLOTS, RULES_TO_COME = "POLYROUTE_PLAN", "POLYROUTE_PLANS", "POLYROUTE_SLOTS", "POLYROUTE_RULES"
UNSTEERED: Final = "none"
DEFAULT: Final = "default"


class UnknownPlanError(ValueError):
    """A request names a plan that there is not. vLLM answers a ValueError with HTTP 400."""


@dataclass
class Held:
    """The plans of this process, by name, and the slot of each; slot 0 moves nothing."""

    plans: dict[str, Plan]
    default: str | None
    slots: int
    """How many plans there is room for."""
    ways: tuple[Way, ...]
    """In which plans may move experts: what the engine computes for every token, so fixed when it starts."""
    _digests: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.hold(self.plans, self.default)

    def hold(self, plans: Mapping[str, Plan], default: str | None = None) -> None:
        """Have these plans from now on.

        Raises:
            EngineError: there is no room for so many, or one moves experts in a way that was not asked for at start.
        """
        if len(plans) > self.slots:
            raise EngineError(
                f"{len(plans)} plans, and room for {self.slots}: set {SLOTS}={len(plans)} before the engine starts"
            )
        for name, plan in plans.items():
            if name == UNSTEERED or not name or set(name) & set(",= "):
                raise EngineError(f"`{name}` cannot be the name of a plan: give it one without blanks, `,` and `=`")
            if way_of(plan) not in self.ways:
                raise EngineError(
                    f"the plan `{name}` moves experts by {_told(way_of(plan))}, and this engine was started for "
                    f"{', '.join(map(_told, self.ways)) or 'no rule'}: set {RULES_TO_COME}={plan.rule} before it starts"
                )
        if default is not None and default not in plans:
            raise EngineError(f"the default plan `{default}` is not among the plans given")
        self.plans, self.default = dict(plans), default
        self._digests = {name: digest(plan.model_dump(mode="json")) for name, plan in plans.items()}

    def name_of(self, arguments: Mapping[str, Any] | None) -> str | None:
        """The name of the plan that a request follows, by its extra arguments; None for no plan.

        Raises:
            UnknownPlanError: it names one that there is not.
        """
        name = (arguments or {}).get("plan", self.default)
        if name is None or name == UNSTEERED:
            return None
        if not isinstance(name, str) or name not in self.plans:
            known = ", ".join([*self.plans, UNSTEERED])
            raise UnknownPlanError(f"there is no plan `{name}`: this engine has {known}")
        return name

    def slot_of(self, arguments: Mapping[str, Any] | None) -> int:
        """The slot of a request's plan, 0 for none.

        Raises:
            UnknownPlanError: as `name_of`.
        """
        name = self.name_of(arguments)
        return 0 if name is None else 1 + list(self.plans).index(name)

    def key_of(self, arguments: Mapping[str, Any] | None) -> str | None:
        """What tells a request's prefix from the same text under another plan; None for no plan.

        A name that this process does not know keeps a key of its own: a scheduler that runs apart from the workers is
        not told of plans that were changed.
        """
        try:
            name = self.name_of(arguments)
        except UnknownPlanError:
            return f"name {(arguments or {}).get('plan')}"
        return None if name is None else self._digests[name]


@cache
def held() -> Held | None:
    """The plans of this process; None where it was given none, and is to be left alone.

    Raises:
        EngineError: a variable cannot be read; names it.
        PlanError: a plan cannot be read; names the file.
    """
    plans = {DEFAULT: Plan.load(Path(file))} if (file := os.environ.get(PLAN)) else {}
    default = DEFAULT if plans else None
    for entry in filter(None, os.environ.get(PLANS, "").split(",")):
        name, separator, file = entry.partition("=")
        if not separator or not file:
            raise EngineError(f"{PLANS}: `{entry}` is not name=file, as in {PLANS}=maths=maths.json,law=law.json")
        if name in plans:
            raise EngineError(f"{PLANS}: the plan `{name}` is there twice, or is the one of {PLAN}")
        plans[name] = Plan.load(Path(file))
    told = os.environ.get(SLOTS, "")
    if told and not told.isdigit():
        raise EngineError(f"{SLOTS}: `{told}` is not a number of plans")
    slots = max(len(plans), int(told or 0))
    if not slots:
        return None
    rules = list(filter(None, os.environ.get(RULES_TO_COME, "").split(",")))
    if unknown := [rule for rule in rules if rule not in RULES]:
        raise EngineError(f"{RULES_TO_COME}: `{unknown[0]}` is not a rule; there is {', '.join(RULES)}")
    return Held(plans, default, slots, ways_of(plans.values(), rules))


def ways_of(plans: Iterable[Plan], rules: Iterable[str] = ()) -> tuple[Way, ...]:
    """In which ways plans move experts, and rules of plans to come with both divisors of std(z); in a fixed order."""
    found = {way_of(plan) for plan in plans}
    for rule in rules:
        found.add(Way(rule, "population", "float32"))
        if rule == "soft":
            found.add(Way(rule, "sample", "float32"))
    return tuple(sorted(found))


def _told(way: Way) -> str:
    arithmetic = "" if way.arithmetic == "float32" else f" in the arithmetic `{way.arithmetic}`"
    return f"{way.rule}{f' ({way.std})' if way.rule == 'soft' else ''}{arithmetic}"
