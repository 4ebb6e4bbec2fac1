"""One recorded forward pass over a few tokens, and what it tells of each declared router.

transformers models declare where their router logits come from: `_can_record_outputs["router_logits"]` names a class
(or several), sometimes a part of the module path, and the position of the logits among that module's outputs. The
trial runs the model once, records every module call and every matrix product, and finds for each declared module the
product that makes the logits, the innermost module around it that returns the choice of experts, and where in its
output (or in the arguments of the experts) that choice is.

Shapes: T tokens, E experts, K chosen experts a token.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from polyroute.models.outputs import without_outputs
from polyroute.models.taps import (
    MATRIX_PRODUCTS,
    FromArguments,
    FromDense,
    FromOutputs,
    FromTrace,
    KernelError,
    Reading,
    RouterError,
    Site,
    arguments_of,
    parts_of,
)

# Two short sequences: enough to tell tokens from experts by shape, cheap enough to run at every load.
TRIAL_SHAPE = (2, 7)


@dataclass(eq=False)
class ModuleCall:
    """One call of one module during the trial."""

    name: str
    module: nn.Module
    parent: ModuleCall | None
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    first_product: int
    """How many matrix products had been made when the call began."""
    output: Any = None
    children: list[ModuleCall] = field(default_factory=list)

    def within(self, ancestor: ModuleCall) -> Iterator[ModuleCall]:
        """This call and the calls around it, innermost first, up to and including `ancestor`."""
        call: ModuleCall | None = self
        while call is not None:
            yield call
            if call is ancestor:
                return
            call = call.parent


@dataclass(frozen=True)
class Product:
    """One matrix product of the trial, and the module call in which it was made."""

    result: Tensor
    call: ModuleCall


@dataclass
class Trial:
    """Everything recorded: module calls in the order in which they began, products in the order in which they ended."""

    calls: list[ModuleCall] = field(default_factory=list)
    products: list[Product] = field(default_factory=list)

    def products_of(self, call: ModuleCall) -> Iterator[tuple[int, Product]]:
        """Products made inside a call, its submodules included, with their numbers in the trial."""
        for ordinal, product in enumerate(self.products[call.first_product :], start=call.first_product):
            if call not in product.call.within(call):
                return
            yield ordinal, product


@dataclass(frozen=True)
class Sighting:
    """A router as the trial saw it."""

    call: ModuleCall
    replay: ModuleCall
    """The call to run again to see the selection work: the router's own, or the block's where the block selects."""
    site: Site
    tokens: int
    experts: int
    top_k: int


def declared_routers(model: nn.Module) -> dict[nn.Module, tuple[str, int]]:
    """Modules that the model declares as sources of router logits: module -> (path, position in its output).

    Every model inside the model counts, as in transformers' own capture; a module declared twice keeps the first.
    """
    found: dict[nn.Module, tuple[str, int]] = {}
    for prefix, owner in model.named_modules():
        declaration = (getattr(owner, "_can_record_outputs", None) or {}).get("router_logits", [])
        for recorder in declaration if isinstance(declaration, (list, tuple)) else [declaration]:
            for name, module in owner.named_modules(prefix=prefix):
                if module is not owner and _matches(recorder, name, module):
                    # A bare class in place of a recorder means the second output, as in transformers' own capture.
                    found.setdefault(module, (name, getattr(recorder, "index", 1)))
    return found


def _matches(recorder: Any, name: str, module: nn.Module) -> bool:
    target = recorder if isinstance(recorder, type) else getattr(recorder, "target_class", None)
    suffix = recorder if isinstance(recorder, str) else getattr(recorder, "class_name", None)
    layer_name = getattr(recorder, "layer_name", None)
    if layer_name is not None and f".{layer_name.strip('.')}." not in f".{name}.":
        return False
    return (isinstance(target, type) and isinstance(module, target)) or (suffix is not None and name.endswith(suffix))


def trial_inputs(model: nn.Module, input_ids: Tensor | None = None) -> dict[str, Any]:
    """Keyword arguments for a forward over a few tokens: ordinary ids from all over the vocabulary, on its device.

    Args:
        model: a transformers model with input embeddings.
        input_ids: (N, S) int64, to use instead.
    """
    config: Any = getattr(model, "config", None)
    if input_ids is None:
        weight = model.get_input_embeddings().weight  # type: ignore[operator]
        special = _special_ids(config.to_dict()) if config is not None else set()
        ordinary = [token for token in range(weight.shape[0]) if token not in special]
        wanted = TRIAL_SHAPE[0] * TRIAL_SHAPE[1]
        spread = [ordinary[(i * len(ordinary)) // wanted] for i in range(wanted)]
        # Weights that accelerate keeps elsewhere are on "meta"; its hooks move the ids to where they are needed.
        device = torch.device("cpu") if weight.is_meta else weight.device
        input_ids = torch.tensor(spread, device=device).view(TRIAL_SHAPE)
    inputs: dict[str, Any] = {"input_ids": input_ids}
    if getattr(config, "is_encoder_decoder", False):
        inputs["decoder_input_ids"] = input_ids
    if "use_cache" in inspect.signature(model.forward).parameters:
        inputs["use_cache"] = False
    return inputs


def _special_ids(config: Mapping[Any, Any]) -> set[int]:
    """Ids of padding, images and the like: every `..._token_id(s)` or `..._token_index` of a nested configuration."""
    found: set[int] = set()
    for key, value in config.items():
        if isinstance(value, Mapping):
            found |= _special_ids(value)
        elif str(key).endswith(("token_id", "token_ids", "token_index")):
            tokens = value if isinstance(value, (list, tuple)) else [value]
            found.update(token for token in tokens if isinstance(token, int))
    return found


@contextmanager
def at_rest(model: nn.Module) -> Iterator[None]:
    """Evaluation mode without gradients; every module's training flag and the CPU's random state are put back.

    So are the settings that training leaves in a configuration, which add outputs and change no logit.
    """
    training = [module for module in model.modules() if module.training]
    with torch.no_grad(), torch.random.fork_rng(devices=[]), without_outputs(model):
        model.eval()
        try:
            yield
        finally:
            for module in training:
                module.training = True


def first_tensor(output: Any) -> Tensor:
    """What a model's forward returns first: logits, or the last hidden states of a model without a head."""
    parts = list(output.values()) if isinstance(output, Mapping) else parts_of(output)
    for part in parts:
        if isinstance(part, Tensor) and part.is_floating_point() and part.dim() > 0:
            return part
    raise RouterError("The model's output holds no tensor of numbers. Pass a model whose forward returns its logits.")


