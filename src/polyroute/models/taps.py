"""One way into any router: its own forward runs, and only the matrix product that makes its logits is answered for it.

A router of transformers multiplies hidden states by a weight of E rows and then selects: softmax, sigmoid, biases,
groups, sparsemixer, whatever the architecture does. A `torch.overrides.TorchFunctionMode` is active around exactly
that forward; it counts the matrix products and hands the one that makes the logits to whoever observes or edits them.
All that follows is the model's own code, so nothing here knows an architecture. Which product it is, and where the
choice of experts can be read, is a `Site`, found once by a trial (`polyroute.models.trial`).

Shapes: T tokens (batch-major: T = batch * sequence), E experts, K chosen experts a token.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils.hooks import RemovableHandle

from polyroute.ground.errors import PolyrouteError
from polyroute.models.small_weights import kept_above_zero

# Every spelling of a matrix product that reaches a TorchFunctionMode; `nn.Linear` arrives as `functional.linear`.
MATRIX_PRODUCTS = frozenset(
    {
        functional.linear,
        torch.matmul,
        torch.Tensor.matmul,
        torch.Tensor.__matmul__,
        torch.mm,
        torch.Tensor.mm,
        torch.addmm,
        torch.Tensor.addmm,
        torch.bmm,
        torch.Tensor.bmm,
        torch.einsum,
    }
)


class RouterError(PolyrouteError):
    """A model whose routers cannot be found, observed or edited as promised; the message says what was seen."""


class KernelError(RouterError):
    """A model whose forward failed in a kernel of its experts."""


class RouterCall(NamedTuple):
    """What one call of a router saw and chose. Detached from autograd; valid as long as you keep it."""

    logits_TE: Tensor
    """Raw router logits as the model's selection got them: before biases, groups or any normaliser, after every active
    `edit`. float32. May share memory with the model's own tensor: read it, do not write to it."""
    weights_TK: Tensor
    """The model's own weights of the chosen experts, in its own dtype. 0 marks a choice that the model dropped (over an
    expert's capacity, or a skip class), or that a mask closed. A weight that is 0 only because the dtype holds no
    smaller number stands there as the least that it holds (`polyroute.models.small_weights`)."""
    ids_TK: Tensor
    """The chosen experts, int64, in the model's own order, which need not be sorted."""

    def chosen_TE(self) -> Tensor:
        """(T, E) bool: which experts each token is sent to. A weight of exactly 0 marks a choice that was dropped."""
        kept_TK = (self.weights_TK != 0).to(torch.int64)
        return kept_TK.new_zeros(self.logits_TE.shape).scatter_add(-1, self.ids_TK, kept_TK) > 0


class FromOutputs(NamedTuple):
    """The router returns expert ids and weights of shape (T, K): their positions in its output."""

    ids: int
    weights: int


class FromDense(NamedTuple):
    """The router returns weights of shape (T, E), zero where not chosen: their position in its output, and that of the
    per-token factor (T, 1) to multiply with where the (T, E) tensor is only a mask."""

    weights: int
    factor: int | None


class FromArguments(NamedTuple):
    """The selection happens between the router and its experts: the module that receives ids and weights, and the
    positions (or keyword names) of the two among its arguments. `block` is the module whose forward runs both."""

    experts: nn.Module
    block: nn.Module
    ids: int | str
    weights: int | str


class FromTrace(NamedTuple):
    """The router sorts and flattens its choice before returning it: ids and weights are the last integer and the last
    floating tensors of shape (T, K) that its forward makes."""


Reading = FromOutputs | FromDense | FromArguments | FromTrace


@dataclass(frozen=True)
class Site:
    """Where in a router's forward the logits are made, and where the selection can be read."""

    product: int
    """Which matrix product of the forward makes the logits, counted from 0."""
    columns: int
    """Width of that product: E, or more where the router also scores shared experts after the routed ones."""
    reading: Reading


