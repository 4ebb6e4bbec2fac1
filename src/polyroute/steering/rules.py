"""How steering moves router logits, as pure functions.

Paper 1's Eq. 4 and 5 (arXiv 2510.04694):

    soft        z_k <- z_k + strength * std(z)
    activate    z_k <- max(z) + eps, eps ~ N(0, 1e-6)
    deactivate  z_k <- min(z) + eps, eps ~ N(0, 1e-6)

Paper 2's layerwise masking and routing-guided steering (arXiv 2601.14050), as its released code has them:

    mask        z_k <- -1e9
    magnitude   z_k <- z_k + strength * s_k * |z_k|

z are the raw logits of one token, before the model's own selection; k runs over the experts to move. std, max and min
are over all E experts as they were before the rule, the moved ones included. A rule never writes into what it gets and
leaves every other expert's logit bit-identical. Logits must be finite: beside an infinite one std is NaN.

Paper 1 leaves open whether std divides by E or by E - 1, and whether 1e-6 is the variance or the standard deviation
of eps: both are parameters, and a plan says which was used.

**Arithmetic.** Logits come in as float32 and are rounded once, when the model casts what a rule returns to the dtype of
its router. Paper 2's release computes in that dtype instead, bfloat16, and rounds after each operation. Its edit is
about 1% of |z|, one to three steps of bfloat16; the two ways differ for less than 1% of its logits, by one step. `soft`
and `magnitude` can be computed either way; the others put a value in place of a logit, and have nothing to round on
the way.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Std = Literal["population", "sample"]
"""std(z) with division by E (`population`) or by E - 1 (`sample`)."""
Eps = Literal["variance", "std"]
"""What 1e-6 is in eps ~ N(0, 1e-6): its variance (a standard deviation of 1e-3) or its standard deviation."""
Arithmetic = Literal["float32", "model"]
"""In which dtype a rule is computed: float32 (float64 in a float64 model), or that in which the router makes its
logits, with one rounding for each operation."""

MASKED = -1e9
"""The logit of a masked expert."""

_CORRECTION: dict[Std, int] = {"population": 0, "sample": 1}
_SCALE: dict[Eps, float] = {"variance": 1e-3, "std": 1e-6}


def soft(logits_TE: Tensor, experts_N: Tensor, strength: float, std: Std) -> Tensor:
    """Paper 1, Eq. 4: promote experts by a share of the token's own spread of logits; demote them where negative.

    Args:
        logits_TE: raw logits, finite; E > 1. Everything is computed in their dtype.
        experts_N: int64 ids of the experts to move, none twice, on the logits' device.
        strength: lambda; the paper stays within [-1, 1]. 0 returns the very tensor that came in.
        std: the divisor of std(z).

    Returns:
        (T, E), a new tensor of the same dtype.
    """
    if strength == 0:
        return logits_TE
    spread_T1 = logits_TE.std(-1, correction=_CORRECTION[std], keepdim=True)
    return logits_TE.index_copy(-1, experts_N, logits_TE.index_select(-1, experts_N) + strength * spread_T1)


def activate(logits_TE: Tensor, experts_N: Tensor, eps_TN: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """Paper 1, Eq. 5: lift experts to the token's highest logit, plus eps.

    In float32 and float64 exactly that. eps is negative for half of the draws, and the expert is then second to the one
    that was first: so K - 1 experts or fewer are always among the K highest logits, and of K experts one may not be.

    bfloat16 and float16 lose eps: max(z) + eps rounds to max(z), a tie, which the model settles by its own accident.
    There the lift is the larger of eps and `finfo(dtype).eps * max(1, |max(z)|)`, one to two steps of the dtype at that
    value and never less than a step at 1: strictly above every other logit after rounding, and still above it in a
    softmax that is computed in that dtype. Experts activated together may then tie with one another, not with others.

    Args:
        logits_TE: raw logits, float32 (float64 of a float64 model), finite.
        experts_N: int64 ids of the experts to move, none twice, on the logits' device.
        eps_TN: draws of `draw_eps`, on the logits' device.
        dtype: to which the model casts the result.

    Returns:
        (T, E), a new tensor of the dtype of `logits_TE`.
    """
    highest_T1 = logits_TE.amax(-1, keepdim=True)
    values_TN = highest_T1 + eps_TN
    if _loses_eps(dtype):
        values_TN = torch.maximum(values_TN, _rounded(highest_T1, dtype) + _step(highest_T1, dtype))
    return logits_TE.index_copy(-1, experts_N, values_TN)


def deactivate(logits_TE: Tensor, experts_N: Tensor, eps_TN: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """Paper 1, Eq. 5: drop experts to the token's lowest logit, plus eps.

    As `activate` with max and min exchanged: in bfloat16 and float16 strictly below every other logit after rounding.

    Args:
        logits_TE: raw logits, float32 (float64 of a float64 model), finite.
        experts_N: int64 ids of the experts to move, none twice, on the logits' device.
        eps_TN: draws of `draw_eps`, on the logits' device.
        dtype: to which the model casts the result.

    Returns:
        (T, E), a new tensor of the dtype of `logits_TE`.
    """
    lowest_T1 = logits_TE.amin(-1, keepdim=True)
    values_TN = lowest_T1 + eps_TN
    if _loses_eps(dtype):
        values_TN = torch.minimum(values_TN, _rounded(lowest_T1, dtype) - _step(lowest_T1, dtype))
    return logits_TE.index_copy(-1, experts_N, values_TN)


def mask(logits_TE: Tensor, experts_N: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """Paper 2's layerwise masking: no token is sent to the experts, as long as K others are left.

    The logit is -1e9 in float32, as released. bfloat16 has no such number and takes its neighbour, -998244352. float16
    ends at -65504, which is put instead: -inf would be NaN in a sparsemixer. A softmax gives each of them a weight of
    exactly 0.

    A router that adds a bias to its scores or chooses groups of experts first (DeepSeek-V3 and its heirs) can still
    choose a masked expert. Its weight, the score without the bias, is then exactly 0: what the expert says does not
    count, and the token is left with fewer than K experts.

    Args:
        logits_TE: raw logits.
        experts_N: int64 ids of the experts to mask, none twice, on the logits' device.
        dtype: to which the model casts the result.

    Returns:
        (T, E), a new tensor of the dtype of `logits_TE`.
    """
    return logits_TE.index_fill(-1, experts_N, max(MASKED, torch.finfo(dtype).min))


def magnitude(logits_TE: Tensor, experts_N: Tensor, weights_N: Tensor, strength: float) -> Tensor:
    """Paper 2's routing-guided steering: promote experts by a share of their own logit's size.

    Computed in the dtype of the logits, in the order of the release: (strength * s_e) * |z_e|, then the sum. So a
    bfloat16 tensor gives the release's values to the bit: s_e, strength * s_e, the product and the sum are each
    rounded. That is what its lines say; a compiler that fuses them, as vLLM's may, can round less often.

    A logit of 0 stays, and a negative one rises: the push depends on how far a logit is from 0, though softmax does not
    know where 0 is. Adding a constant to all logits would change the edit and not the unedited model.

    Args:
        logits_TE: raw logits, finite.
        experts_N: int64 ids of the experts to move, none twice, on the logits' device.
        weights_N: s_e of these experts, float, on the logits' device; the paper's are shares of one language, in
            [0, 1].
        strength: lambda; the paper's are 0.022 and 0.034. Negative demotes; 0 returns the very tensor that came in.

    Returns:
        (T, E), a new tensor of the same dtype.
    """
    if strength == 0:
        return logits_TE
    moved_TN = logits_TE.index_select(-1, experts_N)
    push_N = strength * weights_N.to(logits_TE.dtype)
    return logits_TE.index_copy(-1, experts_N, moved_TN + push_N * moved_TN.abs())


def draw_eps(tokens: int, experts: int, kind: Eps, generator: torch.Generator) -> Tensor:
    """eps ~ N(0, 1e-6) of Eq. 5, one draw for each token and expert.

    Args:
        tokens: T.
        experts: N.
        kind: what 1e-6 is.
        generator: a seeded generator of the CPU, so that every device gets the same draws.

    Returns:
        (T, N) float32 on the CPU.
    """
    return _SCALE[kind] * torch.randn(tokens, experts, generator=generator, device="cpu", dtype=torch.float32)


def _loses_eps(dtype: torch.dtype) -> bool:
    return torch.finfo(dtype).eps > torch.finfo(torch.float32).eps


def _rounded(values: Tensor, dtype: torch.dtype) -> Tensor:
    """What the model will see of a logit. Another edit before this one may have left it between two steps."""
    return values.to(dtype).to(values.dtype)


def _step(values: Tensor, dtype: torch.dtype) -> Tensor:
    """At least the distance from a value to its neighbours in a dtype, and to those of 1."""
    return torch.finfo(dtype).eps * values.abs().clamp(min=1)


@dataclass(frozen=True)
class Push:
    """What one call of a router is steered with; a rule takes from it what it needs."""

    experts_N: Tensor
    """int64 ids of the experts to move, on the logits' device."""
    strength: float
    """0 where the rule takes none."""
    std: Std
    eps_TN: Tensor | None
    """None where the rule takes none."""
    dtype: torch.dtype
    """To which the model casts the result."""
    weights_N: Tensor | None = None
    """s_e of the experts, float32; None where the rule takes none."""
    arithmetic: Arithmetic = "float32"
    """`float32` where the rule has none to choose."""


