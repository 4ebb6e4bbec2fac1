"""Stage trace@<model>: corpora -> routing statistics of every sentence, language by language."""

import click

from polyroute.artifacts import corpus as corpora
from polyroute.ground import console
from polyroute.ground.files import write_json
from polyroute.ground.paths import Paths
from polyroute.params import file as params
from polyroute.params.models import RecordedModel
from polyroute.tracing import parts, study

KEYS = ("study.pivot", "study.seed", "languages", "tasks", "models.{model}", "trace")


@click.command(cls=console.Command)
@click.option("--model", required=True, help="Entry of `models` in params.yaml.")
@console.log_level_option
def main(model: str) -> None:
    """Trace a model over its corpora, or take up counts that were recorded elsewhere."""
    paths = Paths()
    given = params.load(paths.params).only(*KEYS, model=model)
    spec = given[f"models.{model}"]
    if isinstance(spec, RecordedModel):
        done = study.import_recorded(model, spec, params.study_languages(given, model), paths)
    else:
        texts = {
            (corpus, language): corpora.texts(paths.corpus(corpus), language)
            for corpus, languages in params.model_corpora(given, model).items()
            for language in languages
        }
        settings = study.settings(given["trace"], spec, given["study.seed"])
        done = study.trace_model(model, spec, texts, settings, paths)
    for (corpus, language), part in done.traces.items():
        parts.place(part, paths.trace(model, corpus, language))
    # DVC keeps this output between runs, so that pulled traces survive a stage that cannot run here.
    parts.prune(paths.traces(model), {paths.trace(model, *pair) for pair in done.traces})
    write_json(paths.traces(model) / "manifest.json", done.manifest())
    console.summary(f"trace@{model}", done.summary())


if __name__ == "__main__":
    main()
