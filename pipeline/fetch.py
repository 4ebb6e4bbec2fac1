"""Stage fetch@<model>: the text that a model reads, the tasks it is asked, and counts recorded elsewhere."""

from collections.abc import Iterator

from polyroute.artifacts import corpus as corpora
from polyroute.ground.console import stage
from polyroute.ground.hub import HubSource, mirror_folder
from polyroute.ground.paths import Paths
from polyroute.params.settings import FetchSettings
from polyroute.readers.fetch import fetch_corpus, fetch_task


@stage(FetchSettings)
def main(settings: FetchSettings, paths: Paths) -> Iterator[str]:
    """Read, check and write a model's corpora and tasks."""
    model, source = settings.name, HubSource(mirror_folder())
    # DVC wants its outputs to be there, also where a model has none of them.
    for folder in (paths.corpora(model), paths.questions(model), paths.keys(model)):
        folder.mkdir(parents=True, exist_ok=True)
    for name, corpus in settings.corpora.items():
        frame = fetch_corpus(name, corpus.entry, corpus.languages, source)
        corpora.write(frame, paths.corpus(model, name))
        yield f"{name}: {frame['item_id'].nunique()} items in {len(corpus.languages)} languages"
    for name, task in settings.tasks.items():
        questions, key = fetch_task(name, task.entry, task.languages, source)
        questions.write(paths.task_questions(model, name))
        key.write(paths.key(model, name))
        lacking = f"; it lacks {', '.join(task.lacking)}" if task.lacking else ""
        items = questions.frame["item_id"].nunique()
        yield f"task {name}: {items} items in {len(task.languages)} languages{lacking}"
    if (counts := settings.counts) is not None:
        recorded = counts.entry.counts(counts.corpus, counts.languages)
        recorded.write(paths.recorded_counts(model, counts.corpus))
        header = recorded.header
        yield (
            f"recorded counts of {header.model} in {len(counts.languages)} languages, from {header.source} "
            f"({header.licence})"
        )


if __name__ == "__main__":
    main()
