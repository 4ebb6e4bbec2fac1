"""Routing weights put through a softmax once more: what the code behind paper 1 read of GPT-OSS.

GPT-OSS takes the softmax over the K chosen logits alone. transformers 4.55 to 4.57 recorded these weights, scattered
into zeros over all E experts, as its `router_logits`, and reading importance as the softmax of what is recorded then
gives

    q[e] = exp(w[e]) / sum over E of exp(w),   w the weights of the chosen, 0 elsewhere

With w in [0, 1] this is nearly uniform: its entropy lies just under ln E in every layer. Divergence D, which divides by
what is left to ln E, is then |p' - q'|^2 / (2 (|p'|^2 + |q'|^2)) of the deviations p', q' from uniform in their first
order, so that texts whose experts have nothing in common are near 0.5 and not near 1. Levels compare with no other
reading's. It is kept of routers with such weights (`softmax>topk>renormalise`), whatever the model.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from polyroute.models.routers import Router

_RULE = "softmax>topk>renormalise"


def applies(routers: Sequence[Router]) -> bool:
    """Whether every router weights experts by a softmax over the chosen ones."""
    return all(router.selection == _RULE for router in routers)


def softmax_of_weights(weights_TE: Tensor, ignored_N: Tensor) -> Tensor:
    """Softmax over all experts of each token's weights.

    Args:
        weights_TE: weights of the chosen experts, which add up to 1, and 0 elsewhere.
        ignored_N: tokens that do not count.

    Returns:
        (T, E) distributions; zeros of tokens that do not count.
    """
    return torch.softmax(weights_TE, dim=1).index_fill_(0, ignored_N, 0.0)
