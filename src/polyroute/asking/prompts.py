"""Prompts as a model reads them: as they are, or as a turn of a conversation in the tokenizer's chat template.

Tokens that the tokenizer puts before every text (BOS) are kept, those that it puts after (EOS) are left out: a model
that has read the end of a text has nothing to go on with. A chat template writes its own BOS, so none is added.

Some templates (GPT-OSS, Llama 3) put today's date into the prompt. It is replaced by `DATE`, since answers would
otherwise change from one day to the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from polyroute.ground.errors import AnswerError
from polyroute.models.chat_template import DATE, has_template, name_of

_MARK = "polyrouteanswersplace"
"""Stands for the answer while a template is filled in; templates trim blanks, so it has none."""


@dataclass(frozen=True)
class Chat:
    """How prompts are put into a conversation."""

    thinking: bool = False
    """What `enable_thinking` is in the template; those that know no thinking ignore it."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Other variables of the template, such as `reasoning_effort` of GPT-OSS."""


def question(tokenizer: Any, prompt: str, chat: Chat) -> str:
    """A prompt as the user's turn, up to where the model's turn begins.

    Raises:
        AnswerError: the tokenizer has no chat template.
    """
    return _filled(tokenizer, [{"role": "user", "content": prompt}], chat, add_generation_prompt=True)


def answer_place(tokenizer: Any, prompt: str, chat: Chat) -> str:
    """A prompt as the user's turn, up to where the words of the model's answer begin.

    That is after whatever the template writes before an answer: an empty thought (Qwen3), the name of the channel
    (GPT-OSS). Choices are scored there, so without thinking, whatever `chat.thinking` says.

    Raises:
        AnswerError: the tokenizer has no chat template, or one that loses the answer.
    """
    turns = [{"role": "user", "content": prompt}, {"role": "assistant", "content": _MARK}]
    text = _filled(tokenizer, turns, chat, add_generation_prompt=False)
    if _MARK not in text:
        raise AnswerError(
            "the tokenizer's chat template does not show what the assistant says, so choices have no place in it: "
            "score them without a chat"
        )
    return text[: text.rindex(_MARK)]


def encode(tokenizer: Any, texts: Sequence[str], chat: Chat | None) -> list[list[int]]:
    """Token ids of texts that a model is to go on from.

    Args:
        tokenizer: of the model.
        texts: plain prompts or, with a `chat`, conversations that its template wrote.
        chat: None puts the tokenizer's opening tokens (BOS) before each text.
    """
    rows: list[list[int]] = tokenizer(list(texts), add_special_tokens=False)["input_ids"] if texts else []
    opening = _opening(tokenizer) if chat is None else []
    return [opening + list(row) for row in rows]


def device_of(model: nn.Module) -> torch.device:
    """Where a model's token ids belong."""
    weight = model.get_input_embeddings().weight  # type: ignore[operator]
    # Weights that accelerate keeps elsewhere are on "meta"; its hooks move the ids to where they are needed.
    return torch.device("cpu") if weight.is_meta else weight.device


def _filled(tokenizer: Any, turns: list[dict[str, str]], chat: Chat, add_generation_prompt: bool) -> str:
    if not has_template(tokenizer):
        raise AnswerError(f"{name_of(tokenizer)} has no chat template: evaluate the model without a chat")
    text: str = tokenizer.apply_chat_template(
        turns,
        tokenize=False,
        add_generation_prompt=add_generation_prompt,
        enable_thinking=chat.thinking,
        strftime_now=DATE.strftime,
        **chat.variables,
    )
    return text


def _opening(tokenizer: Any) -> list[int]:
    """The special tokens that the tokenizer puts before a text."""
    encoding = tokenizer("a", return_special_tokens_mask=True)
    opening: list[int] = []
    for token, special in zip(encoding["input_ids"], encoding["special_tokens_mask"], strict=True):
        if not special:
            break
        opening.append(token)
    return opening
