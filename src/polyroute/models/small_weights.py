"""Weights of chosen experts that a dtype rounds to 0, told from choices that a model dropped.

float16 holds nothing between 0 and 6e-8, so that an expert chosen with a softmax share of 3e-8 has a weight of exactly
0. It is chosen all the same, and whoever counts choices has to count it. A model that drops a choice also gives it
a weight of 0 (over an expert's capacity, a skip class), but not because its score is so small.

Shapes: T tokens, E experts, K chosen experts a token.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

_CLOSED = -1e4
"""A logit so far below the best was closed by a mask, not scored by a router."""
_TAIL = -15.0


def least(dtype: torch.dtype) -> float:
    """The smallest weight of a dtype that stays above 0: in float16 below the normal numbers, which processors keep."""
    kind = torch.finfo(dtype)
    return float(kind.smallest_normal if dtype != torch.float16 else kind.smallest_normal * kind.eps)


def kept_above_zero(logits_TE: Tensor, weights_TK: Tensor, ids_TK: Tensor, selection: str) -> Tensor:
    """Weights with `least` in place of each 0 that stands for a score too small for the dtype.

    Args:
        logits_TE: raw logits, float32.
        weights_TK: the model's own weights of the chosen experts.
        ids_TK: the chosen experts, int64.
        selection: the rule's name, as in `polyroute.models.selection`; others are taken for a softmax.

    Returns:
        (T, K) in the dtype of `weights_TK`; the same numbers wherever they are not 0. Nothing waits for a device.
    """
    if not weights_TK.is_floating_point() or not len(logits_TE):
        return weights_TK
    floor = least(weights_TK.dtype)
    chosen_TK = logits_TE.gather(-1, ids_TK)
    if selection.startswith("sigmoid"):
        score_TK = functional.logsigmoid(chosen_TK)
    elif selection.startswith("sqrtsoftplus"):
        # ln softplus(z) is z far below 0, where softplus itself is 0 in float32.
        score_TK = torch.where(chosen_TK < _TAIL, chosen_TK, functional.softplus(chosen_TK).log()) / 2
    else:
        score_TK = chosen_TK
    if selection.endswith("renormalise"):
        score_TK = score_TK - score_TK.logsumexp(-1, keepdim=True)
    elif score_TK is chosen_TK:
        score_TK = chosen_TK - logits_TE.logsumexp(-1, keepdim=True)
    open_TK = chosen_TK > logits_TE.amax(-1, keepdim=True) + _CLOSED
    return weights_TK.masked_fill((weights_TK == 0) & (score_TK < math.log(floor)) & open_TK, floor)
