"""The contract between polyroute and a model's routers, proved on a few tokens when the model is loaded.

What is measured and steered rests on it: what `observe` reports are the raw logits that the model selects on, the
model's own selection gives the reported experts and weights from them, and what `edit` writes is what the model uses.

Shapes: T tokens, E experts, K chosen experts a token.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from polyroute.models.proofs import is_proved, remember
from polyroute.models.routers import Router, RouterCall, RouterError, edit, find_routers, observe, replay
from polyroute.models.taps import arguments_of
from polyroute.models.trial import at_rest, first_tensor, trial_inputs

# A logit this high has the highest score there is.
_PUSH = 50.0
# What the last bits may do when a kernel adds up in another order, in units of the dtype's eps.
_ROUNDING = 8
# Routers that are edited in one forward, each in rows of its own: logits of all rows are in memory.
_TOGETHER = 16


@dataclass(frozen=True)
class ContractReport:
    """What was proved, one entry a router, in the order in which the routers are called."""

    layers: tuple[int, ...]
    """Layer numbers in the model's own numbering."""
    experts: tuple[int, ...]
    """E of each router."""
    top_k: tuple[int, ...]
    """K of each router."""
    selections: tuple[str, ...]
    """Selection rule of each router, in the vocabulary of `polyroute.models.selection`."""
    tokens: int
    """T: how many tokens the proof was run on."""

    def __str__(self) -> str:
        shapes = sorted({f"{e} experts, {k} chosen" for e, k in zip(self.experts, self.top_k, strict=True)})
        rules = sorted(set(self.selections))
        return (
            f"{len(self.layers)} routers in layers {min(self.layers)}-{max(self.layers)}: {'; '.join(shapes)}; "
            f"{', '.join(rules)}"
        )


def check_contract(
    model: nn.Module, routers: Sequence[Router] | None = None, *, input_ids: Tensor | None = None
) -> ContractReport:
    """Prove on a few tokens that a model's routers are observed and edited as promised.

    `ensure_contract` does so only where it has not been done.

    Runs the model 4 times, once more for every 16 routers and once for each router that these runs leave in doubt,
    without gradients, in evaluation mode and without a cache. Call it outside `observe` and `edit`.

    Args:
        model: a transformers model.
        routers: from `find_routers`; found anew if not given.
        input_ids: (N, S) int64 tokens; 14 ordinary ones if not given.

    Raises:
        RouterError: the first breach, in a sentence that names the router and says what was seen and what to do.
    """
    routers = find_routers(model) if routers is None else tuple(routers)
    inputs = trial_inputs(model, input_ids)

    def run() -> Tensor:
        return first_tensor(model(**inputs)).detach().clone()

    with at_rest(model):
        plain = run()
        # Some GPU kernels are not deterministic: two equal runs show how far apart equal runs are.
        noise = _distance(plain, run())
        calls, arguments = _observed(model, routers, inputs)
        tokens = int(inputs["input_ids"].numel())
        for router in routers:
            _check_call(router, calls[router.name], tokens)
        _check_output(model, plain)
        for router in routers:
            _check_replay(router, calls[router.name][0], arguments[router.name])
        _check_no_op(routers, run, plain, noise)
        for router in _in_doubt(model, routers, inputs, plain, noise):
            _check_edit(router, run, plain, noise)
    remember(model, routers)
    return ContractReport(
        layers=tuple(router.layer for router in routers),
        experts=tuple(router.experts for router in routers),
        top_k=tuple(router.top_k for router in routers),
        selections=tuple(router.selection for router in routers),
        tokens=tokens,
    )


def ensure_contract(model: nn.Module, routers: Sequence[Router]) -> None:
    """`check_contract`, unless these routers were proved before on this model object with its modules and weights.

    Raises:
        RouterError: as `check_contract`.
    """
    if not is_proved(model, routers):
        check_contract(model, routers)


Arguments = tuple[tuple[Any, ...], dict[str, Any]]


def _observed(
    model: nn.Module, routers: Sequence[Router], inputs: dict[str, Any]
) -> tuple[dict[str, list[RouterCall]], dict[str, Arguments]]:
    """One forward: every router's calls, and the arguments of the module that selects."""
    calls: dict[str, list[RouterCall]] = {router.name: [] for router in routers}
    arguments: dict[str, Arguments] = {}
    with ExitStack() as cleanup:
        for router in routers:
            selecting: nn.Module = getattr(router.site.reading, "block", router.module)

            def keep(
                _module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], name: str = router.name
            ) -> None:
                arguments[name] = (args, kwargs)

            cleanup.callback(selecting.register_forward_pre_hook(keep, with_kwargs=True).remove)
        cleanup.enter_context(observe(routers, lambda router, call: calls[router.name].append(call)))
        model(**inputs)
    return calls, arguments


