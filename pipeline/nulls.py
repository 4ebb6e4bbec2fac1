"""Stage nulls@<model>: text and traces -> where the model stands among random initialisations of its architecture."""

from collections.abc import Iterator
from typing import Any

from polyroute.artifacts import corpus as corpora
from polyroute.artifacts.trace import Trace, TraceError
from polyroute.ground import console
from polyroute.ground.console import stage
from polyroute.ground.files import digest
from polyroute.ground.paths import Paths
from polyroute.measures.random_rank import ranked, table, unranked
from polyroute.measures.routing_summary import spread, summarise
from polyroute.models.settings import ModelSettings
from polyroute.models.source import locate_settled
from polyroute.models.without_weights import load_config, load_tokenizer
from polyroute.results.nulls import NullRow, NullsMetrics, NullsSummary
from polyroute.tracing.collect import TraceSettings
from polyroute.tracing.random_init import NoRandomModelError, RandomSettings, placed, read_random
from polyroute.tracing.settings import NullsSettings


@stage(NullsSettings)
def main(settings: NullsSettings, paths: Paths) -> Iterator[str]:
    """Rank a model's depth and alignment among random initialisations of its architecture on the same text."""
    computed: list[int] = []
    rows = []
    if settings.model is None:
        found = unranked(settings.corpus, "recorded")
    else:
        try:
            found, tables = _rank(settings, settings.model, paths, computed)
            rows = [tables]
        except NoRandomModelError as refused:
            found = unranked(settings.corpus, refused.code)
            yield str(refused)
    folder = paths.metrics(settings.name)
    NullRow.write(folder, rows)
    NullsSummary.write(folder, found)
    NullsMetrics.write(folder, NullsMetrics.of(NullsSummary.read(folder)))
    yield _in_short(found, len(computed))


def _rank(
    settings: NullsSettings, spec: ModelSettings, paths: Paths, computed: list[int]
) -> tuple[dict[str, Any], Any]:
    """The model's own numbers from its traces, those of random initialisations from the same text."""
    name, corpus = settings.name, settings.corpus
    texts = {code: corpora.items(paths.corpus(name, corpus), code) for code in settings.languages}
    traces = [Trace.load(paths.trace(name, corpus, code), mapped=True) for code in settings.languages]
    for trace, items in zip(traces, texts.values(), strict=True):
        if trace.header.corpus_digest != digest(dict(items)):
            raise TraceError(f"{trace.place} is of another text than {paths.corpus(name, corpus)}: run `dvc repro`")
    chosen = spread(len(traces[0].item_ids), settings.items)
    traces = [trace.select(chosen) for trace in traces]
    texts = {code: {item: items[item] for item in traces[0].item_ids} for code, items in texts.items()}
    source = locate_settled(name, spec)
    how = RandomSettings(
        draws=settings.draws, most_weights=settings.most_weights, nearest=settings.nearest, seed=settings.seed,
        zones=settings.zones, layers=spec.layers, device=placed(spec.device),
        # Token pairs serve measures that are not read here.
        trace=TraceSettings(
            batch_tokens=spec.batch_tokens, max_tokens=spec.max_tokens, pairs=1,
            special_tokens=settings.special_tokens, seed=settings.seed, chat=settings.chat,
        ),
    )  # fmt: skip
    own = summarise(traces, zones=settings.zones, nearest=settings.nearest, seed=settings.seed)
    config, tokenizer = load_config(name, spec, source), load_tokenizer(name, spec, source)
    with console.progress(f"nulls {name}", settings.draws, "draws") as advance:

        def on_draw(draw: int) -> None:
            computed.append(draw)
            advance(1)

        drawn = read_random(name, config, tokenizer, texts, how, paths.parts, on_draw=on_draw)
    return ranked(corpus, own, drawn, len(chosen)), table(own, drawn)


def _in_short(found: dict[str, Any], computed: int) -> str:
    if found["not_run"] is not None:
        return "no random initialisation; nulls.json says why"
    told = f"{found['draws']} random initialisations"
    kept = found["draws"] - computed
    told += f" ({kept} were finished before)" if kept else ""
    parts = {"alignment_middle": "alignment in the middle", "early_minus_middle": "D early - middle",
             "late_minus_middle": "D late - middle"}  # fmt: skip
    ranks = (
        f"{words} {one['value']:.3f}, largest of theirs {one['largest']:.3f}, p {one['p']:.2f}"
        for quantity, words in parts.items()
        for one in [found["quantities"][quantity]]
    )
    return f"{told}; {'; '.join(ranks)}"


if __name__ == "__main__":
    main()
