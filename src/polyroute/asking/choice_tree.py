"""The choices of an item as one text behind its prompt, in which a beginning that several share stands once.

Of a choice's tokens all but the last must be read to know how likely the next one is. Written one after the other
behind the prompt, each seeing the prompt and what comes before it in its own choice alone, they need neither padding
nor a copy of the prompt's keys and values for each choice.

Shapes: B items, K choices of an item, P positions of prompts, Q of trees, W tokens of the longest choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor


@dataclass(frozen=True)
class ChoiceTree:
    """Beginnings of choices, each a node with its last token."""

    tokens: tuple[int, ...]
    parents: tuple[int | None, ...]
    """The beginning that is one token shorter; None for a first token."""
    depths: tuple[int, ...]
    """How many tokens come before in the choice."""
    nodes: tuple[tuple[int, ...], ...]
    """For each choice the beginnings of 1, 2, ... tokens, all but the whole choice."""


def tree_of(choices: Sequence[Sequence[int]]) -> ChoiceTree:
    """The tree of some choices, given as token ids."""
    places: dict[tuple[int, ...], int] = {}
    nodes = tuple(
        tuple(places.setdefault(tuple(choice[:length]), len(places)) for length in range(1, len(choice)))
        for choice in choices
    )
    return ChoiceTree(
        tuple(beginning[-1] for beginning in places), tuple(places.get(beginning[:-1]) for beginning in places),
        tuple(len(beginning) - 1 for beginning in places), nodes,
    )  # fmt: skip


class Packed(NamedTuple):
    """Trees of a batch as inputs of a model, behind prompts that are padded on the left."""

    ids_BQ: Tensor
    real_BQ: Tensor
    """bool: which positions hold a node."""
    positions_BQ: Tensor
    mask_B1QS: Tensor
    """Added to attention scores, S = P + Q: 0 at what a node sees, the smallest number of the dtype elsewhere."""
    node_BKW: Tensor
    """W - 1 for each choice: the node that comes before each of its later tokens; 0 beyond its end."""


def pack(trees: Sequence[ChoiceTree], real_BP: Tensor, width: int, dtype: torch.dtype) -> Packed:
    """Lay trees behind their prompts.

    Args:
        trees: of each item, with equally many choices.
        real_BP: bool, which positions of the prompts hold a token.
        width: tokens of the longest choice.
        dtype: of the model's attention.
    """
    longest = max(len(tree.tokens) for tree in trees)
    ids_BQ = torch.zeros(len(trees), longest, dtype=torch.int64)
    real_BQ = torch.zeros(len(trees), longest, dtype=torch.bool)
    depth_BQ = torch.zeros_like(ids_BQ)
    # Padding sees itself: a row of nothing would be NaN.
    sees_BQQ = torch.eye(longest, dtype=torch.bool).repeat(len(trees), 1, 1)
    node_BKW = torch.zeros(len(trees), len(trees[0].nodes), width - 1, dtype=torch.int64)
    for place, tree in enumerate(trees):
        count = len(tree.tokens)
        ids_BQ[place, :count], depth_BQ[place, :count] = torch.tensor(tree.tokens), torch.tensor(tree.depths)
        real_BQ[place, :count] = True
        for node, parent in enumerate(tree.parents):  # parents come first
            if parent is not None:
                sees_BQQ[place, node] |= sees_BQQ[place, parent]
        for choice, nodes in enumerate(tree.nodes):
            node_BKW[place, choice, : len(nodes)] = torch.tensor(nodes, dtype=torch.int64)
    device = real_BP.device
    sees_prompt_BQP = real_BP[:, None].expand(-1, longest, -1)
    sees_BQS = torch.cat([sees_prompt_BQP, sees_BQQ.to(device)], -1)
    mask_BQS = torch.zeros(sees_BQS.shape, dtype=dtype, device=device).masked_fill(~sees_BQS, torch.finfo(dtype).min)
    positions_BQ = real_BP.sum(1, keepdim=True) + depth_BQ.to(device)
    return Packed(ids_BQ.to(device), real_BQ.to(device), positions_BQ, mask_BQS[:, None], node_BKW.to(device))
