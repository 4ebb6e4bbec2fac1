"""Masks of the experts that are exclusive to a language, in early, middle or late layers, and random ones beside them.

Paper 2 (arXiv 2601.14050, released code): z_e = -1e9 for the experts exclusive to a target language y in layers 0-4,
22-26 or 43-47 of 48, while every language x is asked.

Random masks hold as many experts of each layer, none of them exclusive to y, and match in activation frequency on the
task's prompts in y, or on y's generic text where the task does not exist in y (`experts.controls`): what the exclusive
ones do beyond that is not because y uses them much.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from polyroute.artifacts.trace import Trace
from polyroute.experts import ExpertSet
from polyroute.experts.controls import Controls
from polyroute.experts.released_settings import kept, ranges
from polyroute.experts.shared import activation_shares
from polyroute.experts.specialised import ExpertsError, size
from polyroute.ground.layers import LayerRange
from polyroute.interventions.plans import LeftOut, Target
from polyroute.interventions.settings import MaskedSet
from polyroute.interventions.settings import MaskPlans as MaskSettings
from polyroute.measures.specialisation import mean_frequency
from polyroute.results.quantities import LayerBalance
from polyroute.stats.resampled import own_seed
from polyroute.steering.condition import Condition, ConditionFile, Kind
from polyroute.steering.plan import Plan


class MaskPlans(ConditionFile):
    """`data/plans/<model>/mask/<task>.json`: the masks of a task, and what they are made of."""

    languages: tuple[str, ...]
    """In which the task is asked."""
    lacking: tuple[str, ...]
    """Those among which experts are exclusive and in which the task does not exist."""
    among: tuple[str, ...]
    own_only: bool = False
    """Whether a language meets the masks of its own experts alone."""
    k: int
    """Experts kept for each language and layer."""
    thr: float
    ranges: dict[str, LayerRange]
    exclusive: dict[str, dict[str, int]]
    """Range -> language -> how many experts are exclusive to it."""
    left_out: tuple[LeftOut, ...]
    balance: dict[str, tuple[LayerBalance, ...]]
    """Mask -> how like its random masks are, by layer; without those that have none."""

    @property
    def targets(self) -> tuple[str, ...]:
        """Languages whose experts are masked; others of `among` only have their shares."""
        masked = self.languages if self.own_only else (*self.languages, *self.lacking)
        return tuple(code for code in self.among if code in masked)


class Masks:
    """Makes every mask of one task on one model."""

    def __init__(
        self,
        target: Target,
        settings: MaskSettings,
        traces: Mapping[str, Trace],
        frequency: Mapping[str, NDArray[np.float64]],
        *,
        seed: int,
    ):
        """Find the exclusive experts.

        Args:
            target: what plans are made for.
            settings: which experts are exclusive, and how random masks are drawn.
            traces: language -> its trace; of one corpus. Experts are exclusive among these languages.
            frequency: language -> activation frequency (L, E) on the task's prompts, by which random masks match; a
                language that it lacks takes that of its trace.
            seed: of random masks.

        Raises:
            ExpertsError: a range holds no traced layer.
        """
        self.target, self.settings = target, settings
        self._traces, self._seed = traces, seed
        self._frequency = {code: frequency.get(code, mean_frequency(trace)) for code, trace in traces.items()}
        self.languages = list(traces)
        """Among which experts are exclusive."""
        chosen: MaskedSet = settings.tasks.get(target.task, settings)
        self.ranges = ranges(target.layers, chosen.width)
        """Layers that are masked together."""
        self.k, self.thr = kept(chosen.k, target.experts), chosen.thr
        """Experts kept for each language and layer, and the share above which one is exclusive."""
        shares = activation_shares(list(traces.values()), self.k)
        self.exclusive: dict[str, dict[str, ExpertSet]] = {
            name: {language: shares.exclusive([language], self.thr, layers) for language in traces}
            for name, layers in self.ranges
        }
        """Range -> language -> its exclusive experts there."""
        self.left_out: list[LeftOut] = []
        """What could not be masked, and why; grows with every call."""
        self.balance: dict[str, tuple[LayerBalance, ...]] = {}
        """Mask -> how like its random masks are; grows with every call."""

    def of(self, languages: Sequence[str]) -> list[Condition]:
        """The masks of some of the languages: in every range, the exclusive experts and then the random ones."""
        return [
            mask
            for name, layers in self.ranges
            for language in languages
            for mask in self._masks(language, name, layers, self.exclusive[name][language])
        ]

    def planned(self, languages: Sequence[str], lacking: Sequence[str], *, own_only: bool = False) -> MaskPlans:
        """All masks as a file.

        Args:
            languages: in which the task is asked.
            lacking: in which it does not exist; they have no masks where a language meets its own alone.
            own_only: whether it does.
        """
        masked = languages if own_only else (*languages, *lacking)
        targets = [code for code in self.languages if code in masked]
        return MaskPlans(
            conditions=tuple(self.of(targets)), languages=tuple(languages), lacking=tuple(lacking),
            among=tuple(self.languages), own_only=own_only, k=self.k, thr=self.thr, ranges=dict(self.ranges),
            exclusive={
                name: {language: size(by_language[language]) for language in targets}
                for name, by_language in self.exclusive.items()
            },
            left_out=tuple(self.left_out), balance=dict(self.balance),
        )  # fmt: skip

    def _masks(self, language: str, name: str, layers: LayerRange, experts: ExpertSet) -> list[Condition]:
        """One set's masks, or none and a reason in `left_out`."""
        of, target = f"{name}-{language}", self.target
        if not size(experts):
            self.left_out.append(LeftOut(of, f"no exclusive expert in layers {layers[0]} to {layers[1]}"))
            return []
        crowded = [layer for layer, chosen in experts.items() if target.experts - len(chosen) < target.top_k]
        if crowded:
            left = target.experts - len(experts[crowded[0]])
            reason = f"it would leave {left} of {target.experts} experts in layer {crowded[0]}"
            self.left_out.append(LeftOut(of, f"{reason} and a token is sent to {target.top_k}"))
            return []
        made = [self._made(of, "exclusive", experts, language, name, layers)]
        try:
            controls = Controls(experts, self._frequency[language], target.layers, seed=own_seed(self._seed, of))
        except ExpertsError as error:
            self.left_out.append(LeftOut(f"{of}-random", str(error)))
            return made
        drawn = [controls.draw(draw) for draw in range(self.settings.draws)]
        self.balance[of] = tuple(controls.balance(drawn))
        for draw, one in enumerate(drawn):
            random = self._made(f"{of}-random{draw}", "random", one, language, name, layers, draw)
            made.append(replace(random, control_of=of))
        return made

    def _made(
        self, of: str, kind: Kind, experts: ExpertSet, language: str, name: str, layers: LayerRange,
        draw: int | None = None,
    ) -> Condition:  # fmt: skip
        target = self.target
        plan = Plan(
            model=target.model, model_digest=target.digest, layers=len(target.layers),
            experts_per_layer=target.experts, top_k=target.top_k, rule="mask", experts=dict(experts),
            source={
                "task": target.task, "condition": of, "exclusive": language, "among": list(self._traces),
                "k": self.k, "thr": self.thr,
            },
        )  # fmt: skip
        return Condition(of, kind, plan, layers, draw, target=language, range=name)
