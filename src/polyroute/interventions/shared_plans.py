"""Steering toward experts that two dominant languages share (paper 2, arXiv 2601.14050, routing-guided steering).

    z_e <- z_e + lambda s_e |z_e|    for the experts shared by a pair of languages

s_e is the share that the first language of the pair, the source, has of the expert among the two (`experts.shared`).
Either language is tried as source, with every strength.

The release tries lambdas on the items that it reports, and reports the best. Here source and lambda are chosen for each
half of the items on the other, and every one of them is reported too: `as_released` reads off there what the release's
way of choosing would have told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from polyroute.artifacts.trace import Trace
from polyroute.experts import ExpertSet
from polyroute.experts.controls import Controls
from polyroute.experts.released_settings import kept
from polyroute.experts.shared import ActivationShares, activation_shares
from polyroute.experts.specialised import size
from polyroute.ground.layers import LayerRange
from polyroute.interventions.plans import ConditionsError, Target
from polyroute.interventions.settings import PublishedShared, SteerGrid
from polyroute.steering.condition import Condition, Kind
from polyroute.steering.plan import Plan
from polyroute.steering.rules import Arithmetic


class SharedConditions:
    """Makes the conditions of one task on one model."""

    def __init__(
        self,
        target: Target,
        settings: SteerGrid,
        traces: Mapping[str, Trace],
        *,
        middle: LayerRange,
        random_sets: Callable[[ExpertSet], Controls],
    ):
        """Find the shared experts.

        Args:
            target: what plans are made for.
            settings: the grid, of which `magnitude` is read.
            traces: dominant language -> its trace; two of them, of one corpus.
            middle: layers that are steered.
            random_sets: control sets of a set.

        Raises:
            ConditionsError: the two share no expert there.
            ExpertsError: they share more than half of a layer, which leaves no control.
        """
        self.target, self.settings, self.middle = target, settings, middle
        self.pair = tuple(traces)
        self._traces, self.random_sets = traces, random_sets
        self.k = kept(settings.magnitude.k, target.experts)
        """Experts kept for each language and layer."""
        self._shares = activation_shares(list(traces.values()), self.k)
        self.experts = self._shared(self._shares, settings.magnitude.thr, middle, "steer.magnitude")
        """Those that are steered toward; the same for both sources."""
        random_sets(self.experts)  # what leaves no control is told before anything is asked

    def candidates(self) -> list[Condition]:
        """Every source with every strength."""
        experts = self.experts
        return [
            self._made(f"shared-{source}-{strength:g}", experts, self._shares.weights(source, experts), source,
                       strength, self.middle)
            for source in self._traces
            for strength in self.settings.magnitude.strengths
        ]  # fmt: skip

    def chosen(self, best: Condition) -> Condition:
        """The best candidate, under the name that it is reported by."""
        return replace(best, name="shared-chosen", kind="shared-chosen")

    def controls(self, condition: Condition, draws: int) -> list[Condition]:
        """Random experts in place of a condition's, with its strength and, in order, its weights of each layer.

        They are as many, and match in activation frequency.
        """
        plan = condition.plan
        assert plan is not None, "a candidate has a plan"
        assert plan.weights is not None, "and weights"
        assert plan.strength is not None, "and a strength"
        assert condition.layers is not None, "and layers"
        source, made = str(plan.source["source"]), []
        published = condition.kind == "shared-published"
        kind: Kind = "shared-published-random" if published else "shared-random"
        called = f"{condition.name}-random" if published else "shared-random"
        controls = self.random_sets(plan.experts)
        for draw in range(draws):
            drawn = controls.draw(draw)
            weights = {
                layer: dict(zip(experts, plan.weights[layer].values(), strict=True)) for layer, experts in drawn.items()
            }
            one = self._made(
                f"{called}{draw}", drawn, weights, source, plan.strength, condition.layers, {"draw": draw},
                plan.arithmetic,
            )  # fmt: skip
            made.append(replace(one, kind=kind, draw=draw, control_of=condition.name))
        return made

    def published(self, setting: PublishedShared | None) -> list[Condition]:
        """Paper 2's own setting, run as it stands: its k, its layers, and arithmetic in the model's dtype."""
        if setting is None:
            return []
        shares = activation_shares(list(self._traces.values()), setting.k)
        experts = self._shared(shares, setting.thr, setting.layers, f"models.{self.target.model}.published_shared")
        return [
            replace(
                self._made(f"shared-published-{source}", experts, shares.weights(source, experts), source, strength,
                           setting.layers, {"k": setting.k, "thr": setting.thr}, "model"),
                kind="shared-published",
            )
            for source, strength in setting.strengths.items()
        ]  # fmt: skip

    def _shared(self, shares: ActivationShares, thr: float, layers: LayerRange, key: str) -> ExpertSet:
        found = shares.shared(thr, layers)
        if not size(found):
            raise ConditionsError(
                f"{self.target.task} on {self.target.model}: {' and '.join(self._traces)} share no expert in layers "
                f"{layers[0]} to {layers[1]} at k = {shares.k} and thr = {thr:g}; raise thr or k of {key}"
            )
        return found

    def _made(
        self,
        name: str,
        experts: ExpertSet,
        weights: dict[int, dict[int, float]],
        source: str,
        strength: float,
        layers: LayerRange,
        more: Mapping[str, float | int] | None = None,
        arithmetic: Arithmetic = "float32",
    ) -> Condition:
        target, magnitude = self.target, self.settings.magnitude
        told = {"k": self.k, "thr": magnitude.thr} | dict(more or {})
        plan = Plan(
            model=target.model, model_digest=target.digest, layers=len(target.layers),
            experts_per_layer=target.experts, top_k=target.top_k, rule="magnitude", strength=strength,
            arithmetic=arithmetic, experts=dict(experts), weights=weights,
            source={"task": target.task, "condition": name, "source": source, "shared": list(self._traces), **told},
        )  # fmt: skip
        return Condition(name, "shared", plan, layers)
