"""One forward pass of a model's backbone over texts, reduced to routing statistics of each sequence."""

import inspect
import logging
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
import transformers
from numpy.typing import NDArray
from torch import Tensor, nn

from polyroute.artifacts.trace import Trace, TraceError, TraceHeader
from polyroute.artifacts.turns import ChatText, Item, joined
from polyroute.ground.files import digest
from polyroute.models.batches import plan_batches
from polyroute.models.chat_template import DATE
from polyroute.models.contract import ensure_contract
from polyroute.models.limits import beyond, context, padding_id, words_of
from polyroute.models.routers import Router, find_routers
from polyroute.models.to_last_router import observe_to_last
from polyroute.models.trial import at_rest
from polyroute.tracing import softmax_of_weights
from polyroute.tracing.chat import encode_chat, writes_date
from polyroute.tracing.parts import BatchStore, NoBatches
from polyroute.tracing.statistics import BatchAccumulator, BatchStatistics
from polyroute.tracing.transfer import to_device

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TraceSettings:
    """How a trace is taken."""

    batch_tokens: int = 8192
    """Padded tokens in one batch."""
    pairs: int = 64
    """Token pairs sampled a sequence, for measures over pairs such as consistency; with 0 these are NaN."""
    head: int = 0
    """First counted tokens of a sequence whose routing is kept apart; 0 keeps none."""
    seed: int = 0
    """Seed of the sampled pairs."""
    special_tokens: Literal["exclude", "include"] = "exclude"
    """Whether tokens that the tokenizer adds by itself count in statistics; the model sees them either way."""
    max_tokens: int = 4096
    """A longer text is an error: truncation would compare half sentences."""
    padding: Literal["right", "left"] = "right"
    """Side of padding; changes nothing but the last digits."""
    chat: ChatText | None = None
    """How texts become conversations in the tokenizer's chat template; None reads them as they are, the turns of a
    conversation a blank line apart. Of a chat `special_tokens` says nothing: `chat.counted` does."""

    def determining(self) -> dict[str, str | int]:
        """The settings that numbers depend on: all but `max_tokens`, which only refuses texts."""
        return self.engine() | self.turns()

    def engine(self) -> dict[str, str | int]:
        """Those of them that are not of the text: traces that differ in one cannot be compared."""
        plain = {name: value for name, value in asdict(self).items() if name not in ("max_tokens", "chat")}
        return plain | ({} if self.chat is None else {"text": "chat", "counted": self.chat.counted})

    def turns(self) -> dict[str, str]:
        """Those of them that are of the text: who says what in a chat; nothing of plain text."""
        return {} if self.chat is None else self.chat.model_dump(exclude={"counted"})


@dataclass(frozen=True)
class _Encoded:
    item_ids: tuple[str, ...]
    ids: list[NDArray[np.int64]]
    counted: list[NDArray[np.bool_]]
    lengths: list[int]


def encode(tokenizer: Any, texts: Mapping[str, Item], settings: TraceSettings) -> _Encoded:
    """Tokenize texts and say which tokens count.

    Raises:
        TraceError: a text gives no counted token, or more than `max_tokens`, or cannot be read as a chat where that is
            asked for; names the item.
    """
    if settings.chat is None:
        ids_of, counted = _encode_plain(tokenizer, texts, settings.special_tokens == "include")
    else:
        ids_of, counted = encode_chat(tokenizer, texts, settings.chat)
    for item_id, ids, mask in zip(texts, ids_of, counted, strict=True):
        if not mask.any():
            raise TraceError(f"item {item_id} gives no tokens to count: its text is empty to this tokenizer")
        if len(ids) > settings.max_tokens:
            raise TraceError(
                f"item {item_id} has {len(ids)} tokens, more than max_tokens = {settings.max_tokens}: raise it, "
                "or leave the item out of the corpus; it is not truncated"
            )
    return _Encoded(tuple(texts), ids_of, counted, [len(ids) for ids in ids_of])


