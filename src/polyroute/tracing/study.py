"""The traces of one model of the study: what is finished is taken up, what is new is computed."""

import hashlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tokenizers
import torch
import transformers

from polyroute.artifacts.recorded_counts import Counts
from polyroute.artifacts.trace import TraceError, read_header
from polyroute.artifacts.turns import Item
from polyroute.ground import console
from polyroute.ground.code import code_digest
from polyroute.ground.device import device_name
from polyroute.ground.files import digest
from polyroute.ground.paths import Paths
from polyroute.models.load import LoadedModel, load
from polyroute.models.settled import load_settled
from polyroute.models.source import locate_settled
from polyroute.models.without_weights import load_tokenizer
from polyroute.tracing.collect import TraceSettings, check_readable, collect, encode, make_header
from polyroute.tracing.parts import TraceParts
from polyroute.tracing.settings import TracingSettings
from polyroute.tracing.vocabulary import token_counts
from polyroute.workers.errors import PartsError
from polyroute.workers.pool import Pool, workers
from polyroute.workers.settings import HERE, Engine
from polyroute.workers.shared import appears

log = logging.getLogger(__name__)

CorpusLanguage = tuple[str, str]
"""Name of a corpus and FLORES code of a language."""


@dataclass(frozen=True)
class FinishedTraces:
    """Trace files of one model, and what it took to get them."""

    traces: dict[CorpusLanguage, Path]
    vocabulary: dict[CorpusLanguage, dict[int, int]]
    """Token id -> how often the trace counts it; nothing of counts recorded elsewhere, whose text is not at hand."""
    computed: int
    """How many were computed now; the others were finished before."""
    tokens: int
    """Tokens that went through the model now."""
    seconds: float
    """What these tokens took, loading the model apart."""

    def manifest(self) -> dict[str, Any]:
        """What there is, for whoever reads the traces: corpus -> language -> digest of the text it is of."""
        listed: dict[str, Any] = {}
        for (corpus, language), path in self.traces.items():
            listed.setdefault(corpus, {})[language] = read_header(path).corpus_digest
        return listed

    def summary(self) -> str:
        """One line for people."""
        kept = len(self.traces) - self.computed
        told = f"{len(self.traces)} traces"
        if self.computed and self.tokens:
            told += f", {self.tokens:,} tokens in {self.seconds:.0f} s ({self.tokens / self.seconds:,.0f} a second)"
        return told + (f"; {kept} were finished before" if kept else "")


@dataclass(frozen=True)
class _Part:
    """One corpus in one language, as it is traced."""

    name: str
    """Of the model."""
    pair: CorpusLanguage
    items: Mapping[str, Item]
    settings: TraceSettings
    parts: TraceParts


def trace_model(
    settings: TracingSettings,
    texts: Mapping[CorpusLanguage, Mapping[str, Item]],
    paths: Paths,
    engine: Engine = HERE,
) -> FinishedTraces:
    """Trace every corpus and language that is not finished yet; the model is loaded at most once in each process.

    Args:
        settings: of the stage, with a model to run.
        texts: corpus and language -> item id -> text, or turns.
        paths: of the study.
        engine: the processes that run the model; traces do not depend on it.

    Raises:
        ModelError, RouterError, TraceError: as `load` and `collect`; finished parts stay.
        EngineError: as `workers` and `Pool.run`.
        PartsError: workers could not trace some part; the others are finished.
    """
    with ExitStack() as stack:
        pool = None
        if engine.spread:
            assert settings.model is not None, "there is a model to run"
            pool = stack.enter_context(workers(engine, partial(load_settled, settings.name, settings.model)))
        return _trace_model(settings, texts, paths, pool)


