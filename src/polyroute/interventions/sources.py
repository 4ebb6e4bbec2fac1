"""What the conditions of a model are made from: its traces and its specialised experts, read as they are needed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from polyroute.artifacts import frequency
from polyroute.artifacts.trace import Trace
from polyroute.experts import ExpertSet
from polyroute.experts.controls import Controls
from polyroute.experts.specialised import experts_above
from polyroute.ground.paths import Paths
from polyroute.interventions.mask_plans import MaskPlans, Masks
from polyroute.interventions.plans import Conditions, ConditionsError, Experts, Target
from polyroute.interventions.settings import ChooseSettings, PlanSettings
from polyroute.interventions.shared_plans import SharedConditions
from polyroute.interventions.turn_plans import DeltaByTurn
from polyroute.results.table import written
from polyroute.results.turns import TurnRow
from polyroute.steering.condition import Condition


@dataclass(frozen=True)
class Sources:
    """Makes the conditions of every task of one model."""

    settings: PlanSettings | ChooseSettings
    paths: Paths

    def task_experts(self, task: str) -> Conditions:
        """Steering toward a task's experts.

        Raises:
            ConditionsError: the task has no in-task text.
            ExpertsError: that text was not traced.
        """
        settings = self.settings
        own = self._experts(task)
        return Conditions(
            self._target(task), settings.steer, task_experts=own, middle=self._middle_layers, seed=settings.seed
        )

    def shared_experts(self, task: str) -> SharedConditions:
        """Steering toward experts that the model's dominant languages share.

        Raises:
            ConditionsError: there is no such pair, or it shares no expert.
        """
        settings = self.settings
        if settings.dominant is None:
            raise ConditionsError(f"models.{settings.name}.dominant names no pair of languages")
        corpus = settings.tasks[task].shared_corpus
        traces = {code: self.generic(code, corpus) for code in settings.dominant}
        return SharedConditions(
            self._target(task), settings.steer, traces, middle=self._middle_layers, random_sets=self.random_sets(task)
        )

    def shared_candidates(self, task: str) -> list[Condition]:
        """What is tried toward shared experts; the published setting is held against the model before anything is.

        Raises:
            ConditionsError: as `shared_experts`, or the published setting reaches no expert.
        """
        made = self.shared_experts(task)
        made.published(self.settings.tasks[task].published_shared)
        return made.candidates()

    def masks(self, task: str) -> MaskPlans:
        """Masks of experts that are exclusive to a language.

        Raises:
            ExpertsError: a range holds no traced layer.
        """
        settings = self.settings
        assert isinstance(settings, PlanSettings), "the stage `plan` makes masks"
        assert settings.mask is not None, "there is something to mask"
        masked = settings.masked[task]
        among = settings.among if masked.among is None else masked.among
        traces = {code: self.generic(code, settings.mask_corpus) for code in among}
        made = Masks(self._target(task), settings.mask, traces, self.prompts(task), seed=settings.seed)
        return made.planned(masked.languages, masked.lacking, own_only=masked.own_only)

    def random_sets(self, task: str) -> Callable[[ExpertSet], Controls]:
        """Control sets of a set: matched on the task's prompts in the languages to be helped, which count alike.

        Raises:
            AnswerError: as `prompts`.
        """
        found, target = self.prompts(task), self._target(task)
        helped = [one for language, one in found.items() if language != self.settings.pivot] or list(found.values())
        frequency_LE = np.mean(helped, axis=0)
        return lambda experts: Controls(experts, frequency_LE, target.layers, seed=self.settings.seed)

    def prompts(self, task: str) -> dict[str, NDArray[np.float64]]:
        """Language -> activation frequency (L, E) of every expert on the task's prompts.

        Raises:
            AnswerError: the task was not asked yet, or by another model.
        """
        target = self._target(task)
        path = self.paths.answers(self.settings.name, "evaluate") / task / frequency.FILE
        return frequency.read(path, target.layers, target.experts)

    def multilingual(self) -> Experts:
        """Multilingual experts, by threshold and layers."""
        return partial(experts_above, self._table[self._table["task"] == ""])

    def pivots(self, task: str) -> dict[str, Experts]:
        """Other pivot -> the task's experts by its text."""
        return {pivot: self._experts(task, pivot) for pivot in self.settings.tasks[task].languages[1:]}

    def by_turn(self, task: str) -> DeltaByTurn | None:
        """Delta of the assistant's turn and of the task; None where the stage `turns` did not ask.

        Raises:
            ResultsError: a file of that stage is not as declared.
        """
        folder = self.paths.metrics(self.settings.name)
        return DeltaByTurn.of(TurnRow.read(folder), task) if written(folder, TurnRow) else None

    def generic(self, language: str, corpus: str | None = None) -> Trace:
        """Generic text of a language, or another corpus that stands in for it."""
        return Trace.load(self.paths.trace(self.settings.name, corpus or self.settings.generic, language))

    @cached_property
    def middle(self) -> dict[str, Any]:
        """As experts.json has it."""
        text = (self.paths.metrics(self.settings.name) / "experts.json").read_text(encoding="utf-8")
        middle: dict[str, Any] = json.loads(text)["middle"]
        return middle

    @property
    def _middle_layers(self) -> tuple[int, int]:
        first, last = self.middle["layers"]
        return first, last

    @cached_property
    def _table(self) -> pd.DataFrame:
        path = self.paths.metrics(self.settings.name) / "experts.csv"
        return pd.read_csv(path, keep_default_na=False, dtype={"task": str})

    def _experts(self, task: str, language: str | None = None) -> Experts:
        """A task's experts by its text in a language, by default the first."""
        planned = self.settings.tasks[task]
        if planned.text is None:
            raise ConditionsError(
                f"tasks.{task}.text names no in-task text, by which task experts are found; name a corpus to steer by "
                "them"
            )
        code = language or planned.languages[0]
        return partial(experts_above, self._table[(self._table["task"] == task) & (self._table["language"] == code)])

    def _target(self, task: str) -> Target:
        about = self._about
        return Target(self.settings.name, about.model_digest, task, tuple(about.layers), about.experts, about.top_k)

    @cached_property
    def _about(self) -> Any:
        return self.generic(self.settings.pivot).header
