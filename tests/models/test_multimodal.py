"""Models that also see are loaded by their text model, and asked in text."""

import pandas as pd
import pytest
import torch
from transformers import AutoConfig, AutoModelForMultimodalLM

from polyroute.asking import choices, generation
from polyroute.models.contract import check_contract
from polyroute.models.load import language_model, load
from polyroute.models.settings import Checkpoint
from polyroute.models.source import ModelError, locate
from polyroute.tracing.collect import trace
from tiny import make_tokenizer

TEXT = {
    "vocab_size": 64, "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2,
    "num_key_value_heads": 1, "head_dim": 8, "max_position_embeddings": 256, "num_experts_per_tok": 2,
    "moe_intermediate_size": 8, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
VISION = {
    "hidden_size": 16,
    "intermediate_size": 16,
    "depth": 1,
    "num_heads": 2,
    "out_hidden_size": 16,
    "patch_size": 8,
}
ROPE = {"rope_type": "default", "rope_theta": 1e4}
IMAGES = {"image_token_id": 60, "video_token_id": 61}
CONFIGS = {
    "qwen3_vl_moe": {
        "text_config": TEXT | {"num_experts": 8, "rope_parameters": ROPE | {"mrope_section": [2, 1, 1]}},
        "vision_config": VISION | {"num_position_embeddings": 16, "deepstack_visual_indexes": [0]},
        "vision_start_token_id": 62, "vision_end_token_id": 63,
    },
    "glm4v_moe": {
        "text_config": TEXT | {
            "n_routed_experts": 8, "n_group": 1, "topk_group": 1, "first_k_dense_replace": 1,
            "rope_parameters": ROPE | {"mrope_section": [1, 1, 0], "partial_rotary_factor": 0.5},
        },
        "vision_config": VISION | {"image_size": 16},
        "image_start_token_id": 62, "image_end_token_id": 63, "video_start_token_id": 58, "video_end_token_id": 59,
    },
    "internvl": {
        "text_config": TEXT | {"model_type": "qwen3_moe", "num_experts": 8},
        "vision_config": {
            "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
            "image_size": [16, 16], "patch_size": [8, 8],
        },
    },
}  # fmt: skip


@pytest.fixture(params=list(CONFIGS))
def wrapper(request, tmp_path):
    """A checkpoint of a wrapper and the model that it was saved from."""
    torch.manual_seed(0)
    config = AutoConfig.for_model(request.param, **(IMAGES | CONFIGS[request.param]))
    model = AutoModelForMultimodalLM.from_config(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(std=0.3)
    model.save_pretrained(tmp_path)
    make_tokenizer().save_pretrained(tmp_path)
    return request.param, model, tmp_path


def test_a_wrapper_is_loaded_traced_and_asked(wrapper) -> None:
    name, model, folder = wrapper
    spec = Checkpoint(dtype="float32", device="cpu", folder=folder)
    loaded = load("tiny", spec, locate("tiny", spec))
    assert [router.layer for router in loaded.routers] == ([1, 2] if name == "glm4v_moe" else [0, 1, 2])
    assert {(router.experts, router.top_k) for router in loaded.routers} == {(8, 2)}
    check_contract(loaded.model, loaded.routers)
    ids = torch.tensor([[1, 7, 5, 20, 11]])
    with torch.no_grad():
        torch.testing.assert_close(loaded.model(input_ids=ids).logits, model(input_ids=ids).logits)
    found = trace(loaded.model, loaded.tokenizer, ["the dog runs", "a cat sleeps here"], routers=loaded.routers)
    assert (found.topk_count.sum(-1) == 2 * found.tokens[:, None]).all()

    items = pd.DataFrame(
        {
            "item_id": ["a", "b", "c"], "language": "eng_Latn", "prompt": ["the dog", "a cat sleeps", "we see the"],
            "choices": [[" runs", " xyz"], [" all day", " no"], [" house", " a"]],
        }
    )  # fmt: skip
    shared = choices.score(loaded.model, loaded.tokenizer, items, batch_tokens=256)
    alone = choices.score(loaded.model, loaded.tokenizer, items, batch_tokens=1, share_prompts=False)
    for first, second in zip(shared["log_likelihoods"], alone["log_likelihoods"], strict=True):
        assert first == pytest.approx(second, abs=1e-3)
    together, one = (
        generation.generate(
            loaded.model, loaded.tokenizer, items, generation.GenerationSettings(max_new_tokens=8, batch_tokens=budget)
        )
        for budget in (256, 1)
    )
    assert together["output"].tolist() == one["output"].tolist()


def test_what_writes_no_text_is_refused_by_name() -> None:
    config = AutoConfig.for_model("clip")
    with pytest.raises(ModelError, match=r"models.tiny: its config.json is of a `clip`, which transformers has no"):
        language_model("tiny", config)
    assert language_model("tiny", AutoConfig.for_model("mistral4")) is AutoModelForMultimodalLM
    assert "Causal" in language_model("tiny", AutoConfig.for_model("qwen3_moe")).__name__