@dataclass(frozen=True)
class Router:
    """One router of a model: what `find_routers` returns and `observe`, `edit` and `check_contract` take."""

    layer: int
    """Index of the layer in the model's own numbering: the first number in the module path."""
    name: str
    """Module path, as in `model.named_modules()`."""
    module: nn.Module = field(repr=False)
    experts: int
    """E: how many experts (or classes) the logits score."""
    top_k: int
    """K: how many experts a token is sent to."""
    selection: str
    """The selection rule as observed on random logits; the vocabulary is in `polyroute.models.selection`."""
    site: Site = field(repr=False, compare=False)


class CallCounter:
    """How often each router of an `observe` or `edit` context was called, by router name."""

    def __init__(self, routers: Sequence[Router]) -> None:
        self.calls = {router.name: 0 for router in routers}
        self.dtypes: dict[str, torch.dtype] = {}
        """Of an `edit`: the dtype in which each router made its logits in its latest call, set before the rule gets
        them. What the rule returns is cast back to it."""

    def __getitem__(self, router: Router | str) -> int:
        return self.calls[router if isinstance(router, str) else router.name]

    @property
    def total(self) -> int:
        """Calls of all routers together: routers x batches if each batch passed every router once."""
        return sum(self.calls.values())

    @property
    def silent(self) -> tuple[str, ...]:
        """Names of the routers that were never called."""
        return tuple(name for name, calls in self.calls.items() if calls == 0)


Rule = Callable[[Router, Tensor], Tensor]
OnCall = Callable[[Router, RouterCall], None]


class _Listener(NamedTuple):
    router: Router
    act: Callable[[Router, Any], Any]
    counter: CallCounter


class _Interception(TorchFunctionMode):
    """Active during one forward of one router: answers its logits product, and follows (T, K) tensors where asked."""

    def __init__(self, router: Router, answer: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self._router = router
        self._answer = answer
        self._follow = isinstance(router.site.reading, FromTrace)
        self.products = 0
        self.answered = False
        self._rows = 0
        self.ids: Tensor | None = None
        self.weights: Tensor | None = None

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **kwargs) if kwargs else func(*args)
        if not self.answered:
            if func in MATRIX_PRODUCTS:
                if self.products == self._router.site.product:
                    self.answered = True
                    self._rows = result.numel() // result.shape[-1]
                    result = self._answer(result)
                self.products += 1
        elif self._follow:
            for made in result if isinstance(result, tuple) else (result,):
                if isinstance(made, Tensor) and made.shape == (self._rows, self._router.top_k):
                    if made.is_floating_point():
                        self.weights = made
                    elif made.dtype == torch.int64:
                        self.ids = made
        return result


