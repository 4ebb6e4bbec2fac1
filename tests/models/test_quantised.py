"""Quantised checkpoints are read as what they stand for, or refused by name with what to do."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from models.tiny_models import tiny
from polyroute.models import load as module
from polyroute.models.folder import ModelError
from polyroute.models.load import load
from polyroute.models.quantised import method_of
from polyroute.models.routers import observe
from polyroute.models.settings import Checkpoint
from polyroute.models.source import locate
from tiny import make_model, make_tokenizer

FP4 = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, -0.0, -0.5, -1.0, -1.5, -2.0, -3.0, -4.0, -6.0]
"""What the sixteen values of 4 bits stand for (OCP microscaling formats, E2M1)."""
FP8 = {"quant_method": "fp8", "activation_scheme": "dynamic", "weight_block_size": [128, 128]}


def opened(folder, **entry):
    spec = Checkpoint.model_validate({"folder": folder, "dtype": "float32", "device": "cpu"} | entry)
    return load("tiny", spec, locate("tiny", spec))


def saved(folder, model=None):
    (model or make_model()).save_pretrained(folder)
    make_tokenizer().save_pretrained(folder)
    return folder


def quantise(folder, **how) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"quantization_config": how}))


def routed(loaded) -> list[torch.Tensor]:
    """The logits of each router over a few tokens."""
    seen: list[torch.Tensor] = []
    with torch.no_grad(), observe(loaded.routers, lambda _router, call: seen.append(call.logits_TE)):
        loaded.model(torch.arange(3, 15).view(2, 6))
    return seen


@pytest.mark.parametrize(
    ("config", "method"),
    [
        ({}, None),
        ({"quantization_config": None}, None),
        ({"quantization_config": {"quant_method": "mxfp4"}}, "mxfp4"),
        ({"quantization_config": {"load_in_4bit": True}}, "bitsandbytes"),
    ],
)
def test_the_method_is_what_the_configuration_says(config, method) -> None:
    assert method_of(config) == method


def test_a_method_that_nobody_reads_is_refused(tmp_path) -> None:
    quantise(saved(tmp_path), quant_method="int3-of-mine", bits=3)
    with pytest.raises(ModelError, match=r"config\.json: `quantization_config\.quant_method` is `int3-of-mine`, which"):
        opened(tmp_path)


@pytest.mark.parametrize(
    ("package", "how"),
    [
        ("bitsandbytes", {"quant_method": "bitsandbytes", "load_in_4bit": True}),
        ("gptqmodel", {"quant_method": "awq", "bits": 4, "group_size": 128}),
    ],
)
def test_what_a_method_needs_and_is_not_here_is_said(package, how, tmp_path, monkeypatch) -> None:
    try:
        __import__(package)
    except ImportError:
        quantise(saved(tmp_path), **how)
        with pytest.raises(ModelError) as refused:
            opened(tmp_path)
        assert package in str(refused.value)
        assert f"its weights are quantised with `{how['quant_method']}`: install what that needs" in str(refused.value)
    else:
        pytest.skip(f"{package} is installed")


@pytest.mark.skipif(torch.cuda.is_available(), reason="on a GPU these weights stay as they are")
def test_fp8_without_a_gpu_is_what_its_scales_make_of_it(tmp_path) -> None:
    stored, plain = saved(tmp_path / "fp8"), saved(tmp_path / "plain")
    weights = load_file(stored / "model.safetensors")
    expected, scaled = dict(weights), dict(weights)
    generator = torch.Generator().manual_seed(0)
    for name, weight in weights.items():
        if "experts" in name or ("self_attn" in name and weight.ndim == 2):
            scale = torch.rand((1, 1), generator=generator) / 4 + 0.25
            scaled[name] = (weight / scale).to(torch.float8_e4m3fn)
            scaled[f"{name}_scale_inv"] = scale
            expected[name] = scaled[name].float() * scale
    save_file(scaled, stored / "model.safetensors", {"format": "pt"})
    save_file(expected, plain / "model.safetensors", {"format": "pt"})
    quantise(stored, **FP8, modules_to_not_convert=["lm_head", "mlp.gate"])
    found, wanted = routed(opened(stored)), routed(opened(plain))
    assert {logits.dtype for logits in found} == {torch.float32}
    for logits, right in zip(found, wanted, strict=True):
        assert torch.allclose(logits, right, atol=2e-2)  # the scales are applied in bfloat16
    assert not torch.allclose(found[1], routed(opened(saved(tmp_path / "other")))[1], atol=2e-2)


def test_mxfp4_is_unpacked_to_what_its_blocks_and_scales_say(tmp_path) -> None:
    model = tiny("gpt_oss")
    stored = saved(tmp_path, model)
    weights = load_file(stored / "model.safetensors")
    generator = torch.Generator().manual_seed(0)
    expected = {}
    for name in [name for name in weights if name.endswith(("gate_up_proj", "down_proj"))]:
        experts, width, rows = weights.pop(name).shape
        assert width % 32 == 0, "a block is of 32 values"
        blocks = torch.randint(0, 256, (experts, rows, width // 32, 16), generator=generator, dtype=torch.uint8)
        scales = torch.randint(119, 124, (experts, rows, width // 32), generator=generator, dtype=torch.uint8)
        weights |= {f"{name}_blocks": blocks, f"{name}_scales": scales}
        values = torch.tensor(FP4)[torch.stack([blocks & 15, blocks >> 4], dim=-1).long()]
        values = values.flatten(-2) * 2.0 ** (scales.float() - 127)[..., None]
        expected[name] = values.flatten(-2).transpose(1, 2)
    save_file(weights, stored / "model.safetensors", {"format": "pt"})
    quantise(stored, quant_method="mxfp4", modules_to_not_convert=["model.layers.*.mlp.router", "lm_head"])
    loaded = opened(stored)
    assert expected
    for name, values in expected.items():
        assert torch.equal(loaded.model.get_parameter(name).float(), values)
    assert {logits.dtype for logits in routed(loaded)} == {torch.float32}


def test_weights_that_stay_quantised_are_loaded_onto_the_gpu_at_once(monkeypatch) -> None:
    assert module._placement("cpu", quantised=True) == {"device": "cpu"}
    assert module._placement("cuda:1", quantised=True) == {"device_map": {"": "cuda:1"}}
    assert module._placement("cuda:1") == {"device": "cuda:1"}
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert module._placement("auto", quantised=True) == {"device_map": {"": "cuda"}}
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert module._placement("auto", quantised=True) == {"device_map": "auto"}
