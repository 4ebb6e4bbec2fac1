"""A task as the study asks it: from an entry in params.yaml to raw answers, and from these to right and wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from polyroute.artifacts.kinds import TaskKind
from polyroute.asking import choices as choice
from polyroute.asking import generation, prompts
from polyroute.asking.generation import GenerationSettings
from polyroute.asking.prompts import Chat
from polyroute.evaluation import tasks
from polyroute.ground.errors import AnswerError
from polyroute.models.load import LoadedModel
from polyroute.params.file import Evaluate
from polyroute.params.models import TransformersModel
from polyroute.params.tasks import Task
from polyroute.scoring import kinds as scoring
from polyroute.scoring.output_language import OutputLanguages

SCORES: dict[TaskKind, dict[str, str]] = {
    "choice": {"sum": "correct", "token": "correct_by_token", "character": "correct_by_character"},
    "number": {"correct": "correct"},
    "span": {
        "inclusion": "inclusion", "inclusion_as_released": "inclusion_as_released", "exact_match": "exact_match",
        "f1": "f1",
    },
    "translation": {"chrf": "chrf"},
}  # fmt: skip
"""Scores of each kind of task -> their column of scored answers. Whatever is written has `IN_LANGUAGE` too."""
IN_LANGUAGE = "in_language"
"""The score that says whether an answer is in the language of its item, right or wrong: output-language consistency."""


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
    def score(self) -> str:
        """The score of `SCORES` that says how right an item is."""
        chosen = {"choice": self.settings.likeliest, "span": self.settings.span}
        return chosen.get(self.task.kind) or next(iter(SCORES[self.task.kind]))

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
        if self.task.kind != "choice":
            found["generation"] = self._generation("").determining() | {"stop": None}
        return found

    def _generation(self, language: str) -> GenerationSettings:
        return GenerationSettings(
            max_new_tokens=self.settings.max_new_tokens, batch_tokens=self.batch_tokens,
            stop=tasks.stops(self.task, language) if language else (), temperature=self.settings.temperature,
            top_k=self.settings.top_k, top_p=self.settings.top_p, seed=self.seed, max_tokens=self.max_tokens,
        )  # fmt: skip


def scored(raw: pd.DataFrame, items: pd.DataFrame, name: str, kind: TaskKind) -> pd.DataFrame:
    """Whether answers are right; needs no model.

    Args:
        raw: of every language.
        items: of the task.
        name: of the task, for messages.
        kind: of the task.

    Returns:
        As the function of `scoring` for the kind.
    """
    if kind == "choice":
        return scoring.score_choices(raw, items, name)
    recogniser = OutputLanguages(list(raw["language"].unique()))
    if kind == "number":
        return scoring.score_numbers(raw, items, name, recogniser)
    if kind == "span":
        return scoring.score_spans(raw, items, name, recogniser)
    return scoring.score_translations(raw, items, name, recogniser)


def by_score(frame: pd.DataFrame, kind: TaskKind, score: str) -> pd.DataFrame:
    """Scored answers with one score in the column `correct`, which is what is compared and counted.

    Args:
        frame: as `scored` returns it.
        kind: of the task.
        score: of `SCORES`, or `IN_LANGUAGE`, by which answers in languages that cannot be recognised are left out.

    Returns:
        The frame with `correct`: true or false, or in [0, 1] (f1, chrf).

    Raises:
        AnswerError: tasks of the kind have no such score.
    """
    if score == IN_LANGUAGE and kind != "choice":
        known = frame[frame["output_language"].notna()]
        return known.assign(correct=(known["output_language"] == known["language"]).astype(bool))
    if score not in SCORES[kind]:
        known_scores = [*SCORES[kind], *(() if kind == "choice" else (IN_LANGUAGE,))]
        raise AnswerError(f"{kind} tasks have no score `{score}`; there is {', '.join(known_scores)}")
    return frame.assign(correct=frame[SCORES[kind][score]])
