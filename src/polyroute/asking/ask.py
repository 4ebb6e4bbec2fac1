"""One model asked one task under conditions: language by language, kept as it goes, never scored.

Every purpose (the baseline, tuning, steering, masks) asks here and nowhere else, and all conditions of a purpose are
rows of the same batches, so that two of them never differ in batches, dtype, engine or prompts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import tokenizers
import torch
import transformers

from polyroute.artifacts import frequency
from polyroute.artifacts.answers import Answers, AnswersHeader, Setting
from polyroute.artifacts.questions import SPLITS, Questions
from polyroute.asking import choices, generation, prompts
from polyroute.asking.answer_all import answer_all, parts_of
from polyroute.asking.frequency import PROMPTS, prompt_frequency
from polyroute.asking.generation import GenerationSettings
from polyroute.asking.in_vllm import InVllm
from polyroute.asking.prompts import Chat
from polyroute.asking.settings import AskSettings
from polyroute.asking.store import AnswerStore, questions_digest
from polyroute.asking.written_frequency import Tally, TallyStore, Written, together
from polyroute.ground.code import code_digest
from polyroute.ground.device import device_name
from polyroute.ground.files import digest
from polyroute.models.chat_template import asks_for, has_template
from polyroute.models.later import LoadedLater
from polyroute.models.load import LoadedModel
from polyroute.models.settings import ModelSettings
from polyroute.steering import mechanism
from polyroute.steering.condition import Condition
from polyroute.steering.mechanism import MechanismError, padded_batches
from polyroute.steering.plan import Plan

MECHANISM_COLUMNS = ("condition", "evaluated", *mechanism.COLUMNS)
"""Columns of what conditions do to routing."""


class CountingStore(AnswerStore):
    """A store that counts the answers it had; none of those beside which nothing was counted, where it should be."""

    had = 0
    tallies: TallyStore | None = None

    def get(self, questions: pd.DataFrame, condition: Condition) -> pd.DataFrame | None:
        """The answers to exactly these questions, if finished before, with what was counted beside them."""
        found = super().get(questions, condition)
        if self.tallies is not None and condition.plan is None and self.tallies.get(questions) is None:
            found = None
        self.had += 0 if found is None else len(found)
        return found


class Described(NamedTuple):
    """How a model runs, as answers say it."""

    dtype: str
    device: str
    """Its type, such as `cuda`."""
    experts: str
    """Implementation of experts in transformers."""
    attention: str
    """Implementation of attention there."""


@dataclass(frozen=True)
class Asker:
    """Asks one model the questions of one task."""

    loaded: LoadedModel | LoadedLater
    settings: AskSettings
    purpose: str
    """Why it is asked: conditions of one purpose share their batches, so a baseline is never another purpose's."""
    task: str
    """Name in params.yaml."""
    questions: Questions
    parts: Path
    """Folder where finished parts are kept."""
    own_only: bool = False
    """Whether a mask is asked in the language whose experts it takes alone."""
    engine: InVllm | None = None
    """What answers; None: the loaded model, in transformers."""

    @property
    def model(self) -> ModelSettings:
        """How the model is run."""
        assert self.settings.model is not None, "who is asked is run here"
        return self.settings.model

    @property
    def conversation(self) -> Chat | None:
        """How prompts are put into a conversation; None where they are not."""
        how = self.settings.asking(self.task)
        if not how.chat or not has_template(self.loaded.tokenizer):
            return None
        return Chat(thinking=how.thinking, variables=how.chat_template)

    def unheard(self) -> list[str]:
        """What of the settings changes nothing for this model, in sentences."""
        how, tokenizer = self.settings.asking(self.task), self.loaded.tokenizer
        given = {"thinking": how.thinking, "chat_template": dict(how.chat_template)}
        if self.conversation is None:
            return [f"`{name}` changes nothing where no chat template is used" for name, one in given.items() if one]
        unknown = [f"`chat_template.{name}`" for name in how.chat_template if not asks_for(tokenizer, name)]
        if how.thinking and not any(asks_for(tokenizer, name) for name in prompts.THINKING):
            unknown.append("`thinking`")
        return [f"{name} changes nothing: the model's chat template has no such variable" for name in unknown]

    def asked_in(self, condition: Condition) -> list[str]:
        """The languages of the task in which a condition is asked."""
        languages = self.questions.languages
        if not self.own_only or condition.target is None:
            return list(languages)
        return [language for language in languages if language == condition.target]

    def count(self, split: str, conditions: Iterable[Condition]) -> int:
        """How many answers one half of the questions has under conditions."""
        items = self.questions.half(split)["language"].value_counts()
        return sum(int(items.get(language, 0)) for one in conditions for language in self.asked_in(one))

    def ask(
        self,
        split: str,
        conditions: Sequence[Condition],
        advance: Callable[[int], None] = lambda _items: None,
        kept: Callable[[int], None] = lambda _items: None,
    ) -> dict[str, Answers]:
        """Raw answers to one half of the questions under every condition, in every language that meets it.

        Args:
            split: `select` or `report`.
            conditions: what to do to the model.
            advance: told the answers just given.
            kept: told, of these, those that were given before and are taken up.

        Returns:
            Name of the condition -> its answers.

        Raises:
            AnswerError: as `choices.score` and `generation.generate`.
        """
        half, asked = self.questions.half(split), {}
        raw: dict[str, list[pd.DataFrame]] = {condition.name: [] for condition in conditions}
        for language in self.questions.languages:
            questions = half[half["language"] == language].reset_index(drop=True)
            here = [condition for condition in conditions if language in self.asked_in(condition)]
            answered, had = self.answered(language, questions, here, advance)
            kept(had)
            asked[language] = questions_digest(questions)
            for name, answers in answered.items():
                raw[name].append(answers)
        return {
            condition.name: Answers(
                self._header({language: asked[language] for language in self.asked_in(condition)}, condition),
                pd.concat(raw[condition.name], ignore_index=True),
            )
            for condition in conditions
        }

    def answered(
        self,
        language: str,
        questions: pd.DataFrame,
        conditions: Sequence[Condition],
        advance: Callable[[int], None] = lambda _items: None,
    ) -> tuple[dict[str, pd.DataFrame], int]:
        """Raw answers to questions of one language under conditions, kept part by part.

        Returns:
            Name of the condition -> its answers, and how many of all were kept before.

        Raises:
            AnswerError: as `ask`.
        """
        store = self.store(language)
        found = answer_all(questions, conditions, partial(self._answer, language), store, progress=advance)
        return found, store.had

    def store(self, language: str) -> CountingStore:
        """Where answers in a language are kept."""
        store = CountingStore(self.parts, self._determining(language))
        store.tallies = self._tallies(language)
        return store

    def prompts(self, split: str, count: int, languages: Sequence[str] | None = None) -> list[list[int]]:
        """Token ids of prompts, as the model reads them before it answers.

        Args:
            split: `select` or `report`.
            count: the first so many items of the half in each language.
            languages: of the task; all of them if None.
        """
        half = self.questions.half(split)
        half = half[half["language"].isin(languages or self.questions.languages)]
        told = half.groupby("language", sort=False).head(count)["prompt"]
        chat, tokenizer, choice = self.conversation, self.loaded.tokenizer, self.questions.kind == "choice"
        if chat is None:  # a blank before a choice is the choice's, as in `choices`
            return prompts.encode(tokenizer, [prompt.rstrip() if choice else prompt for prompt in told], None)
        turn = prompts.answer_place if choice else prompts.question
        return prompts.encode(tokenizer, [turn(tokenizer, prompt, chat) for prompt in told], chat)

    def frequency(self) -> pd.DataFrame:
        """How often experts are chosen on the task's prompts and on what was written; `artifacts.frequency.COLUMNS`.

        The model is unedited. What was written is known where this purpose is `evaluate` and both halves were asked.

        Raises:
            AnswerError: as `prompt_frequency`.
        """
        return pd.concat([self.frequency_of(code) for code in self.questions.languages], ignore_index=True)

    def frequency_of(self, language: str) -> pd.DataFrame:
        """The rows of `frequency` of one language."""
        loaded = self.loaded
        layers = [router.layer for router in loaded.routers]
        rows = [row for split in SPLITS for row in self.prompts(split, PROMPTS, [language])]
        batches = padded_batches(rows, batch_tokens=self.model.batch_tokens, device=prompts.device_of(loaded.model))
        frequency_LE = prompt_frequency(loaded.model, loaded.routers, batches)
        tables = [frequency.rows(language, frequency.PROMPT, layers, frequency_LE, sum(map(len, rows)))]
        if (written := self._written(language)) is not None:
            shares_LE = written.shares_LE / written.texts
            tables.append(frequency.rows(language, frequency.GENERATED, layers, shares_LE, written.tokens))
        return pd.concat(tables, ignore_index=True)

    def _tallies(self, language: str) -> TallyStore | None:
        """Where experts are kept that are counted while the model writes; None where nothing is counted."""
        if self.purpose != "evaluate" or self.questions.kind == "choice" or self.settings.engine != "transformers":
            return None
        return TallyStore(self.parts, self._determining(language))

    def _written(self, language: str) -> Written | None:
        """What was counted in both halves; None where nothing was written, or nothing that was read again."""
        if (tallies := self._tallies(language)) is None:
            return None
        halves = [self.questions.half(split) for split in SPLITS]
        asked = [half[half["language"] == language].reset_index(drop=True) for half in halves]
        whole = [tallies.get(part) for half in asked for part in parts_of(half)]
        known = [one for one in whole if one is not None]
        found = together(known) if known and len(known) == len(whole) else None
        return found if found is not None and found.texts else None

    def mechanism(self, conditions: Sequence[Condition], *, by_language: bool) -> pd.DataFrame:
        """What every condition's edit does to routing, on a few prompts of the report half.

        Args:
            conditions: what to do to the model; a baseline among them does nothing and gives no row.
            by_language: whether each language has rows of its own; else all are pooled by token.

        Returns:
            `MECHANISM_COLUMNS`, a row a condition, edited layer and, by language, `evaluated` language, which is empty
            where they are pooled; the other columns are those of `steering.mechanism`.

        Raises:
            MechanismError: as `steering.mechanism.mechanism`; a masked expert still gets tokens.
        """
        tables = [
            self.mechanism_of(language, [one for one in conditions if not language or language in self.asked_in(one)])
            for language in (self.questions.languages if by_language else [""])
        ]
        found = [table for table in tables if len(table)]
        return pd.concat(found or tables, ignore_index=True)[list(MECHANISM_COLUMNS)]

    def mechanism_of(self, language: str, conditions: Sequence[Condition]) -> pd.DataFrame:
        """The rows of `mechanism` of some conditions, of one language or, where that is empty, pooled over all."""
        model, count = self.loaded.model, self.settings.mechanism_items
        tables = [pd.DataFrame(columns=list(MECHANISM_COLUMNS))]
        rows = self.prompts("report", count, [language] if language else None)
        batches = list(padded_batches(rows, batch_tokens=self.model.batch_tokens, device=prompts.device_of(model)))
        for condition in conditions:
            if condition.plan is not None:
                found = mechanism.mechanism(model, condition.plan, batches, routers=self.loaded.routers)
                _check_masked(condition, found, language or "all languages")
                tables.append(found.assign(condition=condition.name, evaluated=language))
        return pd.concat([table for table in tables if len(table)] or tables, ignore_index=True)

    def _answer(
        self, language: str, questions: pd.DataFrame, plans: Sequence[Plan | None], progress: Callable[[int], None]
    ) -> list[pd.DataFrame]:
        """Raw answers to questions of one language, in their order, under each plan."""
        if self.engine is not None:
            return self._answer_in(self.engine, language, questions, plans, progress)
        model, tokenizer, routers = self.loaded.model, self.loaded.tokenizer, self.loaded.routers
        if self.questions.kind == "choice":
            return choices.score_under(
                model, tokenizer, questions, plans, routers, batch_tokens=self.model.batch_tokens,
                max_tokens=self.model.max_tokens, conversation=self.conversation, on_answers=progress,
            )  # fmt: skip
        tallies = self._tallies(language)
        tally = None if tallies is None else Tally(routers, len(questions))
        written = generation.generate_under(
            model, tokenizer, questions, plans, routers,
            self._generation(tuple(self.questions.stops.get(language, ()))),
            conversation=self.conversation, on_answers=progress, on_step=None if tally is None else tally.step,
        )  # fmt: skip
        if tallies is not None and tally is not None:
            tallies.put(questions, tally.written())
        return written

    def _answer_in(
        self, engine: InVllm, language: str, questions: pd.DataFrame, plans: Sequence[Plan | None],
        progress: Callable[[int], None],
    ) -> list[pd.DataFrame]:  # fmt: skip
        if self.questions.kind == "choice":
            return engine.score(
                questions, plans, max_tokens=self.model.max_tokens, conversation=self.conversation, on_answers=progress
            )
        how = self._generation(tuple(self.questions.stops.get(language, ())))
        return engine.write(questions, plans, how, conversation=self.conversation, on_answers=progress)

    def _generation(self, stops: tuple[str, ...]) -> GenerationSettings:
        how = self.settings.asking(self.task)
        return GenerationSettings(
            max_new_tokens=how.max_new_tokens, batch_tokens=self.model.batch_tokens, stop=stops,
            temperature=how.temperature, top_k=how.top_k, top_p=how.top_p, seed=self.settings.seed,
            max_tokens=self.model.max_tokens,
        )  # fmt: skip

    def _asked(self) -> dict[str, Any]:
        """How the task is asked: plain data."""
        found: dict[str, Any] = {
            "task": self.questions.version, "kind": self.questions.kind, "batch_tokens": self.model.batch_tokens,
            "thinking": None if self.conversation is None else self.conversation.thinking,
        }  # fmt: skip
        if self.conversation is not None and self.conversation.variables:
            found["chat_template"] = dict(self.conversation.variables)
        if self.questions.kind != "choice":
            found["generation"] = self._generation(()).determining() | {"stop": None}
        return found

    def _determining(self, language: str) -> dict[str, Any]:
        """Plain data that decides the answers in a language besides questions and plan; never how they are scored."""
        if self.engine is not None:
            return self.engine.determining() | {
                "model": self.loaded.digest,
                "entry": self.model.model_dump(include={"dtype", "trust_remote_code"}, mode="json"),
                "asked": self._asked(),
                "purpose": self.purpose,
                "stop": list(self.questions.stops.get(language, ())),
                "tokenizers": tokenizers.__version__,
                "code": code_digest(
                    "polyroute.asking.answer_all",
                    "polyroute.asking.in_vllm",
                    "polyroute.engines.vllm.child",
                    "polyroute.engines.vllm.door",
                    "polyroute.engines.vllm.runner",
                ),
            }
        return {
            "model": self.loaded.digest,
            "entry": self.model.model_dump(include={"dtype", "device", "experts", "trust_remote_code"}, mode="json"),
            "device": self._device(),
            "asked": self._asked(),
            "purpose": self.purpose,
            "stop": list(self.questions.stops.get(language, ())),
            "versions": [torch.__version__, transformers.__version__, tokenizers.__version__],
            "code": code_digest(
                "polyroute.asking.answer_all",
                "polyroute.asking.choices",
                "polyroute.asking.generation",
                "polyroute.models.load",
            ),
        }

    def _device(self) -> str:
        """What the model runs on."""
        return device_name()

    def described(self) -> Described:
        """How the model runs."""
        return described(self.loaded)

    def _header(self, asked: dict[str, str], condition: Condition) -> AnswersHeader:
        settings: dict[str, Setting] = _flat(self._asked())
        common: dict[str, Any] = {
            "model": self.settings.name, "model_digest": self.loaded.digest, "task": self.task, "questions": asked,
            "kind": self.questions.kind, "condition": condition.name,
            "condition_digest": "" if condition.plan is None else digest(condition.plan.model_dump(mode="json")),
        }  # fmt: skip
        if self.engine is not None:
            about, own = self.engine.about, self.engine.determining()
            return AnswersHeader(
                **common, engine="vllm", dtype=about["dtype"], device=about["device"],
                settings=settings | _flat(own["arguments"], "vllm."), versions=own["versions"],
            )  # fmt: skip
        how = self.described()
        return AnswersHeader(
            **common, engine="transformers", dtype=how.dtype, device=how.device,
            settings=settings | {"experts": how.experts, "attn": how.attention},
            versions={"torch": torch.__version__, "transformers": transformers.__version__},
        )  # fmt: skip


def described(loaded: LoadedModel | LoadedLater) -> Described:
    """How a model that was loaded runs."""
    parameter, config = next(loaded.model.parameters()), loaded.model.config
    return Described(
        str(parameter.dtype).removeprefix("torch."), parameter.device.type,
        *(str(getattr(config, f"_{name}_implementation", None)) for name in ("experts", "attn")),
    )  # fmt: skip


def _check_masked(condition: Condition, found: pd.DataFrame, where: str) -> None:
    assert condition.plan is not None, "what was measured has a plan"
    reached = found[found["share_after"] > 0]
    if condition.plan.rule == "mask" and len(reached):
        layer, after = reached["layer"].iloc[0], reached["share_after"].iloc[0]
        raise MechanismError(
            f"mask {condition.name} in layer {layer}: {after:.2%} of the choices in {where} fall on "
            "masked experts: this model's selection does not heed its logits alone, and cannot be masked"
        )


def _flat(settings: dict[str, Any], prefix: str = "") -> dict[str, Setting]:
    """Nested settings with dotted names."""
    found: dict[str, Setting] = {}
    for name, value in settings.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = list(map(str, value)) if isinstance(value, (list, tuple)) else value
    return found
