"""Other ways to the same numbers, as they are usually written: of routing, mean softmax and top-k counts of each
sentence; of choices, their log likelihoods (`whole_rows`);
of conditions, a run for each (`alone`).

Of routing, each takes a model's backbone, sentences as token ids (with which of them count) and K, and returns `soft`
(N, L, E) and `count` (N, L, E) in the order of the sentences. Shapes: B sentences of a batch, S positions, T = B * S.
"""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from polyroute.asking.choices import Asked
from polyroute.models.batches import plan_batches
from polyroute.models.routers import Router
from polyroute.steering.apply import steer
from polyroute.steering.plan import Plan

Answers = TypeVar("Answers")
Found = tuple[NDArray[np.float32], NDArray[np.int64]]
"""soft (N, L, E) and count (N, L, E)."""


@dataclass(frozen=True)
class Corpus:
    """Sentences as tokens, and how they are divided into batches."""

    ids: Sequence[NDArray[np.int64]]
    counted: Sequence[NDArray[np.bool_]]
    batches: Sequence[Sequence[int]]

    def pad(self, batch: Sequence[int], length: int = 0) -> tuple[dict[str, Tensor], Tensor]:
        """Right padded to the longest of the batch or to `length`; inputs and which positions count."""
        length = max(length, *(len(self.ids[i]) for i in batch))
        ids_BS = torch.zeros(len(batch), length, dtype=torch.long)
        mask_BS, counted_BS = torch.zeros_like(ids_BS), torch.zeros(len(batch), length, dtype=torch.bool)
        for row, i in enumerate(batch):
            ids_BS[row, : len(self.ids[i])] = torch.from_numpy(self.ids[i])
            mask_BS[row, : len(self.ids[i])] = 1
            counted_BS[row, : len(self.ids[i])] = torch.from_numpy(self.counted[i])
        return {"input_ids": ids_BS, "attention_mask": mask_BS}, counted_BS


def reduce(logits_LTE: Tensor, counted_BS: Tensor, top_k: int) -> Found:
    """Softmax, top-k, masked means and sums, all layers at once, from logits that lie in memory."""
    batch, length = counted_BS.shape
    soft_LTE = logits_LTE.float().softmax(-1)
    hit_LTE = torch.zeros_like(soft_LTE).scatter_(-1, soft_LTE.topk(top_k, dim=-1).indices, 1.0)
    shape = (len(logits_LTE), batch, length, -1)
    counted_BS1 = counted_BS.unsqueeze(-1)
    soft_LBE = (soft_LTE.view(shape) * counted_BS1).sum(2) / counted_BS1.sum(1)
    count_LBE = (hit_LTE.view(shape) * counted_BS1).sum(2)
    return soft_LBE.transpose(0, 1).numpy(), count_LBE.transpose(0, 1).long().numpy()


def _joined(batches: Sequence[Sequence[int]], parts: list[Found]) -> Found:
    order = np.argsort(np.concatenate(batches))
    soft, count = (np.concatenate(arrays)[order] for arrays in zip(*parts, strict=True))
    return soft, count


@torch.inference_mode()
def router_logits(backbone: nn.Module, corpus: Corpus, routers: Sequence[Router]) -> Found:
    """`output_router_logits=True`: all logits of a batch are kept and reduced at its end."""
    parts = []
    for batch in corpus.batches:
        inputs, counted_BS = corpus.pad(batch)
        outputs = backbone(**inputs, use_cache=False, output_router_logits=True)
        logits_LTE = torch.stack(outputs.router_logits)
        parts.append(reduce(logits_LTE, counted_BS, routers[0].top_k))
    return _joined(corpus.batches, parts)


def _recorded(
    backbone: nn.Module, inputs: dict[str, Tensor], routers: Sequence[Router], keep: Callable[[int, Tensor], None]
) -> None:
    """One forward with a plain hook on every router, which hands on the logits that it returns."""
    handles = [
        router.module.register_forward_hook(lambda _module, _args, output, place=place: keep(place, output[0]))
        for place, router in enumerate(routers)
    ]
    try:
        backbone(**inputs, use_cache=False)
    finally:
        for handle in handles:
            handle.remove()


