"""Tiny random models of any architecture that declares routers, built by the field names of its configuration."""

import importlib
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from torch import nn

from polyroute.models.routers import Router, find_routers

LAYERS, EXPERTS, TOP_K, VOCABULARY = 3, 8, 2, 64

# Sizes by the name of the configuration field; a field that a class does not have is not set.
SIZES: dict[str, Any] = {
    **dict.fromkeys(("num_hidden_layers", "num_layers", "n_layers", "encoder_layers", "decoder_layers"), LAYERS),
    **dict.fromkeys(("num_decoder_layers",), LAYERS),
    **dict.fromkeys(("hidden_size", "d_model", "intermediate_size", "dense_intermediate_size", "ffn_hidden_size"), 32),
    **dict.fromkeys(
        ("encoder_ffn_dim", "decoder_ffn_dim", "d_ff", "intermediate_size_mlp", "expert_ffn_hidden_size"), 32
    ),
    **dict.fromkeys(("moe_intermediate_size", "shared_expert_intermediate_size", "router_hidden_size"), 16),
    **dict.fromkeys(("num_attention_heads", "encoder_attention_heads", "decoder_attention_heads", "n_heads"), 4),
    **dict.fromkeys(("num_heads", "num_sliding_attention_heads", "swa_num_attention_heads", "index_n_heads"), 4),
    **dict.fromkeys(("num_key_value_heads", "swa_num_key_value_heads", "linear_num_heads"), 4),
    **dict.fromkeys(("linear_num_key_heads", "linear_num_value_heads"), 4),
    **dict.fromkeys(("head_dim", "swa_head_dim", "v_head_dim", "kv_channels", "d_kv", "index_head_dim"), 8),
    **dict.fromkeys(("qk_rope_head_dim", "qk_nope_head_dim", "q_lora_rank", "kv_lora_rank", "o_lora_rank"), 8),
    **dict.fromkeys(("linear_key_head_dim", "linear_value_head_dim", "linear_head_dim"), 8),
    **dict.fromkeys(("mamba_num_heads", "mamba_n_heads", "mamba_head_dim", "mamba_d_head", "mamba_d_state"), 8),
    **dict.fromkeys(("ssm_state_size", "mamba_dt_rank"), 8),
    **dict.fromkeys(("vocab_size", "vocab_size_per_layer_input", "max_position_embeddings"), VOCABULARY),
    **dict.fromkeys(("num_experts", "n_routed_experts", "num_local_experts", "moe_num_experts"), EXPERTS),
    **dict.fromkeys(("num_experts_per_tok", "num_experts_per_token", "top_k_experts", "moe_topk", "moe_top_k"), TOP_K),
    **dict.fromkeys(("moe_k",), TOP_K),
    **dict.fromkeys(("n_group", "num_expert_group"), 4),
    **dict.fromkeys(("topk_group", "n_shared_experts"), 2),
    **dict.fromkeys(("index_topk", "sliding_window"), 16),
    **dict.fromkeys(("first_k_dense_replace", "num_dense_layers", "decoder_sparse_step", "encoder_sparse_step"), 1),
    **dict.fromkeys(("pad_token_id", "bos_token_id", "eos_token_id", "decoder_start_token_id"), 1),
}

_ROPE = {"rope_type": "default", "rope_theta": 1e4}

# What field names alone cannot say, by configuration class: sparse layers off by default, sizes that must agree.
OVERRIDES: dict[str, dict[str, Any]] = {
    "DbrxConfig": {"attn_config": {"kv_n_heads": 2, "rope_theta": 1e4, "clip_qkv": 8}},
    "DeepseekOcr2TextConfig": {"mlp_layer_types": ["dense", "sparse", "sparse"], "n_group": 1, "topk_group": 1},
    "DogeConfig": {"is_moe": True},
    "Ernie4_5_VLMoeTextConfig": {
        "moe_intermediate_size": [16, 16],
        "rope_parameters": {**_ROPE, "mrope_section": [1, 1, 2]},
    },
    "Gemma4TextConfig": {"enable_moe_block": True},
    "Glm4vMoeTextConfig": {"rope_parameters": {**_ROPE, "mrope_section": [1, 1, 0]}},
    "Glm5NextTextConfig": {"qk_rope_head_dim": 0, "head_dim": 0},
    "HYV4Config": {"indexer_types": ["full", "shared", "full"]},
    "Lfm2MoeConfig": {"layer_types": ["conv", "full_attention", "conv"]},
    "Llama4TextConfig": {"moe_layers": None, "no_rope_layers": None},
    "MiMoV2FlashConfig": {"num_key_value_heads": 2},
    "Mistral4Config": {
        "rope_parameters": {**_ROPE, "llama_4_scaling_beta": 0.1, "original_max_position_embeddings": VOCABULARY}
    },
    "Qwen4ExpTextConfig": {"layer_types": ["linear_attention"] * LAYERS},
    "ZayaConfig": {"num_experts_per_tok": 1},
}