class _Tap:
    """The one wrapper around a router's forward, shared by all contexts that are active on that router.

    Sharing it fixes the order whatever way contexts are nested or left: edits apply in the order in which they were
    entered, and observers see what the selection sees. The wrapper replaces the instance's `forward`, as accelerate
    does: unlike module hooks, a `with` block in it ends the interception on any exception, KeyboardInterrupt included.
    """

    def __init__(self, router: Router) -> None:
        self._router = router
        self.rules: list[_Listener] = []
        self.observers: list[_Listener] = []
        self._seen: Tensor | None = None
        self._handle: RemovableHandle | None = None
        module, reading = router.module, router.site.reading
        # A forward set on the instance (accelerate, a caller's own patch) is kept and put back.
        self._patched = module.__dict__.get("forward")
        self._forward = module.forward
        module.__dict__["forward"] = self._run
        if isinstance(reading, FromArguments):
            self._handle = reading.experts.register_forward_pre_hook(self._on_experts, with_kwargs=True)

    def remove(self) -> None:
        if self._patched is None:
            del self._router.module.__dict__["forward"]
        else:
            self._router.module.__dict__["forward"] = self._patched
        if self._handle is not None:
            self._handle.remove()

    def _run(self, *args: Any, **kwargs: Any) -> Any:
        self._seen = None
        mode = _Interception(self._router, self._answer)
        with mode:
            output = self._forward(*args, **kwargs)
        if not mode.answered:
            raise RouterError(
                f"Router {self._router.name} made {mode.products} matrix products in this call, but its logits were "
                f"found in product {self._router.site.product} when the model was tried. Its forward depends on its "
                "inputs: call find_routers again with inputs of the kind you run."
            )
        if self.observers:
            self._on_output(output, mode)
        return output

    def _answer(self, product: Tensor) -> Tensor:
        router = self._router
        if product.shape[-1] != router.site.columns:
            raise RouterError(
                f"Router {router.name} made logits of width {product.shape[-1]} where {router.site.columns} were "
                "found when the model was tried. Call find_routers again on the model as it is now."
            )
        logits_TE = _widen(product.reshape(-1, router.site.columns)[:, : router.experts])
        for rule in self.rules:
            rule.counter.dtypes[rule.router.name] = product.dtype
            edited_TE = rule.act(rule.router, logits_TE)
            if not isinstance(edited_TE, Tensor) or edited_TE.shape != logits_TE.shape:
                raise RouterError(
                    f"The rule for router {router.name} got logits of shape {tuple(logits_TE.shape)} and returned "
                    f"{_describe(edited_TE)}. A rule must return a tensor of the same shape."
                )
            logits_TE = edited_TE
            rule.counter.calls[rule.router.name] += 1
        if self.rules:
            logits_TE = logits_TE.to(product.dtype)
            if router.experts < router.site.columns:
                rest = product.reshape(-1, router.site.columns)[:, router.experts :]
                product = torch.cat([logits_TE, rest], dim=-1).view(product.shape)
            else:
                product = logits_TE.reshape(product.shape)
        # Observers see the logits as the model got them: after the cast back to its dtype.
        if self.observers:
            self._seen = logits_TE.detach().float()
        return product

    def _on_output(self, output: Any, mode: _Interception) -> None:
        router, reading = self._router, self._router.site.reading
        if isinstance(reading, FromArguments):
            return
        if isinstance(reading, FromTrace):
            if mode.ids is None or mode.weights is None:
                raise RouterError(
                    f"Router {router.name} made no expert ids and weights of shape (tokens, {router.top_k}) in this "
                    "call. Call find_routers again on the model as it is now."
                )
            self._emit(mode.weights, mode.ids)
        elif isinstance(reading, FromDense):
            parts = parts_of(output)
            dense_TE = parts[reading.weights].reshape(-1, router.experts)
            if reading.factor is not None:
                dense_TE = dense_TE * parts[reading.factor].reshape(-1, 1)
            order_TE = dense_TE.abs()
            if self._seen is not None:
                # Of those at 0 the highest logits: one of them may be a choice whose weight rounds to 0.
                below_TE = self._seen - self._seen.amax(-1, keepdim=True) - 1
                order_TE = torch.where(dense_TE != 0, order_TE.float(), below_TE)
            ids_TK = order_TE.topk(router.top_k, dim=-1).indices
            self._emit(dense_TE.gather(-1, ids_TK), ids_TK)
        else:
            parts = parts_of(output)
            self._emit(parts[reading.weights], parts[reading.ids])

    def _on_experts(self, _module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        reading = self._router.site.reading
        if self.observers and isinstance(reading, FromArguments):
            arguments = arguments_of(args, kwargs)
            self._emit(arguments[reading.weights], arguments[reading.ids])

    def _emit(self, weights: Tensor, ids: Tensor) -> None:
        router = self._router
        if self._seen is None:
            raise RouterError(
                f"The experts of router {router.name} ran without the router having run before them. They are "
                "shared with another router, which polyroute cannot tell apart."
            )
        weights_TK = weights.detach().reshape(-1, router.top_k)
        ids_TK = ids.detach().reshape(-1, router.top_k).long()
        seen = RouterCall(self._seen, kept_above_zero(self._seen, weights_TK, ids_TK, router.selection), ids_TK)
        self._seen = None
        for observer in self.observers:
            observer.counter.calls[observer.router.name] += 1
            observer.act(observer.router, seen)


# Taps exist only while a context is active on their router.
_TAPS: WeakKeyDictionary[nn.Module, _Tap] = WeakKeyDictionary()


@contextmanager
def observe(routers: Sequence[Router], on_call: OnCall, *, require_calls: bool = True) -> Iterator[CallCounter]:
    """Call `on_call(router, call)` after every call of every router, in the order in which the model calls them.

    The call holds what the model's selection got and gave, so inside an active `edit` (whichever was entered first)
    its logits are the edited ones. Nothing is copied but the cast of the logits to float32; nothing synchronises a
    GPU. An exception raised by `on_call` ends the model's forward and passes through.

    Args:
        routers: from `find_routers`.
        on_call: receives the `Router` and its `RouterCall`: logits (T, E), weights (T, K), ids (T, K).
        require_calls: raise on leaving if some router was never called.

    Yields:
        A `CallCounter`, to compare with routers x batches.

    Raises:
        RouterError: no routers given; a router that was never called, on leaving without another exception.
    """
    with _listen(routers, on_call, "observe", "observers", require_calls) as counter:
        yield counter


@contextmanager
def edit(routers: Sequence[Router], rule: Rule, *, require_calls: bool = True) -> Iterator[CallCounter]:
    """Give the model `rule(router, logits_TE)` in place of every router's raw logits.

    The rule gets float32 logits of shape (T, E) (float64 in a float64 model) and returns a tensor of that shape, which
    is cast back to the dtype of the product it replaces and then goes through the model's own selection: biases,
    groups, softmax, sparsemixer. The cast back is exact for values that were not changed, so a rule that returns what
    it got leaves the model bit-identical. Several edits apply in the order in which they were entered. Gradients flow
    through the rule.

    Args:
        routers: from `find_routers`.
        rule: a function of the `Router` and its logits. It should not write into the tensor it gets.
        require_calls: raise on leaving if some router was never called.

    Yields:
        A `CallCounter`, to compare with routers x batches.

    Raises:
        RouterError: no routers given; a rule that returns another shape; a router that was never called, on leaving
            without another exception.
    """
    with _listen(routers, rule, "edit", "rules", require_calls) as counter:
        yield counter


@contextmanager
def _listen(
    routers: Sequence[Router], act: Callable[[Router, Any], Any], verb: str, place: str, require_calls: bool
) -> Iterator[CallCounter]:
    if not routers:
        raise RouterError(f"No routers to {verb} were given. Pass the routers that find_routers(model) returns.")
    counter = CallCounter(routers)
    placed: list[tuple[nn.Module, _Listener]] = []
    try:
        for router in routers:
            listener = _Listener(router, act, counter)
            if router.module not in _TAPS:
                _TAPS[router.module] = _Tap(router)
            getattr(_TAPS[router.module], place).append(listener)
            placed.append((router.module, listener))
        yield counter
    finally:
        for module, listener in placed:
            tap = _TAPS[module]
            # By identity: the same rule may be entered twice on the same router.
            listeners: list[_Listener] = getattr(tap, place)
            listeners[:] = [other for other in listeners if other is not listener]
            if not tap.rules and not tap.observers:
                tap.remove()
                del _TAPS[module]
    if require_calls and counter.silent:
        raise RouterError(
            f"{len(counter.silent)} of {len(routers)} routers were never called while you were trying to {verb} "
            f"them: {', '.join(counter.silent[:3])}{' ...' if len(counter.silent) > 3 else ''}. Run the model they "
            "were found in, inside the context and without torch.compile, or pass require_calls=False if no call "
            "is fine."
        )


def parts_of(output: Any) -> list[Any]:
    """A module's output as a list: its elements, or the one tensor it is."""
    return list(output) if isinstance(output, (tuple, list)) else [output]


def arguments_of(args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[int | str, Any]:
    """A call's arguments by position or keyword name."""
    arguments: dict[int | str, Any] = dict(enumerate(args))
    arguments.update(kwargs)
    return arguments


def _widen(tensor: Tensor) -> Tensor:
    return tensor if tensor.dtype == torch.float64 else tensor.float()


def _describe(value: Any) -> str:
    return f"a tensor of shape {tuple(value.shape)}" if isinstance(value, Tensor) else f"{type(value).__name__}"
