"""Between a batch's begin and its end nothing waits for the device."""

from collections import Counter

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from polyroute.tracing import collect as collect_module
from polyroute.tracing.collect import TraceSettings, trace

TEXTS = {str(number): "ab cd " * (1 + number % 5) for number in range(12)}
SETTINGS = TraceSettings(batch_tokens=64, pairs=5)

aten = torch.ops.aten
WAITING = {aten.nonzero.default, aten.equal.default, aten.masked_select.default}
"""Operations whose answer the host must have before it goes on."""


class Waits(TorchDispatchMode):
    """Counts operations on which the host would wait for a GPU."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: Counter[str] = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        masked = func in (aten.index.Tensor, aten.index_put_.default) and any(
            index is not None and index.dtype == torch.bool for index in args[1]
        )
        if func in WAITING or masked:
            self.seen[str(func)] += 1
        return func(*args, **(kwargs or {}))


@pytest.fixture
def waits(monkeypatch) -> tuple[Counter[str], Counter[str]]:
    """What waited while batches were begun, and while the same backbone ran over the same inputs unobserved."""
    begun, bare = Counter(), Counter()
    counting: list[Counter[str]] = []
    for name in ("cpu", "item", "tolist", "numpy", "__bool__", "__int__", "__float__", "__index__"):
        plain = getattr(torch.Tensor, name)

        def counted(self, *args, name=name, plain=plain, **kwargs):
            if counting:
                counting[-1][name] += 1
            return plain(self, *args, **kwargs)

        monkeypatch.setattr(torch.Tensor, name, counted)
    forward = collect_module._Runner._forward

    def watched(self, indices, item_ids):
        inputs, _ = self._pad(indices)
        counting.append(bare)
        with Waits() as mode, torch.inference_mode():
            self.backbone(**inputs, use_cache=False)
        bare.update(mode.seen)
        counting.append(begun)
        with Waits() as mode:
            result = forward(self, indices, item_ids)
        begun.update(mode.seen)
        counting.clear()
        return result

    monkeypatch.setattr(collect_module._Runner, "_forward", watched)
    return begun, bare


def test_the_count_sees_what_waits(model, tokenizer, waits, monkeypatch) -> None:
    begun, bare = waits
    add = collect_module.BatchAccumulator.add

    def waiting(self, router, call):
        add(self, router, call)
        assert call.ids_TK.max() >= 0
        call.ids_TK.max().item()
        call.logits_TE[call.logits_TE[:, 0] > 0].cpu()

    monkeypatch.setattr(collect_module.BatchAccumulator, "add", waiting)
    trace(model, tokenizer, {"one": "abc"}, settings=SETTINGS)
    layers = len(model.model.layers)
    assert begun - bare == {"__bool__": layers, "item": layers, "cpu": layers, "aten.index.Tensor": layers}


def test_tracing_waits_nowhere_inside_a_batch(model, tokenizer, waits) -> None:
    """What is left is the model's: transformers looks at the padding mask to choose a kernel of attention."""
    begun, bare = waits
    trace(model, tokenizer, TEXTS, settings=SETTINGS)
    assert begun == bare
    assert set(bare) <= {"__bool__"}


def queue(monkeypatch) -> None:
    plain = collect_module._Runner.__init__

    def init(self, *args):
        plain(self, *args)
        self.queues = True

    monkeypatch.setattr(collect_module._Runner, "__init__", init)


def test_a_batch_is_begun_before_the_one_before_it_is_waited_for(model, tokenizer, monkeypatch) -> None:
    reference = trace(model, tokenizer, TEXTS, settings=SETTINGS)
    happened = []
    queue(monkeypatch)
    for name in ("_forward", "_finish"):
        plain = getattr(collect_module._Runner, name)

        def told(self, *args, name=name, plain=plain):
            happened.append(name)
            return plain(self, *args)

        monkeypatch.setattr(collect_module._Runner, name, told)
    queued = trace(model, tokenizer, TEXTS, settings=SETTINGS)
    batches = len(happened) // 2
    assert batches > 2
    assert happened == ["_forward", *["_forward", "_finish"] * (batches - 1), "_finish"]
    for name, column in reference.columns().items():
        assert np.array_equal(column, queued.columns()[name], equal_nan=True), name


def test_a_queued_batch_outlives_lack_of_memory_in_the_next(model, tokenizer, monkeypatch) -> None:
    reference = trace(model, tokenizer, TEXTS, settings=SETTINGS)
    queue(monkeypatch)
    forward, begun = collect_module._Runner._forward, []

    def small_memory(self, indices, item_ids):
        if begun and len(indices) > 2:
            raise torch.OutOfMemoryError("device full")
        begun.append(len(indices))
        return forward(self, indices, item_ids)

    monkeypatch.setattr(collect_module._Runner, "_forward", small_memory)
    halved = trace(model, tokenizer, TEXTS, settings=SETTINGS)
    assert sum(begun) == len(TEXTS)
    assert np.array_equal(reference.topk_count, halved.topk_count)
    assert halved.item_ids == reference.item_ids
