"""Whether padding on the left leaves a model's answers as they are, tried on a few rows.

Texts that a model goes on from run together padded on the left, masked, with positions of their own. An architecture
that compresses blocks of columns (DeepSeek-V4) counts padding among them all the same: its blocks begin elsewhere, and
its answers are others. Such a model reads prompts of one length together, or padded on the right.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from polyroute.models.limits import context, words_of
from polyroute.models.trial import at_rest

log = logging.getLogger(__name__)

# Rows and the width that they are padded to; blocks that are known have 4 or 128 columns.
_TRIALS = (((9, 10, 15, 18), 20), ((131, 150, 170, 197), 200))
# What padding may move: this in nats, what the dtype rounds, and so many times what padding behind the text moves.
_NATS, _TIMES = 1e-3, 4
_HOLDS: WeakKeyDictionary[nn.Module, bool] = WeakKeyDictionary()


def left_padding_holds(model: nn.Module) -> bool:
    """Whether rows padded on the left give the logits that they give alone; tried once a model, in 12 short forwards.

    A choice among equals may fall otherwise in a row (few index heads, half precision); blocks that begin elsewhere
    move most rows. So it takes half of them to say no, and they count only as far as padding on the right, which causal
    models cannot see, does not move them as well.
    """
    if model not in _HOLDS:
        moved = [one for lengths, width in _TRIALS for one in _moved(model, lengths, width)]
        _HOLDS[model] = not moved or sum(moved) * 2 < len(moved)
        if not _HOLDS[model]:
            log.warning(
                "%s answers otherwise when padding stands before a text: prompts of one length run together, or are "
                "padded behind, which takes longer",
                type(model).__name__,
            )
    return _HOLDS[model]


def _moved(model: nn.Module, lengths: Sequence[int], width: int) -> list[bool]:
    """Of each row, whether its last logits are others when it is padded; none where rows cannot be tried."""
    words = words_of(model)
    takes = inspect.signature(model.forward).parameters
    config: Any = getattr(model, "config", None)
    if "attention_mask" not in takes or context(model) < width or getattr(config, "is_encoder_decoder", False):
        return []
    weight = model.get_input_embeddings().weight  # type: ignore[operator]
    device = torch.device("cpu") if weight.is_meta else weight.device
    rows = [[(31 + 7919 * (place + 3 * length)) % words for place in range(length)] for length in lengths]

    def last(rows: list[list[int]], width: int, *, left: bool = True) -> Tensor:
        def filled(row: list[int], value: list[int]) -> list[int]:
            rest = [0] * (width - len(row))
            return [*rest, *value] if left else [*value, *rest]

        ids_BS = torch.tensor([filled(row, row) for row in rows], device=device)
        real_BS = torch.tensor([filled(row, [1] * len(row)) for row in rows], device=device)
        more: dict[str, Any] = {"use_cache": False} if "use_cache" in takes else {}
        if left and "position_ids" in takes:
            more["position_ids"] = (real_BS.cumsum(1) - 1).clamp(min=0)
        logits_BSV: Tensor = model(input_ids=ids_BS, attention_mask=real_BS, **more).logits
        ends_B = [width - 1 if left else len(row) - 1 for row in rows]
        return logits_BSV[range(len(rows)), ends_B].float().log_softmax(-1)

    with at_rest(model):
        try:
            left_BV, right_BV = last(rows, width), last(rows, width, left=False)
            alone_BV = torch.cat([last([row], len(row)) for row in rows])
        # Whatever an architecture makes of tokens that it does not expect (images, codes): asking will say.
        except (RuntimeError, ValueError, TypeError, IndexError, AttributeError, KeyError) as error:
            log.info("%s: padding could not be tried: %s: %s", type(model).__name__, type(error).__name__, error)
            return []

    def distance(padded_BV: Tensor) -> Tensor:
        return torch.nan_to_num(padded_BV - alone_BV, nan=0.0, posinf=0.0, neginf=0.0).abs().mean(-1)

    eps = torch.finfo(next(model.parameters()).dtype).eps
    rounding_B = torch.nan_to_num(alone_BV, nan=0.0, neginf=0.0).abs().amax(-1) * eps
    moved: list[bool] = (distance(left_BV) > rounding_B.clamp(min=_NATS) + _TIMES * distance(right_BV)).tolist()
    return moved
