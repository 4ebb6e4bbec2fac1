"""How long a written token takes with a plan and without, in the same process.

Greedy decoding of one prompt at a time, which is where moving logits weighs most. Both are timed in turn, so that a
machine that slows down slows both; the median over rounds leaves out what else the machine did.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import torch

from polyroute.ground.device import device_name
from polyroute.models.load import LoadedModel
from polyroute.models.routers import find_routers
from polyroute.models.trial import at_rest
from polyroute.steering.apply import steer
from polyroute.steering.plan import Plan
from polyroute.steering.verdict import TokenTime

ROUNDS, TOKENS = 7, 16


def token_time(loaded: LoadedModel, plan: Plan, prompts: Sequence[Sequence[int]]) -> TokenTime:
    """Milliseconds of a written token, the pass over the prompt in it.

    Args:
        loaded: the model.
        plan: of it.
        prompts: token ids; as many as there are rounds are read, over and over where there are fewer.
    """
    model: Any = loaded.model
    routers = find_routers(model)
    device = next(model.parameters()).device
    taken: dict[bool, list[float]] = {False: [], True: []}
    with at_rest(model), torch.inference_mode():
        for number in range(-1, ROUNDS):  # the first is a rehearsal
            ids = torch.tensor([list(prompts[number % len(prompts)])], device=device)
            for steered in (False, True):
                with steer(model, plan, routers=routers) if steered else nullcontext():
                    seconds = _timed(lambda ids=ids: _write(model, ids), device)  # type: ignore[misc]
                if number >= 0:
                    taken[steered].append(1000 * seconds / TOKENS)
    base, with_plan = (round(statistics.median(taken[steered]), 4) for steered in (False, True))
    return TokenTime(base=base, steered=with_plan, device=device_name(device))


def _write(model: Any, ids: torch.Tensor) -> None:
    model.generate(
        input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=TOKENS, min_new_tokens=TOKENS,
        do_sample=False, pad_token_id=0,
    )  # fmt: skip


def _timed(act: Callable[[], None], device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    start = time.perf_counter()
    act()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start
