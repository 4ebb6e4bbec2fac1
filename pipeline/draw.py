"""Stage draw@<model>: text -> what random initialisations of the model's architecture do with it, layer by layer."""

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

from polyroute.artifacts import corpus as corpora
from polyroute.artifacts.draws import Draws
from polyroute.ground import console
from polyroute.ground.console import stage
from polyroute.ground.files import digest
from polyroute.ground.paths import Paths
from polyroute.measures.routing_summary import spread
from polyroute.models.settings import ModelSettings
from polyroute.tracing.settings import DrawSettings
from polyroute.workers.pool import workers
from polyroute.workers.settings import Engine


@stage(DrawSettings)
def main(settings: DrawSettings, paths: Paths) -> Iterator[str]:
    """Run random initialisations of a model's architecture over the text that it is ranked on."""
    if settings.model is None:
        found = Draws(corpus=settings.corpus, texts={}, items=[], not_run="recorded", draws=[])
        told = "no random initialisation: counts recorded elsewhere, there is no model here"
    else:
        found, told = _draw(settings, settings.model, paths)
    found.write(paths.draws(settings.name))
    yield told


def _draw(settings: DrawSettings, spec: ModelSettings, paths: Paths) -> tuple[Draws, str]:
    """Every draw by layer, on the texts as they are read here, and a line that tells of them."""
    # These import torch and transformers, which takes seconds.
    from polyroute.tracing.collect import TraceSettings
    from polyroute.tracing.draws import Material, read_random
    from polyroute.tracing.random_init import NoRandomModelError, RandomSettings

    console.imported()
    computed = 0
    name, corpus = settings.name, settings.corpus
    texts = {code: corpora.items(paths.corpus(name, corpus), code) for code in settings.languages}
    digests = {code: digest(dict(items)) for code, items in texts.items()}
    every = list(texts[settings.languages[0]])
    chosen = [every[place] for place in spread(len(every), settings.items)]
    texts = {code: {item: items[item] for item in chosen} for code, items in texts.items()}
    how = RandomSettings(
        draws=settings.draws, most_weights=settings.most_weights, nearest=settings.nearest, seed=settings.seed,
        layers=spec.layers,
        # Token pairs serve measures that are not read here, which are NaN without any.
        trace=TraceSettings(
            batch_tokens=spec.batch_tokens, max_tokens=spec.max_tokens, pairs=0,
            special_tokens=settings.special_tokens, seed=settings.seed, chat=settings.chat,
        ),
    )  # fmt: skip
    material, engine = Material.load(name, spec), Engine.of(paths)
    with ExitStack() as stack:
        pool = stack.enter_context(workers(engine, partial(Material.load, name, spec))) if engine.spread else None
        advance = stack.enter_context(console.progress(f"draw {name}", settings.draws, "draws"))

        def count(done: int) -> None:
            nonlocal computed
            computed += done
            advance(done)

        try:
            drawn = read_random(material, texts, how, paths.parts, advance=count, pool=pool)
        except NoRandomModelError as refused:
            return Draws(corpus=corpus, texts={}, items=[], not_run=refused.code, draws=[]), str(refused)
    kept = len(drawn) - computed
    told = f"{len(drawn)} random initialisations" + (f", {kept} were finished before" if kept else "")
    return Draws(corpus=corpus, texts=digests, items=chosen, not_run=None, draws=drawn), told


if __name__ == "__main__":
    main()
