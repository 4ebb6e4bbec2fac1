"""The conditions of the study: what is done to a model while it answers.

In two phases, cross-fitted over two halves of the items. First a grid of thresholds and rules is tried in the middle
layers. Then each half is answered under the plan that was best on the other half, beside its dose-response and its
controls: every item is reported once, under a plan that it had no part in choosing. The same names stand for the same
things in both halves, so that they are compared over all items. What papers published needs no choice, and is the same
plan in both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from polyroute.experts import ExpertSet
from polyroute.experts.controls import Controls
from polyroute.experts.specialised import ExpertsError, size
from polyroute.ground.errors import PolyrouteError
from polyroute.ground.layers import LayerRange
from polyroute.interventions.settings import PublishedSteering, SteerGrid, SteerPlans
from polyroute.interventions.turn_plans import BY_TURN, DeltaByTurn
from polyroute.steering.condition import Condition, Kind
from polyroute.steering.plan import Plan

Experts = Callable[[float, LayerRange], ExpertSet]
"""Experts above a threshold in a range of layers."""


class ConditionsError(PolyrouteError):
    """A study that has nothing to compare."""


@dataclass(frozen=True)
class LeftOut:
    """A condition that cannot be run."""

    name: str
    reason: str


@dataclass(frozen=True)
class Target:
    """The model and the task that plans are made for."""

    model: str
    digest: str | None
    task: str
    layers: tuple[int, ...]
    """Numbers of its router layers."""
    experts: int
    top_k: int


class Conditions:
    """Makes the conditions of one task on one model."""

    def __init__(self, target: Target, settings: SteerGrid, *, task_experts: Experts, middle: LayerRange, seed: int):
        """Prepare.

        Args:
            target: what plans are made for.
            settings: the grid.
            task_experts: of the task, by threshold and layers.
            middle: layers that are steered.
            seed: of eps and of control sets.
        """
        self.target, self.settings, self.middle = target, settings, middle
        self._task_experts, self._seed = task_experts, seed
        self.left_out: list[LeftOut] = []
        """What could not be run, and why; grows with every call."""

    def candidates(self) -> list[Condition]:
        """The grid that is tried: every threshold with every rule and strength.

        Raises:
            ConditionsError: no threshold leaves an expert to steer; names the largest Delta needed.
        """
        made: list[Condition] = []
        for tau in self.settings.taus:
            experts = self._task_experts(tau, self.middle)
            rules: list[tuple[str, float | None]] = [("soft", strength) for strength in self.settings.strengths]
            for rule, strength in [*rules, ("activate", None)]:
                name = f"tau{tau:g}-{_named(rule, strength)}"
                made += self._made(name, "candidate", experts, rule, strength, self.middle, {"tau": tau})
        if not made:
            raise ConditionsError(
                f"{self.target.task} on {self.target.model}: no expert has a Delta above any tau of steer.taus "
                f"({', '.join(f'{tau:g}' for tau in self.settings.taus)}) in layers {self.middle[0]} to "
                f"{self.middle[1]}; lower the smallest"
            )
        return made

    def reported(
        self,
        chosen: Condition,
        plans: SteerPlans,
        *,
        controls: Callable[[ExpertSet], Controls],
        multilingual: Experts,
        pivots: dict[str, Experts],
        published: PublishedSteering | None,
        by_turn: DeltaByTurn | None = None,
    ) -> list[Condition]:
        """The conditions that one half is reported under.

        Args:
            chosen: the best candidate on the other half.
            plans: doses, and how many controls.
            controls: control sets of a set.
            multilingual: multilingual experts, by threshold and layers.
            pivots: other pivot -> the task's experts by that pivot's text.
            published: a paper's own setting for this model and task, run as it stands, with controls of its own.
            by_turn: Delta of the assistant's turn and of the task, whose largest take the place of the published
                experts, or where there are none of the chosen ones.

        Raises:
            ExpertsError: the chosen experts, or those published, are too many for random controls.
        """
        plan = chosen.plan
        assert plan is not None, "a candidate has a plan"
        tau = plan.source["tau"]
        assert isinstance(tau, float), "candidates say their threshold"
        made = [replace(chosen, name="chosen", kind="chosen")]
        for strength in plans.doses:
            made += self._made(f"dose{strength:g}", "dose", plan.experts, "soft", strength, self.middle, {"tau": tau})
        for rule in ("activate", "deactivate"):
            made += self._made(rule, "rule", plan.experts, rule, None, self.middle, {"tau": tau})
        made += self._random(made[0], controls(plan.experts), plans.draws)
        elsewhere = {
            "early": self._below(),
            "late": self._above(),
            "all": (self.target.layers[0], self.target.layers[-1]),
        }
        sets: list[tuple[str, Kind, ExpertSet, LayerRange | None]] = [
            ("multilingual", "multilingual", multilingual(tau, self.middle), self.middle)
        ]
        for name, layers in elsewhere.items():
            sets.append((name, name, {} if layers is None else self._task_experts(tau, layers), layers))  # type: ignore[arg-type]
        sets += [
            (f"pivot-{pivot}", "pivot", experts(tau, self.middle), self.middle) for pivot, experts in pivots.items()
        ]
        for name, kind, experts, layers in sets:
            if layers is None:
                self.left_out.append(
                    LeftOut(name, f"the middle, layers {self.middle[0]} to {self.middle[1]}, leaves none")
                )
                continue
            made += self._made(name, kind, experts, plan.rule, plan.strength, layers, {"tau": tau})
        if published is not None:
            experts = self._task_experts(published.tau, published.layers)
            for condition in self._made(
                "published", "published", experts, published.rule, published.strength, published.layers,
                {"tau": published.tau},
            ):  # fmt: skip
                made += [condition, *self._random(condition, controls(experts), plans.draws)]
        if by_turn is not None:
            made += self._by_turn(next((one for one in made if one.kind == "published"), made[0]), by_turn)
        return made

    def _by_turn(self, condition: Condition, by_turn: DeltaByTurn) -> Iterator[Condition]:
        """A condition with experts of the turn, and with experts of the task in either turn, in place of its own."""
        plan = condition.plan
        assert plan is not None, "what they take the place of has a plan"
        assert condition.layers is not None, "and layers"
        tau = plan.source["tau"]
        assert isinstance(tau, float), "and a threshold"
        try:
            sets = list(by_turn.sets(plan.experts))
        except ExpertsError as error:
            self.left_out += [LeftOut(name, str(error)) for name in BY_TURN]
            return
        for kind, experts in sets:
            yield from self._made(kind, kind, experts, plan.rule, plan.strength, condition.layers, {"tau": tau})

    def _random(self, condition: Condition, controls: Controls, draws: int) -> Iterator[Condition]:
        """A condition with random experts in place of its own."""
        plan, published = condition.plan, condition.kind == "published"
        assert plan is not None, "what is controlled for has a plan"
        assert condition.layers is not None, "and layers"
        tau = plan.source["tau"]
        assert isinstance(tau, float), "and a threshold"
        called: tuple[str, Kind] = ("published-random", "published-random") if published else ("random", "random")
        for draw in range(draws):
            for one in self._made(
                f"{called[0]}{draw}", called[1], controls.draw(draw), plan.rule, plan.strength, condition.layers,
                {"tau": tau, "draw": draw},
            ):  # fmt: skip
                yield replace(one, draw=draw, control_of=condition.name)

    def _made(
        self,
        name: str,
        kind: Kind,
        experts: ExpertSet,
        rule: str,
        strength: float | None,
        layers: LayerRange,
        source: dict[str, float | int],
    ) -> Iterator[Condition]:
        """The condition, or none and a reason in `left_out`."""
        target, settings = self.target, self.settings
        reason = None
        crowded = [layer for layer, chosen in experts.items() if len(chosen) > target.top_k]
        if not size(experts):
            reason = f"no expert above tau {source['tau']:g} in layers {layers[0]} to {layers[1]}"
        elif rule == "activate" and crowded and not settings.allow_more_than_k:
            reason = (
                f"layer {crowded[0]} has {len(experts[crowded[0]])} experts to activate and a token is sent to "
                f"{target.top_k}; steer.allow_more_than_k runs it all the same"
            )
        elif rule == "deactivate" and any(target.experts - len(c) < target.top_k for c in experts.values()):
            reason = "it would leave a layer fewer experts than a token is sent to"
        if reason is not None:
            self.left_out.append(LeftOut(name, reason))
            return
        plan = Plan(
            model=target.model, model_digest=target.digest, layers=len(target.layers),
            experts_per_layer=target.experts, top_k=target.top_k, rule=rule, strength=strength, std=settings.std,
            eps=settings.eps, seed=self._seed, allow_more_than_k=settings.allow_more_than_k, experts=dict(experts),
            source={"task": target.task, "condition": name, **source},
        )  # fmt: skip
        yield Condition(name, kind, plan, layers)

    def _below(self) -> LayerRange | None:
        below = [layer for layer in self.target.layers if layer < self.middle[0]]
        return (below[0], below[-1]) if below else None

    def _above(self) -> LayerRange | None:
        above = [layer for layer in self.target.layers if layer > self.middle[1]]
        return (above[0], above[-1]) if above else None


def _named(rule: str, strength: float | None) -> str:
    return rule if strength is None else f"{rule}{strength:g}"
