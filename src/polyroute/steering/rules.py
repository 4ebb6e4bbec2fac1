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

Which experts are moved, and how far, are tables with a column an expert: each token may have a row of its own, so that
a batch can hold many plans, or all share one.

Paper 1 leaves open whether std divides by E or by E - 1, and whether 1e-6 is the variance or the standard deviation
of eps: both are parameters, and a plan says which was used.

**Arithmetic.** Logits come in as float32 and are rounded once, when the model casts what a rule returns to the dtype of
its router. Paper 2's release computes in that dtype instead, bfloat16, and rounds after each operation. Its edit is
about 1% of |z|, one to three steps of bfloat16; the two ways differ for less than 1% of its logits, by one step. `soft`
and `magnitude` can be computed either way; the others put a value in place of a logit, and have nothing to round on
the way.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch
    from torch import Tensor

# torch takes seconds to import, so functions import it: stages that read and write plans run no model.

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


def soft(logits_TE: Tensor, moved_TE: Tensor, strengths_TE: Tensor, std: Std) -> Tensor:
    """Paper 1, Eq. 4: promote experts by a share of the token's own spread of logits; demote them where negative.

    Args:
        logits_TE: raw logits, finite; E > 1. Everything is computed in their dtype.
        moved_TE: bool, which experts to move, on the logits' device; like the next one it may have one row for all.
        strengths_TE: lambda of each; the paper stays within [-1, 1]. In float32, or float64 for float64 logits.
        std: the divisor of std(z).

    Returns:
        (T, E), a new tensor of the logits' dtype.
    """
    spread_T1 = _spread(logits_TE, std)
    return (logits_TE + (strengths_TE * spread_T1).to(logits_TE.dtype)).where(moved_TE, logits_TE)


def activate(logits_TE: Tensor, moved_TE: Tensor, eps_TE: Tensor, dtype: torch.dtype | None = None) -> Tensor:
    """Paper 1, Eq. 5: lift experts to the token's highest logit, plus eps.

    In float32 and float64 exactly that. eps is negative for half of the draws, and the expert is then second to the one
    that was first: so K - 1 experts or fewer are always among the K highest logits, and of K experts one may not be.

    bfloat16 and float16 lose eps: max(z) + eps rounds to max(z), a tie, which the model settles by its own accident.
    There the lift is the larger of eps and `finfo(dtype).eps * max(1, |max(z)|)`, one to two steps of the dtype at that
    value and never less than a step at 1: strictly above every other logit after rounding, and still above it in a
    softmax that is computed in that dtype. Experts activated together may then tie with one another, not with others.

    Args:
        logits_TE: raw logits, float32 (float64 of a float64 model), finite.
        moved_TE: bool, which experts to move, on the logits' device; like the next one it may have one row for all.
        eps_TE: draws of `draw_eps`, on the logits' device.
        dtype: to which the model casts the result; None where it keeps it as it is.

    Returns:
        (T, E), a new tensor of the dtype of `logits_TE`.
    """
    highest_T1 = logits_TE.amax(-1, keepdim=True)
    values_TE = highest_T1 + eps_TE
    if dtype is not None and _loses_eps(dtype):
        values_TE = values_TE.maximum(_rounded(highest_T1, dtype) + _step(highest_T1, dtype))
    return values_TE.where(moved_TE, logits_TE)


def deactivate(logits_TE: Tensor, moved_TE: Tensor, eps_TE: Tensor, dtype: torch.dtype | None = None) -> Tensor:
    """Paper 1, Eq. 5: drop experts to the token's lowest logit, plus eps.

    As `activate` with max and min exchanged: in bfloat16 and float16 strictly below every other logit after rounding.

    Args:
        logits_TE: raw logits, float32 (float64 of a float64 model), finite.
        moved_TE: bool, which experts to move, on the logits' device; like the next one it may have one row for all.
        eps_TE: draws of `draw_eps`, on the logits' device.
        dtype: to which the model casts the result; None where it keeps it as it is.

    Returns:
        (T, E), a new tensor of the dtype of `logits_TE`.
    """
    lowest_T1 = logits_TE.amin(-1, keepdim=True)
    values_TE = lowest_T1 + eps_TE
    if dtype is not None and _loses_eps(dtype):
        values_TE = values_TE.minimum(_rounded(lowest_T1, dtype) - _step(lowest_T1, dtype))
    return values_TE.where(moved_TE, logits_TE)


def mask(logits_TE: Tensor, moved_TE: Tensor, dtype: torch.dtype | None = None) -> Tensor:
    """Paper 2's layerwise masking: no token is sent to the experts, as long as K others are left.

    The logit is -1e9 in float32, as released. bfloat16 has no such number and takes its neighbour, -998244352. float16
    ends at -65504, which is put instead: -inf would be NaN in a sparsemixer. A softmax gives each of them a weight of
    exactly 0.

    A router that adds a bias to its scores or chooses groups of experts first (DeepSeek-V3 and its heirs) can still
    choose a masked expert. Its weight, the score without the bias, is then exactly 0: what the expert says does not
    count, and the token is left with fewer than K experts.

    Args:
        logits_TE: raw logits.
        moved_TE: bool, which experts to mask, on the logits' device; it may have one row for all tokens.
        dtype: to which the model casts the result; None where it keeps it as it is.

    Returns:
        (T, E), a new tensor of the dtype of `logits_TE`.
    """
    return logits_TE.masked_fill(moved_TE, max(MASKED, _limits(dtype or logits_TE.dtype).min))


