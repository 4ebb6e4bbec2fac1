"""Stage trace@<model>: corpora -> routing statistics of every sentence, language by language, and tokens."""

from collections.abc import Iterator

from polyroute.artifacts import corpus as corpora
from polyroute.artifacts import vocabulary
from polyroute.ground.console import stage
from polyroute.ground.files import write_json
from polyroute.ground.paths import Paths
from polyroute.tracing import parts, study
from polyroute.tracing.settings import TracingSettings
from polyroute.workers.settings import Engine


@stage(TracingSettings)
def main(settings: TracingSettings, paths: Paths) -> Iterator[str]:
    """Trace a model over its corpora, or take up counts that were recorded elsewhere."""
    model = settings.name
    if settings.model is None:
        done = study.import_recorded(settings, paths)
    else:
        texts = {
            (corpus, language): corpora.items(paths.corpus(model, corpus), language)
            for corpus, languages in settings.corpora.items()
            for language in languages
        }
        done = study.trace_model(settings, texts, paths, Engine.of(paths))
    for (corpus, language), part in done.traces.items():
        parts.place(part, paths.trace(model, corpus, language))
    # DVC keeps this output between runs, so that pulled traces survive a stage that cannot run here.
    parts.prune(paths.traces(model), {paths.trace(model, *pair) for pair in done.traces})
    vocabulary.write(paths.vocabulary(model), done.vocabulary)
    write_json(paths.traces(model) / "manifest.json", done.manifest())
    yield done.summary()


if __name__ == "__main__":
    main()
