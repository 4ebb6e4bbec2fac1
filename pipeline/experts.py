"""Stage experts@<model>: traces -> task and multilingual experts, their overlap, domain divergence, the middle."""

from collections.abc import Iterator
from typing import Any

from polyroute.artifacts.trace import Trace
from polyroute.experts import ExpertSet
from polyroute.experts.hinge import without_each
from polyroute.experts.multilingual import beside, older_experts
from polyroute.experts.settings import ExpertsSettings, OlderRule
from polyroute.experts.specialised import AgainstGeneric, Specialisation, largest, overlap, size
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
    by_language = {}

    def of_others() -> Iterator[Specialisation]:
        for language in others:
            one = against[pivot].of(Trace.load(paths.trace(model, corpus, language)))
            by_language[language] = one.delta_LE
            yield one

    any_language = largest(of_others())
    older = _older(settings, paths, against[pivot].generic, others)
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
        shape = depth = None
        texts = domains[own], against[own].generic
        if "pooled" in settings.domain_divergence:
            domain = domain_divergence(*texts, confidence=settings.intervals.confidence, seed=settings.seed)
            diverging.append(domain.table().assign(task=task))
            shape, depth = domain.shape(zones), domain.depth(zones)
        if "pairs" in settings.domain_divergence:
            paired.append(domain_pairs(*texts, settings.intervals.confidence).assign(task=task))
        sets: list[dict[str, Any]] = [
            row | without_each(found[own].delta_LE, by_language, row["tau"])
            for row in overlap(found[own], any_language, taus).to_dict("records")
        ]
        older_rules = [
            {"tau": tau} | row
            for tau in taus
            for row in beside(found[own].above(tau), older, against[own].generic.header.experts)
        ]
        tasks[task] = {
            "text": text, "sets": sets, "domain_shape": shape, "domain_depth": depth,
            "older_rules": older_rules,
        }  # fmt: skip
        counts = ", ".join(f"{size(found[own].above(tau))} above {tau:g}" for tau in taus)
        unshaped = "too few sentences" if "pooled" in settings.domain_divergence else "over pairs alone"
        yield f"{task}: {counts}; domain divergence: {shape or unshaped}"
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


def _older(settings: ExpertsSettings, paths: Paths, generic: Trace, others: list[str]) -> dict[OlderRule, ExpertSet]:
    """Multilingual experts by the older rules that are asked for; none where only counts were recorded."""
    about = settings.multilingual
    if generic.soft_mass is None or not about.beside:
        return {}
    traces = (Trace.load(paths.trace(settings.name, settings.generic, language)) for language in others)
    weights = dict.fromkeys(about.halved, 0.5)
    return older_experts(generic, traces, about.beside, weights=weights, layers=about.layers)


if __name__ == "__main__":
    main()
