"""Configurations of transformers: of a known shape, and of less width, so that any architecture fits a small machine.

Reducing leaves layers, experts, top-k and heads as they are, and with them all that the contract of routers rests on.
"""

from __future__ import annotations

import copy
from typing import Any

from polyroute.sizing.shape import ModelShape, SizingError

FACTORS = (1, 2, 4, 8, 16, 32, 64)
"""By which widths are divided, from none."""
LEAST = 16
"""No width becomes smaller."""
WORDS = 4096
"""Most words of a reduced model."""
_WIDTHS = (
    "intermediate_size", "moe_intermediate_size", "shared_expert_intermediate_size", "dense_intermediate_size",
    "ffn_hidden_size", "expert_ffn_hidden_size", "q_lora_rank", "kv_lora_rank", "qk_nope_head_dim", "qk_rope_head_dim",
    "v_head_dim",
)  # fmt: skip
_WORD_IDS = ("pad_token_id", "bos_token_id", "eos_token_id", "decoder_start_token_id")


def of_shape(shape: ModelShape) -> Any:
    """A configuration with the numbers of a shape; whatever else its class has is left at its default.

    Only sizes count for weights, memory and speed. What a release sets besides (positions, scales) needs its
    config.json.
    """
    from transformers import AutoConfig

    experts = {"olmoe": "num_experts", "qwen2_moe": "num_experts", "deepseek_v3": "n_routed_experts"}
    wide = shape.type in ("qwen2_moe", "qwen3_moe", "deepseek_v3")
    fields: dict[str, Any] = {
        "vocab_size": shape.vocabulary, "hidden_size": shape.hidden, "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads, "num_key_value_heads": shape.kv_heads,
        "num_experts_per_tok": shape.top_k, "tie_word_embeddings": shape.tied,
        experts.get(shape.type, "num_local_experts"): shape.experts,
        "moe_intermediate_size" if wide else "intermediate_size": shape.expert_width,
    }  # fmt: skip
    if shape.dense_layers or shape.type == "deepseek_v3":
        fields["intermediate_size"] = shape.dense_width
        fields["first_k_dense_replace"] = shape.dense_layers
    if shape.renormalised is not None:
        fields["norm_topk_prob"] = shape.renormalised
    if shape.latent is None:
        fields["head_dim"] = shape.head_dim
    else:
        one = shape.latent
        fields |= {
            "q_lora_rank": one.query, "kv_lora_rank": one.key_value, "qk_rope_head_dim": one.rotary,
            "qk_nope_head_dim": one.plain, "v_head_dim": one.value, "n_shared_experts": 1,
        }  # fmt: skip
    return AutoConfig.for_model(shape.type, **fields)


def reduced(config: Any, factor: int) -> Any:
    """A copy of a configuration with its widths divided, and at most `WORDS` words.

    Args:
        config: of transformers; one that also sees or hears is reduced in its text.
        factor: 1 changes nothing.
    """
    config = copy.deepcopy(config)
    # Random weights are drawn in the dtype that is run.
    if getattr(config, "quantization_config", None) is not None:
        del config.quantization_config
    if factor == 1:
        return config
    text = config.get_text_config()
    heads = int(text.num_attention_heads)
    own = getattr(text, "head_dim", None)
    head = max(LEAST, int(own or text.hidden_size // heads) // factor)
    # Where the heads' widths add up to the hidden size, a class may rest on it.
    added = own is None or own * heads == text.hidden_size
    text.hidden_size = head * heads if added else _even(text.hidden_size, factor)
    if own is not None:
        text.head_dim = head
    for name in _WIDTHS:
        if isinstance(width := getattr(text, name, None), int) and width:
            setattr(text, name, _even(width, factor))
    if own is not None and getattr(text, "qk_rope_head_dim", None):
        # Of latent attention it is the width with rotary positions.
        text.head_dim = text.qk_rope_head_dim
    text.vocab_size = min(text.vocab_size, WORDS)
    for part in {id(one): one for one in (config, text)}.values():
        for name in _WORD_IDS:
            value = getattr(part, name, None)
            if isinstance(value, int) and value >= text.vocab_size:
                setattr(part, name, 0)
            elif isinstance(value, list):
                setattr(part, name, [min(one, text.vocab_size - 1) for one in value])
    return config


def _even(width: int, factor: int) -> int:
    return max(LEAST, width // factor // LEAST * LEAST)


def counted(name: str, config: Any) -> int:
    """Weights of an architecture, on the meta device: nothing is allocated.

    Raises:
        SizingError: it cannot be built.
    """
    import torch

    with torch.device("meta"):
        model = built(name, config, torch.float32)
    return sum(parameter.numel() for parameter in model.parameters())


def built(name: str, config: Any, dtype: Any) -> Any:
    """A model with random weights, where the current device is.

    Raises:
        SizingError: its class cannot be built of this configuration.
    """
    from polyroute.models.load import language_model

    auto = language_model(name, config)
    try:
        return auto.from_config(copy.deepcopy(config), dtype=dtype).eval()
    # Whatever a configuration that fits no class makes of transformers.
    except Exception as error:
        from polyroute.models.building import first_line

        raise SizingError(
            f"{name}: {type(config).__name__} cannot be built ({first_line(error)}): compare config.json with the "
            "release, or rehearse at full width (`--width 1`) where memory allows"
        ) from error
