"""Per-sequence statistics of one batch, accumulated on the device of each layer, moved to the host once."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from polyroute.artifacts.trace import TraceError
from polyroute.measures.of_tokens import OfPairs, OfTokens
from polyroute.measures.traced import TRACED
from polyroute.models.routers import Router, RouterCall
from polyroute.tracing.pairs import sample_pairs

BatchStatistics = dict[str, NDArray[Any]]
"""What one batch adds to a trace: its columns (shapes as in `Trace`, with B for N)."""


@dataclass(frozen=True)
class _Masks:
    """What a device needs to know of a batch to reduce its router calls."""

    counted_BS: Tensor
    """Whether a position counts."""
    tokens_B1: Tensor
    """Counted tokens, at least 1."""
    pairs_Q2: Tensor
    """Positions of sampled pairs in the flattened batch, P for each sequence."""
    real_BP: Tensor
    """Which of these pairs are real; the others fill up short sequences."""

    def to(self, device: torch.device) -> "_Masks":
        return _Masks(*(getattr(self, field.name).to(device, non_blocking=True) for field in fields(self)))


class BatchAccumulator:
    """Takes router calls of one forward pass and reduces each to numbers per sequence."""

    def __init__(self, counted_BS: Tensor, item_ids: Sequence[str], experts: int, pairs: int, seed: int):
        """Prepare for one batch.

        Args:
            counted_BS: whether a position counts: not padding, not a special token that is left out.
            item_ids: (B) names of the sequences; with `seed` they fix the sampled pairs.
            experts: E.
            pairs: token pairs a sequence, for measures over pairs.
            seed: the study's seed.
        """
        self.experts = experts
        self.tokens_B = counted_BS.sum(dim=1)
        pairs_BP2, real_BP = _pairs_in_batch(counted_BS, item_ids, pairs, seed)
        sequence_B = torch.arange(len(item_ids)) * counted_BS.shape[1]
        pairs_Q2 = (pairs_BP2 + sequence_B[:, None, None]).reshape(-1, 2)
        self._host = _Masks(counted_BS, self.tokens_B.unsqueeze(1).clamp(min=1), pairs_Q2, real_BP)
        self._masks: dict[torch.device, _Masks] = {}
        self._packed: dict[str, Tensor] = {}

    def add(self, router: Router, call: RouterCall) -> None:
        """Reduce one router call where it is; nothing moves but the masks, once a device."""
        batch, length = self._host.counted_BS.shape
        if call.logits_TE.shape != (batch * length, self.experts):
            raise TraceError(
                f"layer {router.layer} ({router.name}) routed {tuple(call.logits_TE.shape)} (tokens, experts) where "
                f"the batch has {batch * length} positions and {self.experts} experts: this model reorders "
                "or drops tokens before its router, so they cannot be assigned to sequences"
            )
        if router.name in self._packed:
            raise TraceError(f"layer {router.layer} ({router.name}) was called twice in one forward pass")
        device = call.logits_TE.device
        if device not in self._masks:
            self._masks[device] = self._host.to(device)
        masks = self._masks[device]
        ignored_BS1 = ~masks.counted_BS.unsqueeze(2)

        def per_sequence(value_TE: Tensor) -> Tensor:
            value_BSE = value_TE.view(batch, length, -1)
            # masked_fill, not a product: padding may hold NaN, and NaN times 0 is NaN.
            return value_BSE.masked_fill(ignored_BS1, 0.0).sum(dim=1)

        def mean(measure: OfTokens | OfPairs) -> Tensor:
            if isinstance(measure, OfTokens):
                return per_sequence(measure.of(call).float()).view(-1) / masks.tokens_B1.view(-1)
            value_BP = measure.of(call, masks.pairs_Q2).view(masks.real_BP.shape)
            # 0 / 0 is NaN: a sequence of one token has no pair.
            return (value_BP * masks.real_BP).sum(dim=1) / masks.real_BP.sum(dim=1)

        soft_TE = torch.softmax(call.logits_TE.float(), dim=1)
        weights_TK = call.weights_TK.float()
        share_TK = weights_TK / weights_TK.sum(dim=1, keepdim=True).clamp(min=torch.finfo(torch.float32).tiny)
        # A weight of exactly 0 marks a choice that the model dropped: over capacity, or a class that skips the experts.
        # So a row adds at most one number to an expert, and scatter_add is exact and deterministic on GPUs too.
        ids_TK = call.ids_TK.long()
        mass_TE = torch.zeros_like(soft_TE).scatter_add_(1, ids_TK, share_TK)
        count_TE = torch.zeros_like(soft_TE).scatter_add_(1, ids_TK, (weights_TK != 0).float())
        finite_T = torch.isfinite(call.logits_TE).all(dim=1) & torch.isfinite(weights_TK).all(dim=1)
        broken = (~finite_T & masks.counted_BS.view(-1)).sum()
        self._packed[router.name] = torch.cat(
            [
                broken.to(torch.float32).view(1),
                (per_sequence(soft_TE) / masks.tokens_B1).reshape(-1),
                (per_sequence(mass_TE) / masks.tokens_B1).reshape(-1),
                per_sequence(count_TE).reshape(-1),
                *(mean(measure) for measure in TRACED),
            ]
        )

    def finish(self, routers: Sequence[Router]) -> BatchStatistics:
        """Move the batch's numbers to the host and check them.

        Raises:
            TraceError: a router was not called, or its logits held NaN or infinity; names the layer.
        """
        missing = [router.name for router in routers if router.name not in self._packed]
        if missing:
            raise TraceError(f"the forward pass never called {', '.join(missing)}")
        # Layers of one device travel together: one transfer a batch where the model sits on one device.
        by_device: dict[torch.device, list[str]] = {}
        for name, packed in self._packed.items():
            by_device.setdefault(packed.device, []).append(name)
        on_host: dict[str, Tensor] = {}
        for names in by_device.values():
            moved = torch.stack([self._packed[name] for name in names]).cpu()
            on_host.update(zip(names, moved, strict=True))
        packed_L = torch.stack([on_host[router.name] for router in routers]).numpy()

        for router, broken in zip(routers, packed_L[:, 0], strict=True):
            if broken:
                raise TraceError(
                    f"layer {router.layer} ({router.name}): router logits or weights of {int(broken)} tokens are NaN "
                    "or infinite; use dtype float32 or bfloat16 (float16 overflows), or check the checkpoint"
                )
        batch = len(self.tokens_B)
        block = batch * self.experts
        masses_3LBE = packed_L[:, 1 : 1 + 3 * block].reshape(len(routers), 3, batch, self.experts)
        soft_BLE, topk_BLE, count_BLE = masses_3LBE.transpose(1, 2, 0, 3)
        means_MBL = packed_L[:, 1 + 3 * block :].reshape(len(routers), len(TRACED), batch).transpose(1, 2, 0)
        return {
            "soft_mass": soft_BLE, "topk_mass": topk_BLE, "topk_count": count_BLE.astype(np.int64),
            "tokens": self.tokens_B.numpy(),
            **{measure.name: mean_BL for measure, mean_BL in zip(TRACED, means_MBL, strict=True)},
        }  # fmt: skip


def _pairs_in_batch(counted_BS: Tensor, item_ids: Sequence[str], pairs: int, seed: int) -> tuple[Tensor, Tensor]:
    """Positions of sampled pairs, padded to P, and which of them are real."""
    pairs_BP2 = torch.zeros(len(item_ids), pairs, 2, dtype=torch.long)
    real_BP = torch.zeros(len(item_ids), pairs, dtype=torch.bool)
    for b, item_id in enumerate(item_ids):
        positions = counted_BS[b].nonzero().squeeze(1)
        sampled_P2 = torch.from_numpy(sample_pairs(len(positions), pairs, seed, item_id))
        pairs_BP2[b, : len(sampled_P2)] = positions[sampled_P2]
        real_BP[b, : len(sampled_P2)] = True
    return pairs_BP2, real_BP
