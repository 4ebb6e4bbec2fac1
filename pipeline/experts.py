"""Stage experts@<model>: traces -> task and multilingual experts, their overlap, domain divergence, the middle."""

from collections.abc import Iterator
from typing import Any

from polyroute.artifacts.trace import Trace
from polyroute.experts.settings import ExpertsSettings
from polyroute.experts.specialised import AgainstGeneric, overlap, size
from polyroute.ground.console import stage
from polyroute.ground.layers import Zones
from polyroute.ground.paths import Paths
from polyroute.measures.domain_divergence import domain_divergence
from polyroute.measures.domain_pairs import domain_pairs
from polyroute.measures.middle import choose_middle
from polyroute.results.alignment import AlignmentSummary, LayerRow, divergence
from polyroute.results.domain_pairs import DomainPairRow
from polyroute.results.experts import DomainRow, ExpertRow, ExpertsMetrics, ExpertsSummary, MemberRow
from polyroute.results.quantities import Middle


@stage(ExpertsSettings)
def main(settings: ExpertsSettings, paths: Paths) -> Iterator[str]:
    """Find the experts of tasks and of languages, and the middle of the model."""
    model, taus, corpus = settings.name, settings.taus, settings.generic
    drawing = {**settings.intervals.model_dump(), "seed": settings.seed}
    pivot, *others = settings.languages
    folder = paths.metrics(model)
    aligned = AlignmentSummary.read(folder).corpora[corpus]
    zones = Zones(**aligned.zones.model_dump())
    curves = divergence(LayerRow.read(folder), corpus, aligned.reading).loc[others]
    middle = choose_middle(curves.to_numpy(), list(curves.columns), zones.middle)
    if settings.middle is not None:
        middle = Middle(layers=settings.middle, has_trough=False, rule="params", curve=None)
    against = {pivot: AgainstGeneric(Trace.load(paths.trace(model, corpus, pivot)), **drawing)}
    any_language = against[pivot].of_any(Trace.load(paths.trace(model, corpus, language)) for language in others)
    deltas, members = [any_language.table().assign(task="")], [any_language.membership(taus).assign(task="")]
    diverging, tasks = [], {}
    paired = []
    for task, of in settings.tasks.items():
        text = of.text
        if text is None:
            yield f"{task}: has no in-task text, so it has no experts"
            continue
        own, *_ = languages = of.languages
        for language in languages:
            if language not in against:
                against[language] = AgainstGeneric(Trace.load(paths.trace(model, corpus, language)), **drawing)
        domains = {language: Trace.load(paths.trace(model, text, language)) for language in languages}
        found = {language: against[language].of(domains[language]) for language in languages}
        deltas += [one.table().assign(task=task) for one in found.values()]
        members += [one.membership(taus).assign(task=task) for one in found.values()]
        domain = domain_divergence(domains[own], against[own].generic, **drawing)
        diverging.append(domain.table().assign(task=task))
        pairs = domain_pairs(domains[own], against[own].generic, settings.intervals.confidence)
        paired.append(pairs.assign(task=task))
        sets: list[dict[str, Any]] = overlap(found[own], any_language, taus).to_dict("records")
        tasks[task] = {"text": text, "sets": sets, "domain_shape": domain.shape(zones)}
        counts = ", ".join(f"{size(found[own].above(tau))} above {tau:g}" for tau in taus)
        yield f"{task}: {counts}; domain divergence: {tasks[task]['domain_shape']}"
    ExpertRow.write(folder, deltas)
    MemberRow.write(folder, members)
    DomainRow.write(folder, diverging)
    DomainPairRow.write(folder, paired)
    ExpertsSummary.write(
        folder,
        {"corpus": corpus, "tasks": tasks, "middle": middle.model_dump(mode="json")},
    )
    ExpertsMetrics.write(folder, ExpertsMetrics.of(folder))
    yield f"middle: layers {middle.layers[0]} to {middle.layers[1]} ({middle.rule.replace('_', ' ')})"


if __name__ == "__main__":
    main()
