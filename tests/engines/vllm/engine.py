"""Tiny float32 models that vLLM's kernels for CPUs take, the same in transformers, and plans for them."""

import importlib.util
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
import transformers

from polyroute.models.routers import find_routers
from polyroute.steering.apply import steer
from polyroute.steering.plan import Plan
from tiny import make_tokenizer

needs_vllm = pytest.mark.skipif(
    importlib.util.find_spec("vllm") is None,
    reason="vLLM is not installed here; it has an environment of its own: make test-vllm",
)

EXPERTS, TOP_K, LAYERS, TOKENS = 8, 2, 4, 16
SIZES = {
    "vocab_size": 64, "hidden_size": 64, "num_hidden_layers": LAYERS, "num_attention_heads": 2,
    "num_key_value_heads": 1, "max_position_embeddings": 512, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0,
    "num_experts_per_tok": TOP_K,
}  # fmt: skip
ARCHITECTURES = {
    "Qwen3Moe": {"head_dim": 32, "intermediate_size": 64, "moe_intermediate_size": 32, "num_experts": EXPERTS},
    "Olmoe": {"intermediate_size": 32, "num_experts": EXPERTS},
    "Mixtral": {"head_dim": 32, "intermediate_size": 32, "num_local_experts": EXPERTS},
    "GptOss": {"head_dim": 32, "intermediate_size": 32, "num_local_experts": EXPERTS},
}
SETTINGS = {
    "POLYROUTE_SLOTS": "7", "POLYROUTE_RULES": "soft,activate,deactivate,mask,magnitude",
    "VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_LOGGING_LEVEL": "ERROR", "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1",
}  # fmt: skip


def made(architecture: str, folder: Path) -> Path:
    """A checkpoint of a tiny model with a tokenizer of letters."""
    config = getattr(transformers, f"{architecture}Config")(**SIZES, **ARCHITECTURES[architecture])
    torch.manual_seed(0)
    model = getattr(transformers, f"{architecture}ForCausalLM")(config)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(std=0.15)
    model.save_pretrained(folder)
    make_tokenizer().save_pretrained(folder)
    return folder


def plan(rule: str, **more) -> Plan:
    experts = {1: (1, 4), 2: (0, 4)}
    if rule == "magnitude":
        more["weights"] = {layer: dict.fromkeys(ids, 0.9) for layer, ids in experts.items()}
    return Plan(model="tiny", layers=LAYERS, experts_per_layer=EXPERTS, top_k=TOP_K, rule=rule, experts=experts, **more)


PLANS = {
    "soft": plan("soft", strength=1.5),
    "demote": plan("soft", strength=-1.0, std="sample"),
    "activate": plan("activate"),
    "deactivate": plan("deactivate"),
    "mask": plan("mask"),
    "magnitude": plan("magnitude", strength=0.7),
    "zero": plan("soft", strength=0.0),
}


def prompts(*lengths: int) -> list[list[int]]:
    generator = torch.Generator().manual_seed(1)
    return [torch.randint(3, 30, (length,), generator=generator).tolist() for length in lengths]


class InTransformers:
    """The same checkpoint, as polyroute steers it in transformers."""

    def __init__(self, folder: Path):
        self.model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        self.routers = find_routers(self.model)

    def steered(self, name: str | None):
        return nullcontext() if name is None else steer(self.model, PLANS[name], routers=self.routers)

    def writes(self, prompt: list[int], name: str | None, tokens: int = TOKENS) -> list[int]:
        with torch.inference_mode(), self.steered(name):
            written = self.model.generate(
                torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt), dtype=torch.int64),
                max_new_tokens=tokens, min_new_tokens=tokens, do_sample=False, eos_token_id=None, pad_token_id=0,
            )  # fmt: skip
        return written[0, len(prompt) :].tolist()
