"""Traces of a checkpoint with as many experts and sentences as a test can count."""

from pathlib import Path

import numpy as np

from polyroute.artifacts.trace import Trace, TraceHeader


def trace(
    soft_NLE,
    *,
    model="base",
    language="eng_Latn",
    corpus="text",
    tokens=4,
    items=None,
    counts=None,
    layers=None,
    **header,
) -> Trace:
    """Two of E experts a token; counts follow the distributions where they are not given."""
    soft = np.asarray(soft_NLE, dtype=np.float32)
    sentences, depth, experts = soft.shape
    if counts is None:
        order = np.argsort(-soft, axis=-1, kind="stable")[..., :2]
        counts = np.zeros(soft.shape, dtype=np.int64)
        np.put_along_axis(counts, order, tokens, axis=-1)
    about = {
        "model": model, "model_digest": model, "corpus": corpus, "corpus_digest": f"{corpus} {language}",
        "language": language, "engine": "transformers", "dtype": "float32", "device": "cpu",
        "layers": tuple(range(depth)) if layers is None else layers, "experts": experts, "top_k": 2, "selection": (),
        "settings": {"special_tokens": "exclude"}, "versions": {},
    }  # fmt: skip
    names = items or tuple(f"s{number}" for number in range(sentences))
    recorded = header.get("engine") == "recorded"
    return Trace(
        TraceHeader(**(about | header)), names, np.full(sentences, tokens), np.asarray(counts),
        None if recorded else soft, None if recorded else soft,
    )  # fmt: skip


def random(seed: int, sentences: int = 12, layers: int = 5, experts: int = 8):
    """(N, L, E) distributions."""
    return np.random.default_rng(seed).dirichlet(np.ones(experts), (sentences, layers))


def save(folder: Path, *traces: Trace) -> Path:
    """Where the stage `trace` would put them."""
    for one in traces:
        path = folder / one.header.corpus / f"{one.header.language}.safetensors"
        path.parent.mkdir(parents=True, exist_ok=True)
        one.save(path)
    return folder


def checkpoint(folder: Path, name: str, seed: int, languages=("eng_Latn", "deu_Latn", "swh_Latn"), **more) -> Path:
    """A folder of traces, a seed a language."""
    return save(
        folder / name,
        *(trace(random(seed + place), model=name, language=code, **more) for place, code in enumerate(languages)),
    )
