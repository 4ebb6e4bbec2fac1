"""One forward pass of a model's backbone over texts, reduced to routing statistics of each sequence."""

import inspect
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import torch
import transformers
from torch import Tensor, nn

from polyroute.artifacts.trace import Trace, TraceError, TraceHeader
from polyroute.ground.files import digest
from polyroute.models.batches import plan_batches
from polyroute.models.contract import ensure_contract
from polyroute.models.routers import Router, find_routers, observe
from polyroute.models.trial import at_rest
from polyroute.tracing.parts import BatchStore, NoBatches
from polyroute.tracing.statistics import BatchAccumulator, BatchStatistics

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TraceSettings:
    """How a trace is taken."""

    batch_tokens: int = 8192
    """Padded tokens in one batch."""
    pairs: int = 64
    """Token pairs sampled a sequence for consistency."""
    seed: int = 0
    """Seed of the sampled pairs."""
    special_tokens: Literal["exclude", "include"] = "exclude"
    """Whether tokens that the tokenizer adds by itself count in statistics; the model sees them either way."""
    max_tokens: int = 4096
    """A longer text is an error: truncation would compare half sentences."""
    padding: Literal["right", "left"] = "right"
    """Side of padding; changes nothing but the last digits."""

    def determining(self) -> dict[str, str | int]:
        """The settings that numbers depend on: all but `max_tokens`, which only refuses texts."""
        return {name: value for name, value in asdict(self).items() if name != "max_tokens"}


@dataclass(frozen=True)
class _Encoded:
    item_ids: tuple[str, ...]
    ids: list[list[int]]
    counted: list[list[bool]]

    @property
    def lengths(self) -> list[int]:
        return [len(ids) for ids in self.ids]


def encode(tokenizer: Any, texts: Mapping[str, str], settings: TraceSettings) -> _Encoded:
    """Tokenize texts and say which tokens count.

    Raises:
        TraceError: a text gives no counted token, or more than `max_tokens`; names the item.
    """
    encoding = tokenizer(list(texts.values()), return_special_tokens_mask=True, padding=False, truncation=False)
    keep_special = settings.special_tokens == "include"
    counted = [[keep_special or not special for special in mask] for mask in encoding["special_tokens_mask"]]
    for item_id, ids, mask in zip(texts, encoding["input_ids"], counted, strict=True):
        if not any(mask):
            raise TraceError(f"item {item_id} gives no tokens to count: its text is empty to this tokenizer")
        if len(ids) > settings.max_tokens:
            raise TraceError(
                f"item {item_id} has {len(ids)} tokens, more than max_tokens = {settings.max_tokens}: raise it, "
                "or leave the item out of the corpus; it is not truncated"
            )
    return _Encoded(tuple(texts), encoding["input_ids"], counted)


def trace(
    model: nn.Module,
    tokenizer: Any,
    texts: Mapping[str, str] | Sequence[str],
    *,
    language: str = "und",
    corpus: str = "texts",
    settings: TraceSettings = TraceSettings(),
    routers: Sequence[Router] | None = None,
) -> Trace:
    """Trace texts through a model: the door for notebooks and scripts.

    The first call proves what is observed, which runs the model once for each router; later calls with the same modules
    and weights do not.

    Args:
        model: any mixture-of-experts model of transformers.
        tokenizer: its tokenizer.
        texts: item id -> text, or texts, which are then numbered.
        language: FLORES code of the texts; only a label here.
        corpus: what to call the texts.
        settings: how the trace is taken.
        routers: which of `find_routers(model)` to trace; all of them where None.

    Returns:
        The trace, its sequences in the order of `texts`.

    Raises:
        RouterError: the model has no routers, or they break the contract that measurement rests on.
        TraceError: as `collect`.
    """
    if isinstance(texts, str):
        raise TraceError("give texts as a list or as item id -> text; a single string would be read letter by letter")
    if not isinstance(texts, Mapping):
        texts = {str(number): text for number, text in enumerate(texts)}
    routers = find_routers(model) if routers is None else routers
    ensure_contract(model, routers)
    name = getattr(model, "name_or_path", "") or type(model).__name__
    header = make_header(
        model, routers, settings, name=name, model_digest="", corpus=corpus, corpus_digest=digest(texts),
        language=language,
    )  # fmt: skip
    return collect(model, tokenizer, texts, routers, header, settings)


