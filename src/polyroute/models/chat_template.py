"""What a tokenizer's chat template is asked for, whoever asks: prompts and traced texts."""

from __future__ import annotations

import datetime
from typing import Any

DATE = datetime.datetime(2026, 1, 1)
"""Stands in the templates that ask for today's date."""


def has_template(tokenizer: Any) -> bool:
    """Whether a tokenizer knows how its model converses."""
    return bool(getattr(tokenizer, "chat_template", None))


def name_of(tokenizer: Any) -> str:
    """How errors name a tokenizer."""
    return getattr(tokenizer, "name_or_path", "") or "the tokenizer"