# A class over text alone comes before one with towers; then a head before a body.
_HEADS = ("ForCausalLM", "ForMaskedLM", "ForConditionalGeneration", "TextModel", "Model")


def architectures() -> dict[str, str]:
    """Model packages of the installed transformers whose modeling file declares router logits: package -> module."""
    root = Path(transformers.__file__).parent / "models"
    return {
        file.parent.name: f"transformers.models.{file.parent.name}.{file.stem}"
        for file in sorted(root.glob("*/modeling_*.py"))
        if '"router_logits":' in file.read_text(encoding="utf-8")
    }


def model_classes(architecture: str) -> list[type[transformers.PreTrainedModel]]:
    """The model classes of an architecture, those that are pure text with a head first."""
    module = importlib.import_module(architectures()[architecture])
    classes = [
        value
        for value in vars(module).values()
        if inspect.isclass(value)
        and issubclass(value, transformers.PreTrainedModel)
        and value.__module__ == module.__name__
        and inspect.isclass(value.config_class)
        and value.__name__.endswith(_HEADS)
        and not value.__name__.endswith("PreTrainedModel")
    ]

    def rank(model_class: type[transformers.PreTrainedModel]) -> tuple[bool, int]:
        towers = bool(getattr(model_class.config_class, "sub_configs", {}))
        return towers, next(i for i, head in enumerate(_HEADS) if model_class.__name__.endswith(head))

    return sorted(classes, key=rank)


def shrink(config_class: type[transformers.PreTrainedConfig], **fields: Any) -> transformers.PreTrainedConfig:
    """A configuration of the class with small sizes; per-layer lists keep their last entries."""
    default = config_class().to_dict()
    layers = next((default[name] for name in ("num_hidden_layers", "num_layers", "n_layers") if name in default), None)
    small: dict[str, Any] = {}
    for name, value in default.items():
        if name in SIZES:
            small[name] = SIZES[name]
        elif isinstance(value, list) and len(value) == layers:
            small[name] = value[-LAYERS:]
    for name, part in getattr(config_class, "sub_configs", {}).items():
        if inspect.isclass(part) and name in default:
            small[name] = shrink(part)
    return config_class(**small | OVERRIDES.get(config_class.__name__, {}) | fields)


def randomise(model: nn.Module) -> None:
    """Random weights with which routing differs between tokens and experts, correction biases included."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
            if not tensor.is_floating_point() or "inv_freq" in name:
                continue
            noise = torch.randn(tensor.shape, generator=generator)
            factor = "norm" in name or "scale" in name
            tensor.copy_(1 + 0.1 * noise if factor else noise * (0.3 if tensor.dim() > 1 else 0.05))


def build(model_class: type[transformers.PreTrainedModel], **fields: Any) -> transformers.PreTrainedModel:
    """A tiny random model of a class, ready to run."""
    model = model_class(shrink(model_class.config_class, **fields)).eval()
    randomise(model)
    return model


class Zoo(dict[str, tuple[transformers.PreTrainedModel, tuple[Router, ...]]]):
    """Tiny models by architecture with their routers, each built when it is first asked for."""

    def __init__(self, build: Callable[[str], transformers.PreTrainedModel]):
        super().__init__()
        self._build = build

    def __missing__(self, architecture: str) -> tuple[transformers.PreTrainedModel, tuple[Router, ...]]:
        model = self._build(architecture)
        self[architecture] = model, find_routers(model)
        return self[architecture]


def tiny(architecture: str, **fields: Any) -> transformers.PreTrainedModel:
    """A tiny random model of an architecture's first class; skips where transformers declares no routers for it."""
    if architecture not in architectures():
        pytest.skip(f"transformers {transformers.__version__} declares no routers for {architecture}")
    return build(model_classes(architecture)[0], **fields)