def _check_call(router: Router, calls: list[RouterCall], tokens: int) -> None:
    if len(calls) != 1:
        raise RouterError(
            f"Router {router.name} was called {len(calls)} times in one forward pass of one batch; polyroute counts "
            "layers x batches calls and cannot tell such calls apart. Turn off chunked or repeated forwards of "
            "this layer."
        )
    logits_TE, weights_TK, ids_TK = calls[0]
    if logits_TE.shape != (tokens, router.experts):
        raise RouterError(
            f"Router {router.name} gave logits of shape {tuple(logits_TE.shape)} for {tokens} tokens and "
            f"{router.experts} experts. polyroute needs one row a token: run the model without packing or dropping "
            "tokens."
        )
    if weights_TK.shape != (tokens, router.top_k) or ids_TK.shape != (tokens, router.top_k):
        raise RouterError(
            f"Router {router.name} gave weights of shape {tuple(weights_TK.shape)} and ids of shape "
            f"{tuple(ids_TK.shape)} for {tokens} tokens and {router.top_k} chosen experts. Call find_routers again "
            "on the model as it is now."
        )
    if not bool(torch.isfinite(logits_TE).all()) or not bool(torch.isfinite(weights_TK).all()):
        raise RouterError(
            f"Router {router.name} gave logits or weights that are not finite on ordinary tokens. Check that the "
            "model's weights are complete and that its dtype does not overflow."
        )
    if bool((logits_TE >= 0).all()) and bool(((logits_TE.sum(-1) - 1).abs() < 1e-2).all()):
        raise RouterError(
            f"Every row of the logits of router {router.name} is non-negative and sums to 1: these are "
            "probabilities. transformers 5.0 to 5.5 returned softmax probabilities as router logits; install "
            "transformers >= 5.6."
        )


def _check_output(model: nn.Module, plain: Tensor) -> None:
    """Some words may be closed with -inf; a NaN, +inf or a row of nothing else says that numbers were lost."""
    if not bool(plain.float().amax(-1).isfinite().all()):
        raise RouterError(
            f"{type(model).__name__}'s output is NaN or infinite on ordinary tokens though its routers' logits are "
            "not: one of its weights is NaN, or "
            f"{str(plain.dtype).removeprefix('torch.')} overflows. Fetch the checkpoint again, or set `dtype: float32` "
            "(or bfloat16, which holds larger numbers than float16)."
        )


def _check_replay(router: Router, call: RouterCall, arguments: Arguments) -> None:
    # The hidden states are reversed, so that only the logits can bring the same choice about. They stay as they were
    # where the same product also scores shared experts: those scores are no part of the logits but take a share of the
    # weights.
    if router.site.columns == router.experts:
        arguments = _with_other_states(arguments, call.logits_TE.shape[0])
    again = replay(router, arguments, call.logits_TE)
    seen, replayed = _by_expert(call, router.experts), _by_expert(again, router.experts)
    wrong = int(((seen != 0) != (replayed != 0)).any(-1).sum())
    if wrong:
        raise RouterError(
            f"Running the logits observed at router {router.name} through its own selection gives other experts for "
            f"{wrong} of {len(seen)} tokens. Its choice depends on more than these logits, so they must not be "
            "analysed or steered."
        )
    furthest = float((seen - replayed).abs().max())
    # Observed logits are float32, so a float64 model is compared as one of float32.
    eps = max(torch.finfo(call.weights_TK.dtype).eps, torch.finfo(torch.float32).eps)
    if furthest > _ROUNDING * eps * float(seen.abs().max()):
        raise RouterError(
            f"Running the logits observed at router {router.name} through its own selection gives the same experts "
            f"but weights that differ by up to {furthest:.3g}. Its weights depend on more than these logits."
        )


def _with_other_states(arguments: Arguments, tokens: int) -> Arguments:
    """The same call with its first floating (..., H) tensor of one row a token reversed along H."""
    args, kwargs = arguments
    changed = arguments_of(args, kwargs)
    for key, value in changed.items():
        if isinstance(value, Tensor) and value.is_floating_point() and value.numel() == tokens * value.shape[-1]:
            changed[key] = value.flip(-1)
            break
    return tuple(changed.pop(position) for position in range(len(args))), {str(key): changed[key] for key in changed}


