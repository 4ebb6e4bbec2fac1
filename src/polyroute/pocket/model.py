"""The architecture of a recipe, with random weights."""

from typing import Any

import torch
from torch import nn
from transformers import GptOssConfig, GptOssForCausalLM, PreTrainedModel, Qwen3MoeConfig, Qwen3MoeForCausalLM

from polyroute.pocket.recipe import PocketRecipe


def build(recipe: PocketRecipe, special_tokens: dict[str, int]) -> PreTrainedModel:
    """A float32 model whose weights depend on the recipe alone.

    Args:
        recipe: sizes and seed.
        special_tokens: `bos_token_id`, `eos_token_id`, `pad_token_id`.
    """
    common: dict[str, Any] = {
        "vocab_size": recipe.vocabulary,
        "hidden_size": recipe.hidden,
        "num_hidden_layers": recipe.layers,
        "num_attention_heads": recipe.heads,
        "num_key_value_heads": recipe.kv_heads,
        "head_dim": recipe.hidden // recipe.heads,
        "num_experts_per_tok": recipe.top_k,
        "max_position_embeddings": recipe.context,
        "tie_word_embeddings": True,
    } | special_tokens
    architecture: type[PreTrainedModel]
    if recipe.architecture == "qwen3_moe":
        # Softmax over all experts, the top k of it renormalised.
        architecture = Qwen3MoeForCausalLM
        config = Qwen3MoeConfig(
            intermediate_size=recipe.expert_width * recipe.top_k,
            moe_intermediate_size=recipe.expert_width,
            num_experts=recipe.experts,
            norm_topk_prob=True,
            **common,
        )
    else:
        # Routers with a bias whose softmax is over the chosen k alone; every other layer sees a window of the text.
        architecture = GptOssForCausalLM
        config = GptOssConfig(
            intermediate_size=recipe.expert_width,
            num_local_experts=recipe.experts,
            sliding_window=recipe.columns // 2,
            rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
            **common,
        )
    # At these sizes plain attention and one grouped product for all experts are the fastest on CPU.
    config._attn_implementation = "eager"
    config._experts_implementation = "grouped_mm"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        return architecture(config)


def router(net: PreTrainedModel, layer: int) -> nn.Module:
    """The router of a layer that `build` made; its first output are the raw logits, (tokens, E)."""
    block = net.model.layers[layer].mlp
    found: nn.Module = block.gate if isinstance(net, Qwen3MoeForCausalLM) else block.router
    return found
