"""One model sitting one task under conditions: asked language by language, kept as it goes, scored at the end.

The baseline of the stage `evaluate` and every run of the stage `steer` are asked here and nowhere else, so that two
conditions never differ in batches, dtype, engine or prompts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import tokenizers
import torch
import transformers

from polyroute.artifacts.answers import Answers, AnswersHeader, Setting
from polyroute.asking import prompts
from polyroute.asking.examiner import Examiner, by_score, scored
from polyroute.asking.run import AnswerStore, answer_all
from polyroute.evaluation import tasks
from polyroute.ground import console
from polyroute.ground.code import code_digest
from polyroute.ground.files import digest
from polyroute.ground.paths import Paths
from polyroute.interventions.plans import Condition
from polyroute.models.load import LoadedModel
from polyroute.params.file import Evaluate, Params
from polyroute.params.models import TransformersModel
from polyroute.params.tasks import Task


@dataclass(frozen=True)
class Sitting:
    """Asks a model a task's items under conditions."""

    model: str
    """Name in params.yaml."""
    loaded: LoadedModel
    examiner: Examiner
    items: pd.DataFrame
    """The task, all languages and both halves; see `evaluation.tasks`."""
    store: AnswerStore

    @classmethod
    def of(
        cls,
        model: str,
        spec: TransformersModel,
        loaded: LoadedModel,
        name: str,
        task: Task,
        items: pd.DataFrame,
        settings: Evaluate,
        *,
        seed: int,
        parts: Path,
    ) -> Sitting:
        """For a model and a task of the study.

        Args:
            model: its name in params.yaml.
            spec: its entry.
            loaded: the model.
            name: of the task.
            task: its entry.
            items: the task.
            settings: how it is asked.
            seed: of sampled answers.
            parts: folder where finished parts are kept.
        """
        examiner = Examiner.of(loaded, spec, name, task, settings, seed)
        determines = {
            "model": loaded.digest,
            "entry": spec.model_dump(include={"dtype", "device", "experts", "trust_remote_code"}, mode="json"),
            "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
            "asked": examiner.determining(),
            "versions": [torch.__version__, transformers.__version__, tokenizers.__version__],
            "code": code_digest(
                "polyroute.asking.choices",
                "polyroute.asking.generation",
                "polyroute.models.load",
                "polyroute.steering.apply",
                "polyroute.steering.lower_layers",
            ),
        }
        return cls(model, loaded, examiner, items, AnswerStore(parts, determines))

    @classmethod
    def of_study(
        cls, given: Params, model: str, task: str, languages: Sequence[str], loaded: LoadedModel, paths: Paths
    ) -> Sitting:
        """For a model and a task of params.yaml, whose items are read.

        Args:
            given: params.yaml; reads `study.seed`, `evaluate` and the entries of the model and the task.
            model: entry of `models`.
            task: entry of `tasks`.
            languages: in which it is asked, as `tasks.needed.model_tasks` tells.
            loaded: the model.
            paths: of the study.

        Raises:
            TaskError: as `tasks.read`.
        """
        return cls.of(
            model, given[f"models.{model}"], loaded, task, given[f"tasks.{task}"],
            tasks.read(paths.task(task), languages), given["evaluate"], seed=given["study.seed"], parts=paths.parts,
        )  # fmt: skip

    @property
    def languages(self) -> list[str]:
        """FLORES codes in the order of the task."""
        return [str(code) for code in self.items["language"].drop_duplicates()]

    def count(self, split: str) -> int:
        """Items of a half, in all languages."""
        return int((self.items["split"] == split).sum())

    def ask(
        self, split: str, conditions: Sequence[Condition], advance: Callable[[int], None] = lambda _items: None
    ) -> dict[str, Answers]:
        """Answers to one half of the items under every condition, in every language.

        Args:
            split: `select` or `report`.
            conditions: what to do to the model.
            advance: told the answers just given.

        Returns:
            Name of the condition -> its answers, scored.

        Raises:
            AnswerError: as `choice.score`, `generation.generate` and `scoring`.
        """
        half = self.items[self.items["split"] == split]
        raw: dict[str, list[pd.DataFrame]] = {condition.name: [] for condition in conditions}
        for language in self.languages:
            answered = answer_all(
                self.loaded.model, self.loaded.routers, half[half["language"] == language].reset_index(drop=True),
                conditions, self.examiner.ask, self.store, batch_tokens=self.examiner.batch_tokens, progress=advance,
            )  # fmt: skip
            for name, answers in answered.items():
                raw[name].append(answers)
        return {
            condition.name: self._scored(pd.concat(raw[condition.name]), half, condition) for condition in conditions
        }

    def ask_shown(self, split: str, conditions: Sequence[Condition]) -> dict[str, Answers]:
        """As `ask`, with a progress bar."""
        title = f"{self.model}, {self.examiner.name}: {split}"
        with console.progress(title, len(conditions) * self.count(split), "answers") as advance:
            return self.ask(split, conditions, advance)

    def prompts(self, split: str, count: int, languages: Sequence[str] | None = None) -> list[list[int]]:
        """Token ids of prompts, as the model reads them before it answers.

        Args:
            split: `select` or `report`.
            count: the first so many items of the half in each language.
            languages: of the task; all of them if None.
        """
        half = self.items[(self.items["split"] == split) & self.items["language"].isin(languages or self.languages)]
        told = half.groupby("language", sort=False).head(count)["prompt"]
        chat, tokenizer, choice = self.examiner.conversation, self.loaded.tokenizer, self.examiner.task.kind == "choice"
        if chat is None:  # a blank before a choice is the choice's, as in `evaluation.choice`
            return prompts.encode(tokenizer, [prompt.rstrip() if choice else prompt for prompt in told], None)
        turn = prompts.answer_place if choice else prompts.question
        return prompts.encode(tokenizer, [turn(tokenizer, prompt, chat) for prompt in told], chat)

    def right(self, answers: Answers, score: str | None = None) -> pd.DataFrame:
        """Answers with what is compared in `correct`: true or false, or a score in [0, 1].

        Args:
            answers: of this task.
            score: of `evaluation.study.SCORES`, or `IN_LANGUAGE`; None takes the one that params.yaml decides by.
        """
        return by_score(answers.frame, self.examiner.task.kind, score or self.examiner.score)

    def _scored(self, raw: pd.DataFrame, half: pd.DataFrame, condition: Condition) -> Answers:
        task = self.examiner.task
        frame = scored(raw.reset_index(drop=True), half, self.examiner.name, task.kind)
        parameter = next(self.loaded.model.parameters())
        config = self.loaded.model.config
        settings: dict[str, Setting] = _flat(self.examiner.determining())
        settings |= {name: str(getattr(config, f"_{name}_implementation", None)) for name in ("experts", "attn")}
        header = AnswersHeader(
            model=self.model, model_digest=self.loaded.digest, task=self.examiner.name,
            task_digest=digest(half.to_json(orient="records")), kind=task.kind, condition=condition.name,
            condition_digest="" if condition.plan is None else digest(condition.plan.model_dump(mode="json")),
            engine="transformers", dtype=str(parameter.dtype).removeprefix("torch."), device=parameter.device.type,
            settings=settings, versions={"torch": torch.__version__, "transformers": transformers.__version__},
        )  # fmt: skip
        return Answers(header, frame)


def _flat(settings: dict[str, Any], prefix: str = "") -> dict[str, Setting]:
    """Nested settings with dotted names."""
    found: dict[str, Setting] = {}
    for name, value in settings.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = list(map(str, value)) if isinstance(value, (list, tuple)) else value
    return found
