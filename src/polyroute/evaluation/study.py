"""A task as the study asks it: from an entry in params.yaml to raw answers, and from these to right and wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from polyroute.evaluation import choice, generation, prompts, scoring, tasks
from polyroute.evaluation.generation import GenerationSettings
from polyroute.evaluation.output_language import OutputLanguages
from polyroute.evaluation.prompts import Chat
from polyroute.models.load import LoadedModel
from polyroute.params import Evaluate, Task, TransformersModel

CORRECT = {"sum": "correct", "token": "correct_by_token", "character": "correct_by_character"}
"""Column of scored answers that says whether an item is right, by `evaluate.likeliest`."""


@dataclass(frozen=True)
class Examiner:
    """Asks one model one task."""

    loaded: LoadedModel
    name: str
    task: Task
    settings: Evaluate
    batch_tokens: int
    max_tokens: int
    seed: int

    @classmethod
    def of(
        cls, loaded: LoadedModel, spec: TransformersModel, name: str, task: Task, settings: Evaluate, seed: int
    ) -> Examiner:
        """For a model and a task of the study."""
        return cls(loaded, name, task, settings, spec.batch_tokens, spec.max_tokens, seed)

    @property
    def conversation(self) -> Chat | None:
        """How prompts are put into a conversation; None where they are not."""
        if not self.settings.chat or not prompts.has_template(self.loaded.tokenizer):
            return None
        return Chat(thinking=self.settings.thinking)

    @property
    def deciding(self) -> str:
        """Column of scored answers that says whether an item is right."""
        return CORRECT[self.settings.likeliest] if self.task.kind == "choice" else "correct"

    def ask(self, items: pd.DataFrame) -> pd.DataFrame:
        """Raw answers to items of one language, in their order."""
        model, tokenizer = self.loaded.model, self.loaded.tokenizer
        if self.task.kind == "choice":
            return choice.score(
                model, tokenizer, items, batch_tokens=self.batch_tokens, max_tokens=self.max_tokens,
                conversation=self.conversation,
            )  # fmt: skip
        (language,) = items["language"].unique()
        return generation.generate(model, tokenizer, items, self._generation(language), conversation=self.conversation)

    def determining(self) -> dict[str, Any]:
        """Plain data that decides the answers besides model, items and plan."""
        found: dict[str, Any] = {
            "task": tasks.version(self.task), "kind": self.task.kind, "batch_tokens": self.batch_tokens,
            "thinking": None if self.conversation is None else self.conversation.thinking,
        }  # fmt: skip
        if self.task.kind == "number":
            found["generation"] = self._generation("").determining() | {"stop": None}
        return found

    def _generation(self, language: str) -> GenerationSettings:
        return GenerationSettings(
            max_new_tokens=self.settings.max_new_tokens, batch_tokens=self.batch_tokens,
            stop=tasks.stops(self.task, language) if language else (), temperature=self.settings.temperature,
            top_k=self.settings.top_k, top_p=self.settings.top_p, seed=self.seed, max_tokens=self.max_tokens,
        )  # fmt: skip


def scored(raw: pd.DataFrame, items: pd.DataFrame, name: str, kind: str) -> pd.DataFrame:
    """Whether answers are right; needs no model.

    Args:
        raw: of every language.
        items: of the task.
        name: of the task, for messages.
        kind: `choice` or `number`.

    Returns:
        As `scoring.score_choices` or `scoring.score_numbers`.
    """
    if kind == "choice":
        return scoring.score_choices(raw, items, name)
    return scoring.score_numbers(raw, items, name, OutputLanguages(list(raw["language"].unique())))
