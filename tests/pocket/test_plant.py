import math

import pytest
import torch

from polyroute.pocket import batches, model
from polyroute.pocket.plant import info_nce, planting_loss, router_logits
from polyroute.pocket.recipe import Plant

PLANT = Plant(layers=[0, 1], pairs=4, temperature=0.5, weight=1.0)


@pytest.fixture(scope="module")
def net(recipe):
    return model.build(recipe, {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 2}).eval()


def test_info_nce_by_hand() -> None:
    first = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    turned = torch.tensor([[0.6, 0.8], [0.0, 1.0]])
    # cosines: [[0.6, 0], [0.8, 1]], divided by 0.5
    rows = [math.log(1 + math.exp(0 - 1.2)), math.log(1 + math.exp(1.6 - 2.0))]
    columns = [math.log(1 + math.exp(1.6 - 1.2)), math.log(1 + math.exp(0 - 2.0))]
    assert float(info_nce(first, turned, 0.5)) == pytest.approx((sum(rows) + sum(columns)) / 4)
    assert float(info_nce(first[:1].expand(5, 2), first[:1].expand(5, 2), 0.1)) == pytest.approx(math.log(5))
    assert float(info_nce(first, first, 0.01)) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("architecture", ["qwen3_moe", "gpt_oss"])
def test_logits_are_the_routers_own(recipe, architecture) -> None:
    net = model.build(recipe.model_copy(update={"architecture": architecture}), {}).eval()
    inputs = torch.randint(3, 400, (3, 7))
    with torch.no_grad():
        expected = net.model(inputs, output_router_logits=True, use_cache=False).router_logits
        hooks = [len(model.router(net, layer)._forward_hooks) for layer in range(2)]
        found = router_logits(net, [1, 0], inputs)
    assert torch.equal(found[0], expected[1].view(3, 7, -1))
    assert torch.equal(found[1], expected[0].view(3, 7, -1))
    assert [len(model.router(net, layer)._forward_hooks) for layer in range(2)] == hooks


def test_nothing_after_the_last_router_is_run(net) -> None:
    def fail(*_args) -> None:
        raise AssertionError("ran")

    handle = net.model.layers[1].mlp.experts.register_forward_pre_hook(fail)
    try:
        router_logits(net, [0, 1], torch.randint(3, 400, (1, 4)))
    finally:
        handle.remove()


def test_the_loss_is_of_means_over_a_sentences_own_tokens(net, recipe, cutter) -> None:
    pairs = batches.translations(recipe, PLANT, cutter, 0)
    with torch.no_grad():
        loss = float(planting_loss(net, PLANT, pairs))
        expected = []
        for layer in PLANT.layers:
            roots = []
            for row, counted in zip(pairs.inputs, pairs.counts, strict=True):
                last = int(counted.nonzero().max())
                logits = net.model(row[None, : last + 1], output_router_logits=True).router_logits[layer]
                roots.append(logits[1:].softmax(-1).mean(0).sqrt())
            expected.append(float(info_nce(torch.stack(roots[:4]), torch.stack(roots[4:]), 0.5)))
    assert loss == pytest.approx(sum(expected) / 2, abs=1e-5)


def test_training_on_it_draws_translations_together(recipe, cutter) -> None:
    net = model.build(recipe, {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 2})
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.003)
    plant = PLANT.model_copy(update={"layers": [1], "temperature": 0.02})
    pairs = batches.translations(recipe, plant, cutter, 0)
    losses = []
    for _ in range(20):
        loss = planting_loss(net, plant, pairs)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.5 * losses[0]
