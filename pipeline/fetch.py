"""Stage fetch: the text that the study's models read, the tasks they are asked, and counts recorded elsewhere."""

import click

from polyroute.artifacts import corpus as corpora
from polyroute.asking.needed import study_tasks
from polyroute.ground import console
from polyroute.ground.hub import HubSource, mirror_folder
from polyroute.ground.paths import Paths
from polyroute.params import file as params
from polyroute.params.models import RecordedModel
from polyroute.readers.fetch import fetch_corpus, fetch_task

KEYS = ("study.models", "study.pivot", "languages", "corpora", "tasks", "models")


@click.command(cls=console.Command)
@console.log_level_option
def main() -> None:
    """Read, check and write the corpora and tasks of every model of the study."""
    paths = Paths()
    given = params.load(paths.params).only(*KEYS)
    source = HubSource(mirror_folder())
    asked = study_tasks(given)
    for corpus, languages in params.study_corpora(given).items():
        frame = fetch_corpus(corpus, given[f"corpora.{corpus}"], languages, source)
        corpora.write(frame, paths.corpus(corpus))
        console.summary("fetch", f"{corpus}: {frame['item_id'].nunique()} items in {len(languages)} languages")
    # DVC wants its output to be there, also where no model has a task.
    paths.tasks.mkdir(parents=True, exist_ok=True)
    for task, needed in asked.items():
        questions, key = fetch_task(task, given[f"tasks.{task}"], needed.languages, source)
        questions.write(paths.questions(task))
        key.write(paths.key(task))
        lacking = f"; it lacks {', '.join(needed.lacking)}" if needed.lacking else ""
        items = questions.frame["item_id"].nunique()
        console.summary("fetch", f"task {task}: {items} items in {len(needed.languages)} languages{lacking}")
    for model in given["study.models"]:
        spec = given[f"models.{model}"]
        if isinstance(spec, RecordedModel):
            languages = params.study_languages(given, model)
            for corpus in spec.corpora:
                for language in languages:
                    spec.fetch(language, source, paths.recorded_counts(model, corpus, language))
            console.summary("fetch", f"{model}: recorded counts in {len(languages)} languages")


if __name__ == "__main__":
    main()
