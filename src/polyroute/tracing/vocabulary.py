"""How texts divide into tokens, over the tokens that their traces count."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from polyroute.artifacts.turns import Item
from polyroute.tracing.collect import TraceSettings, encode


def token_counts(tokenizer: Any, texts: Mapping[str, Item], settings: TraceSettings) -> dict[int, int]:
    """Token id -> how often it is among the tokens that a trace of the texts counts.

    Args:
        tokenizer: of the model.
        texts: item id -> text, or turns, in one language.
        settings: how the texts are traced.

    Raises:
        TraceError: as `encode`.
    """
    encoded = encode(tokenizer, texts, settings)
    return dict(
        Counter(
            token for ids, counted in zip(encoded.ids, encoded.counted, strict=True) for token in ids[counted].tolist()
        )
    )
