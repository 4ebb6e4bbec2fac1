"""Which routers of which model are proved, and what they were proved on: so that a proof is not run again for nothing.

A proof holds for the modules that a model had and for the places and versions of their weights. It is forgotten with
the model: nothing here keeps a model, a module or a weight alive.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any
from weakref import ReferenceType, WeakKeyDictionary, ref

from torch import Tensor, nn

from polyroute.models.taps import Router

Place = tuple[int, int, Any, Any]
"""Of a weight: where its numbers are, how often they were written to, their type and device."""


@dataclass(frozen=True)
class _Proof:
    modules: tuple[ReferenceType[nn.Module], ...]
    weights: tuple[ReferenceType[Tensor], ...]
    places: tuple[Place, ...]
    kernels: tuple[Any, ...]
    routers: frozenset[tuple[Any, ...]]


_PROOFS: WeakKeyDictionary[nn.Module, _Proof] = WeakKeyDictionary()


def remember(model: nn.Module, routers: Sequence[Router]) -> None:
    """Take note that these routers of the model, as it is now, were proved."""
    weights = _weights(model)
    places = _places(weights)
    if places is None:
        return
    known = frozenset(map(_name, routers))
    if is_proved(model, ()):
        known |= _PROOFS[model].routers
    _PROOFS[model] = _Proof(
        modules=tuple(ref(module) for module in model.modules()),
        weights=tuple(ref(weight) for weight in weights),
        places=places,
        kernels=_kernels(model),
        routers=known,
    )


def is_proved(model: nn.Module, routers: Iterable[Router]) -> bool:
    """Whether all these routers were proved on this model with the modules and weights that it has now.

    Seen are modules put in, weights put in, moved, cast or written to in place, and other kernels of experts and
    attention. Not seen is what torch does not count: writing to `weight.data`.
    """
    proof = _PROOFS.get(model)
    if proof is None or proof.kernels != _kernels(model):
        return False
    weights = _weights(model)
    return (
        _same(proof.modules, list(model.modules()))
        and _same(proof.weights, weights)
        and proof.places == _places(weights)
        and proof.routers.issuperset(map(_name, routers))
    )


def _weights(model: nn.Module) -> list[Tensor]:
    return list(chain(model.parameters(), model.buffers()))


def _places(weights: list[Tensor]) -> tuple[Place, ...] | None:
    """None where torch does not say: of weights made in inference mode, or of kinds that have no address."""
    try:
        return tuple((weight.data_ptr(), weight._version, weight.dtype, weight.device) for weight in weights)
    except (RuntimeError, NotImplementedError):
        return None


def _kernels(model: nn.Module) -> tuple[Any, ...]:
    config: Any = getattr(model, "config", None)
    return getattr(config, "_experts_implementation", None), getattr(config, "_attn_implementation", None)


def _name(router: Router) -> tuple[Any, ...]:
    return router.name, id(router.module), router.experts, router.top_k, router.site.product, router.site.columns


def _same(kept: Sequence[ReferenceType[Any]], now: Sequence[Any]) -> bool:
    return len(kept) == len(now) and all(one() is other for one, other in zip(kept, now, strict=True))
