"""Many plans over the same prompts in one pass: a condition is a row of the batch.

A sweep runs each prompt once, and a condition gets a row of its own only from the layer on in which its plan first
sends a real token of that prompt to other experts, or weighs them otherwise. Below it the condition is the unedited
model, so there is nothing to compute twice; a condition that changes nothing anywhere costs nothing but the question:

    with Sweep(model, [None, plan, other], routers) as sweep:
        read = sweep.prefill(real_BS, input_ids=..., attention_mask=..., use_cache=True)
        logits_CBV = read.output.logits[read.row_CB, -1]
        more = sweep.follow(read, real_NW, input_ids=..., attention_mask=...)  # texts that go on from these prompts
        read.spread()                                  # or: the cache with a row for each condition and prompt

Whether a plan changes a choice is asked of the router itself: its selection runs again on the unedited model's hidden
states with the edited logits, and its experts and weights are compared to the bit. Then the block runs for the rows
that part, and its output joins that of the others.

Where that is impossible (blocks that are not one list, a cache that is not keys and values alone, a batch of which
blocks get more than rows) every condition has its rows from the first layer on. A trial on a few tokens decides.

Shapes: B prompts, S positions, C conditions, R rows (R = B at first, up to B + C * B), T tokens, E experts.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from transformers.cache_utils import Cache, DynamicCache, DynamicLayer, DynamicSlidingWindowLayer

from polyroute.models.routers import Router, RouterCall, edit, observe, replay
from polyroute.models.trial import at_rest
from polyroute.steering.apply import Steering, steer
from polyroute.steering.plan import Plan

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Read:
    """What a sweep's pass over some texts left."""

    output: Any
    """Of the model, with R rows."""
    row_CB: Tensor
    """int64 on the CPU: which of them is a condition's at a text. Several conditions may share one."""
    rows_by_layer: tuple[int, ...] | None
    """Rows that each layer of the cache holds; None where all hold R."""
    parent_R: tuple[int, ...]
    """From which row each one parted; its own number for those that were there at first."""

    @property
    def text_R(self) -> Tensor:
        """Which text each row has read."""
        return torch.tensor(self.parent_R) % self.row_CB.shape[1]

    def rows_in_layer(self, layer: int, rows: Tensor) -> Tensor:
        """Where a layer of the cache holds what rows of the output have read."""
        if self.rows_by_layer is None:
            return rows
        return torch.where(rows < self.rows_by_layer[layer], rows, torch.tensor(self.parent_R)[rows])

    def parting_layer(self, row: int) -> int | None:
        """The first layer in whose cache a row has keys and values of its own; None where it shares them all."""
        if self.rows_by_layer is None or self.parent_R[row] == row:
            return None
        return next((layer for layer, rows in enumerate(self.rows_by_layer) if row < rows), None)

    def spread(self) -> None:
        """Give the cache a row for each condition and text, texts within conditions."""
        if self.row_CB.flatten().tolist() == list(range(len(self.parent_R))) and self.rows_by_layer is None:
            return  # each has one
        for number, layer in enumerate(self.output.past_key_values.layers):
            held = self.rows_in_layer(number, self.row_CB.flatten())
            layer.batch_select_indices(held.to(layer.keys.device))


def holds_keys_and_values(cache: object) -> bool:
    """Whether a cache holds keys and values alone, which can be copied for rows that go on differently."""
    # A kind of its own (MiniMax) keeps states beside the layers that it shows.
    return (
        isinstance(cache, DynamicCache)
        and type(cache) is DynamicCache
        and all(type(layer) in (DynamicLayer, DynamicSlidingWindowLayer) for layer in cache.layers)
    )


