"""What a tokenizer's chat template is asked for, whoever asks: prompts and traced texts."""

from __future__ import annotations

import datetime
import re
from typing import Any

DATE = datetime.datetime(2026, 1, 1)
"""Stands in the templates that ask for today's date."""


def has_template(tokenizer: Any) -> bool:
    """Whether a tokenizer knows how its model converses: by a template, or by code of its own (tekken.json)."""
    if getattr(tokenizer, "chat_template", None):
        return True
    from transformers import PreTrainedTokenizerBase

    own = getattr(type(tokenizer), "apply_chat_template", None)
    return own is not None and own is not PreTrainedTokenizerBase.apply_chat_template


def asks_for(tokenizer: Any, variable: str) -> bool:
    """Whether a tokenizer's template has a variable; true where it is no text that could be looked through."""
    template = getattr(tokenizer, "chat_template", None)
    texts = template.values() if isinstance(template, dict) else [template]
    return any(not isinstance(text, str) or re.search(rf"\b{re.escape(variable)}\b", text) for text in texts)


def name_of(tokenizer: Any) -> str:
    """How errors name a tokenizer."""
    return getattr(tokenizer, "name_or_path", "") or "the tokenizer"