def magnitude(logits_TE: Tensor, moved_TE: Tensor, pushes_TE: Tensor) -> Tensor:
    """Paper 2's routing-guided steering: promote experts by a share of their own logit's size.

    Computed in the dtype of the logits, in the order of the release: (strength * s_e) * |z_e|, then the sum. So a
    bfloat16 tensor gives the release's values to the bit: s_e, strength * s_e, the product and the sum are each
    rounded. That is what its lines say; a compiler that fuses them, as vLLM's may, can round less often.

    A logit of 0 stays, and a negative one rises: the push depends on how far a logit is from 0, though softmax does not
    know where 0 is. Adding a constant to all logits would change the edit and not the unedited model.

    Args:
        logits_TE: raw logits, finite.
        moved_TE: bool, which experts to move, on the logits' device; like the next one it may have one row for all.
        pushes_TE: strength * s_e of these experts in the logits' dtype, see `push_sizes`. Negative demotes.

    Returns:
        (T, E), a new tensor of the same dtype.
    """
    return (logits_TE + pushes_TE * logits_TE.abs()).where(moved_TE, logits_TE)


def push_sizes(strength: float, weights_E: Tensor, dtype: torch.dtype) -> Tensor:
    """strength * s_e of `magnitude`, rounded as the release rounds it: s_e first, then the product.

    Args:
        strength: lambda; the paper's are 0.022 and 0.034.
        weights_E: s_e, float32; the paper's are shares of one language, in [0, 1].
        dtype: in which the rule is computed.
    """
    return strength * weights_E.to(dtype)


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
    import torch

    return _SCALE[kind] * torch.randn(tokens, experts, generator=generator, device="cpu", dtype=torch.float32)


def _spread(logits_TE: Tensor, std: Std) -> Tensor:
    """(T, 1) std(z), rounded once to the dtype of the logits; ten times as fast on a CPU as `Tensor.std`."""
    import torch

    wide_TE = logits_TE if logits_TE.dtype == torch.float64 else logits_TE.float()
    apart_TE = wide_TE - wide_TE.mean(-1, keepdim=True)
    squares = logits_TE.shape[-1] - _CORRECTION[std]
    spread_T1: Tensor = torch.linalg.vector_norm(apart_TE, dim=-1, keepdim=True) / math.sqrt(squares)
    return spread_T1.to(logits_TE.dtype)


def _limits(dtype: torch.dtype) -> torch.finfo:
    import torch

    return torch.finfo(dtype)


def _loses_eps(dtype: torch.dtype) -> bool:
    import torch

    return _limits(dtype).eps > _limits(torch.float32).eps


def _rounded(values: Tensor, dtype: torch.dtype) -> Tensor:
    """What the model will see of a logit. Another edit before this one may have left it between two steps."""
    return values.to(dtype).to(values.dtype)


def _step(values: Tensor, dtype: torch.dtype) -> Tensor:
    """At least the distance from a value to its neighbours in a dtype, and to those of 1."""
    return _limits(dtype).eps * values.abs().clamp(min=1)


@dataclass(frozen=True)
class Push:
    """What one call of a router is steered with; a rule takes from it what it needs."""

    moved_TE: Tensor
    """bool, which experts are moved, on the logits' device; it and the amounts may have one row for many tokens."""
    amounts_TE: Tensor | None
    """How far: lambda of `soft`, strength * s_e of `magnitude`, eps of the hard rules. None of a mask."""
    std: Std
    dtype: torch.dtype
    """To which the model casts the result."""
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
    return soft(_computed_in(logits_TE, push), push.moved_TE, _amounts(push), push.std).to(logits_TE.dtype)


def _activate(logits_TE: Tensor, push: Push) -> Tensor:
    return activate(logits_TE, push.moved_TE, _amounts(push), push.dtype)


def _deactivate(logits_TE: Tensor, push: Push) -> Tensor:
    return deactivate(logits_TE, push.moved_TE, _amounts(push), push.dtype)


def _mask(logits_TE: Tensor, push: Push) -> Tensor:
    return mask(logits_TE, push.moved_TE, push.dtype)


def _magnitude(logits_TE: Tensor, push: Push) -> Tensor:
    return magnitude(_computed_in(logits_TE, push), push.moved_TE, _amounts(push)).to(logits_TE.dtype)


def _amounts(push: Push) -> Tensor:
    assert push.amounts_TE is not None, "all rules but masks take amounts"
    return push.amounts_TE


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
