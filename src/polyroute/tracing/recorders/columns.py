"""What recorders call the columns of a route: one list for JSON lines and Parquet."""

from __future__ import annotations

from collections.abc import Iterable

from polyroute.artifacts.recording import RecordingError

LAYER = ("layer", "layer_id", "layer_idx", "layer_index", "layer_number")
ROUTES = ("topk_ids", "topk_experts", "topk_indices", "expert_ids", "selected_experts", "experts")
WEIGHTS = ("topk_weights", "expert_weights", "weights")
LOGITS = ("router_logits", "logits")
COUNTS = ("tokens_per_expert", "expert_counts", "counts")
FROM_ONE = "layer_number"
"""Megatron's; it counts layers from 1."""
FACTS = {"top_k": ("top_k", "num_experts_per_tok"), "experts": ("num_experts", "n_experts", "experts_per_layer")}
"""What a line of facts about the model may say of its shape."""


def named(names: tuple[str, ...], there: Iterable[str], place: str) -> str | None:
    """Which of several names is there; None where none is.

    Raises:
        RecordingError: more than one is.
    """
    held = set(there)
    found = [name for name in names if name in held]
    if len(found) > 1:
        raise RecordingError(f"{place}: both `{found[0]}` and `{found[1]}` are there: leave one out")
    return found[0] if found else None
