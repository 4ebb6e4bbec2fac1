"""What a model can read at all: so many tokens at once, and ids that its embedding has a row for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

_LENGTHS = ("max_position_embeddings", "max_sequence_length", "max_seq_len", "seq_length")


def context(model: nn.Module) -> int:
    """Most tokens that a model's configuration allows; as good as no limit (2^62) where it names none."""
    config: Any = model.config
    text = config.get_text_config()
    return next((int(length) for name in _LENGTHS if (length := getattr(text, name, None))), 2**62)


def words_of(model: nn.Module) -> int:
    """How many rows a model's input embedding has: ids from there on stand for no word."""
    embedding: Any = model.get_input_embeddings()  # type: ignore[operator]
    return int(getattr(embedding, "num_embeddings", 0) or embedding.weight.shape[0])


def padding_id(tokenizer: Any, words: int, otherwise: int = 0) -> int:
    """An id to pad with: the tokenizer's own, else `otherwise`, else 0.

    Padding is masked everywhere, so any id that the embedding has a row for will do.
    """
    wanted = (tokenizer.pad_token_id, otherwise)
    return next((int(one) for one in wanted if one is not None and 0 <= one < words), 0)


def beyond(tokenizer: Any, ids: Sequence[int], words: int) -> str | None:
    """Why a model cannot read a text's tokens: one of them has no row in its embedding; None where all have."""
    token = next((int(token) for token in ids if not 0 <= token < words), None)
    if token is None:
        return None
    return (
        f"its token {token} (`{tokenizer.convert_ids_to_tokens(token)}`) has no row in the model's embedding, which "
        f"has {words}: the tokenizer belongs to another checkpoint; copy the one of the release"
    )


def lost(scores_RV: torch.Tensor) -> torch.Tensor:
    """(R,) bool: rows of logits of which nothing can be said. -inf among others closes a word; NaN and +inf do not."""
    return ~scores_RV.amax(-1).isfinite()
