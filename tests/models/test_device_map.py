"""A model that accelerate has placed, some layers elsewhere, is traced and steered as one that lies in one place."""

import pytest
import torch

from polyroute.models import load as module
from polyroute.models.load import load
from polyroute.models.settings import Checkpoint
from polyroute.models.source import locate
from polyroute.steering.apply import steer
from polyroute.steering.plan import Plan
from polyroute.tracing.collect import trace
from tiny import make_model, make_tokenizer

pytest.importorskip("accelerate")
TEXTS = {"a": "hello world", "b": "abc", "c": "a longer text of some letters"}
PLAN = Plan(model="tiny", experts_per_layer=8, top_k=2, rule="soft", strength=1.0, experts={1: (1, 4), 2: (0,)})


def opened(folder, monkeypatch, **placement):
    if placement:
        monkeypatch.setattr(module, "_placement", lambda *_, **__: dict(placement))
    spec = Checkpoint(folder=folder, dtype="float32", device="cpu")
    return load("tiny", spec, locate("tiny", spec))


def written(loaded, path) -> tuple[bytes, torch.Tensor]:
    """The trace's file, and what the steered model says."""
    trace(loaded.model, loaded.tokenizer, TEXTS, routers=loaded.routers).save(path)
    with torch.no_grad(), steer(loaded.model, PLAN):
        steered = loaded.model(torch.arange(3, 15).view(2, 6)).logits
    return path.read_bytes(), steered


@pytest.mark.parametrize("where", ["auto", "disk"])
def test_where_weights_lie_changes_nothing(where, tmp_path, monkeypatch) -> None:
    make_model().save_pretrained(tmp_path / "model")
    make_tokenizer().save_pretrained(tmp_path / "model")
    plain, steered = written(opened(tmp_path / "model", monkeypatch), tmp_path / "plain.safetensors")
    if where == "auto":
        placement = {"device_map": "auto"}
    else:  # on "meta" until the layer runs, as what does not fit onto GPUs is
        parts = {"model.embed_tokens": "cpu", "model.norm": "cpu", "model.rotary_emb": "cpu", "lm_head": "cpu"}
        parts |= {"model.layers.0": "cpu", "model.layers.1": "disk", "model.layers.2": "disk"}
        placement = {"device_map": parts, "offload_folder": str(tmp_path / "disk")}
    loaded = opened(tmp_path / "model", monkeypatch, **placement)
    assert any(parameter.is_meta for parameter in loaded.model.parameters()) == (where == "disk")
    found, pushed = written(loaded, tmp_path / "placed.safetensors")
    assert found == plain
    assert torch.equal(pushed, steered)