def make_header(
    model: nn.Module,
    routers: Sequence[Router],
    settings: TraceSettings,
    *,
    name: str,
    model_digest: str,
    corpus: str,
    corpus_digest: str,
    language: str,
) -> TraceHeader:
    """Say what a trace of this model will be of."""
    parameter = next(model.parameters())
    experts = str(getattr(model.config, "_experts_implementation", None))
    attention = str(getattr(model.config, "_attn_implementation", None))
    return TraceHeader(
        model=name,
        model_digest=model_digest,
        corpus=corpus,
        corpus_digest=corpus_digest,
        language=language,
        engine="transformers",
        dtype=str(parameter.dtype).removeprefix("torch."),
        device=parameter.device.type,
        layers=tuple(router.layer for router in routers),
        experts=routers[0].experts,
        top_k=routers[0].top_k,
        selection=tuple(sorted({router.selection for router in routers})),
        settings=settings.determining() | {"experts": experts, "attention": attention},
        versions={"torch": torch.__version__, "transformers": transformers.__version__},
    )


def collect(
    model: nn.Module,
    tokenizer: Any,
    texts: Mapping[str, str],
    routers: Sequence[Router],
    header: TraceHeader,
    settings: TraceSettings,
    *,
    store: BatchStore | None = None,
    on_tokens: Callable[[int], None] = lambda _: None,
) -> Trace:
    """Trace texts of one language through observed routers, keeping finished batches.

    Args:
        model: a transformers model; only its backbone runs, without the language model head.
        tokenizer: the model's tokenizer.
        texts: item id -> text.
        routers: which routers to observe, from `find_routers`; all must have as many experts.
        header: what the trace is of.
        settings: how it is taken.
        store: where finished batches are kept, and taken from by a later run (nowhere by default).
        on_tokens: called with the number of tokens of each batch as it is finished.

    Returns:
        The trace, its sequences in the order of `texts`. In float32, batch size, order and padding change only the
        last digits. In bfloat16 they also flip near ties between experts: single counts change, and the divergence
        D of a sentence by up to about 1e-3 (its mean over 100 sentences by about 1e-5, measured on pocket-plain).

    Raises:
        TraceError: no texts, a text too long or empty, routers of different size, logits that are NaN or
            infinite (names the layer), or memory that does not suffice for a single sequence.
    """
    if not texts:
        raise TraceError(f"no texts to trace for {header.model} on {header.corpus} in {header.language}")
    if {router.experts for router in routers} != {header.experts}:
        seen = ", ".join(f"layer {router.layer}: {router.experts}" for router in routers)
        raise TraceError(f"a trace needs routers of one size, {header.experts} experts; this model has {seen}")
    if len({router.layer for router in routers}) < len(routers):
        raise TraceError(
            "a trace needs one router a layer; this model has several: choose among "
            + ", ".join(f"{router.name} (layer {router.layer})" for router in routers)
        )
    encoded = encode(tokenizer, texts, settings)
    runner = _Runner(model, _padding_id(tokenizer), encoded, routers, header, settings, store or NoBatches())
    parts: list[tuple[list[int], BatchStatistics]] = []
    with at_rest(model):  # dropout and router jitter would measure chance
        for batch in plan_batches(encoded.lengths, settings.batch_tokens):
            for indices, statistics in runner.run(batch):
                parts.append((indices, statistics))
                on_tokens(sum(encoded.lengths[i] for i in indices))
    order = np.argsort(np.concatenate([indices for indices, _ in parts]), kind="stable")
    arrays = {
        name: np.concatenate([getattr(statistics, name) for _, statistics in parts])[order]
        for name in BatchStatistics.__dataclass_fields__
    }
    return Trace(header=header, item_ids=encoded.item_ids, **arrays)


