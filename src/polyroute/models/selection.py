"""Names a router's selection rule by what it does with random logits.

The vocabulary, a small grammar, `score[+bias][+groups]>topk[>renormalise]`:

- score: `softmax`, `sigmoid` or `sqrtsoftplus`, the function of the logits to which the weights are proportional.
- `+bias`: experts are preferred whatever the logits say (the correction bias of DeepSeek-V3 and its heirs).
- `+groups`: what is chosen depends on more than each expert's own score (group-limited routing).
- `>renormalise`: the weights are divided by a quantity of the token, as a rule their own sum. A softmax over the
  chosen logits alone (GPT-OSS, "topk>softmax") is the same function as a softmax over all, renormalised, and carries
  this name.

Outside the grammar: `sparsemixer` (Phi-3.5-MoE: each weight is a softmax over the expert and its close rivals among
those not yet taken), `topk` (the weights are constant), and `other`. Constant factors, of the router or of each
expert, are not part of the name.

Shapes: N probe tokens, E experts, K chosen experts a token.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from polyroute.models.taps import RouterCall

Select = Callable[[Tensor], RouterCall]
"""Runs a router's own selection on logits (N, E) and returns them as the model saw them with weights and ids (N, K)."""

# Half of the probes have close logits of one sign, where sparsemixer shows its rivals; half have wide ones, where
# sigmoids use their whole range and outweigh biases.
_CLOSE, _OFFSET, _WIDE = 1.0, 4.0, 4.0
_REMOVED = 40.0


