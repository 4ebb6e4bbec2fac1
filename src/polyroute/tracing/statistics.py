"""Per-sequence statistics of one batch, accumulated on the device of each layer, moved to the host once."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from polyroute.artifacts.importance import HEAD, SOFTMAX_OF_WEIGHTS
from polyroute.artifacts.trace import TraceError
from polyroute.measures.of_tokens import OfPairs, OfTokens
from polyroute.measures.traced import TRACED
from polyroute.models.routers import Router, RouterCall
from polyroute.tracing.pairs import sample_batch
from polyroute.tracing.softmax_of_weights import softmax_of_weights
from polyroute.tracing.transfer import ToHost, to_device

BatchStatistics = dict[str, NDArray[Any]]
"""What one batch adds to a trace: its columns (shapes as in `Trace`, with B for N)."""


@dataclass(frozen=True)
class _Masks:
    """What a device needs to know of a batch to reduce its router calls."""

    ignored_N: Tensor
    """Rows that do not count."""
    offset_T1: Tensor
    """Where the numbers of each row's sequence begin among (B, E) flattened."""
    tokens_B1: Tensor
    """Counted tokens, at least 1."""
    pairs_DQ2: Tensor
    """Rows of sampled pairs, P for each sequence, of each of D least distances."""
    real_DBP: Tensor
    """Which of these pairs are real; the others fill up short sequences."""
    head_H: Tensor
    """Rows of the first tokens, as many for each sequence; row 0 fills up short ones."""
    head_B1: Tensor
    """What their sum is divided by: how many there are, NaN where a sequence has fewer."""

    def to(self, device: torch.device) -> "_Masks":
        return _Masks(*(to_device(getattr(self, field.name), device) for field in fields(self)))


@dataclass
class _Reduced:
    """What is kept of the router calls on one device, a tensor a layer."""

    masks: _Masks
    names: list[str] = field(default_factory=list)
    soft_BE: list[Tensor] = field(default_factory=list)
    """Sums over counted tokens, as the next two."""
    mass_BE: list[Tensor] = field(default_factory=list)
    count_BE: list[Tensor] = field(default_factory=list)
    head_BE: list[Tensor] = field(default_factory=list)
    """Sums over the first tokens; none where these are not kept."""
    finite_T: list[Tensor] = field(default_factory=list)
    """A finite number where all that a counted token brought was finite."""
    means_MB: list[Tensor] = field(default_factory=list)
    """Of each measure of `TRACED`."""
    again_BE: list[Tensor] = field(default_factory=list)
    """Sums of `softmax_of_weights` over counted tokens; none where it is not taken."""

    def packed(self) -> Tensor:
        """(layers, 1 + 3 B E + M B): broken tokens, the three shares or counts, the measures.

        With first tokens 4 B E: their share is the last of the shares. With `softmax_of_weights` B E more.
        """
        masks, layers = self.masks, len(self.names)
        broken_L = (~torch.isfinite(torch.stack(self.finite_T))).sum(dim=1)
        soft_LBE = torch.stack(self.soft_BE) / masks.tokens_B1
        mass_LBE = torch.stack(self.mass_BE) / masks.tokens_B1
        return torch.cat(
            [
                broken_L.to(torch.float32).unsqueeze(1),
                soft_LBE.view(layers, -1),
                mass_LBE.view(layers, -1),
                torch.stack(self.count_BE).view(layers, -1),
                *([(torch.stack(self.head_BE) / masks.head_B1).view(layers, -1)] if self.head_BE else []),
                torch.stack(self.means_MB).view(layers, -1),
                *([(torch.stack(self.again_BE) / masks.tokens_B1).view(layers, -1)] if self.again_BE else []),
            ],
            dim=1,
        )