def _by_expert(call: RouterCall, experts: int) -> Tensor:
    """Weights as (T, E), float32, zero where not chosen: the order in which experts are reported does not matter."""
    weights_TK = call.weights_TK.float()
    empty_TE = torch.zeros(weights_TK.shape[0], experts, device=weights_TK.device)
    return empty_TE.scatter_add(-1, call.ids_TK, weights_TK)


def _check_no_op(routers: Sequence[Router], run: Callable[[], Tensor], plain: Tensor, noise: float) -> None:
    with edit(routers, lambda _router, logits_TE: logits_TE):
        same = run()
    if _distance(plain, same) > noise:
        raise RouterError(
            f"An edit that changes nothing moved the model's output by {_distance(plain, same):.3g} (two runs "
            f"without it are {noise:.3g} apart). The logits pass through a dtype that float32 does not hold exactly."
        )


def _shifted(logits_TE: Tensor) -> Tensor:
    """The logits moved on by one expert: under most rules the same weights go to other experts.

    So a model that uses the weights but runs experts that the router did not choose is found out too: transformers 5.19
    runs experts 0 and 1 of NLLB-MoE whatever the router says.
    """
    shifted_TE = logits_TE.roll(1, dims=-1)
    # A router that scores all experts alike, such as an untrained one of zeros, is pushed to one of them instead.
    pushed_TE = logits_TE.index_fill(-1, torch.tensor([0], device=logits_TE.device), _PUSH)
    return torch.where((shifted_TE == logits_TE).all(), pushed_TE, shifted_TE)


def _in_doubt(
    model: nn.Module, routers: Sequence[Router], inputs: dict[str, Any], plain: Tensor, noise: float
) -> list[Router]:
    """Routers whose edit was not plainly seen in forwards of many copies of the tokens, in each of which one is edited.

    The first copy stays unedited. Where it comes out otherwise than alone, copies are not apart in this model (they
    share the room of experts, or tokens do not stand row by row), and a router may owe what is seen to another.
    """
    doubtful: list[Router] = []
    # Beyond what a kernel may do to copies that stand at other places of a batch.
    clear = noise + _ROUNDING * torch.finfo(plain.dtype).eps * _largest(plain)
    for start in range(0, len(routers), _TOGETHER):
        some = routers[start : start + _TOGETHER]
        copies = {name: value.repeat(len(some) + 1, 1) if isinstance(value, Tensor) else value
                  for name, value in inputs.items()}  # fmt: skip
        place = {router.name: number for number, router in enumerate(some, start=1)}

        def shift_own(router: Router, logits_TE: Tensor, place: dict[str, int] = place) -> Tensor:
            parts = list(logits_TE.chunk(len(place) + 1))
            parts[place[router.name]] = _shifted(parts[place[router.name]])
            return torch.cat(parts)

        with edit(some, shift_own):
            unedited, *edited = first_tensor(model(**copies)).chunk(len(some) + 1)
        apart = unedited.shape == plain.shape and _distance(plain, unedited) <= clear
        doubtful += [
            router for router, one in zip(some, edited, strict=True) if not (apart and _distance(plain, one) > clear)
        ]
    return doubtful


def _check_edit(router: Router, run: Callable[[], Tensor], plain: Tensor, noise: float) -> None:
    """Shift one router's logits by one expert."""
    with edit([router], lambda _router, logits_TE: _shifted(logits_TE)):
        edited = run()
    # Experts that get their tokens in another order move the last bits even of a model that ignores the shift. Of
    # float32: in bfloat16 these are as large as honest effects, which must not be taken for a breach.
    rounding = _ROUNDING * torch.finfo(torch.float32).eps * _largest(plain)
    if not _distance(plain, edited) > noise + rounding:
        raise RouterError(
            f"Shifting the logits of router {router.name} by one expert did not change the model's output: the experts "
            "that run are not those that this router chooses, so neither its logits nor edits of them mean anything. "
            "Look for a fused kernel that routes by itself (load the model with experts_implementation='eager'), and "
            "for a defect in the model's code."
        )


def _largest(output: Tensor) -> float:
    return float(output.float().masked_fill(output.isinf(), 0).abs().max())


def _distance(a: Tensor, b: Tensor) -> float:
    """Largest absolute difference; equal infinities are no difference, and a NaN in one of two is an infinite one."""
    if torch.equal(a, b):
        return 0.0
    apart = (a.float() - b.float()).masked_fill((a == b) | (a.isnan() & b.isnan()), 0.0)
    return float(torch.nan_to_num(apart, nan=torch.inf).abs().max())
