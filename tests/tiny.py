"""A small real model and a real tokenizer, built in a moment, and params.yaml as plain data."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import torch
import yaml
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast, Qwen3MoeConfig, Qwen3MoeForCausalLM

ROOT = Path(__file__).parents[1]
"""Of the repository."""


@cache
def _params() -> str:
    return json.dumps(yaml.load((ROOT / "params.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader))


def raw_params() -> dict[str, Any]:
    """params.yaml of the repository, the caller's to change: read once, what YAML merges share is apart."""
    return json.loads(_params())


def make_model(
    seed: int = 0, layers: int = 3, experts: int = 8, top_k: int = 2, *, words: int = 64, context: int = 256
) -> Qwen3MoeForCausalLM:
    """A Qwen3-MoE of a few thousand random weights, large enough to route tokens apart."""
    torch.manual_seed(seed)
    config = Qwen3MoeConfig(
        vocab_size=words, hidden_size=16, intermediate_size=16, moe_intermediate_size=8, num_hidden_layers=layers,
        num_attention_heads=2, num_key_value_heads=1, head_dim=8, num_experts=experts, num_experts_per_tok=top_k,
        max_position_embeddings=context, tie_word_embeddings=True,
    )  # fmt: skip
    model = Qwen3MoeForCausalLM(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(std=0.3)
    return model


def make_tokenizer() -> PreTrainedTokenizerFast:
    """Letters as tokens, with BOS and EOS added by the tokenizer."""
    alphabet = "abcdefghijklmnopqrstuvwxyz "
    vocabulary = {"<pad>": 0, "<bos>": 1, "<eos>": 2} | {letter: 3 + i for i, letter in enumerate(alphabet)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="a"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<bos> $A <eos>", special_tokens=[("<bos>", 1), ("<eos>", 2)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", bos_token="<bos>", eos_token="<eos>")
