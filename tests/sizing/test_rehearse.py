"""Every entry's architecture, tiny: its routers keep the contract, and it is measured."""

from typing import Any

import pytest
import torch
import transformers

from polyroute.params import file as params
from polyroute.params.models import TransformersModel
from polyroute.sizing import rehearse as rehearsing
from polyroute.sizing.configs import FACTORS, LEAST, WORDS, of_shape, reduced
from polyroute.sizing.rehearse import Rehearsal, rehearse
from polyroute.sizing.shape import SizingError, find, from_config, table
from polyroute.sizing.weights import weights
from tiny import ROOT

MODELS = params.read(ROOT / "params.yaml").models
NEW = ("granite31-1b", "euromoe", "marco-nano", "marco-mini-global")


def shallow(name: str, layers: int = 2) -> Any:
    """A shape's configuration with few layers."""
    config = of_shape(table()[name])
    config.num_hidden_layers = layers
    if getattr(config, "layer_types", None) is not None:
        config.layer_types = config.layer_types[:layers]
    if getattr(config, "first_k_dense_replace", None) is not None:
        config.first_k_dense_replace = 1
    return config


@pytest.fixture
def quick(monkeypatch) -> None:
    monkeypatch.setattr(rehearsing, "_TIMES", 1)
    monkeypatch.setattr(rehearsing, "_WRITTEN", 1)


def tiny(name: str, **options: Any) -> Rehearsal:
    return rehearse(name, shallow(name), device="cpu", dtype=torch.float32, width=64, batch_tokens=64, **options)


@pytest.mark.parametrize("name", sorted(set(table()) - {"gpt-oss-120b", "qwen3-coder-480b"}))  # classes of others
@pytest.mark.usefixtures("quick")
def test_routers_of_every_entrys_architecture_are_proved(name: str) -> None:
    shape, found = table()[name], tiny(name)
    sparse = 2 - min(shape.dense_layers, 1)
    assert set(found.contract.experts) == {shape.experts}
    assert set(found.contract.top_k) == {shape.top_k}
    assert len(found.contract.layers) == sparse
    assert "other" not in found.contract.selections
    assert min(found.reading, found.writing, found.peak) > 0
    assert found.shape is not None
    assert found.weights == pytest.approx(weights(found.shape).total, rel=0.05)


def test_entries_say_what_their_shapes_say() -> None:
    for name, spec in MODELS.items():
        if isinstance(spec, TransformersModel) and spec.hub is not None:
            shape = find(spec.hub)
            assert shape is not None, name
            if spec.shape is not None:
                assert (spec.shape.layers, spec.shape.experts, spec.shape.top_k) == (
                    shape.layers, shape.experts, shape.top_k,
                ), name  # fmt: skip


def test_entries_of_every_pocket_are_there() -> None:
    assert {name: type(MODELS[name]) for name in NEW} == dict.fromkeys(NEW, TransformersModel)
    assert all(table()[name].hub == MODELS[name].hub for name in NEW)


@pytest.mark.parametrize("name", ["marco-nano", "gpt-oss-20b", "deepseek-v3", "granite31-1b", "olmoe-1b-7b"])
def test_reducing_leaves_layers_experts_and_heads(name: str) -> None:
    config = of_shape(table()[name])
    before, small = config.to_dict(), from_config(reduced(config, 8).to_dict(), name)
    whole = table()[name]
    assert config.to_dict() == before
    for same in ("type", "layers", "experts", "top_k", "heads", "kv_heads"):
        assert getattr(small, same) == getattr(whole, same)
    assert small.expert_width == whole.expert_width // 8 // LEAST * LEAST
    assert small.vocabulary == WORDS
    assert small.hidden <= whole.hidden // 8 or small.hidden == LEAST * whole.heads


def test_nothing_is_reduced_by_one_but_quantisation_is_taken_off() -> None:
    config = of_shape(table()["olmoe-1b-7b"])
    config.quantization_config = {"quant_method": "fp8"}
    same = reduced(config, 1)
    assert not hasattr(same, "quantization_config")
    assert from_config(same.to_dict(), "it") == from_config(of_shape(table()["olmoe-1b-7b"]).to_dict(), "it")


def test_words_of_special_tokens_stay_inside_the_vocabulary() -> None:
    config = transformers.AutoConfig.for_model("olmoe", pad_token_id=50000, eos_token_id=[7, 50300])
    small = reduced(config, 4)
    assert (small.pad_token_id, small.eos_token_id) == (0, [7, WORDS - 1])


def test_the_least_width_that_fits_is_taken(monkeypatch) -> None:
    monkeypatch.setattr(rehearsing, "counted", lambda _name, small: small)
    monkeypatch.setattr(rehearsing, "reduced", lambda config, factor: config // factor)
    assert rehearsing._fitting("it", 1000, torch.float32, 4000) == 1
    assert rehearsing._fitting("it", 1000, torch.bfloat16, 600) == 4
    with pytest.raises(SizingError, match=f"divided by {FACTORS[-1]} its weights take more than"):
        rehearsing._fitting("it", 10**6, torch.float32, 600)


def test_what_cannot_be_built_is_told() -> None:
    config = of_shape(table()["olmoe-1b-7b"])
    config.num_attention_heads = 3
    config.hidden_act = "nothing"
    with pytest.raises(SizingError, match=r"it: OlmoeConfig cannot be built .*nothing"):
        rehearse("it", config, device="cpu", dtype=torch.float32, width=64)