class _Runner:
    def __init__(
        self,
        model: nn.Module,
        padding_id: int,
        encoded: _Encoded,
        routers: Sequence[Router],
        header: TraceHeader,
        settings: TraceSettings,
        store: BatchStore,
    ):
        self.backbone = _backbone(model, routers)
        weight = model.get_input_embeddings().weight  # type: ignore[operator]
        # Weights that accelerate keeps elsewhere are on "meta"; its hooks move the ids to where they are needed.
        self.device = torch.device("cpu") if weight.is_meta else weight.device
        self.most = settings.batch_tokens
        self.padding_id, self.encoded, self.routers = padding_id, encoded, routers
        self.header, self.settings, self.store = header, settings, store

    def run(self, indices: list[int]) -> Iterator[tuple[list[int], BatchStatistics]]:
        """The batch, in halves where memory does not suffice."""
        item_ids = [self.encoded.item_ids[i] for i in indices]
        kept = self.store.get(item_ids)
        if kept is not None:
            yield indices, kept
            return
        longest = max(self.encoded.lengths[i] for i in indices)
        half = len(indices) // 2
        if half and longest * len(indices) > self.most:  # more than memory held before
            yield from self.run(indices[: len(indices) - half])
            yield from self.run(indices[len(indices) - half :])
            return
        try:
            statistics = self._forward(indices, item_ids)
        except (MemoryError, RuntimeError) as error:
            if not _out_of_memory(error):
                raise
            statistics = None
        # Outside `except`, where the exception would keep the failed batch's tensors alive.
        if statistics is not None:
            self.store.put(item_ids, statistics)
            yield indices, statistics
            return
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        if len(indices) == 1:
            raise TraceError(
                f"item {item_ids[0]} ({self.encoded.lengths[indices[0]]} tokens) does not fit into memory by itself "
                f"on {self.device}: use a larger device, `device: auto` over several, or a smaller dtype"
            )
        self.most = longest * len(indices) // 2
        log.warning(
            "out of memory with %d sequences of up to %d tokens: batches of %d padded tokens from here on (lower "
            "batch_tokens to avoid the attempt)",
            len(indices),
            longest,
            self.most,
        )
        yield from self.run(indices)

    @torch.inference_mode()
    def _forward(self, indices: list[int], item_ids: list[str]) -> BatchStatistics:
        inputs, counted_BS = self._pad(indices)
        accumulator = BatchAccumulator(
            counted_BS, item_ids, self.header.experts, self.settings.pairs, self.settings.seed
        )

        with observe(self.routers, accumulator.add):
            self.backbone(**inputs, use_cache=False)
        return accumulator.finish(self.routers)

    def _pad(self, indices: list[int]) -> tuple[dict[str, Tensor], Tensor]:
        longest = max(self.encoded.lengths[i] for i in indices)
        ids_BS = torch.full((len(indices), longest), self.padding_id)
        attended_BS = torch.zeros(len(indices), longest, dtype=torch.long)
        counted_BS = torch.zeros(len(indices), longest, dtype=torch.bool)
        for b, i in enumerate(indices):
            length = self.encoded.lengths[i]
            span = slice(0, length) if self.settings.padding == "right" else slice(longest - length, longest)
            ids_BS[b, span] = torch.tensor(self.encoded.ids[i])
            attended_BS[b, span] = 1
            counted_BS[b, span] = torch.tensor(self.encoded.counted[i])
        inputs = {"input_ids": ids_BS.to(self.device), "attention_mask": attended_BS.to(self.device)}
        if self.settings.padding == "left":
            # transformers counts positions from the first column, padding included.
            inputs["position_ids"] = (attended_BS.cumsum(dim=1) - 1).clamp(min=0).to(self.device)
        return inputs, counted_BS


def _backbone(model: nn.Module, routers: Sequence[Router]) -> nn.Module:
    """The model without its language model head, whose logits would be the largest tensor of the pass."""
    base: nn.Module = getattr(model, "base_model", model)
    if base is not model:
        return base
    # A prefix that names no attribute (Llama 4), or a backbone already: the child that holds the routers tells.
    child = model.get_submodule(routers[0].name.split(".")[0])
    return child if "input_ids" in inspect.signature(child.forward).parameters else model


def _padding_id(tokenizer: Any) -> int:
    """Any valid id will do: padding is masked everywhere."""
    return int(tokenizer.pad_token_id) if tokenizer.pad_token_id is not None else 0


def _out_of_memory(error: BaseException) -> bool:
    told = str(error)
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or any(
        sign in told for sign in ("can't allocate memory", "out of memory", "ALLOC_FAILED")
    )
