import pytest
import torch

from polyroute.sizing.configs import counted, of_shape
from polyroute.sizing.shape import Latent, ModelShape, table
from polyroute.sizing.weights import cache_bytes, stored_bytes, weights

TINY = ModelShape(
    type="qwen3_moe", layers=3, hidden=10, experts=4, top_k=2, expert_width=5, heads=2, kv_heads=1, head_dim=4,
    vocabulary=100, dense_layers=1, dense_width=7, shared_width=6,
)  # fmt: skip
PUBLISHED = {
    "olmoe-1b-7b": (6.9e9, 1.3e9), "qwen3-30b-a3b": (30.5e9, 3.3e9), "gpt-oss-20b": (20.9e9, None),
    "gpt-oss-120b": (117e9, None), "phi35-moe": (42e9, 6.6e9), "granite31-1b": (1.33e9, 0.4e9),
    "euromoe": (2.61e9, None), "marco-nano": (8e9, 0.6e9), "marco-mini-global": (17.3e9, 0.86e9),
    "qwen3-coder-480b": (480e9, 35e9), "deepseek-v3": (671e9, 37e9),
}  # fmt: skip


def test_weights_by_hand() -> None:
    found = weights(TINY)
    # attention 10 x 4 x 2 (2 + 1) = 240 in 3 layers; two layers of 4 experts of 3 x 10 x 5 = 150
    assert found.attention == 720
    assert found.router == 80
    assert found.routed == 1200
    # one dense layer 3 x 10 x 7 = 210; beside the experts 3 x 10 x 6 = 180 in two layers
    assert found.dense == 570
    assert found.total == 720 + 80 + 1200 + 570 + 2 * 1000
    assert found.backbone_active == 720 + 80 + 600 + 570
    assert found.active == found.backbone_active + 2000


def test_tied_embeddings_count_once_and_are_multiplied_all_the_same() -> None:
    found = weights(TINY.model_copy(update={"tied": True}))
    assert (found.head, found.vocabulary_rows) == (0, 1000)


@pytest.mark.parametrize("name", table())
def test_weights_are_those_of_transformers(name: str) -> None:
    built = counted(name, of_shape(table()[name]))
    assert weights(table()[name]).total == pytest.approx(built, rel=1e-3)
    assert weights(table()[name]).total <= built


def test_a_shared_expert_beside_the_routed_ones_is_that_of_transformers() -> None:
    from transformers import AutoConfig

    from polyroute.sizing.shape import from_config

    config = AutoConfig.for_model("qwen2_moe")
    assert weights(from_config(config.to_dict(), "it")).total == pytest.approx(counted("it", config), rel=1e-3)


@pytest.mark.parametrize("name", table())
def test_weights_are_those_that_releases_state(name: str) -> None:
    total, active = PUBLISHED[name]
    found = weights(table()[name])
    assert found.total == pytest.approx(total, rel=0.01)
    # What counts as active differs: with embedding and output, or without.
    assert active is None or found.backbone_active * 0.98 < active < found.active * 1.08


def test_bytes_of_a_cache_and_of_files() -> None:
    assert cache_bytes(TINY, "bfloat16") == 3 * 2 * 1 * 4 * 2
    latent = TINY.model_copy(update={"latent": Latent(key_value=3, rotary=2, plain=4, value=5)})
    assert cache_bytes(latent, "float32") == 3 * 2 * (4 + 2 + 5) * 4
    total = weights(TINY).total
    assert stored_bytes(TINY, "bfloat16") == 2 * total
    assert stored_bytes(TINY.model_copy(update={"stored": "float32"}), "bfloat16") == 4 * total
    mxfp4 = TINY.model_copy(update={"stored": "mxfp4"})
    assert stored_bytes(mxfp4, "bfloat16") == pytest.approx(1200 * 4.25 / 8 + (total - 1200) * 2)


def test_gpt_oss_files_are_as_large_as_the_release() -> None:
    # The release's folder of gpt-oss-120b: 14 shards of 4.1 to 4.6 GB, 65 GB.
    assert stored_bytes(table()["gpt-oss-120b"], "bfloat16") == pytest.approx(65e9, rel=0.02)


def test_the_cache_of_transformers_has_as_many_numbers() -> None:
    from polyroute.sizing.configs import built, reduced

    shape = table()["granite31-1b"]
    config = reduced(of_shape(shape), 16)
    model = built("it", config, torch.float32)
    told = model(torch.zeros(1, 5, dtype=torch.int64), use_cache=True).past_key_values
    from polyroute.sizing.shape import from_config

    held = sum(layer.keys.nbytes + layer.values.nbytes for layer in told.layers)
    assert held == 5 * cache_bytes(from_config(config.to_dict(), "it"), "float32")