def check_readable(model: nn.Module, tokenizer: Any, encoded: _Encoded, language: str) -> None:
    """Check that a model can read every text.

    Raises:
        TraceError: a text is longer than the model's context, or has a token that its embedding has no row for; names
            item and language.
    """
    most, words = context(model), words_of(model)
    for item_id, ids in zip(encoded.item_ids, encoded.ids, strict=True):
        if len(ids) > most:
            raise TraceError(
                f"item {item_id} in {language} has {len(ids)} tokens, more than the {most} that the model was made for "
                "(its config.json): leave the item out of the corpus, or shorten it; it is not truncated"
            )
        if ids.max() >= words and (why := beyond(tokenizer, ids.tolist(), words)) is not None:
            raise TraceError(f"item {item_id} in {language}: {why}")


def _encode_plain(
    tokenizer: Any, texts: Mapping[str, Item], keep_special: bool
) -> tuple[list[NDArray[np.int64]], list[NDArray[np.bool_]]]:
    encoding = tokenizer(
        [joined(item) for item in texts.values()], return_special_tokens_mask=True, return_attention_mask=False,
        return_token_type_ids=False, padding=False, truncation=False,
    )  # fmt: skip
    ids_of = [np.array(ids, dtype=np.int64) for ids in encoding["input_ids"]]
    return ids_of, [(np.array(mask) == 0) | keep_special for mask in encoding["special_tokens_mask"]]