def name_selection(select: Select, tokens: int, experts: int) -> str:
    """The name of a selection rule, from its answers to random logits.

    Args:
        select: runs the rule.
        tokens: N, the number of rows that `select` takes.
        experts: E.
    """
    generator = torch.Generator().manual_seed(0)
    rounds = max(2, -(-64 // tokens))
    answers = []
    for _ in range(rounds):
        offset_N1 = _OFFSET * torch.rand(tokens, 1, generator=generator)
        answers.append(select(offset_N1 + _CLOSE * torch.randn(tokens, experts, generator=generator)))
        answers.append(select(_WIDE * torch.randn(tokens, experts, generator=generator)))
    logits_NE = torch.cat([answer.logits_TE for answer in answers]).double().cpu()
    weights_NK = torch.cat([answer.weights_TK for answer in answers])
    tolerance = 1e-3 if weights_NK.dtype in (torch.float32, torch.float64) else 3e-2
    smallest = torch.finfo(weights_NK.dtype).smallest_normal
    weights_NK = weights_NK.double().cpu()
    ids_NK = torch.cat([answer.ids_TK for answer in answers]).cpu()
    # Tokens with a dropped choice (over capacity, or a skip class) say nothing of the rule, nor do weights that the
    # dtype rounds.
    kept_N = (weights_NK.abs() > smallest).all(-1)
    logits_NE, weights_NK, ids_NK = logits_NE[kept_N], weights_NK[kept_N], ids_NK[kept_N]

    score, renormalise = _score(logits_NE, weights_NK, ids_NK, tolerance)
    plain = _is_topk(logits_NE, ids_NK)
    if score is None:
        return "sparsemixer" if plain and _is_sparsemixer(logits_NE, weights_NK, ids_NK, tolerance) else "other"
    if not plain:
        biased = _is_biased(select, tokens, experts, generator)
        # Without a preference of its own, a rule that scores experts one by one is a plain top-k.
        grouped = not biased or _is_grouped(select, answers, generator)
        score += "+bias" * biased + "+groups" * grouped
    if score == "":
        return "topk"
    return f"{score}>topk" + ">renormalise" * renormalise


def _scores(logits_NE: Tensor) -> dict[str, Tensor]:
    return {
        "softmax": logits_NE.softmax(-1),
        "sigmoid": logits_NE.sigmoid(),
        "sqrtsoftplus": functional.softplus(logits_NE).sqrt(),
    }


def _score(logits_NE: Tensor, weights_NK: Tensor, ids_NK: Tensor, tolerance: float) -> tuple[str | None, bool]:
    """The score to which the weights are proportional ("" if they are constant, None if unknown), and if by token."""
    if bool((weights_NK < 0).any()) or len(weights_NK) == 0:
        return None, False
    if _constant(weights_NK, ids_NK, tolerance):
        return "", False
    for name, scores_NE in _scores(logits_NE).items():
        ratio_NK = weights_NK / scores_NE.gather(-1, ids_NK)
        if _constant(ratio_NK, ids_NK, tolerance):
            return name, False
    for name, scores_NE in _scores(logits_NE).items():
        chosen_NK = scores_NE.gather(-1, ids_NK)
        ratio_NK = weights_NK / chosen_NK
        by_token = ratio_NK.shape[-1] > 1 and _close(ratio_NK, ratio_NK[:, :1], tolerance)
        if by_token or _constant(weights_NK / (chosen_NK / chosen_NK.sum(-1, keepdim=True)), ids_NK, tolerance):
            return name, True
    return None, False


def _close(a: Tensor, b: Tensor, tolerance: float) -> bool:
    return bool(((a - b).abs() <= tolerance * b.abs()).all())


def _constant(ratio_NK: Tensor, ids_NK: Tensor, tolerance: float) -> bool:
    """Whether a ratio is one number, or one number an expert."""
    if _close(ratio_NK, ratio_NK.flatten()[0], tolerance):
        return True
    ratio, ids = ratio_NK.flatten(), ids_NK.flatten()
    experts = int(ids.max()) + 1
    low = torch.full((experts,), torch.inf, dtype=ratio.dtype).scatter_reduce(0, ids, ratio, "amin")
    high = torch.full((experts,), -torch.inf, dtype=ratio.dtype).scatter_reduce(0, ids, ratio, "amax")
    seen = low <= high
    return bool((high[seen] - low[seen] <= tolerance * high[seen].abs()).all())


def _is_topk(logits_NE: Tensor, ids_NK: Tensor) -> bool:
    chosen_NE = torch.zeros_like(logits_NE, dtype=torch.bool).scatter(-1, ids_NK, True)
    least_N = logits_NE.masked_fill(~chosen_NE, torch.inf).min(-1).values
    most_N = logits_NE.masked_fill(chosen_NE, -torch.inf).max(-1).values
    return bool((least_N >= most_N).all())


def _is_biased(select: Select, tokens: int, experts: int, generator: torch.Generator) -> bool:
    """With nearly equal logits only a preference of the router's own makes every token choose the same experts."""
    ids_NK = select(1e-4 * torch.randn(tokens, experts, generator=generator)).ids_TK.sort(-1).values
    return ids_NK.shape[-1] < experts and bool((ids_NK == ids_NK[:1]).all())


def _is_grouped(select: Select, answers: list[RouterCall], generator: torch.Generator) -> bool:
    """Removing experts that were not chosen changes nothing if experts are scored one by one, and may if by groups.

    The share of the removed logits is given to a chosen expert, so that the normaliser of a softmax stays what it was
    and nothing but the removed experts falls.
    """
    for answer in answers:
        logits_NE, ids_NK = answer.logits_TE, answer.ids_TK
        removed_NE = (torch.rand(logits_NE.shape, generator=generator) < 0.5).to(logits_NE.device)
        removed_NE.scatter_(-1, ids_NK, False)
        heir_N1 = ids_NK[:, :1]
        share_N1 = logits_NE.masked_fill(~removed_NE, -torch.inf).logsumexp(-1, keepdim=True)
        merged_N1 = torch.logaddexp(logits_NE.gather(-1, heir_N1), share_N1)
        changed_NE = logits_NE.masked_fill(removed_NE, -_REMOVED).scatter(-1, heir_N1, merged_N1)
        if not torch.equal(select(changed_NE).ids_TK.sort(-1).values, ids_NK.sort(-1).values):
            return True
    return False


def _is_sparsemixer(logits_NE: Tensor, weights_NK: Tensor, ids_NK: Tensor, tolerance: float) -> bool:
    """Each weight is a softmax over some number of the highest logits among the experts not yet taken.

    arXiv 2409.12136: a rival counts if it is closer than a relative threshold, so those that count are the highest
    ones, and the inverse weight is one of the running sums of exp(z_j - z_chosen) in falling order of z_j.
    """
    left_NE = logits_NE.clone()
    for slot in range(ids_NK.shape[-1]):
        id_N1 = ids_NK[:, slot, None]
        sums_NE = (left_NE.sort(-1, descending=True).values - left_NE.gather(-1, id_N1)).exp().cumsum(-1)
        inverse_N1 = 1 / weights_NK[:, slot, None]
        if not bool(((sums_NE - inverse_N1).abs() <= tolerance * inverse_N1).any(-1).all()):
            return False
        left_NE = left_NE.scatter(-1, id_N1, -torch.inf)
    return True