@dataclass(frozen=True)
class SteeringRule:
    """One rule as plans name it."""

    move: Callable[[Tensor, Push], Tensor]
    """From logits (T, E) and a push to new logits (T, E)."""
    takes_strength: bool = False
    takes_eps: bool = False
    takes_weights: bool = False
    takes_arithmetic: bool = False


def _soft(logits_TE: Tensor, push: Push) -> Tensor:
    return soft(_computed_in(logits_TE, push), push.experts_N, push.strength, push.std).to(logits_TE.dtype)


def _activate(logits_TE: Tensor, push: Push) -> Tensor:
    assert push.eps_TN is not None, "this rule takes eps"
    return activate(logits_TE, push.experts_N, push.eps_TN, push.dtype)


def _deactivate(logits_TE: Tensor, push: Push) -> Tensor:
    assert push.eps_TN is not None, "this rule takes eps"
    return deactivate(logits_TE, push.experts_N, push.eps_TN, push.dtype)


def _mask(logits_TE: Tensor, push: Push) -> Tensor:
    return mask(logits_TE, push.experts_N, push.dtype)


def _magnitude(logits_TE: Tensor, push: Push) -> Tensor:
    assert push.weights_N is not None, "this rule takes weights"
    moved_TE = magnitude(_computed_in(logits_TE, push), push.experts_N, push.weights_N, push.strength)
    return moved_TE.to(logits_TE.dtype)


def _computed_in(logits_TE: Tensor, push: Push) -> Tensor:
    """The logits in the dtype of the arithmetic that is asked for."""
    return logits_TE.to(push.dtype) if push.arithmetic == "model" else logits_TE


RULES: dict[str, SteeringRule] = {
    "soft": SteeringRule(_soft, takes_strength=True, takes_arithmetic=True),
    "activate": SteeringRule(_activate, takes_eps=True),
    "deactivate": SteeringRule(_deactivate, takes_eps=True),
    "mask": SteeringRule(_mask),
    "magnitude": SteeringRule(_magnitude, takes_strength=True, takes_weights=True, takes_arithmetic=True),
}
"""Every rule that a plan can name."""
