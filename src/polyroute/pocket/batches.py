"""The batch of a training step: a function of recipe and step alone, so that a run can resume anywhere."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from polyroute.params import PocketRecipe
from polyroute.pocket import documents


@dataclass(frozen=True)
class Batch:
    """One step's text; every tensor is (rows, columns)."""

    inputs: Tensor
    """Token ids."""
    targets: Tensor
    """The next token of every input."""
    weights: Tensor
    """Of every target in the loss, float32."""


def batch(recipe: PocketRecipe, tokenizer: PreTrainedTokenizerFast, step: int) -> Batch:
    """The batch of a step: documents between BOS and EOS in one line, folded into rows."""
    wanted = recipe.rows * recipe.columns + 1
    ids: list[int] = []
    weights: list[float] = []
    stream = documents.stream(recipe, f"train/{step}")
    while len(ids) < wanted:
        # Some documents at a time: the tokenizer is much faster on a batch of texts than on each.
        some = [next(stream).pieces for _ in range(16)]
        encoded = iter(
            tokenizer.backend_tokenizer.encode_batch(
                [piece.text for piece in chain.from_iterable(some)], add_special_tokens=False
            )
        )
        for pieces in some:
            ids.append(tokenizer.bos_token_id)
            weights.append(1.0)
            for piece in pieces:
                cut = next(encoded).ids
                ids += cut
                weights += [recipe.answer_weight if piece.answer else 1.0] * len(cut)
            ids.append(tokenizer.eos_token_id)
            weights.append(1.0)
    shape = (recipe.rows, recipe.columns)
    line = torch.tensor(ids[:wanted])
    return Batch(line[:-1].view(shape), line[1:].view(shape), torch.tensor(weights[1:wanted]).view(shape))
