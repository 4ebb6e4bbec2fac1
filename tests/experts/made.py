"""Traces written by hand."""

import numpy as np

from polyroute.artifacts.trace import Trace, TraceHeader


def make_trace(
    counts_NLE, tokens_N, *, corpus="text", language="eng_Latn", layers=None, pooled=False, soft_mass=None, **header
) -> Trace:
    counts_NLE = np.asarray(counts_NLE, dtype=np.int64)
    items, count, experts = counts_NLE.shape
    about = {
        "model": "tiny", "model_digest": "0", "corpus": corpus, "corpus_digest": "0", "language": language,
        "engine": "transformers", "dtype": "float32", "device": "cpu", "layers": layers or tuple(range(count)),
        "experts": experts, "top_k": 2, "selection": ("topk",), "settings": {}, "versions": {}, "pooled": pooled,
    }  # fmt: skip
    ids = tuple(f"{corpus}-{number}" for number in range(items))
    return Trace(TraceHeader(**(about | header)), ids, np.asarray(tokens_N), counts_NLE, soft_mass=soft_mass)


def random_trace(seed: int, items: int, layers: int = 3, experts: int = 8, shift_LE=0.0, **options) -> Trace:
    """Each token chooses 2 experts, sentences differ, and some experts are preferred where `shift_LE` says."""
    rng = np.random.default_rng(seed)
    tokens_N = rng.integers(5, 20, size=items)
    logits_NLE = rng.normal(size=(items, layers, experts)) + shift_LE
    counts_NLE = np.zeros((items, layers, experts), dtype=np.int64)
    for item, tokens in enumerate(tokens_N):
        noisy_TLE = logits_NLE[item] + rng.gumbel(size=(tokens, layers, experts))
        for chosen_TL in np.moveaxis(np.argsort(-noisy_TLE, axis=-1)[:, :, :2], -1, 0):
            for layer in range(layers):
                np.add.at(counts_NLE[item, layer], chosen_TL[:, layer], 1)
    return make_trace(counts_NLE, tokens_N, **options)
