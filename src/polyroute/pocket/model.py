"""The architecture of a recipe, with random weights."""

import torch
from transformers import PreTrainedModel, Qwen3MoeConfig, Qwen3MoeForCausalLM

from polyroute.params import PocketRecipe


def build(recipe: PocketRecipe, special_tokens: dict[str, int]) -> PreTrainedModel:
    """A float32 model whose weights depend on the recipe alone.

    Args:
        recipe: sizes and seed.
        special_tokens: `bos_token_id`, `eos_token_id`, `pad_token_id`.
    """
    config = Qwen3MoeConfig(
        vocab_size=recipe.vocabulary,
        hidden_size=recipe.hidden,
        intermediate_size=recipe.expert_width * recipe.top_k,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
        num_key_value_heads=recipe.kv_heads,
        head_dim=recipe.hidden // recipe.heads,
        moe_intermediate_size=recipe.expert_width,
        num_experts=recipe.experts,
        num_experts_per_tok=recipe.top_k,
        norm_topk_prob=True,
        max_position_embeddings=recipe.context,
        tie_word_embeddings=True,
        **special_tokens,
    )
    # At these sizes plain attention and one grouped product for all experts are the fastest on CPU.
    config._attn_implementation = "eager"
    config._experts_implementation = "grouped_mm"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        return Qwen3MoeForCausalLM(config)
