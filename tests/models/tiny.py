"""Tiny random models of every architecture that declares routers, built from its own configuration class by field names."""

import importlib
import inspect
from functools import cache
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import nn

LAYERS, EXPERTS, TOP_K = 3, 8, 2

# Sizes by the name of the configuration field; a field that a class does not have is not set.
SIZES: dict[str, Any] = {
    **dict.fromkeys(("num_hidden_layers", "num_layers", "n_layers", "encoder_layers", "decoder_layers"), LAYERS),
    **dict.fromkeys(("num_decoder_layers",), LAYERS),
    **dict.fromkeys(("hidden_size", "d_model", "intermediate_size", "dense_intermediate_size", "ffn_hidden_size"), 32),
    **dict.fromkeys(("encoder_ffn_dim", "decoder_ffn_dim", "d_ff", "intermediate_size_mlp", "expert_ffn_hidden_size"), 32),
    **dict.fromkeys(("moe_intermediate_size", "shared_expert_intermediate_size", "router_hidden_size"), 16),
    **dict.fromkeys(("num_attention_heads", "encoder_attention_heads", "decoder_attention_heads", "n_heads"), 4),
    **dict.fromkeys(("num_heads", "num_sliding_attention_heads", "swa_num_attention_heads", "index_n_heads"), 4),
    **dict.fromkeys(("num_key_value_heads", "swa_num_key_value_heads"), 4),
    **dict.fromkeys(("head_dim", "swa_head_dim", "v_head_dim", "kv_channels", "d_kv", "index_head_dim"), 8),
    **dict.fromkeys(("qk_rope_head_dim", "qk_nope_head_dim", "q_lora_rank", "kv_lora_rank", "o_lora_rank"), 8),
    **dict.fromkeys(("vocab_size", "vocab_size_per_layer_input", "max_position_embeddings"), 64),
    **dict.fromkeys(("num_experts", "n_routed_experts", "num_local_experts", "moe_num_experts"), EXPERTS),
    **dict.fromkeys(("num_experts_per_tok", "moe_topk", "num_experts_per_token", "top_k_experts", "moe_top_k", "moe_k"), TOP_K),
    **dict.fromkeys(("linear_num_key_heads", "linear_num_value_heads", "linear_num_heads", "linear_heads"), 4),
    **dict.fromkeys(("linear_key_head_dim", "linear_value_head_dim", "linear_head_dim", "mamba_num_heads", "mamba_n_heads"), 8),
    **dict.fromkeys(("mamba_d_state", "ssm_state_size", "mamba_dt_rank", "mamba_head_dim", "mamba_d_head"), 8),
    **dict.fromkeys(("index_topk", "sliding_window"), 16),
    **dict.fromkeys(("n_group", "num_expert_group"), 4),
    **dict.fromkeys(("topk_group", "n_shared_experts"), 2),
    **dict.fromkeys(("first_k_dense_replace", "num_dense_layers"), 1),
    **dict.fromkeys(("decoder_sparse_step", "encoder_sparse_step"), 1),
    **dict.fromkeys(("pad_token_id", "bos_token_id", "eos_token_id", "decoder_start_token_id"), 1),
}

# What field names alone cannot say, by configuration class: sparse layers that are off by default, sizes that must agree.
OVERRIDES: dict[str, dict[str, Any]] = {
    "DbrxConfig": {"attn_config": {"kv_n_heads": 2, "rope_theta": 1e4, "clip_qkv": 8}},
    "DbrxFFNConfig": {"moe_num_experts": EXPERTS},
    "DeepseekOcr2TextConfig": {"mlp_layer_types": ["dense", "sparse", "sparse"], "n_group": 1, "topk_group": 1},
    "Glm4vMoeTextConfig": {"rope_parameters": {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [1, 1, 0]}},
    "Glm5NextTextConfig": {"qk_rope_head_dim": 0, "head_dim": 0},
    "HYV4Config": {"indexer_types": ["full", "shared", "full"]},
    "Lfm2MoeConfig": {"layer_types": ["conv", "full_attention", "conv"]},
    "Mistral4Config": {
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": 1e4,
            "llama_4_scaling_beta": 0.1,
            "original_max_position_embeddings": 64,
        }
    },
    "MiMoV2FlashConfig": {"num_key_value_heads": 2},
    "Qwen4ExpTextConfig": {"layer_types": ["linear_attention", "linear_attention", "linear_attention"]},
    "DogeConfig": {"is_moe": True},
    "Gemma4TextConfig": {"enable_moe_block": True},
    "Llama4TextConfig": {"moe_layers": None, "no_rope_layers": None},
    "ZayaConfig": {"num_experts_per_tok": 1},
    "Ernie4_5_VLMoeTextConfig": {
        "moe_intermediate_size": [16, 16],
        "rope_parameters": {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [1, 1, 2]},
    },
}


def architectures() -> list[str]:
    """Names of the model packages of the installed transformers whose modeling file declares router logits."""
    root = Path(transformers.__file__).parent / "models"
    return sorted(
        file.parent.name for file in root.glob("*/modeling_*.py") if '"router_logits":' in file.read_text(encoding="utf-8")
    )


def shrink(config_class: type) -> Any:
    """A configuration of the class with small sizes; per-layer lists keep their last entries."""
    default = config_class().to_dict()
    long = next((default[name] for name in ("num_hidden_layers", "num_layers", "n_layers") if name in default), None)
    small: dict[str, Any] = {}
    for name, value in default.items():
        if name in SIZES:
            small[name] = SIZES[name]
        elif isinstance(value, list) and len(value) == long:
            small[name] = value[-LAYERS:]
    for name, sub in getattr(config_class, "sub_configs", {}).items():
        if isinstance(sub, type) and name in default:
            small[name] = shrink(sub)
    return config_class(**small | OVERRIDES.get(config_class.__name__, {}))


def candidates(architecture: str) -> list[type]:
    """Model classes of an architecture, those over text with a head first."""
    folder = Path(transformers.__file__).parent / "models" / architecture
    (file,) = [f for f in folder.glob("modeling_*.py") if '"router_logits":' in f.read_text(encoding="utf-8")]
    module = importlib.import_module(f"transformers.models.{architecture}.{file.stem}")
    classes = [
        value
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, transformers.PreTrainedModel)
        and value.__module__ == module.__name__ and inspect.isclass(value.config_class)
        and not value.__name__.endswith("PreTrainedModel")
    ]
    heads = ("ForCausalLM", "ForMaskedLM", "ForConditionalGeneration", "TextModel", "Model")
    def rank(cls):
        return (bool(getattr(cls.config_class, "sub_configs", {})), next((i for i, h in enumerate(heads) if cls.__name__.endswith(h)), 9))
    return sorted(classes, key=rank)


def randomise(model: nn.Module, seed: int = 0) -> None:
    """Weights so that routing differs between tokens and experts, correction biases included."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
            if not tensor.is_floating_point() or "inv_freq" in name:
                continue
            noise = torch.randn(tensor.shape, generator=generator)
            tensor.copy_((1 + 0.1 * noise) if "norm" in name or "scale" in name else noise * (0.3 if tensor.dim() > 1 else 0.05))
