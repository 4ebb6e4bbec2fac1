"""Questions answered by vLLM, which writes and scores what `generation` and `choices` do with transformers.

Prompts, chats, choices in tokens, what ends a text and what is kept of it are the same code; vLLM gets tokens and gives
tokens or likelihoods. All conditions go through it together, each request under its plan. So answers are those of the
other engine but for rounding, and are never mixed with them: the engine is a part of their key and header.

A choice's log likelihood is the sum of vLLM's log probabilities of the prompt's tokens, over those of the choice: the
same definition, by prompts that hold the choice. Draws are vLLM's own, from a seed of the prompt's own, so that they
are the same under every condition; they are not those of the other engine.

Which experts the model chooses is not seen here: routing on prompts is measured in transformers, and experts are not
counted while texts are written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd

from polyroute.asking import choices, generation, marks, prompts
from polyroute.asking.generation import GenerationSettings
from polyroute.asking.prompts import Chat
from polyroute.asking.settings import AskSettings
from polyroute.asking.texts import Texts
from polyroute.engines.vllm.process import VllmProcess
from polyroute.ground.errors import AnswerError
from polyroute.ground.files import digest
from polyroute.models.later import LoadedLater
from polyroute.steering.plan import Plan


class InVllm:
    """A model in vLLM, asked as `choices.score_under` and `generation.generate_under` ask one of transformers."""

    def __init__(self, running: VllmProcess, loaded: LoadedLater):
        """Say what runs.

        Args:
            running: the engine, with every plan that will be asked for.
            loaded: the same checkpoint's tokenizer and configuration.
        """
        self._running, self._loaded = running, loaded
        self._words = int(loaded.config.get_text_config().vocab_size)
        self._context = int(running.about["context"])

    def score(
        self, items: pd.DataFrame, plans: Sequence[Plan | None], *, max_tokens: int, conversation: Chat | None,
        on_answers: Callable[[int], None],
    ) -> list[pd.DataFrame]:  # fmt: skip
        """As `choices.score_under`.

        Raises:
            AnswerError: as there.
            EngineError: vLLM has ended.
        """
        tokenizer = self._loaded.tokenizer
        asked = choices.encoded(tokenizer, items, conversation)
        # vLLM always writes a token behind what it scores.
        choices.check(tokenizer, asked, min(max_tokens, self._context - 1), self._words)
        requests = [
            {"ids": item.prompt + choice, "plan": name_of(plan), "from": len(item.prompt)}
            for plan in plans for item in asked for choice in item.choices
        ]  # fmt: skip
        told = iter(self._running.ask(requests))
        found = [
            choices.frame(
                items, asked,
                [
                    choices.finite(np.array([float(np.sum(next(told)["nats"])) for _ in item.choices]), item).tolist()
                    for item in asked
                ],
            )
            for _ in plans
        ]  # fmt: skip
        on_answers(len(asked) * len(plans))
        return found

    def write(
        self, items: pd.DataFrame, plans: Sequence[Plan | None], settings: GenerationSettings, *,
        conversation: Chat | None, on_answers: Callable[[int], None],
    ) -> list[pd.DataFrame]:  # fmt: skip
        """As `generation.generate_under`.

        Raises:
            AnswerError: as there.
            EngineError: vLLM has ended.
        """
        tokenizer = self._loaded.tokenizer
        told = generation.texts_of(tokenizer, items, conversation)
        rows = prompts.encode(tokenizer, told, conversation)
        places = generation.check(tokenizer, items, rows, settings, self._context, self._words)
        ends = self._ends() | marks.turn_ends(tokenizer, conversation)
        texts = Texts(tokenizer, settings.stop, ends, conversation, dict(zip(told, items["prompt"], strict=True)))
        opened = [texts.opened(text) for text in told]
        written: dict[tuple[int, int], list[int]] = {
            (condition, row): [] for condition in range(len(plans)) for row in range(len(rows))
        }
        common = {
            "ends": sorted(ends), "stop": list(settings.stop), "temperature": settings.temperature,
            "top_k": settings.top_k, "top_p": settings.top_p,
        }  # fmt: skip
        going = list(written)
        while going:
            requests = [
                common
                | {
                    "ids": rows[row] + written[condition, row], "plan": name_of(plans[condition]),
                    "most": settings.max_new_tokens - len(written[condition, row]),
                    "seed": _seed(settings.seed, told[row], len(written[condition, row])),
                }
                for condition, row in going
            ]  # fmt: skip
            still = []
            for place, answer in zip(going, self._running.ask(requests), strict=True):
                if not answer["ids"]:
                    raise AnswerError(f"{places[place[1]]}: vLLM wrote nothing more, and ended nothing")
                if not _ended(texts, written[place], answer["ids"], opened[place[1]], settings.max_new_tokens):
                    still.append(place)
            going = still
        on_answers(len(rows) * len(plans))
        return [
            generation.frame(items, [texts.told(written[condition, row], opened[row]) for row in range(len(rows))])
            for condition in range(len(plans))
        ]

    def determining(self) -> dict[str, Any]:
        """Plain data of the engine that decides its answers."""
        about = self._running.about
        arguments = {name: value for name, value in self._running.engine.items() if name not in _WHERE}
        return {"engine": "vllm", "arguments": arguments, "versions": about["versions"], "device": about["gpu"]}

    @property
    def about(self) -> Mapping[str, Any]:
        """What the engine says of itself."""
        return self._running.about

    def _ends(self) -> set[int]:
        from transformers import GenerationConfig

        source = self._loaded.source
        try:
            config = GenerationConfig.from_pretrained(
                source.place, revision=source.revision, local_files_only=source.local_files_only
            )
        except OSError:  # there is none: the model's own configuration says it
            config = GenerationConfig.from_model_config(self._loaded.config)
        return generation.end_tokens(config, self._loaded.tokenizer)


_WHERE = ("model", "tokenizer", "revision", "trust_remote_code")
"""Arguments that say where a checkpoint lies, which its digest does better."""


@contextmanager
def started(settings: AskSettings, loaded: LoadedLater, plans: Sequence[Plan]) -> Iterator[InVllm]:
    """The model of a study in vLLM, for as long as this lasts.

    Args:
        settings: of the stage.
        loaded: its tokenizer and configuration.
        plans: every plan that will be asked for.

    Raises:
        EngineError: it does not start; says why.
    """
    model, source = settings.model, loaded.source
    assert model is not None, "who is asked is run here"
    longest = model.max_tokens + max((settings.asking(task).max_new_tokens for task in settings.tasks), default=1)
    engine = {
        "model": source.place, "tokenizer": source.place, "revision": source.revision, "dtype": model.dtype,
        "trust_remote_code": model.trust_remote_code, "max_model_len": min(longest, loaded.context),
        "seed": 0,
    }  # fmt: skip
    with VllmProcess(engine, {name: plan for plan in plans if (name := name_of(plan)) is not None}) as running:
        yield InVllm(running, loaded)


def name_of(plan: Plan | None) -> str | None:
    """What a plan is called in the engine: by what it does."""
    return None if plan is None else digest(plan.model_dump(mode="json", exclude={"source"}))[:16]


def _seed(seed: int, text: str, written: int) -> int:
    """Of the draws behind a prompt; another one where a text is taken up again."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{text}/{written}".encode()).digest()[:7])


def _ended(texts: Texts, written: list[int], new: Sequence[int], opened: str, most: int) -> bool:
    """Add new tokens to a text up to what ends it; whether anything did."""
    for token in new:
        written.append(token)
        if token in texts.ends or texts.stops(written, opened):
            return True
    return len(written) >= most