class Sweep:
    """Conditions that are answered together; a context in which each row of a batch follows its own plan."""

    def __init__(self, model: nn.Module, plans: Sequence[Plan | None], routers: Sequence[Router]):
        """Say what is to be run together; nothing is changed yet.

        Args:
            model: a decoder of transformers.
            plans: of each condition; None for the unedited model. The same one may stand there twice.
            routers: all of the model's routers.
        """
        self.model, self.plans = model, tuple(plans)
        self._routers = tuple(routers)
        self._given = [plan for plan in self.plans if plan is not None]
        numbers = iter(range(len(self._given)))
        self._plan_of = [None if plan is None else next(numbers) for plan in self.plans]
        self._stack = ExitStack()
        self._parts = False
        self._steering: Steering | None = None
        self._unedited: dict[str, Tensor] = {}
        self._parting: _Parting | None = None

    def __enter__(self) -> Self:
        # Tried before anything is steered.
        self._parts = bool(self._given) and can_part(self.model, self._given[0], self._routers)
        self._stack.enter_context(self._steered())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.__exit__(kind, error, at)

    @contextmanager
    def _steered(self) -> Iterator[None]:
        planned = [router for router in self._routers if any(router.layer in plan.experts for plan in self._given)]
        with ExitStack() as stack:
            if planned:
                # Edits apply in the order in which they are entered: this one sees the logits before any plan.
                stack.enter_context(edit(planned, self._keep, require_calls=False))
            self._steering = stack.enter_context(
                steer(self.model, self._given, rows=(), routers=self._routers, require_calls=False)
            )
            yield
        self._steering = None

    def assign(self, conditions: Sequence[int]) -> None:
        """Say which condition each row of the batches to come is of."""
        self._inside.assign([self._plan_of[condition] for condition in conditions])

    def conditions(self, texts: int) -> list[int]:
        """The condition of each row where every text has a row in each, as `Read.spread` orders them."""
        return [condition for condition in range(len(self.plans)) for _ in range(texts)]

    def prefill(self, real_BS: Tensor, **inputs: Any) -> Read:
        """Run prompts under all conditions.

        Args:
            real_BS: bool, which positions hold a token of the prompt: padding decides nothing.
            inputs: of the model's forward; tensors with B rows are repeated where rows need it.

        Returns:
            The model's output with the place of each condition in it.
        """
        return self._parted(real_BS, inputs) if self._parts else self._repeated(real_BS, inputs)

    def follow(self, read: Read, real_NW: Tensor, **inputs: Any) -> Read:
        """Run texts that go on from prompts, as many from each, under all conditions. The cache is used up.

        Args:
            read: the prompts with a cache of keys and values.
            real_NW: bool, which positions hold a token of the text; N texts, those of a prompt beside one another.
            inputs: of the model's forward but for the cache; tensors with N rows are repeated where rows need it.

        Returns:
            As `prefill`, of the N texts.
        """
        cache, texts = read.output.past_key_values, len(real_NW)
        prompt_N = torch.arange(read.row_CB.shape[1]).repeat_interleave(texts // read.row_CB.shape[1])
        inputs = {**inputs, "past_key_values": cache, "use_cache": True}
        if self._parts:
            return self._parted(real_NW, inputs, prior=read, prompt_N=prompt_N)
        cache.batch_select_indices(read.row_CB[:, prompt_N].flatten().to(_device_of(cache)))
        return self._repeated(real_NW, inputs)

    @property
    def _inside(self) -> Steering:
        assert self._steering is not None, "a sweep runs inside its context"
        return self._steering

    def _keep(self, router: Router, logits_TE: Tensor) -> Tensor:
        if self._parting is not None:
            # A copy: the model may write into what it gets.
            self._unedited[router.name] = logits_TE.clone()
        return logits_TE

    def _repeated(self, real_BS: Tensor, inputs: dict[str, Any]) -> Read:
        """Every condition in rows of its own."""
        texts, count = len(real_BS), len(self.plans)
        self.assign(self.conditions(texts))
        output = self.model(**rows_of(inputs, torch.arange(texts).repeat(count), texts))
        return Read(output, torch.arange(count * texts).view(count, texts), None, tuple(range(count * texts)))

    def _parted(
        self, real_BS: Tensor, inputs: dict[str, Any], *, prior: Read | None = None, prompt_N: Tensor | None = None,
        always: bool = False,
    ) -> Read:  # fmt: skip
        """Conditions in rows of their own from where they change something, or, `always`, from where they could."""
        self._parting = parting = _Parting(self, self._inside, real_BS, always, prior, prompt_N)
        try:
            with parting.standing_in():
                output = self.model(**inputs)
        finally:
            self._parting = None
            self._unedited.clear()
        return Read(output, parting.row_CB(), tuple(parting.rows_by_layer), tuple(parting.text_R))


@dataclass
class _Seen:
    """The call of one router in a block."""

    arguments: tuple[tuple[Any, ...], dict[str, Any]] = ((), {})
    call: RouterCall | None = None


@dataclass
class _Parting:
    """One pass over texts, in which rows part."""

    sweep: Sweep
    steering: Steering
    real_BS: Tensor
    always: bool
    """Whether rows part wherever their plan moves an expert, whether or not this changes anything."""
    prior: Read | None
    """What the texts go on from; None where they begin."""
    prompt_N: Tensor | None
    """From which prompt each text goes on."""
    rows_by_layer: list[int] = field(default_factory=list)
    text_R: list[int] = field(default_factory=list)
    """Of each row; the first B are the unedited model's."""

    def __post_init__(self) -> None:
        self.text_R = list(range(len(self.real_BS)))
        self._condition_R: list[int | None] = [None] * len(self.real_BS)
        self._row: dict[tuple[int, int], int] = {}
        self._planned = {router.layer: router for router in self.steering.routers}
        self._seen: _Seen | None = None
        self._bound: dict[int, list[tuple[int, int]]] = {}
        """Layer -> conditions and texts whose prompt has keys and values of its own from there on."""
        if self.prior is not None and self.prompt_N is not None:
            for condition, row_B in enumerate(self.prior.row_CB.tolist()):
                for text, prompt in enumerate(self.prompt_N.tolist()):
                    layer = self.prior.parting_layer(row_B[prompt])
                    if layer is not None:
                        self._bound.setdefault(layer, []).append((condition, text))

    def row_CB(self) -> Tensor:
        return torch.tensor(
            [
                [self._row.get((condition, text), text) for text in range(len(self.real_BS))]
                for condition in range(len(self.sweep.plans))
            ]
        )

    @contextmanager
    def standing_in(self) -> Iterator[None]:
        """Every block's forward is ours."""
        blocks = blocks_of(self.sweep.model, self.sweep._routers)
        assert blocks is not None, "tried before"
        patched = [block.__dict__.get("forward") for block in blocks]
        with ExitStack() as stack:
            for router in self._planned.values():
                selecting: nn.Module = getattr(router.site.reading, "block", router.module)
                stack.callback(selecting.register_forward_pre_hook(self._on_arguments, with_kwargs=True).remove)
            if self._planned:
                stack.enter_context(observe(list(self._planned.values()), self._on_call, require_calls=False))
            try:
                for number, block in enumerate(blocks):
                    block.__dict__["forward"] = _StandIn(self, number, block.forward)
                yield
            finally:
                for block, forward in zip(blocks, patched, strict=True):
                    block.__dict__.pop("forward", None)
                    if forward is not None:
                        block.__dict__["forward"] = forward

    def _on_arguments(self, _module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if self._seen is not None:
            self._seen.arguments = (args, kwargs)

    def _on_call(self, _router: Router, call: RouterCall) -> None:
        if self._seen is not None:
            self._seen.call = call

    def block(self, number: int, forward: Any, hidden: Tensor, args: Any, kwargs: Any) -> Any:
        """A block for the rows that there are, and for those that part in it."""
        texts, cache = len(self.real_BS), _cache_in(args, kwargs)
        bound = [pair for pair in self._bound.get(number, ()) if pair not in self._row]
        if bound:
            hidden = torch.cat([hidden, _select(hidden, torch.tensor([text for _, text in bound]))])
            self._add(bound)
        rows = torch.tensor(self.text_R)
        ours = (args, kwargs) if len(rows) == texts else rows_of((args, kwargs), rows, texts)
        self.rows_by_layer.append(len(rows))
        before = self._read_before(cache, number, self._condition_R, self.text_R)
        self._follow(self._condition_R)
        undecided = [
            (condition, text)
            for condition, plan in enumerate(self.sweep.plans)
            if plan is not None and number in plan.experts
            for text in range(texts)
            if (condition, text) not in self._row
        ]
        if not undecided:
            return forward(hidden, *ours[0], **ours[1])
        self._seen = seen = _Seen()
        leaving = forward(hidden, *ours[0], **ours[1])
        self._seen = None
        parting = self._changed(self._planned[number], seen, undecided)
        if not parting:
            return leaving
        their_texts = torch.tensor([text for _, text in parting])
        self._follow([condition for condition, _ in parting])
        theirs = rows_of((args, kwargs), their_texts, texts)
        with _beside(cache, number, before, their_texts) as beside:
            theirs = theirs if beside else _without_cache(theirs)
            more = forward(_select(hidden, their_texts), *theirs[0], **theirs[1])
        self._add(parting)
        return _joined(leaving, more)

    def _add(self, pairs: list[tuple[int, int]]) -> None:
        """Rows of their own for conditions and texts."""
        for condition, text in pairs:
            self._row[condition, text] = len(self.text_R)
            self.text_R.append(text)
            self._condition_R.append(condition)

    def _read_before(
        self, cache: Any, number: int, condition_R: Sequence[int | None], text_R: Sequence[int]
    ) -> dict[str, Any] | None:
        """Give a layer of the cache the rows of this pass; its state then, None where nothing was read before."""
        if self.prior is None or self.prompt_N is None:
            return None
        prompt_R = self.prompt_N[torch.tensor(text_R)]
        rows = [
            int(prompt) if condition is None else int(self.prior.row_CB[condition, prompt])
            for condition, prompt in zip(condition_R, prompt_R, strict=True)
        ]
        layer = cache.layers[number]
        layer.batch_select_indices(self.prior.rows_in_layer(number, torch.tensor(rows)).to(layer.keys.device))
        return dict(layer.__dict__)

    def _follow(self, conditions: Sequence[int | None]) -> None:
        self.steering.assign([None if one is None else self.sweep._plan_of[one] for one in conditions])

    def _changed(self, router: Router, seen: _Seen, undecided: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """Those conditions and texts whose edit changes what the router selects for a real token."""
        call, unedited_TE = seen.call, self.sweep._unedited[router.name]
        assert call is not None, "a block calls its router"
        positions = self.real_BS.shape[1]
        if self.always or router.site.columns != router.experts:
            return undecided  # more columns: shared experts' scores, which ids and weights do not show
        at = torch.tensor([text for _, text in undecided])

        def of_pairs(value_T: Tensor) -> Tensor:
            """The unedited rows of each pair's text."""
            by_row = value_T.view(-1, positions, *value_T.shape[1:])
            return _select(by_row, at).flatten(0, 1)

        rows = [self.sweep._plan_of[condition] for condition, _ in undecided]
        edited_TE = self.steering.edited(router, of_pairs(unedited_TE), rows)
        self.steering.assign([None] * len(rows))
        again = replay(router, _tokens_of(seen.arguments, at, len(self.text_R), positions), edited_TE)
        differs_T = ((again.ids_TK != of_pairs(call.ids_TK)) | (again.weights_TK != of_pairs(call.weights_TK))).any(-1)
        differs_PS = differs_T.view(len(undecided), positions) & _select(self.real_BS, at).to(differs_T.device)
        return [pair for pair, differs in zip(undecided, differs_PS.any(-1).tolist(), strict=True) if differs]


class _StandIn:
    """A block's forward, handed to the pass that runs."""

    def __init__(self, parting: _Parting, number: int, forward: Any):
        self._parting, self._number, self._forward = parting, number, forward

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        hidden = args[0] if args else kwargs.pop("hidden_states")
        return self._parting.block(self._number, self._forward, hidden, args[1:], kwargs)


_PARTS: WeakKeyDictionary[nn.Module, bool] = WeakKeyDictionary()


def can_part(model: nn.Module, plan: Plan, routers: Sequence[Router]) -> bool:
    """Whether rows can part inside a model, by a trial on a few tokens against rows that never shared a layer.

    Args:
        model: a decoder of transformers, outside `steer` and any sweep but its own.
        plan: any plan for it.
        routers: all of its routers.
    """
    if model not in _PARTS:
        listed = blocks_of(model, routers) is not None
        reason = _hindrance(model, plan, routers) if listed else "its blocks are not one list"
        _PARTS[model] = reason is None
        if reason is not None:
            log.info("%s: conditions share no layer: %s", type(model).__name__, reason)
    return _PARTS[model]


def _hindrance(model: nn.Module, plan: Plan, routers: Sequence[Router]) -> str | None:
    words: Any = model.get_input_embeddings()  # type: ignore[operator]
    # As many prompts as positions: a table of positions that is taken for one of prompts shows.
    ids_BS = (torch.arange(36, device=words.weight.device) * 7919 % words.num_embeddings).view(6, 6)
    real_BS = torch.ones_like(ids_BS, dtype=torch.bool)
    real_BS[1, :2] = False
    sweep = Sweep(model, [plan, None], routers)
    with torch.inference_mode(), at_rest(model), sweep._steered():

        def ran(run: Any, **how: bool) -> Read:
            inputs = {"input_ids": ids_BS, "attention_mask": real_BS.long(), "use_cache": True}
            prefilled: Read = run(real_BS, inputs, **how)
            return prefilled

        try:
            alone = ran(sweep._repeated)
            if not holds_keys_and_values(getattr(alone.output, "past_key_values", None)):
                return "its cache is not keys and values alone"
            for always in (True, False):
                shared = ran(sweep._parted, always=always)
                shared.spread()
                logits = [one.output.logits[one.row_CB, -1] for one in (shared, alone)]
                caches = [one.output.past_key_values.layers for one in (shared, alone)]
                pairs = [logits, *([one.keys, other.keys] for one, other in zip(*caches, strict=True))]
                if not all(_close(found, expected) for found, expected in pairs):
                    return "their rows are not those of a run alone"
        # Whatever an architecture makes of rows that it did not expect.
        except (RuntimeError, ValueError, TypeError, IndexError, AttributeError, KeyError) as error:
            return f"{type(error).__name__}: {error}"
    return None


def blocks_of(model: nn.Module, routers: Sequence[Router]) -> list[nn.Module] | None:
    """The model's blocks, numbered as its routers' layers; None where they are not one list."""
    stem = next((router.name.partition(f".{router.layer}.")[0] for router in routers), "")
    blocks = dict(model.named_modules()).get(stem)
    inside = all(router.name.startswith(f"{stem}.{router.layer}.") for router in routers)
    return list(blocks) if isinstance(blocks, nn.ModuleList) and inside else None


def _select(value: Tensor, rows: Tensor) -> Tensor:
    return value.index_select(0, rows.to(value.device))


def rows_of(value: Any, rows: Tensor, prompts: int) -> Any:
    """Arguments for other rows: tensors with a row a prompt (masks, positions) give each row its prompt's."""
    if isinstance(value, Tensor):
        return _select(value, rows) if value.dim() > 1 and value.shape[0] == prompts else value
    if isinstance(value, dict):
        return {
            # Positions in text, height and width (Qwen3-VL) stand before the rows.
            name: part.index_select(1, rows.to(part.device))
            if name == "position_ids" and isinstance(part, Tensor) and part.dim() == 3 and part.shape[1] == prompts
            else rows_of(part, rows, prompts)
            for name, part in value.items()
        }
    if type(value) in (tuple, list):
        return type(value)(rows_of(part, rows, prompts) for part in value)
    return value


def _tokens_of(value: Any, prompts: Tensor, rows: int, positions: int) -> Any:
    """Arguments of a router for some prompts, whether it gets rows or the tokens of all rows one after the other."""
    if isinstance(value, Tensor):
        if value.dim() > 1 and value.shape[0] == rows * positions:
            return _select(value.view(rows, positions, *value.shape[1:]), prompts).flatten(0, 1)
        return _select(value, prompts) if value.dim() > 1 and value.shape[0] == rows else value
    if isinstance(value, dict):
        return {name: _tokens_of(part, prompts, rows, positions) for name, part in value.items()}
    if type(value) in (tuple, list):
        return type(value)(_tokens_of(part, prompts, rows, positions) for part in value)
    return value


def _cache_in(args: Any, kwargs: Any) -> Any:
    """The cache among a block's arguments, whatever the architecture calls it."""
    return next((given for given in (*args, *kwargs.values()) if isinstance(given, Cache)), None)


@contextmanager
def _beside(cache: Any, number: int, before: dict[str, Any] | None, rows: Tensor) -> Iterator[bool]:
    """Some rows of a layer of the cache as it was before its block ran; whether there was anything to read."""
    if before is None:
        yield False
        return
    layer = cache.layers[number]
    after = dict(layer.__dict__)
    layer.__dict__.update(before)
    layer.batch_select_indices(rows.to(layer.keys.device))
    yield True
    layer.__dict__.update(after)


def _without_cache(value: Any) -> Any:
    """Arguments of a block that is to run beside the cache: what it attends to is all in this pass."""
    if isinstance(value, Cache):
        return None
    if isinstance(value, dict):
        return {name: False if name == "use_cache" else _without_cache(part) for name, part in value.items()}
    return tuple(map(_without_cache, value)) if type(value) is tuple else value


def _joined(one: Any, other: Any) -> Any:
    """What a block returned for some rows, and for others."""
    if isinstance(one, tuple):
        return tuple(_joined(ours, theirs) for ours, theirs in zip(one, other, strict=True))
    return torch.cat([one, other]) if isinstance(one, Tensor) else one


def _close(found: Tensor, expected: Tensor) -> bool:
    """Equal but for rounding; rows of another prompt or position would differ by about their own size."""
    allowed = max(1e-4, 16 * torch.finfo(expected.dtype).eps) * float(expected.float().abs().mean())
    return found.shape == expected.shape and float((found.float() - expected.float()).abs().mean()) <= allowed


def _device_of(cache: Any) -> Any:
    return cache.layers[0].keys.device
