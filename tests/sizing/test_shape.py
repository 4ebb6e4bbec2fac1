import json

import pytest

from polyroute.sizing.configs import of_shape
from polyroute.sizing.shape import SizingError, find, from_config, read, table

OLMOE = {
    "model_type": "olmoe", "num_hidden_layers": 16, "hidden_size": 2048, "intermediate_size": 1024, "num_experts": 64,
    "num_experts_per_tok": 8, "num_attention_heads": 16, "num_key_value_heads": 16, "vocab_size": 50304,
    "norm_topk_prob": False,
}  # fmt: skip


def numbers(shape) -> dict:
    return shape.model_dump(exclude={"hub", "source", "certainty", "stored", "head_dim" if shape.latent else "hub"})


@pytest.mark.parametrize("name", table())
def test_a_shape_is_read_back_from_the_configuration_made_of_it(name: str) -> None:
    shape = table()[name]
    assert numbers(from_config(of_shape(shape).to_dict(), name)) == numbers(shape)


def test_a_config_json_has_the_shape_of_the_table(tmp_path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(OLMOE | {"torch_dtype": "bfloat16"}))
    found = read(tmp_path)
    assert numbers(found) == numbers(table()["olmoe-1b-7b"])
    assert found.stored == "bfloat16"
    assert read(tmp_path / "config.json") == found


def test_defaults_of_transformers_are_the_shapes_that_say_so() -> None:
    from transformers import AutoConfig

    for name, shape in table().items():
        if shape.certainty == "default":
            told = from_config(AutoConfig.for_model(shape.type).to_dict(), name)
            assert numbers(told) == numbers(shape), name


def test_dense_layers_are_counted() -> None:
    sparse = {
        "model_type": "qwen3_moe", "num_hidden_layers": 6, "hidden_size": 8, "moe_intermediate_size": 4,
        "intermediate_size": 16, "num_experts": 4, "num_experts_per_tok": 2, "num_attention_heads": 2,
        "num_key_value_heads": 1, "vocab_size": 10, "decoder_sparse_step": 2, "mlp_only_layers": [1],
    }  # fmt: skip
    # layers 1, 3 and 5 have experts by the step, and 1 is taken out
    found = from_config(sparse, "it")
    assert (found.dense_layers, found.dense_width, found.head_dim) == (4, 16, 4)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"model_type": "jamba"}, "`model_type` is `jamba`, whose weights this arithmetic does not count"),
        ({"num_experts": None}, "`num_local_experts` is missing"),
        ({"num_hidden_layers": True}, "`num_hidden_layers` is missing"),
        ({"num_experts_per_tok": 65}, "`top_k: 65` is more than `experts: 64`"),
    ],
)
def test_what_cannot_be_counted_is_refused_by_key(change, told) -> None:
    with pytest.raises(SizingError, match=told):
        from_config(OLMOE | change, "config.json")


def test_files_that_are_none_are_refused_by_name(tmp_path) -> None:
    with pytest.raises(SizingError, match=r"config.json is not there"):
        read(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(SizingError, match="is no JSON"):
        read(tmp_path)
    (tmp_path / "config.json").write_text("[]")
    with pytest.raises(SizingError, match="is no JSON object"):
        read(tmp_path)


def test_stored_dtypes_are_told() -> None:
    assert from_config(OLMOE | {"quantization_config": {"quant_method": "fp8"}}, "it").stored == "float8"
    assert from_config(OLMOE | {"quantization_config": {"quant_method": "mxfp4"}}, "it").stored == "mxfp4"
    assert from_config(OLMOE, "it").stored is None


def test_models_of_the_hub_are_found_by_name() -> None:
    assert find("openai/gpt-oss-20b") is table()["gpt-oss-20b"]
    assert find("nobody/nothing") is None
    assert all(shape.source and shape.hub for shape in table().values())