class BatchAccumulator:
    """Takes router calls of one forward pass and reduces each to numbers per sequence.

    Nothing here waits for a device before `finish`: `add` and `send` only queue work.
    """

    def __init__(
        self,
        counted_BS: NDArray[np.bool_],
        item_ids: Sequence[str],
        experts: int,
        pairs: int,
        seed: int,
        device: torch.device | None = None,
        *,
        head: int = 0,
        again: bool = False,
    ):
        """Prepare for one batch.

        Args:
            counted_BS: whether a position counts: not padding, not a special token that is left out.
            item_ids: (B) names of the sequences; with `seed` they fix the sampled pairs.
            experts: E.
            pairs: token pairs a sequence, for measures over pairs.
            seed: the study's seed.
            device: where most layers are, the CPU if None; others get what they need when their first call comes.
            head: first counted tokens of a sequence whose routing is kept apart; 0 keeps none.
            again: whether `softmax_of_weights` is taken.
        """
        self.head, self.again = head, again
        self.experts = experts
        self.shape = counted_BS.shape
        batch, length = self.shape
        self.tokens_B = counted_BS.sum(axis=1)
        starts_B1 = np.arange(batch)[:, None] * length
        self._apart = sorted({measure.apart for measure in TRACED if isinstance(measure, OfPairs)})
        drawn_D = [sample_batch(counted_BS, pairs, seed, item_ids, apart) for apart in self._apart]
        rows_D = [(positions_2BP + starts_B1).reshape(2, -1).T for positions_2BP, _ in drawn_D]
        # Counted positions come first, in their order; a row beyond the last would be another sequence's.
        first_BH = starts_B1 + np.argsort(~counted_BS, axis=1, kind="stable")[:, :head]
        first_BH = np.pad(first_BH, ((0, 0), (0, head - first_BH.shape[1])))
        enough_B1 = self.tokens_B[:, None] >= head
        self._host = _Masks(
            ignored_N=torch.from_numpy(np.flatnonzero(~counted_BS)),
            offset_T1=torch.from_numpy(np.repeat(np.arange(batch) * experts, length)).unsqueeze(1),
            tokens_B1=torch.from_numpy(self.tokens_B).unsqueeze(1).clamp(min=1),
            pairs_DQ2=torch.from_numpy(np.stack(rows_D)),
            real_DBP=torch.from_numpy(np.stack([real_BP for _, real_BP in drawn_D])),
            head_H=torch.from_numpy(np.where(enough_B1, first_BH, 0).ravel()),
            head_B1=torch.from_numpy(np.where(enough_B1, head, np.nan).astype(np.float32)),
        )
        first = device or torch.device("cpu")
        self._reduced = {first: _Reduced(self._host.to(first))}
        self._seen: set[str] = set()
        self._sent: list[tuple[list[str], ToHost]] = []

    def add(self, router: Router, call: RouterCall) -> None:
        """Reduce one router call where it is; nothing moves but the masks, once a device."""
        batch, length = self.shape
        if call.logits_TE.shape != (batch * length, self.experts):
            raise TraceError(
                f"layer {router.layer} ({router.name}) routed {tuple(call.logits_TE.shape)} (tokens, experts) where "
                f"the batch has {batch * length} positions and {self.experts} experts: this model reorders "
                "or drops tokens before its router, so they cannot be assigned to sequences"
            )
        if router.name in self._seen:
            raise TraceError(f"layer {router.layer} ({router.name}) was called twice in one forward pass")
        self._seen.add(router.name)
        device = call.logits_TE.device
        if device not in self._reduced:
            self._reduced[device] = _Reduced(self._host.to(device))
        reduced = self._reduced[device]
        masks = reduced.masks

        def per_sequence(value_TE: Tensor) -> Tensor:
            return value_TE.view(batch, length, -1).sum(dim=1)

        def mean(measure: OfTokens | OfPairs) -> Tensor:
            if isinstance(measure, OfTokens):
                value_T = measure.of(call).float().index_fill(0, masks.ignored_N, 0.0)
                return per_sequence(value_T).view(-1) / masks.tokens_B1.view(-1)
            place = self._apart.index(measure.apart)
            real_BP = masks.real_DBP[place]
            value_BP = measure.of(call, masks.pairs_DQ2[place]).view(real_BP.shape)
            # 0 / 0 is NaN: a sequence of one token has no pair.
            return (value_BP * real_BP).sum(dim=1) / real_BP.sum(dim=1)

        logits_TE, ids_TK = call.logits_TE.float(), call.ids_TK.long()
        # Rows that do not count are set to 0, not multiplied: padding may hold NaN, and NaN times 0 is NaN.
        soft_TE = torch.softmax(logits_TE, dim=1).index_fill_(0, masks.ignored_N, 0.0)
        weights_TK = call.weights_TK.float().index_fill(0, masks.ignored_N, 0.0)
        total_T1 = weights_TK.sum(dim=1, keepdim=True)
        share_TK = weights_TK / total_T1.clamp(min=torch.finfo(torch.float32).tiny)
        # A weight of exactly 0 marks a choice that the model dropped: over capacity, or a class that skips the experts.
        # So a row adds at most one number to an expert, and scatter_add is exact and deterministic on GPUs too.
        mass_TE = torch.zeros_like(soft_TE).scatter_add_(1, ids_TK, share_TK)
        # Whole numbers add up exactly in any order, so these need no rows of their own.
        kept_TK = (weights_TK != 0).to(torch.float32)
        count_N = torch.zeros(batch * self.experts, device=device)
        count_N.scatter_add_(0, (ids_TK + masks.offset_T1).view(-1), kept_TK.view(-1))
        # The smallest and the largest of a row are finite only if all are; halves cannot overflow together.
        ends_T = logits_TE.amin(dim=1) / 2 + logits_TE.amax(dim=1) / 2
        reduced.names.append(router.name)
        reduced.soft_BE.append(per_sequence(soft_TE))
        reduced.mass_BE.append(per_sequence(mass_TE))
        reduced.count_BE.append(count_N)
        if self.head:
            reduced.head_BE.append(soft_TE[masks.head_H].view(batch, self.head, -1).sum(dim=1))
        reduced.finite_T.append((ends_T + total_T1.squeeze(1)).index_fill_(0, masks.ignored_N, 0.0))
        reduced.means_MB.append(torch.stack([mean(measure) for measure in TRACED]))
        if self.again:
            reduced.again_BE.append(per_sequence(softmax_of_weights(mass_TE, masks.ignored_N)))

    def send(self, routers: Sequence[Router]) -> None:
        """Start moving the batch's numbers to the host, without waiting for them: one transfer a device.

        Raises:
            TraceError: a router was not called.
        """
        missing = [router.name for router in routers if router.name not in self._seen]
        if missing:
            raise TraceError(f"the forward pass never called {', '.join(missing)}")
        self._sent = [(reduced.names, ToHost(reduced.packed())) for reduced in self._reduced.values() if reduced.names]
        self._reduced.clear()

    def finish(self, routers: Sequence[Router]) -> BatchStatistics:
        """Wait for the batch's numbers and check them.

        Raises:
            TraceError: a router was not called, or its logits held NaN or infinity; names the layer.
        """
        if not self._sent:
            self.send(routers)
        on_host: dict[str, Tensor] = {}
        for names, transfer in self._sent:
            on_host.update(zip(names, transfer.wait(), strict=True))
        packed_L = torch.stack([on_host[router.name] for router in routers]).numpy()

        for router, broken in zip(routers, packed_L[:, 0], strict=True):
            if broken:
                raise TraceError(
                    f"layer {router.layer} ({router.name}): router logits or weights of {int(broken)} tokens are NaN "
                    "or infinite; use dtype float32 or bfloat16 (float16 overflows), or check the checkpoint"
                )
        batch = len(self.tokens_B)
        block = batch * self.experts
        masses = 4 if self.head else 3
        masses_LBE = packed_L[:, 1 : 1 + masses * block].reshape(len(routers), masses, batch, self.experts)
        soft_BLE, topk_BLE, count_BLE, *head_BLE = masses_LBE.transpose(1, 2, 0, 3)
        rest_L, again_L = np.split(packed_L[:, 1 + masses * block :], [len(TRACED) * batch], axis=1)
        means_MBL = rest_L.reshape(len(routers), len(TRACED), batch).transpose(1, 2, 0)
        again_BLE = again_L.reshape(len(routers), -1, self.experts).transpose(1, 0, 2)
        return {
            "soft_mass": soft_BLE, "topk_mass": topk_BLE, "topk_count": count_BLE.astype(np.int64),
            "tokens": self.tokens_B,
            **dict(zip((HEAD,), head_BLE, strict=False)),
            **{measure.name: mean_BL for measure, mean_BL in zip(TRACED, means_MBL, strict=True)},
            **({SOFTMAX_OF_WEIGHTS: again_BLE} if self.again else {}),
        }  # fmt: skip
