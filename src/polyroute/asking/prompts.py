"""Prompts as a model reads them: as they are, or as a turn of a conversation in the tokenizer's chat template.

Tokens that the tokenizer puts before every text (BOS) are kept, those that it puts after (EOS) are left out: a model
that has read the end of a text has nothing to go on with. A chat template writes its own BOS, so none is added.

Some templates (GPT-OSS, Llama 3) put today's date into the prompt. It is replaced by `DATE`, since answers would
otherwise change from one day to the next.

Most templates take what is said as text, some as a list of parts; a template gets what it takes. A prompt in which the
question cannot be found again is refused: the model would be asked something else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import jinja2
import torch
from torch import nn

from polyroute.ground.errors import AnswerError
from polyroute.models.chat_template import DATE, has_template, name_of

THINKING = ("enable_thinking", "thinking")
"""Names by which templates ask whether the model may think."""
_MARK = "polyrouteanswersplace"
"""Stands for the answer while a template is filled in; templates trim blanks, so it has none."""
_REFUSALS = (jinja2.TemplateError, TypeError, KeyError, IndexError, AttributeError, ValueError)
"""What templates raise at a conversation that they do not take."""


@dataclass(frozen=True)
class Chat:
    """How prompts are put into a conversation."""

    thinking: bool = False
    """What `THINKING` are in the template; those that know no thinking ignore it."""
    variables: Mapping[str, Any] = field(default_factory=dict)
    """Other variables of the template, such as `reasoning_effort` of GPT-OSS; they win over `thinking`."""


@contextmanager
def named(place: str) -> Iterator[None]:
    """Puts an item before what is wrong with its prompt.

    Raises:
        AnswerError: whatever was wrong, with the item.
    """
    try:
        yield
    except AnswerError as error:
        raise AnswerError(f"{place}: {error}") from None


def question(tokenizer: Any, prompt: str, chat: Chat) -> str:
    """A prompt as the user's turn, up to where the model's turn begins.

    Raises:
        AnswerError: the tokenizer has no chat template, or one that refuses or loses the question.
    """
    return _asked(tokenizer, prompt, None, chat)


def answer_place(tokenizer: Any, prompt: str, chat: Chat) -> str:
    """A prompt as the user's turn, up to where the words of the model's answer begin.

    That is after whatever the template writes before an answer: an empty thought (Qwen3), the name of the channel
    (GPT-OSS). Choices are scored there, so without thinking, whatever `chat.thinking` says.

    Raises:
        AnswerError: the tokenizer has no chat template, or one that refuses or loses the question or the answer.
    """
    text = _asked(tokenizer, prompt, _MARK, chat)
    return text[: text.rindex(_MARK)]


def filled_in(tokenizer: Any, turns: Sequence[Mapping[str, Any]], chat: Chat) -> str | None:
    """A conversation as the template writes it, to look for its marks; None where it refuses."""
    try:
        return _filled(tokenizer, turns, chat, add_generation_prompt=False)
    except _REFUSALS:
        return None


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


def _asked(tokenizer: Any, prompt: str, answer: str | None, chat: Chat) -> str:
    """A question, and where there is one an answer, as the template writes them: as text, or else in parts."""
    said = {"user": prompt} | ({} if answer is None else {"assistant": answer})
    refusal = "it does not show what is said"
    for content in (_as_text, _as_parts):
        turns = [{"role": role, "content": content(text)} for role, text in said.items()]
        try:
            text = _filled(tokenizer, turns, chat, add_generation_prompt=answer is None)
        except _REFUSALS as error:
            refusal = " ".join(str(error).split()) or refusal
            continue
        if all(one.strip() in text for one in said.values()):
            return text
        lost = "the question" if prompt.strip() not in text else "what the assistant says"
        refusal = f"{lost} is not in what it writes"
    advice = "score them without a chat" if answer is not None else "evaluate the model without a chat"
    raise AnswerError(
        f"{name_of(tokenizer)} has a chat template that cannot ask this, neither as text nor in parts ({refusal}): "
        f"set `chat: false` to {advice}"
    )


def _as_text(text: str) -> Any:
    return text


def _as_parts(text: str) -> Any:
    return [{"type": "text", "text": text}]


def _filled(tokenizer: Any, turns: Sequence[Mapping[str, Any]], chat: Chat, add_generation_prompt: bool) -> str:
    if not has_template(tokenizer):
        raise AnswerError(f"{name_of(tokenizer)} has no chat template: evaluate the model without a chat")
    variables = dict.fromkeys(THINKING, chat.thinking) | {"strftime_now": DATE.strftime} | dict(chat.variables)
    text: str = tokenizer.apply_chat_template(
        list(turns), tokenize=False, add_generation_prompt=add_generation_prompt, **variables
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
