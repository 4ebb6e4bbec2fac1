"""Passes that end behind the last router that is looked at: the experts of its layer, and all above, tell nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import accumulate

from torch import nn

from polyroute.models.routers import OnCall, Router, RouterCall, observe


@contextmanager
def observe_to_last(model: nn.Module, routers: Sequence[Router], on_call: OnCall) -> Iterator[None]:
    """`observe`, for one forward in which each router is called once; with the last of these calls it ends.

    Where accelerate moves weights the forward runs to its end, since they are put back as each module ends.

    Args:
        model: the transformers model that the routers were found in.
        routers: those to observe.
        on_call: as in `observe`.

    Raises:
        RouterError: some router was never called.
    """
    awaited = {router.name for router in routers}
    ends = not any(_is_hooked(model, router) for router in routers)

    def seen(router: Router, call: RouterCall) -> None:
        on_call(router, call)
        awaited.discard(router.name)
        if ends and not awaited:
            raise _Ended

    with observe(routers, seen), suppress(_Ended):
        yield


class _Ended(Exception):  # noqa: N818 - nothing went wrong
    """Ends a forward."""


def _is_hooked(model: nn.Module, router: Router) -> bool:
    """Whether accelerate acts when a router or anything around it ends."""
    around = accumulate(router.name.split("."), getattr, initial=model)
    return any(hasattr(module, "_hf_hook") for module in around)