def trace(
    model: nn.Module,
    tokenizer: Any,
    texts: Mapping[str, Item] | Sequence[Item],
    *,
    language: str = "und",
    corpus: str = "texts",
    settings: TraceSettings = TraceSettings(),
    routers: Sequence[Router] | None = None,
) -> Trace:
    """Trace texts through a model: the door for notebooks and scripts.

    The first call proves what is observed, which runs the model a few times on a few tokens (`check_contract`); later
    calls with the same modules and weights do not.

    Args:
        model: any mixture-of-experts model of transformers.
        tokenizer: its tokenizer.
        texts: item id -> text, or texts, which are then numbered; a text may be the turns of a conversation.
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
        language=language, tokenizer=tokenizer,
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
    tokenizer: Any = None,
) -> TraceHeader:
    """Say what a trace of this model will be of; of a chat its tokenizer tells whether the date is in the text."""
    parameter = next(model.parameters())
    experts = str(getattr(model.config, "_experts_implementation", None))
    attention = str(getattr(model.config, "_attn_implementation", None))
    dated = settings.chat is not None and writes_date(tokenizer)
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
        settings=settings.engine()
        | {"experts": experts, "attention": attention}
        | ({"date": DATE.date().isoformat()} if dated else {}),
        turns=settings.turns(),
        versions={"torch": torch.__version__, "transformers": transformers.__version__},
    )


def collect(
    model: nn.Module,
    tokenizer: Any,
    texts: Mapping[str, Item],
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
        texts: item id -> text, or turns of a conversation.
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
    check_readable(model, tokenizer, encoded, header.language)
    runner = _Runner(
        model, padding_id(tokenizer, words_of(model)), encoded, routers, header, settings, store or NoBatches()
    )
    parts: list[tuple[list[int], BatchStatistics]] = []
    with at_rest(model):  # dropout and router jitter would measure chance
        for indices, statistics in runner.run(plan_batches(encoded.lengths, settings.batch_tokens)):
            parts.append((indices, statistics))
            on_tokens(sum(encoded.lengths[i] for i in indices))
    order = np.argsort(np.concatenate([indices for indices, _ in parts]), kind="stable")
    arrays = {name: np.concatenate([statistics[name] for _, statistics in parts])[order] for name in parts[0][1]}
    return Trace.of_columns(header, encoded.item_ids, arrays)


class _Running(NamedTuple):
    """A batch whose work is queued."""

    indices: list[int]
    item_ids: list[str]
    accumulator: BatchAccumulator


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
        self.model, self.backbone = model, _backbone(model, routers)
        weight = model.get_input_embeddings().weight  # type: ignore[operator]
        # Weights that accelerate keeps elsewhere are on "meta"; its hooks move the ids to where they are needed.
        self.device = torch.device("cpu") if weight.is_meta else weight.device
        self.queues = self.device.type == "cuda"
        self.most = settings.batch_tokens
        self.padding_id, self.encoded, self.routers = padding_id, encoded, routers
        self.header, self.settings, self.store = header, settings, store

    def run(self, batches: list[list[int]]) -> Iterator[tuple[list[int], BatchStatistics]]:
        """The batches in their order, in halves where memory does not suffice.

        On a device that works on by itself a batch is prepared and queued while the one before it runs.
        """
        waiting = deque(batches)
        running: _Running | None = None
        while waiting:
            indices = waiting.popleft()
            item_ids = [self.encoded.item_ids[i] for i in indices]
            kept = self.store.get(item_ids)
            if kept is not None:
                yield indices, kept
                continue
            longest = max(self.encoded.lengths[i] for i in indices)
            half = len(indices) // 2
            if half and longest * len(indices) > self.most:  # more than memory held before
                waiting.extendleft([indices[len(indices) - half :], indices[: len(indices) - half]])
                continue
            try:
                started = self._forward(indices, item_ids)
            except (MemoryError, RuntimeError) as error:
                if not _out_of_memory(error):
                    raise
                started = None
            # Outside `except`, where the exception would keep the failed batch's tensors alive.
            if started is None:
                self._remember(indices, longest)
                waiting.appendleft(indices)
                continue
            if running is not None:
                yield self._finish(running)
            running = _Running(indices, item_ids, started)
            if not self.queues:
                yield self._finish(running)
                running = None
        if running is not None:
            yield self._finish(running)

    def _remember(self, indices: list[int], longest: int) -> None:
        """Take note of a batch that memory did not hold."""
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        if len(indices) == 1:
            raise TraceError(
                f"item {self.encoded.item_ids[indices[0]]} ({longest} tokens) does not fit into memory by itself "
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

    @torch.inference_mode()
    def _forward(self, indices: list[int], item_ids: list[str]) -> BatchAccumulator:
        """Prepare a batch and queue all of its work; nothing waits for the device."""
        inputs, counted_BS = self._pad(indices)
        accumulator = BatchAccumulator(
            counted_BS, item_ids, self.header.experts, self.settings.pairs, self.settings.seed, self.device,
            head=self.settings.head, again=softmax_of_weights.applies(self.routers),
        )  # fmt: skip
        with observe_to_last(self.model, self.routers, accumulator.add):
            self.backbone(**inputs, use_cache=False)
        accumulator.send(self.routers)
        return accumulator

    def _finish(self, batch: _Running) -> tuple[list[int], BatchStatistics]:
        """Wait for a batch's numbers and keep them."""
        statistics = batch.accumulator.finish(self.routers)
        self.store.put(batch.item_ids, statistics)
        return batch.indices, statistics

    def _pad(self, indices: list[int]) -> tuple[dict[str, Tensor], NDArray[np.bool_]]:
        lengths_B1 = np.array([self.encoded.lengths[i] for i in indices])[:, None]
        longest = int(lengths_B1.max())
        column_S = np.arange(longest)
        right = self.settings.padding == "right"
        attended_BS = column_S < lengths_B1 if right else column_S >= longest - lengths_B1
        ids_BS = np.full(attended_BS.shape, self.padding_id)
        ids_BS[attended_BS] = np.concatenate([self.encoded.ids[i] for i in indices])
        counted_BS = np.zeros(attended_BS.shape, dtype=np.bool_)
        counted_BS[attended_BS] = np.concatenate([self.encoded.counted[i] for i in indices])
        inputs = {"input_ids": ids_BS, "attention_mask": attended_BS.astype(np.int64)}
        if not right:
            # transformers counts positions from the first column, padding included.
            inputs["position_ids"] = np.maximum(attended_BS.cumsum(axis=1) - 1, 0)
        return {name: to_device(torch.from_numpy(array), self.device) for name, array in inputs.items()}, counted_BS


def _backbone(model: nn.Module, routers: Sequence[Router]) -> nn.Module:
    """The model without its language model head, whose logits would be the largest tensor of the pass."""
    base: nn.Module = getattr(model, "base_model", model)
    if base is not model:
        return base
    # A prefix that names no attribute (Llama 4), or a backbone already: the child that holds the routers tells.
    child = model.get_submodule(routers[0].name.split(".")[0])
    return child if "input_ids" in inspect.signature(child.forward).parameters else model


def _out_of_memory(error: BaseException) -> bool:
    told = str(error)
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or any(
        sign in told for sign in ("can't allocate memory", "out of memory", "ALLOC_FAILED")
    )