@torch.inference_mode()
def padded_hook(backbone: nn.Module, corpus: Corpus, routers: Sequence[Router]) -> Found:
    """A forward hook on every router, sentences as the file has them, all padded to the longest of the corpus."""
    longest = max(map(len, corpus.ids))
    rows = max(len(batch) * max(len(corpus.ids[i]) for i in batch) for batch in corpus.batches) // longest
    batches = [range(at, min(at + rows, len(corpus.ids))) for at in range(0, len(corpus.ids), max(rows, 1))]
    parts = []
    for batch in batches:
        inputs, counted_BS = corpus.pad(batch, longest)
        seen: dict[int, Tensor] = {}
        _recorded(backbone, inputs, routers, seen.__setitem__)
        logits_LTE = torch.stack([seen[place] for place in range(len(routers))])
        parts.append(reduce(logits_LTE, counted_BS, routers[0].top_k))
    return _joined(batches, parts)


@torch.inference_mode()
def expert_loop(backbone: nn.Module, corpus: Corpus, routers: Sequence[Router]) -> Found:
    """A recorder as research code has it: in every layer a Python loop over experts that adds up one at a time."""
    parts = []
    for batch in corpus.batches:
        inputs, counted_BS = corpus.pad(batch)
        soft_BLE = np.zeros((len(batch), len(routers), routers[0].experts), dtype=np.float32)
        count_BLE = np.zeros(soft_BLE.shape, dtype=np.int64)

        def add(place: int, logits_TE: Tensor, counted_BS: Tensor = counted_BS, soft=soft_BLE, count=count_BLE) -> None:
            soft_TE = logits_TE.float().softmax(-1)
            ids_TK = soft_TE.topk(routers[0].top_k, dim=-1).indices
            tokens_B = counted_BS.sum(1)
            for expert in range(routers[0].experts):
                chosen_BS = (ids_TK == expert).any(-1).view(counted_BS.shape) & counted_BS
                mass_BS = soft_TE[:, expert].view(counted_BS.shape) * counted_BS
                for row in range(len(counted_BS)):
                    count[row, place, expert] += chosen_BS[row].sum().item()
                    soft[row, place, expert] += (mass_BS[row].sum() / tokens_B[row]).item()

        _recorded(backbone, inputs, routers, add)
        parts.append((soft_BLE, count_BLE))
    return _joined(corpus.batches, parts)


def nnsight(model: nn.Module, corpus: Corpus, routers: Sequence[Router]) -> Found:
    """nnsight: the logits of every router are saved in one trace a batch, and reduced at its end."""
    from nnsight import NNsight

    wrapped = NNsight(model)
    parts = []
    with torch.inference_mode():
        for batch in corpus.batches:
            inputs, counted_BS = corpus.pad(batch)
            with wrapped.trace(**inputs, use_cache=False):
                kept = list().save()  # noqa: C408
                for router in routers:
                    kept.append(wrapped.get(router.name).output[0])
            parts.append(reduce(torch.stack(list(kept)), counted_BS, routers[0].top_k))
    return _joined(corpus.batches, parts)


@torch.inference_mode()
def whole_rows(model: nn.Module, asked: Sequence[Asked], batch_tokens: int) -> list[list[float]]:
    """Log likelihoods of the choices of each item, every choice in a row with all of its prompt, padded on the right,
    as lm-evaluation-harness runs them; rows of like length together, in batches that are full."""
    rows = [(one.prompt, choice) for one in asked for choice in one.choices]
    ids = [np.array([*prompt, *choice]) for prompt, choice in rows]
    counted = [np.arange(len(text)) >= len(prompt) for text, (prompt, _) in zip(ids, rows, strict=True)]
    corpus = Corpus(ids, counted, plan_batches(list(map(len, ids)), batch_tokens))
    nats = np.zeros(len(rows))
    for batch in corpus.batches:
        inputs, counted_BS = corpus.pad(batch)
        nats_BSV = model(**inputs, use_cache=False).logits[:, :-1].float().log_softmax(-1)
        nats_BS = nats_BSV.gather(-1, inputs["input_ids"][:, 1:, None]).squeeze(-1)
        nats[list(batch)] = nats_BS.where(counted_BS[:, 1:], 0).sum(-1)
    ends = np.cumsum([len(one.choices) for one in asked])
    return [nats_K.tolist() for nats_K in np.split(nats, ends[:-1])]


def alone(
    model: nn.Module, plans: Sequence[Plan | None], routers: Sequence[Router], ask: Callable[[], Answers]
) -> list[Answers]:
    """What is asked under each plan in a run of its own; None is the model as it is."""
    found = []
    for plan in plans:
        with nullcontext() if plan is None else steer(model, plan, routers=routers):
            found.append(ask())
    return found
