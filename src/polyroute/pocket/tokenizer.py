"""A byte-level BPE trained on the mixture, so that languages with little data are cut finer, as in reality."""

from __future__ import annotations

from itertools import islice

import tokenizers
from tokenizers import decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from polyroute.pocket import documents
from polyroute.pocket.recipe import PocketRecipe

BOS, EOS, PAD = "<s>", "</s>", "<pad>"
# Combining marks belong to words: without \p{M} every vowel sign would end a Hindi word. Numbers stand without the
# space before them, so that they are the same tokens in languages that write none.
_WORDS = r" ?[\p{L}\p{M}]+|\p{N}+| ?[^\s\p{L}\p{M}\p{N}]+|\s+(?!\S)|\s+"


def train(recipe: PocketRecipe) -> PreTrainedTokenizerFast:
    """The recipe's tokenizer; puts BOS before every text it encodes.

    Training sees `recipe.tokenizer_documents` documents of a stream of their own.
    """
    backend = tokenizers.Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(tokenizers.Regex(_WORDS), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=recipe.vocabulary,
        special_tokens=[BOS, EOS, PAD],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    texts = (document.text for document in islice(documents.stream(recipe, "tokenizer"), recipe.tokenizer_documents))
    backend.train_from_iterator(texts, trainer)
    backend.post_processor = processors.TemplateProcessing(single=f"{BOS} $A", special_tokens=[(BOS, 0)])
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token=BOS,
        eos_token=EOS,
        pad_token=PAD,
        model_max_length=recipe.context,
        clean_up_tokenization_spaces=False,
    )
