"""Layers below the first edited one, run once for all conditions.

An intervention changes nothing below the first layer whose router it edits. So the lower layers of the first run, say
the baseline's, are recorded (what leaves them, and what they put into the key-value cache) and every later run over the
same inputs takes them from there:

    lower = LowerLayers(model, {min(plan.experts) for plan in plans}, routers)
    with lower.record():
        baseline = score(model, batch)
    for plan in plans:
        with lower.replay(min(plan.experts)), steer(model, plan, routers=routers):
            steered = score(model, batch)

`score` is any code: what it calls is recognised by its inputs. A call whose inputs differ from the recorded ones, as
when a steered model generates another token, is computed as always, and so is all that follows it over the same cache.
Calls that begin anew, without a cache or with an empty one, are looked for among the later recorded ones that do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.cache_utils import Cache

from polyroute.ground.errors import PolyrouteError
from polyroute.models.taps import Router


class LowerLayersError(PolyrouteError):
    """A model whose lower layers cannot be left out; run each condition alone."""


@dataclass
class _Call:
    """What one forward of the model did below the first edited layer."""

    entering: Tensor
    """Hidden states that entered layer 0."""
    positions: Tensor | None
    """Positions of its tokens: two batches may hold the same ids with other padding."""
    held: int | None
    """Tokens in the cache before; None without a cache."""
    leaving: dict[int, Any] = field(default_factory=dict)
    """Layer -> what it returned, for each below which a replay begins."""
    cached: dict[int, list[tuple[tuple[Any, ...], dict[str, Any]]]] = field(default_factory=dict)
    """Layer -> arguments of its calls of the cache's `update`."""


class LowerLayers:
    """Records the layers below the first edited ones and replays them."""

    def __init__(self, model: PreTrainedModel, firsts: Iterable[int], routers: Sequence[Router]):
        """Find the layers; nothing is changed yet.

        Args:
            model: any transformers decoder.
            firsts: the first layers that conditions edit, as in `Router.layer`; hidden states are kept for each.
            routers: of the model; their names say where its layers are.

        Raises:
            LowerLayersError: the layers are not one list of blocks numbered as the routers are.
        """
        stem = next((router.name.partition(f".{router.layer}.")[0] for router in routers), "")
        blocks = dict(model.named_modules()).get(stem)
        self._firsts = frozenset(firsts)
        last = max(self._firsts, default=0)
        if not isinstance(blocks, nn.ModuleList) or last > len(blocks):
            raise LowerLayersError(
                f"the blocks of {type(model).__name__} are not one list that holds layer {last}: "
                "run each condition alone"
            )
        self._lower = list(blocks[:last])
        self._calls: list[_Call] = []
        self._next = 0
        self._current: _Call | None = None

    @contextmanager
    def record(self) -> Iterator[None]:
        """Keep what the lower layers do in every forward inside; what was kept before is forgotten."""
        self._calls = []
        with self._standing_in(self._recorded, self._lower):
            yield

    @contextmanager
    def replay(self, first: int) -> Iterator[None]:
        """Leave the layers below `first` out of every forward whose inputs are those recorded.

        Raises:
            LowerLayersError: nothing was recorded, or not for this layer.
        """
        if first not in self._firsts:
            raise LowerLayersError(f"nothing was kept for layer {first}, only for {sorted(self._firsts)}")
        if first and not self._calls:
            raise LowerLayersError("nothing was recorded: run the model inside `record()` first")
        self._next, self._current = 0, None
        with self._standing_in(self._replayed, self._lower[:first]):
            yield

    @contextmanager
    def _standing_in(self, run: Any, blocks: list[nn.Module]) -> Iterator[None]:
        patched = [block.__dict__.get("forward") for block in blocks]
        try:
            for number, block in enumerate(blocks):
                last = number == len(blocks) - 1
                block.__dict__["forward"] = _StandIn(run, number, last, block.forward)
            yield
        finally:
            for block, forward in zip(blocks, patched, strict=True):
                block.__dict__.pop("forward", None)
                if forward is not None:
                    block.__dict__["forward"] = forward

    def _recorded(self, block: _StandIn, hidden: Tensor, args: Any, kwargs: Any) -> Any:
        number = block.number
        cache = _cache_in(args, kwargs)
        if number == 0:
            self._calls.append(_Call(hidden.clone(), kwargs.get("position_ids"), _held(cache)))
        call = self._calls[-1]
        with _listening(cache) as updates:
            leaving = block.forward(hidden, *args, **kwargs)
        if cache is not None and not updates:
            raise LowerLayersError(
                f"block {number} keeps no keys and values in the cache (a linear attention, a state space): what it "
                "leaves there cannot be replayed; run each condition alone"
            )
        call.cached[number] = updates
        if number + 1 in self._firsts:
            call.leaving[number] = _cloned(leaving)
        return leaving

    def _replayed(self, block: _StandIn, hidden: Tensor, args: Any, kwargs: Any) -> Any:
        cache = _cache_in(args, kwargs)
        if block.number == 0:
            self._current = self._known(hidden, kwargs.get("position_ids"), _held(cache))
        if self._current is None:
            return block.forward(hidden, *args, **kwargs)
        for given, named in self._current.cached[block.number]:
            cache.update(*given, **named)
        return _cloned(self._current.leaving[block.number]) if block.last else hidden

    def _known(self, entering: Tensor, positions: Tensor | None, held: int | None) -> _Call | None:
        """The recorded call with these inputs."""
        places = range(self._next, len(self._calls))
        if held:
            # After a call that differs the cache differs too, so equal inputs no longer mean equal results.
            places = places[:1] if self._current is not None else places[:0]
        for place in places:
            call = self._calls[place]
            if call.held == held and torch.equal(call.entering, entering) and _equal(call.positions, positions):
                self._next = place + 1
                return call
        return None


class _StandIn:
    """A block's forward, handed to whoever records or replays."""

    def __init__(self, run: Any, number: int, last: bool, forward: Any):
        self._run, self.number, self.last, self.forward = run, number, last, forward

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        hidden = args[0] if args else kwargs.pop("hidden_states")
        return self._run(self, hidden, args[1:], kwargs)


def _cache_in(args: Any, kwargs: Any) -> Any:
    """The cache among a block's arguments, whatever the architecture calls it."""
    return next((given for given in (*args, *kwargs.values()) if isinstance(given, Cache)), None)


def _held(cache: Any) -> int | None:
    return None if cache is None else int(cache.get_seq_length())


def _equal(one: Tensor | None, other: Tensor | None) -> bool:
    return one is other or (one is not None and other is not None and torch.equal(one, other))


@contextmanager
def _listening(cache: Any) -> Iterator[list[tuple[tuple[Any, ...], dict[str, Any]]]]:
    """What a block gives to `cache.update`."""
    updates: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    if cache is None:
        yield updates
        return
    update = cache.update

    def listen(*args: Any, **kwargs: Any) -> Any:
        updates.append((args, kwargs))
        return update(*args, **kwargs)

    cache.__dict__["update"] = listen
    try:
        yield updates
    finally:
        del cache.__dict__["update"]


def _cloned(output: Any) -> Any:
    """Later layers may write into what they get."""
    if isinstance(output, tuple):
        return tuple(part.clone() if isinstance(part, Tensor) else part for part in output)
    return output.clone()
