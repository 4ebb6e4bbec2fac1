"""What is known of a plan: on what it was checked, what it gains, against what, and what it costs.

Part of a plan's file, and no part of the edit: the digest of a plan, by which answers are kept, leaves it out. A plan
without one was not checked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from polyroute.steering.plan import Plan

VerdictCode = Literal[
    "helps", "helps_unranked", "random_do_as_well", "hurts", "no_difference", "not_distinguishable", "too_few_items",
    "cannot_be_told",
]  # fmt: skip
"""By the rule of `interventions.verdicts`."""
Checked = Literal["cross_fitted", "held_out"]
"""`cross_fitted`: each half of the items under the plan that was best on the other half, so that the gain is that of
choosing so; the plan itself was chosen on all items. `held_out`: this very plan, on items that it was not chosen on."""
NOT_CHECKED: Final = "Not checked: whether it helps, and what it costs, is not known."

_WHETHER: dict[VerdictCode, str] = {
    "helps": "It helps",
    "helps_unranked": "It seems to help, but too few random plans were tried to tell it from any change of routing",
    "random_do_as_well": "It does not help more than random experts do",
    "hurts": "It hurts",
    "no_difference": "It makes no difference: less than a point",
    "not_distinguishable": "It is not distinguishable from the model as it is",
    "too_few_items": "It cannot be seen with this much data",
    "cannot_be_told": "It cannot be tested on these items, on which no possible difference would be significant",
}
_CALLED = {"f1": "F1", "chrf": "chrF"}
"""Scores that are no accuracy."""


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


Share = Annotated[float, Field(ge=0, le=1)]
Difference = Annotated[float, Field(ge=-1, le=1)]


class Gain(_Part):
    """Accuracy without and with the plan on the same items."""

    base: Share
    """Of the model as it is."""
    steered: Share
    """Under the plan."""
    difference: Difference
    """Steered minus base."""
    low: Difference
    """Lower bound of the 95% interval over items."""
    high: Difference
    """Upper bound."""
    items: Annotated[int, Field(ge=1)]
    """That were asked."""


class RandomPlans(_Part):
    """Plans of random experts: as many in each layer, about as often chosen on the task's prompts."""

    draws: Annotated[int, Field(ge=0)]
    """How many were asked; fewer than were planned where some soon did as well."""
    p: Share | None
    """Of the rank of the plan among them; None without any."""
    mean: Difference | None
    """Mean difference that they make."""


class TokenTime(_Part):
    """Milliseconds of one generated or read token, median over repeated passes."""

    base: Annotated[float, Field(gt=0)]
    """Of the model as it is."""
    steered: Annotated[float, Field(gt=0)]
    """Under the plan."""
    device: str
    """What it was measured on."""


class PlanVerdict(_Part):
    """What was found when the plan was checked."""

    code: VerdictCode
    """Over the languages that it is for."""
    task: str
    """Whose items were asked."""
    score: str
    """The one that is compared, a name of `scoring.kinds.SCORES`."""
    checked: Checked
    """On which items."""
    items: str
    """SHA-256 of the ids of the items that the gain is of, in order, a line each."""
    languages: Annotated[list[str], Field(min_length=1)]
    """FLORES codes of the languages that it is for."""
    gain: Gain
    """Over these languages."""
    random: RandomPlans
    """What it is held against."""
    detectable: Difference | None
    """The smallest gain that these items would show four times in five; None where no possible gain would."""
    by_language: dict[str, Gain]
    """Each language that was asked; those that it is not for say what it costs."""
    time: TokenTime | None = None
    """None where it was not measured."""

    def sentences(self) -> Iterator[str]:
        """In plain words: whether it helps, on what that rests, what it costs."""
        gain, rank = self.gain, self.random
        over = self.languages[0] if len(self.languages) == 1 else f"{len(self.languages)} languages"
        called = _CALLED.get(self.score, "accuracy")
        yield (
            f"{_WHETHER[self.code]}: {called} of {self.task} in {over} {_change(gain)}, on {gain.items} items "
            f"{_ON[self.checked]}."
        )
        if rank.draws and rank.mean is not None:
            beaten = "" if rank.p is None else f" (rank p {rank.p:.2f})"
            yield (
                f"Against {rank.draws} matched random plans, which change it by {_points(rank.mean)} points on "
                f"average{beaten}."
            )
        if self.code in ("too_few_items", "not_distinguishable", "cannot_be_told", "no_difference"):
            yield (
                "No possible gain would show on these items four times in five."
                if self.detectable is None
                else f"A gain below {100 * self.detectable:.1f} points would seldom show on these items."
            )
        others = {code: one for code, one in self.by_language.items() if code not in self.languages}
        if others:
            lost = [f"{code} {_change(one)}" for code, one in others.items() if one.high < 0]
            still = [f"{code} {_change(one)}" for code, one in others.items() if one.low <= 0 <= one.high]
            gained = [f"{code} {_change(one)}" for code, one in others.items() if one.low > 0]
            told = [("Cost elsewhere: ", lost), ("Elsewhere no detectable change: ", still), ("Also gains: ", gained)]
            yield from (f"{lead}{', '.join(part)}." for lead, part in told if part)
        else:
            yield "What it costs in other languages was not measured."
        if self.time is None:
            yield "Its time a token was not measured."
        else:
            ratio = self.time.steered / self.time.base - 1
            yield (
                f"Time a token on {self.time.device}: {self.time.base:.3g} ms without it, {self.time.steered:.3g} ms "
                f"with it ({ratio:+.0%}, of which a few percent are noise)."
            )


_ON: dict[Checked, str] = {
    "cross_fitted": "of which none had a part in choosing the plan that it was asked under",
    "held_out": "that it was not chosen on",
}


def told(plan: Plan) -> str:
    """A plan and what is known of it, in plain words."""
    experts = sum(map(len, plan.experts.values()))
    layers = list(plan.experts)
    where = f"layer {layers[0]}" if len(layers) == 1 else f"{len(layers)} layers from {layers[0]} to {layers[-1]}"
    strength = "" if plan.strength is None else f" {plan.strength:g}"
    lines = [
        f"Plan for {plan.model}: {plan.rule}{strength}, {experts} expert{'s' if experts != 1 else ''} in {where}.",
        *([NOT_CHECKED] if plan.verdict is None else plan.verdict.sentences()),
    ]
    return "\n".join(lines)


def _change(gain: Gain) -> str:
    bounds = f"[{_points(gain.low)}, {_points(gain.high)}]"
    return f"{gain.base:.1%} -> {gain.steered:.1%} ({_points(gain.difference)} {bounds} points)"


def _points(difference: float) -> str:
    return f"{round(100 * difference, 1) + 0.0:+.1f}"  # no -0.0