class _Recorder(TorchFunctionMode):
    def __init__(self, trial: Trial, stack: list[ModuleCall]) -> None:
        super().__init__()
        self._trial = trial
        self._stack = stack

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if func in MATRIX_PRODUCTS and self._stack:
            self._trial.products.append(Product(result, self._stack[-1]))
        return result


def run_trial(model: nn.Module, inputs: Mapping[str, Any]) -> Trial:
    """Run the model once and record its module calls and matrix products. The model is left as it was.

    Raises:
        RouterError: the forward failed; the cause is chained.
    """
    trial = Trial()
    stack: list[ModuleCall] = []
    names = {module: name for name, module in model.named_modules()}

    def enter(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        parent = stack[-1] if stack else None
        call = ModuleCall(names[module], module, parent, args, kwargs, len(trial.products))
        if parent is not None:
            parent.children.append(call)
        trial.calls.append(call)
        stack.append(call)

    def leave(_module: nn.Module, _args: tuple[Any, ...], output: Any) -> None:
        stack.pop().output = output

    with ExitStack() as cleanup, at_rest(model):
        for module in names:
            cleanup.callback(module.register_forward_pre_hook(enter, with_kwargs=True).remove)
            cleanup.callback(module.register_forward_hook(leave).remove)
        try:
            with _Recorder(trial, stack):
                model(**inputs)
        except Exception as cause:
            raise (KernelError if _in_kernel(model, cause) else RouterError)(
                f"Running {type(model).__name__} once to find its routers failed ({type(cause).__name__}: "
                f"{_first_line(cause)}). {_remedy(model, cause)}"
            ) from cause
    return trial


def _first_line(cause: Exception) -> str:
    return next((line.strip() for line in str(cause).splitlines() if line.strip()), "").rstrip(".")


def _kernel(model: nn.Module) -> str | None:
    """Of experts."""
    return getattr(getattr(model, "config", None), "_experts_implementation", None)


_OF_KERNELS = (RuntimeError, NotImplementedError, AssertionError)
"""What kernels raise at what they do not take."""


def _in_kernel(model: nn.Module, cause: Exception) -> bool:
    return isinstance(cause, _OF_KERNELS) and _kernel(model) not in (None, "eager")


def _remedy(model: nn.Module, cause: Exception) -> str:
    """What to do about a forward that failed: a kernel's refusal is no matter of the inputs."""
    if not isinstance(cause, _OF_KERNELS):
        return "Pass inputs that its forward accepts: find_routers(model, inputs={...})."
    if _in_kernel(model, cause):
        return (
            f"Its experts run in the kernel {_kernel(model)}, which takes only some sizes, strides and types: set "
            "`experts: eager` in the model's entry (in Python: experts_implementation='eager'). If that fails as well, "
            "set another `dtype` or `device`."
        )
    return (
        "Set another `dtype` or `device` in the model's entry, or pass inputs that its forward accepts: "
        "find_routers(model, inputs={...})."
    )


def sight(trial: Trial, call: ModuleCall, index: int) -> Sighting:
    """What the trial tells of one declared module: the product that makes its logits and how its selection can be read.

    The product is the one whose values are the declared logits (their first columns, where shared experts are scored
    too); else, where the module caps or normalises before it returns them, one of their shape. A few declarations name
    something else altogether (transformers 5.17: ExaoneMoe its block's hidden states, Switch the largest probability):
    then it is the product of a module inside that returns expert ids and weights.

    Args:
        trial: the recorded forward.
        call: a call of a declared module.
        index: position of the logits in its output.

    Raises:
        RouterError: no matrix product makes (T, E) logits, or the choice of experts is nowhere to be seen.
    """
    parts = parts_of(call.output)
    declared = parts[index] if index < len(parts) else parts[0]
    candidates = _candidates(trial, call, declared)
    for candidate in candidates:
        for around in candidate.product.call.within(call):
            reading, top_k = _read_outputs(around.output, candidate)
            if reading is not None:
                return _sighting(around, around, candidate, reading, top_k)
    for candidate in candidates:
        if candidate.rank == _UNLIKE:
            continue
        passed, top_k = _read_arguments(call, candidate)
        if passed is not None and call.parent is not None:
            return _sighting(call, call.parent, candidate, passed, top_k)
        for around in candidate.product.call.within(call):
            top_k = _traced_top_k(around, candidate)
            if top_k:
                return _sighting(around, around, candidate, FromTrace(), top_k)
    made = [tuple(product.result.shape) for _, product in trial.products_of(call)]
    raise RouterError(
        f"{call.name} ({type(call.module).__name__}) is declared to return router logits, and output {index} of its "
        f"{', '.join(_say(part) for part in parts)} is {_say(declared)}. None of its {len(made)} matrix products "
        f"(shapes {made[:6]}) makes logits of shape (tokens, experts) with a choice of experts that can be read "
        "from a module's output or arguments. polyroute cannot observe or edit this router."
    )


# How a product compares to the declared logits: the same values, the same shape, or neither.
_SAME, _ALIKE, _UNLIKE = 0, 1, 2


@dataclass(frozen=True)
class _Candidate:
    """A product that may make the logits: its number in the trial, its rank, its rows T and the experts E it scores."""

    ordinal: int
    product: Product
    rank: int
    rows: int
    experts: int


def _candidates(trial: Trial, call: ModuleCall, declared: Any) -> list[_Candidate]:
    """Products inside a call from the likeliest to the least likely, the later of two alike first."""
    found = []
    usable = isinstance(declared, Tensor) and declared.is_floating_point() and declared.dim() >= 2
    experts = declared.shape[-1] if usable else 0
    declared_TE = declared.reshape(-1, experts).float() if usable else torch.empty(0, 0)
    for ordinal, product in trial.products_of(call):
        columns = product.result.shape[-1]
        rows = product.result.numel() // max(columns, 1)
        if columns < 2 or not product.result.is_floating_point():
            continue
        rank = _UNLIKE
        if rows == declared_TE.shape[0] and columns >= experts > 1:
            values_TE = product.result.reshape(rows, columns)[:, :experts].float()
            if torch.equal(values_TE, declared_TE):
                rank = _SAME
            elif columns == experts:
                rank = _ALIKE
        found.append(_Candidate(ordinal, product, rank, rows, columns if rank == _UNLIKE else experts))
    return sorted(found, key=lambda candidate: (candidate.rank, -candidate.ordinal))


def _sighting(call: ModuleCall, replay: ModuleCall, candidate: _Candidate, reading: Reading, top_k: int) -> Sighting:
    site = Site(candidate.ordinal - call.first_product, candidate.product.result.shape[-1], reading)
    return Sighting(call, replay, site, candidate.rows, candidate.experts, top_k)


def _read_outputs(output: Any, candidate: _Candidate) -> tuple[FromOutputs | FromDense | None, int]:
    rows, experts = candidate.rows, candidate.experts
    tensors = {
        position: part
        for position, part in enumerate(parts_of(output))
        if isinstance(part, Tensor) and part.dim() >= 2 and part.numel() == rows * part.shape[-1]
    }
    for ids, part in tensors.items():
        if _is_ids(part, experts):
            alike = {
                weights: other
                for weights, other in tensors.items()
                if other.is_floating_point() and other.shape[-1] == part.shape[-1]
            }
            if alike:
                return FromOutputs(ids, _weights_of(candidate, part, alike)), part.shape[-1]
    floating = [position for position, part in tensors.items() if part.is_floating_point()]
    factor = next((position for position in floating if tensors[position].shape[-1] == 1), None)
    masks = [position for position in tensors if position not in floating] if factor is not None else []
    # Zeros in numbers may have other reasons than not being chosen, so these count only beside the declared logits.
    for weights in [*(floating if candidate.rank != _UNLIKE else []), *masks]:
        if tensors[weights].shape[-1] == experts:
            chosen = int((tensors[weights].reshape(rows, experts) != 0).sum(-1).max())
            if 0 < chosen < experts:
                return FromDense(weights, factor if weights in masks else None), chosen
    return None, 0


def _read_arguments(call: ModuleCall, candidate: _Candidate) -> tuple[FromArguments | None, int]:
    if call.parent is None:
        return None, 0
    siblings = call.parent.children
    for later in siblings[siblings.index(call) + 1 :]:
        arguments = arguments_of(later.args, later.kwargs)
        for ids, part in arguments.items():
            if not isinstance(part, Tensor) or part.dim() < 2 or part.numel() != candidate.rows * part.shape[-1]:
                continue
            if _is_ids(part, candidate.experts):
                alike = {
                    weights: other
                    for weights, other in arguments.items()
                    if isinstance(other, Tensor) and other.is_floating_point() and other.shape == part.shape
                }
                if alike:
                    weights = _weights_of(candidate, part, alike)
                    return FromArguments(later.module, call.parent.module, ids, weights), part.shape[-1]
    return None, 0


Place = TypeVar("Place", int, int | str)


def _weights_of(candidate: _Candidate, ids: Tensor, alike: Mapping[Place, Tensor]) -> Place:
    """Which of several tensors of the ids' shape holds the weights of these ids.

    Where every expert is chosen, logits, probabilities and hidden states may have the shape too. Weights are not
    negative and stand in the order of the ids: the greater the logit, the greater the weight.
    """
    rows, experts = candidate.rows, candidate.experts
    logits_TE = candidate.product.result.reshape(rows, -1)[:, :experts].float()
    ordered_TK = logits_TE.gather(-1, ids.reshape(rows, -1).long())
    falling_TK = ordered_TK.argsort(-1, descending=True)

    def doubts(place: Place) -> tuple[bool, int]:
        weights_TK = alike[place].reshape(rows, -1).float()
        along_TK = weights_TK.gather(-1, falling_TK)
        unordered = int((along_TK.diff(dim=-1) > 0).any(-1).sum())
        return bool((weights_TK < 0).any()), unordered

    return min(alike, key=doubts)


def _is_ids(part: Tensor, experts: int) -> bool:
    """Whether a tensor can be (..., K) expert ids: integers in range, fewer than E of them, or a permutation of all."""
    if part.dtype not in (torch.int64, torch.int32) or part.shape[-1] > experts or part.numel() == 0:
        return False
    if int(part.min()) < 0 or int(part.max()) >= experts:
        return False
    return part.shape[-1] < experts or bool((part.sort(-1).values == torch.arange(experts, device=part.device)).all())


class _Follower(TorchFunctionMode):
    """The last integer and the last floating tensor of each width K that a forward makes with one row a token."""

    def __init__(self, rows: int) -> None:
        super().__init__()
        self._rows = rows
        self.integer: dict[int, Tensor] = {}
        self.floating: dict[int, Tensor] = {}

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        for made in result if isinstance(result, tuple) else (result,):
            if isinstance(made, Tensor) and made.dim() == 2 and made.shape[0] == self._rows:
                (self.floating if made.is_floating_point() else self.integer)[made.shape[1]] = made
        return result


def _traced_top_k(call: ModuleCall, candidate: _Candidate) -> int:
    """K, if the module's own forward makes both expert ids and weights of shape (T, K) with K < E; else 0."""
    with torch.no_grad(), _Follower(candidate.rows) as made:
        call.module(*call.args, **call.kwargs)
    widths = [width for width in made.integer if width in made.floating and width < candidate.experts]
    return next((width for width in widths if _is_ids(made.integer[width], candidate.experts)), 0)


def _say(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"{str(value.dtype).removeprefix('torch.')} {tuple(value.shape)}"
    return type(value).__name__
