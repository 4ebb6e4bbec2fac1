"""Activation frequency on the prompts of a task: how often every expert is chosen on the text that is answered.

Random experts beside a plan or a mask match in it (`experts.controls`): what is steered acts on these very tokens, and
an expert that is frequent in running text need not be so in a question.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from polyroute.ground.errors import AnswerError
from polyroute.models.routers import Router, RouterCall
from polyroute.models.to_last_router import observe_to_last
from polyroute.models.trial import at_rest

PROMPTS = 100
"""Prompts of a task, in each language and half, that experts are counted on."""


def prompt_frequency(
    model: nn.Module, routers: Sequence[Router], batches: Iterable[Mapping[str, Tensor]]
) -> NDArray[np.float64]:
    """Share of a prompt's tokens whose top-k holds an expert, mean over prompts (paper 1, Eq. 3).

    Args:
        model: a decoder of transformers.
        routers: all L of them.
        batches: `input_ids` and `attention_mask` (B, S), as `steering.mechanism.padded_batches` makes them.

    Returns:
        (L, E) in [0, 1], in the order of `routers`. Each prompt weighs the same, however long it is.

    Raises:
        AnswerError: a router did not see one row a position, or there was no prompt.
        RouterError: a router was never called.
    """
    sums: dict[str, Tensor] = {}
    prompts = 0
    with at_rest(model):
        for batch in batches:
            mask_BS = batch["attention_mask"].double()
            weights_B = 1 / mask_BS.sum(-1)
            weights_T = (mask_BS * weights_B[:, None]).flatten()

            def add(router: Router, call: RouterCall, weights_T: Tensor = weights_T) -> None:
                chosen_TE = call.chosen_TE()
                if len(chosen_TE) != len(weights_T):
                    raise AnswerError(
                        f"router {router.name} chose for {len(chosen_TE)} tokens, and the prompts have "
                        f"{len(weights_T)}: run the model without packing or dropping tokens"
                    )
                found_E = weights_T.to(chosen_TE.device) @ chosen_TE.double()
                sums[router.name] = sums.get(router.name, torch.zeros_like(found_E)) + found_E

            with observe_to_last(model, routers, add):
                model(**batch, use_cache=False)
            prompts += len(mask_BS)
    if not prompts:
        raise AnswerError("there is no prompt to count experts on: give at least one item in every language")
    frequency_LE: NDArray[np.float64] = torch.stack([sums[router.name] for router in routers]).cpu().numpy() / prompts
    return frequency_LE
