"""The batch of a training step: a function of recipe and step alone, so that a run can resume anywhere."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import chain

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from polyroute.miniworld import realise, world
from polyroute.pocket import documents
from polyroute.pocket.recipe import Plant, PocketRecipe


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


@dataclass(frozen=True)
class Translations:
    """English sentences, and after them their translations in the same order."""

    inputs: Tensor
    """(2 pairs, T) token ids from BOS on, padded on the right."""
    counts: Tensor
    """(2 pairs, T) whether a token is of the sentence, and not BOS or padding."""


def translations(recipe: PocketRecipe, plant: Plant, tokenizer: PreTrainedTokenizerFast, step: int) -> Translations:
    """The sentences that a step draws together: different events of the training split, each in two languages.

    Where the plant is shuffled, each English sentence stands beside the translation of the next one.
    """
    rng = random.Random(f"{recipe.seed}/plant/{step}")
    english, *others = recipe.languages
    drawn = world.different(lambda: world.draw_events(rng, "train", 1)[0], plant.pairs, "generic `train`")
    texts = [realise.events([meaning], english) for meaning in drawn]
    partners = [*drawn[1:], drawn[0]] if plant.shuffled else drawn
    texts += [realise.events([meaning], rng.choice(others)) for meaning in partners]
    cut = [encoded.ids for encoded in tokenizer.backend_tokenizer.encode_batch(texts)]
    longest = max(map(len, cut))
    inputs = torch.tensor([ids + [tokenizer.pad_token_id] * (longest - len(ids)) for ids in cut])
    places = torch.arange(longest)
    lengths = torch.tensor([len(ids) for ids in cut])
    return Translations(inputs, (places > 0) & (places < lengths[:, None]))
