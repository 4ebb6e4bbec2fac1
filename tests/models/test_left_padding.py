"""Architectures that answer otherwise with padding before the text are found; near ties do not count."""

import pytest
import torch

from models.tiny_models import tiny
from polyroute.models.batches import plan_batches
from polyroute.models.left_padding import left_padding_holds
from tiny import make_model

V4 = {"index_n_heads": 32, "index_topk": 8, "max_position_embeddings": 256, "head_dim": 16}


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_a_plain_model_holds_in_any_dtype(dtype) -> None:
    assert left_padding_holds(make_model().to(dtype))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_blocks_of_columns_do_not(dtype, caplog) -> None:
    model = tiny("deepseek_v4", **V4).to(dtype)
    assert not left_padding_holds(model)
    assert "answers otherwise when padding stands before a text" in caplog.text


@pytest.mark.parametrize("architecture", ["deepseek_v32", "glm_moe_dsa", "jamba", "qwen3_next"])
def test_near_ties_and_recurrent_states_hold(architecture) -> None:
    assert left_padding_holds(tiny(architecture, max_position_embeddings=256))


def test_a_short_context_is_tried_as_far_as_it_goes() -> None:
    assert not left_padding_holds(tiny("deepseek_v4", **(V4 | {"max_position_embeddings": 64})))


def test_batches_of_equal_length() -> None:
    assert plan_batches([3, 5, 3, 5, 4], 100, alike=True) == [[1, 3], [4], [0, 2]]
    assert plan_batches([3, 5, 3, 5, 4], 5, alike=True) == [[1], [3], [4], [0], [2]]
    assert plan_batches([3, 5, 3, 5, 4], 100) == [[1, 3, 4, 0, 2]]
