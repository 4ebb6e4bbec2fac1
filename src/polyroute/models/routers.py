"""The routers of any mixture-of-experts model of transformers: find them, observe what they choose, edit their logits.

    routers = find_routers(model)
    with observe(routers, lambda router, call: ...):
        model(**batch)
    with edit(routers, lambda router, logits_TE: logits_TE + push[router.layer]):
        model.generate(**batch)

Nothing here knows an architecture: a model of transformers >= 5.6 declares where its router logits come from, and one
short trial run shows the rest (`polyroute.models.trial`). `check_contract` in `polyroute.models.contract` proves at
load that it worked.

Shapes: T tokens (batch-major: T = batch * sequence), E experts, K chosen experts a token.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from polyroute.models.selection import name_selection
from polyroute.models.taps import CallCounter, OnCall, Router, RouterCall, RouterError, Rule, edit, observe
from polyroute.models.trial import Sighting, at_rest, declared_routers, run_trial, sight, trial_inputs

__all__ = [
    "CallCounter",
    "OnCall",
    "Router",
    "RouterCall",
    "RouterError",
    "Rule",
    "edit",
    "find_routers",
    "observe",
    "replay",
]


def find_routers(model: nn.Module, *, inputs: Mapping[str, Any] | None = None) -> tuple[Router, ...]:
    """The routers that the model's tokens pass, in the order in which they are called: by layer.

    Runs the model once on 14 tokens, without gradients, in evaluation mode and outside any cache, then each router's
    own selection on random logits to name its rule. The model is left as it was. Call it outside `observe` and `edit`.

    A layer may hold two routers (JetMoe also routes its attention heads); an encoder and a decoder number their layers
    separately. Routers that text does not reach, as those of a vision tower, are not returned.

    Args:
        model: a transformers model whose class declares `_can_record_outputs["router_logits"]`.
        inputs: keyword arguments for the model's forward, if a few text tokens alone do not do.

    Raises:
        RouterError: the model declares no routers, none was called, or one cannot be read; it says what was seen.
    """
    declared = declared_routers(model)
    if not declared:
        raise RouterError(
            f"{type(model).__name__} declares no router logits (_can_record_outputs has no 'router_logits' that "
            "matches one of its modules). Pass a mixture-of-experts model with at least one sparse layer; if it is "
            "one, install a newer transformers: later versions declare more architectures."
        )
    trial = run_trial(model, trial_inputs(model) if inputs is None else inputs)
    sightings: dict[nn.Module, Sighting] = {}
    for call in trial.calls:
        if call.module in declared:
            sighting = sight(trial, call, declared[call.module][1])
            sightings.setdefault(sighting.call.module, sighting)
    if not sightings:
        names = [name for name, _ in declared.values()]
        raise RouterError(
            f"{type(model).__name__} declares {len(names)} routers "
            f"({', '.join(names[:3])}{' ...' if names[3:] else ''}), but none of them was called on "
            f"{sorted(trial_inputs(model) if inputs is None else inputs)}. Pass inputs that reach them: "
            f"find_routers(model, inputs={{...}})."
        )
    with at_rest(model):
        return tuple(_router(sighting) for sighting in sightings.values())


def replay(router: Router, arguments: tuple[tuple[Any, ...], dict[str, Any]], logits_TE: Tensor) -> RouterCall:
    """Run a router's own selection on other logits: its forward again, with the product answered by `logits_TE`.

    It ends there: where a block selects, its experts do not run.

    Args:
        router: the router.
        arguments: positional and keyword arguments of an earlier call of `router.module`, or of the block around it
            where the block selects.
        logits_TE: as many rows as that call had tokens.

    Returns:
        The logits as the model took them (after the cast to its dtype) with its weights and ids.
    """
    reading = router.site.reading
    module = getattr(reading, "block", router.module)
    args, kwargs = arguments

    def end(_router: Router, call: RouterCall) -> None:
        raise _Selected(call)

    with (
        torch.no_grad(),
        edit([router], lambda _router, own_TE: logits_TE.to(own_TE)),
        observe([router], end),
    ):
        try:
            module(*args, **kwargs)
        except _Selected as selected:
            return selected.call
    raise RouterError(f"Router {router.name} did not select when its forward was run again.")


class _Selected(Exception):  # noqa: N818 - nothing went wrong
    """Ends a forward as soon as its router has selected."""

    def __init__(self, call: RouterCall):
        super().__init__()
        self.call = call


def _router(sighting: Sighting) -> Router:
    call = sighting.call
    number = re.search(r"(?:^|\.)(\d+)(?:\.|$)", call.name)
    if number is None:
        raise RouterError(
            f"The path of router {call.name} holds no layer number. polyroute numbers layers by the module path, as "
            "in model.layers.7.mlp.gate."
        )
    unnamed = Router(int(number[1]), call.name, call.module, sighting.experts, sighting.top_k, "other", sighting.site)
    arguments = (sighting.replay.args, sighting.replay.kwargs)
    selection = name_selection(
        lambda logits_TE: replay(unnamed, arguments, logits_TE), sighting.tokens, sighting.experts
    )
    return replace(unnamed, selection=selection)