def _trace_model(
    settings: TracingSettings,
    texts: Mapping[CorpusLanguage, Mapping[str, Item]],
    paths: Paths,
    pool: Pool | None,
) -> FinishedTraces:
    name, spec = settings.name, settings.model
    assert spec is not None, "there is a model to run"
    source = locate_settled(name, spec)
    plain = TraceSettings(
        batch_tokens=spec.batch_tokens, max_tokens=spec.max_tokens, pairs=settings.pairs, head=settings.head,
        special_tokens=settings.special_tokens, seed=settings.seed,
    )  # fmt: skip
    how = {pair: replace(plain, chat=settings.chats.get(pair[0])) for pair in texts}
    shared = {
        "name": name,
        "model": source.digest,
        "entry": spec.model_dump(include={"dtype", "device", "experts", "layers", "trust_remote_code"}, mode="json"),
        "device": device_name() if pool is None else pool.device,
        "versions": [torch.__version__, transformers.__version__, tokenizers.__version__, np.__version__],
        "code": code_digest("polyroute.tracing.collect", "polyroute.models.load"),
    }
    parts = {
        pair: _Part(
            name, pair, items, how[pair],
            TraceParts(
                paths.parts,
                shared | {"corpus": pair, "texts": digest(dict(items)), "settings": how[pair].determining()},
            ),
        )
        for pair, items in texts.items()
    }  # fmt: skip
    # Each finished file is read whole to be proved, so it is asked for once.
    before = {pair: parts[pair].parts.whole() for pair in texts}
    todo = [pair for pair in texts if before[pair] is None]
    tokens, start = 0, time.monotonic()
    if not todo:
        tokenizer = load_tokenizer(name, spec, source)
    elif pool is not None:
        tokenizer = load_tokenizer(name, spec, source)
        tokens = sum(sum(encode(tokenizer, texts[pair], how[pair]).lengths) for pair in todo)
        with console.progress(f"trace {name}", tokens) as advance:
            _trace_in_workers(pool, [parts[pair] for pair in todo], advance)
    else:
        loaded = load(name, spec, source)
        tokenizer = loaded.tokenizer
        lengths = {}
        for pair in todo:  # before the first is run: a text that cannot be read is said at once
            encoded = encode(tokenizer, texts[pair], how[pair])
            check_readable(loaded.model, tokenizer, encoded, pair[1])
            lengths[pair] = sum(encoded.lengths)
        tokens, start = sum(lengths.values()), time.monotonic()
        with console.progress(f"trace {name}", tokens) as advance:
            for pair in todo:
                _trace_one(loaded, parts[pair], advance)
                log.debug("%s: %s in %s: %d tokens", name, *pair, lengths[pair])
    now = before | {pair: parts[pair].parts.whole() for pair in todo}
    finished = {pair: whole for pair, whole in now.items() if whole is not None}
    seconds = time.monotonic() - start
    vocabulary = {pair: token_counts(tokenizer, texts[pair], how[pair]) for pair in texts}
    return FinishedTraces(finished, vocabulary, len(todo), tokens, seconds)


def _trace_one(loaded: LoadedModel, part: _Part, advance: Callable[[int], None]) -> None:
    corpus, language = part.pair
    header = make_header(
        loaded.model, loaded.routers, part.settings, name=part.name, model_digest=loaded.digest, corpus=corpus,
        corpus_digest=digest(dict(part.items)), language=language, tokenizer=loaded.tokenizer,
    )  # fmt: skip
    found = collect(
        loaded.model, loaded.tokenizer, part.items, loaded.routers, header, part.settings, store=part.parts,
        on_tokens=advance,
    )  # fmt: skip
    part.parts.finish(found)


def _trace_in_workers(pool: Pool, parts: Sequence[_Part], advance: Callable[[int], None]) -> None:
    """Trace each part in some worker; each is kept as it is finished."""
    called = {" in ".join(part.pair): part for part in parts}
    done = pool.run(_trace_there, called, advance)
    for name in done.values:
        kept = called[name].parts
        if not appears(lambda kept=kept: kept.whole() is not None):  # type: ignore[misc]
            raise TraceError(
                f"{name} was traced by a worker, but its file is not seen here: the study must lie in a folder that "
                "every node has under the same name"
            )
    if done.failed:
        raise PartsError(f"trace {parts[0].name}", done.failed, len(parts))


def _trace_there(loaded: LoadedModel, part: _Part, advance: Callable[[int], None]) -> None:
    """Trace a part in a worker, unless the one that it was taken from had just finished it."""
    if part.parts.whole() is None:
        encoded = encode(loaded.tokenizer, part.items, part.settings)
        check_readable(loaded.model, loaded.tokenizer, encoded, part.pair[1])
        _trace_one(loaded, part, advance)


def import_recorded(settings: TracingSettings, paths: Paths) -> FinishedTraces:
    """Take up the counts that the stage `fetch` has laid down.

    Raises:
        RecordingError: the file is absent or damaged; run the stage `fetch` again.
    """
    start = time.monotonic()
    name, finished, computed = settings.name, {}, 0
    for corpus, languages in settings.corpora.items():
        counts = Counts.read(paths.recorded_counts(name, corpus))
        for trace in counts.traces(languages, model=name):
            key = {
                "header": trace.header.model_dump(mode="json"),
                "tokens": trace.tokens.tolist(),
                "counts": hashlib.sha256(trace.topk_count.tobytes()).hexdigest(),
                "code": code_digest("polyroute.artifacts.recorded_counts"),
            }
            parts = TraceParts(paths.parts, key)
            whole = parts.whole()
            if whole is None:
                whole = parts.finish(trace)
                computed += 1
            finished[corpus, trace.header.language] = whole
    return FinishedTraces(finished, {}, computed, 0, time.monotonic() - start)
