"""A model asked in workers: each sitting, a part of one language's items under all conditions, goes to one of them.

A worker does with a sitting exactly what one process does with it, and keeps it in the same place; the answers are then
read from there. So answers depend neither on the number of workers nor on which of them was asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import pandas as pd
from torch import nn

from polyroute.artifacts.answers import Answers
from polyroute.asking.answer_all import parts_of
from polyroute.asking.ask import MECHANISM_COLUMNS, Asker, CountingStore, Described, described
from polyroute.ground.errors import AnswerError
from polyroute.models.load import LoadedModel
from polyroute.models.settings import ModelSettings
from polyroute.models.source import locate_settled
from polyroute.models.without_weights import load_tokenizer
from polyroute.steering.condition import Condition
from polyroute.steering.plan import Plan
from polyroute.workers.errors import PartsError
from polyroute.workers.pool import Pool
from polyroute.workers.shared import SECONDS, appears
from polyroute.workers.worker import Act

Advance = Callable[[int], None]


class _Sitting(NamedTuple):
    """Items of one language that are asked at once, and who asks, without the model."""

    asker: Asker
    language: str
    questions: pd.DataFrame
    conditions: Sequence[Condition]


class _Measured(NamedTuple):
    """What is measured on prompts of one language, or of all, and who does, without the model."""

    asker: Asker
    language: str
    conditions: Sequence[Condition] = ()


def elsewhere(name: str, spec: ModelSettings, pool: Pool) -> tuple[LoadedModel, Described]:
    """A model that is loaded in workers alone, as this process knows it: its tokenizer and digest.

    Raises:
        ModelError: as `locate_settled` and `load_tokenizer`.
        EngineError, PartsError: as `Pool.run`.
    """
    source = locate_settled(name, spec)
    known = _run(pool, f"load {name}", _describe, {"its description": None})["its description"]
    return LoadedModel(nn.Identity(), load_tokenizer(name, spec, source), (), source.digest), known


@dataclass(frozen=True)
class SpreadAsker(Asker):
    """Asks one model, loaded in workers, the questions of one task; `loaded` has no weights."""

    pool: Pool = field(kw_only=True)
    known: Described = field(kw_only=True)
    """How the model runs there."""

    def ask(
        self,
        split: str,
        conditions: Sequence[Condition],
        advance: Advance = lambda _items: None,
        kept: Advance = lambda _items: None,
    ) -> dict[str, Answers]:
        """As `Asker.ask`, sitting by sitting in whichever worker is free.

        Raises:
            AnswerError: an answer is not seen here that a worker kept.
            EngineError, PartsError: as `Pool.run`; what else was answered is kept.
        """
        half, sittings = self.questions.half(split), dict[str, _Sitting]()
        for language in self.questions.languages:
            store = self.store(language)
            here = [condition for condition in conditions if language in self.asked_in(condition)]
            questions = half[half["language"] == language].reset_index(drop=True)
            for number, part in enumerate(parts_of(questions), 1):
                had = [store.get(part, condition) is not None for condition in here]
                kept(len(part) * sum(had))
                if all(had):
                    advance(len(part) * len(had))
                else:
                    called = f"{self.task} in {language}, half {split}, sitting {number}"
                    sittings[called] = _Sitting(self._sent(part), language, part, here)
        _run(self.pool, self._what(split), _sit, sittings, advance)
        for called, sitting in sittings.items():
            store = self.store(sitting.language)
            if not appears(lambda store=store, sat=sitting: _all_there(store, sat), SECONDS):  # type: ignore[misc]
                raise AnswerError(
                    f"{called} was answered by a worker, but its file is not seen here: the study must lie in a folder "
                    "that every node has under the same name"
                )
        return super().ask(split, conditions)

    def frequency(self) -> pd.DataFrame:
        """As `Asker.frequency`, language by language in whichever worker is free.

        Raises:
            EngineError, PartsError: as `Pool.run`.
        """
        frame = self.questions.frame
        parts = {
            f"{self.task} in {language}": _Measured(self._sent(frame[frame["language"] == language]), language)
            for language in self.questions.languages
        }
        tables: list[pd.DataFrame] = list(_run(self.pool, self._what("experts"), _frequency, parts).values())
        return pd.concat(tables, ignore_index=True)

    def mechanism(self, conditions: Sequence[Condition], *, by_language: bool) -> pd.DataFrame:
        """As `Asker.mechanism`, each condition in each language in whichever worker is free.

        Raises:
            EngineError, PartsError: as `Pool.run`.
        """
        half = self.questions.half("report")
        few = half.groupby("language", sort=False).head(self.settings.mechanism_items)
        parts = {
            f"{self.task} under {one.name}{f' in {language}' if language else ''}": _Measured(
                self._sent(few[few["language"] == language] if language else few), language, [one]
            )
            for language in (self.questions.languages if by_language else [""])
            for one in conditions
            if one.plan is not None and (not language or language in self.asked_in(one))
        }
        tables: list[pd.DataFrame] = list(_run(self.pool, self._what("what edits do"), _mechanism, parts).values())
        found = [table for table in tables if len(table)] or [pd.DataFrame(columns=list(MECHANISM_COLUMNS))]
        return pd.concat(found, ignore_index=True)[list(MECHANISM_COLUMNS)]

    def described(self) -> Described:
        """How the model runs in workers."""
        return self.known

    def _device(self) -> str:
        return self.pool.device

    def _answer(
        self,
        language: str,
        questions: pd.DataFrame,  # noqa: ARG002
        plans: Sequence[Plan | None],  # noqa: ARG002
        progress: Advance,  # noqa: ARG002
    ) -> list[pd.DataFrame]:
        raise AnswerError(
            f"{self.task} in {language}: answers that a worker kept are gone again: does anything else remove files "
            f"below {self.parts}?"
        )

    def _sent(self, questions: pd.DataFrame) -> Asker:
        """Who asks in a worker: this one with some of the questions, and there with the model."""
        some = replace(self.questions, frame=questions)
        bare = LoadedModel(nn.Identity(), None, (), self.loaded.digest)
        return Asker(bare, self.settings, self.purpose, self.task, some, self.parts, self.own_only)

    def _what(self, what: str) -> str:
        return f"{self.purpose} {self.settings.name}, {what}"


def _run(
    pool: Pool, what: str, act: Act, parts: Mapping[str, Any], advance: Advance = lambda _done: None
) -> dict[str, Any]:
    """The result of every part.

    Raises:
        PartsError: some failed.
    """
    done = pool.run(act, parts, advance)
    if done.failed:
        raise PartsError(what, done.failed, len(parts))
    return done.values


def _all_there(store: CountingStore, sitting: _Sitting) -> bool:
    return all(store.get(sitting.questions, condition) is not None for condition in sitting.conditions)


def _describe(loaded: LoadedModel, _part: None, _advance: Advance) -> Described:
    return described(loaded)


def _sit(loaded: LoadedModel, sitting: _Sitting, advance: Advance) -> None:
    asker = replace(sitting.asker, loaded=loaded)
    asker.answered(sitting.language, sitting.questions, sitting.conditions, advance)


def _frequency(loaded: LoadedModel, part: _Measured, _advance: Advance) -> pd.DataFrame:
    return replace(part.asker, loaded=loaded).frequency_of(part.language)


def _mechanism(loaded: LoadedModel, part: _Measured, _advance: Advance) -> pd.DataFrame:
    return replace(part.asker, loaded=loaded).mechanism_of(part.language, part.conditions)
