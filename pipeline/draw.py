"""Stage draw@<model>: text -> what random initialisations of the model's architecture do with it, layer by layer."""

from collections.abc import Iterator

from polyroute.artifacts import corpus as corpora
from polyroute.artifacts.draws import Draws
from polyroute.ground import console
from polyroute.ground.console import stage
from polyroute.ground.device import usable
from polyroute.ground.files import digest
from polyroute.ground.paths import Paths
from polyroute.measures.routing_summary import spread
from polyroute.models.settings import ModelSettings
from polyroute.models.source import locate_settled
from polyroute.models.without_weights import load_config, load_tokenizer
from polyroute.tracing.collect import TraceSettings
from polyroute.tracing.random_init import NoRandomModelError, RandomSettings, read_random
from polyroute.tracing.settings import DrawSettings


@stage(DrawSettings)
def main(settings: DrawSettings, paths: Paths) -> Iterator[str]:
    """Run random initialisations of a model's architecture over the text that it is ranked on."""
    computed: list[int] = []
    if settings.model is None:
        found = Draws(corpus=settings.corpus, texts={}, items=[], not_run="recorded", draws=[])
        told = "no random initialisation: counts recorded elsewhere, there is no model here"
    else:
        try:
            found = _draw(settings, settings.model, paths, computed)
            kept = len(found.draws) - len(computed)
            told = f"{len(found.draws)} random initialisations" + (f", {kept} were finished before" if kept else "")
        except NoRandomModelError as refused:
            found = Draws(corpus=settings.corpus, texts={}, items=[], not_run=refused.code, draws=[])
            told = str(refused)
    found.write(paths.draws(settings.name))
    yield told


def _draw(settings: DrawSettings, spec: ModelSettings, paths: Paths, computed: list[int]) -> Draws:
    """Every draw by layer, on the texts as they are read here."""
    name, corpus = settings.name, settings.corpus
    texts = {code: corpora.items(paths.corpus(name, corpus), code) for code in settings.languages}
    digests = {code: digest(dict(items)) for code, items in texts.items()}
    every = list(texts[settings.languages[0]])
    chosen = [every[place] for place in spread(len(every), settings.items)]
    texts = {code: {item: items[item] for item in chosen} for code, items in texts.items()}
    source = locate_settled(name, spec)
    how = RandomSettings(
        draws=settings.draws, most_weights=settings.most_weights, nearest=settings.nearest, seed=settings.seed,
        layers=spec.layers, device=usable(spec.device, f"models.{name}.device"),
        # Token pairs serve measures that are not read here.
        trace=TraceSettings(
            batch_tokens=spec.batch_tokens, max_tokens=spec.max_tokens, pairs=1,
            special_tokens=settings.special_tokens, seed=settings.seed, chat=settings.chat,
        ),
    )  # fmt: skip
    config, tokenizer = load_config(name, spec, source), load_tokenizer(name, spec, source)
    with console.progress(f"draw {name}", settings.draws, "draws") as advance:

        def on_draw(draw: int) -> None:
            computed.append(draw)
            advance(1)

        drawn = read_random(name, config, tokenizer, texts, how, paths.parts, on_draw=on_draw)
    return Draws(corpus=corpus, texts=digests, items=chosen, not_run=None, draws=drawn)


if __name__ == "__main__":
    main()
