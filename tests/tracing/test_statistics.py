import dataclasses

import numpy as np
import pytest
import torch

from polyroute.artifacts.trace import TraceError
from polyroute.measures import consistency
from polyroute.measures.of_tokens import OfTokens
from polyroute.models.routers import RouterCall
from polyroute.tracing import statistics
from polyroute.tracing.statistics import BatchAccumulator

COUNTED_BS = np.array([[True, True, False], [True, False, False]])
IDS_TK = torch.tensor([[0, 1], [1, 2], [0, 0], [2, 3], [0, 1], [0, 1]])
NAN = float("nan")


@dataclasses.dataclass(frozen=True)
class FakeRouter:
    layer: int = 0
    name: str = "layers.0.gate"


def reduce(logits_TE, weights_TK, router=FakeRouter(), head=0):
    accumulator = BatchAccumulator(COUNTED_BS, ["a", "b"], experts=4, pairs=3, seed=0, head=head)
    accumulator.add(router, RouterCall(logits_TE, weights_TK, IDS_TK))
    return accumulator.finish([router])


def logits() -> torch.Tensor:
    return torch.arange(24.0).view(6, 4) / 10


def test_padding_may_hold_anything_even_nan() -> None:
    clean = reduce(logits(), torch.full((6, 2), 0.5))
    dirty_TE, dirty_TK = logits(), torch.full((6, 2), 0.5)
    dirty_TE[[2, 4, 5]] = NAN
    dirty_TK[[2, 4, 5]] = NAN
    dirty = reduce(dirty_TE, dirty_TK)
    for name, values in clean.items():
        assert np.array_equal(values, dirty[name], equal_nan=True), name
    assert clean["tokens"].tolist() == [2, 1]


def test_what_a_measure_of_tokens_says_of_padding_is_left_out(monkeypatch) -> None:
    largest = OfTokens(
        "largest", title="Largest logit", unit="nats", bounds=(-np.inf, np.inf), reading="soft_mass",
        of=lambda call: call.logits_TE.amax(dim=1),
    )  # fmt: skip
    monkeypatch.setattr(statistics, "TRACED", (consistency.MEASURE, largest))
    dirty_TE = logits()
    dirty_TE[[2, 4, 5]] = NAN
    np.testing.assert_allclose(reduce(dirty_TE, torch.full((6, 2), 0.5))["largest"][:, 0], [(0.3 + 0.7) / 2, 1.5])


def test_a_choice_of_weight_zero_was_dropped_by_the_model() -> None:
    weights_TK = torch.tensor([[0.5, 0.5], [1.0, 0.0]] + [[0.5, 0.5]] * 4)
    found = reduce(logits(), weights_TK)
    assert found["topk_count"][0, 0].tolist() == [1, 2, 0, 0]  # expert 2 of the second token is not counted
    assert found["topk_mass"][0, 0].tolist() == [0.25, 0.75, 0, 0]


def test_first_tokens_by_hand() -> None:
    soft_TE = torch.softmax(logits(), dim=1).numpy()
    one, two, nine = (reduce(logits(), torch.full((6, 2), 0.5), head=head)["head_mass"][:, 0] for head in (1, 2, 9))
    np.testing.assert_allclose(one, soft_TE[[0, 3]], atol=1e-6)
    np.testing.assert_allclose(two[0], soft_TE[:2].mean(axis=0), atol=1e-6)
    assert np.isnan(two[1]).all(), "a sequence of one token has no two"
    assert np.isnan(nine).all()
    assert "head_mass" not in reduce(logits(), torch.full((6, 2), 0.5))


@pytest.mark.parametrize("which", ["logits", "weights"])
def test_nan_of_a_counted_token_names_the_layer(which) -> None:
    logits_TE, weights_TK = logits(), torch.full((6, 2), 0.5)
    (logits_TE if which == "logits" else weights_TK)[1, 0] = NAN
    with pytest.raises(TraceError, match=r"layer 0 \(layers.0.gate\): router logits or weights of 1 tokens"):
        reduce(logits_TE, weights_TK)


def test_a_call_of_another_shape_and_a_second_one_are_refused() -> None:
    accumulator = BatchAccumulator(COUNTED_BS, ["a", "b"], experts=4, pairs=3, seed=0)
    with pytest.raises(TraceError, match=r"routed \(5, 4\) .* where the batch has 6 positions"):
        accumulator.add(FakeRouter(), RouterCall(logits()[:5], torch.ones(5, 2), IDS_TK[:5]))
    accumulator.add(FakeRouter(), RouterCall(logits(), torch.ones(6, 2), IDS_TK))
    with pytest.raises(TraceError, match="called twice"):
        accumulator.add(FakeRouter(), RouterCall(logits(), torch.ones(6, 2), IDS_TK))
    with pytest.raises(TraceError, match="never called other"):
        accumulator.finish([FakeRouter(), FakeRouter(1, "other")])
