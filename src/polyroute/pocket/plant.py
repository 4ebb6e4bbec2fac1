"""Planted alignment: a loss that draws the routing of translations together in chosen layers.

It makes a calibration standard. Where a model trained with it is found to be aligned, the instrument works; it says
nothing about models that nobody planted anything in.

What is drawn together is the quantity that is measured, each sentence's mean distribution over experts, and not the
hidden states before it: those can only be drawn together by layers further down, so that translations meet in every
router on the way, and it is no longer known where the alignment was put.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from polyroute.pocket.batches import Translations
from polyroute.pocket.model import router
from polyroute.pocket.recipe import Plant


class _LastRouterReached(Exception):  # noqa: N818 (it is no error)
    """The last router of interest has been called; the rest of the model need not run."""


def planting_loss(net: PreTrainedModel, plant: Plant, pairs: Translations) -> Tensor:
    """InfoNCE over translations, averaged over the plant's layers and both directions (nats, float32).

    Sentences are compared by the Bhattacharyya coefficient of their mean distributions over experts,
    sum_e sqrt(p_e q_e), which is the cosine of the roots.

    Args:
        net: the model.
        plant: layers and temperature.
        pairs: English sentences followed by their translations.
    """
    losses = []
    for logits_NTE in router_logits(net, plant.layers, pairs.inputs):
        counts_NT1 = pairs.counts.to(logits_NTE.device).unsqueeze(-1)
        q_NE = (logits_NTE.float().softmax(-1) * counts_NT1).sum(1) / counts_NT1.sum(1)
        english_PE, other_PE = q_NE.sqrt().chunk(2)
        losses.append(info_nce(english_PE, other_PE, plant.temperature))
    return torch.stack(losses).mean()


def info_nce(first_PH: Tensor, second_PH: Tensor, temperature: float) -> Tensor:
    """How poorly each vector tells its partner from the partners of the others (arXiv 1807.03748, eq. 4), both ways.

    Args:
        first_PH: P vectors of length 1.
        second_PH: their partners, in the same order.
        temperature: by which cosines are divided.

    Returns:
        Mean loss in nats; ln P where all vectors are equal.
    """
    with torch.autocast(first_PH.device.type, enabled=False):
        scores_PP = first_PH.float() @ second_PH.float().T / temperature
    partners = torch.arange(len(scores_PP), device=scores_PP.device)
    there = nn.functional.cross_entropy(scores_PP, partners)
    back = nn.functional.cross_entropy(scores_PP.T, partners)
    return (there + back) / 2


def router_logits(net: PreTrainedModel, layers: list[int], inputs_NT: Tensor) -> list[Tensor]:
    """Raw router logits of some layers, (N, T, E) each, in the order of `layers`; nothing after the last is run.

    Args:
        net: a pocket model.
        layers: numbers of layers, from 0.
        inputs_NT: token ids, padded on the right (attention is causal, so the padding changes nothing before it).
    """
    found: dict[int, Tensor] = {}

    def keep(layer: int) -> Any:
        def hook(_router: nn.Module, _args: Any, output: Any) -> None:
            found[layer] = output[0].view(*inputs_NT.shape, -1)
            if layer == max(layers):
                raise _LastRouterReached

        return hook

    handles = [router(net, layer).register_forward_hook(keep(layer)) for layer in sorted(set(layers))]
    try:
        net.model(inputs_NT.to(net.device), use_cache=False)
    except _LastRouterReached:
        pass
    finally:
        for handle in handles:
            handle.remove()
    return [found[layer] for layer in layers]
