"""Sections of the report: by question, the figures of each model that bear on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from polyroute.report import words
from polyroute.report.claims import missing
from polyroute.report.page import (
    board,
    choices,
    correlation,
    curves,
    effects,
    experts,
    families,
    heatmap,
    items,
    masks,
    method,
    provenance,
    recorded,
    specification,
    steering,
    tasks,
)
from polyroute.report.page.figure import Figure
from polyroute.report.page.html import Markup, joined, tag
from polyroute.report.page.study import Study
from polyroute.report.topics import Topic, by_topic
from polyroute.results.model import ModelResults


@dataclass
class Pages:
    """Sections as they are put together, and the figures that they hold."""

    study: Study
    commit: str | None = None
    """That the page is made at, where it is to say so."""
    figures: dict[str, Figure] = field(default_factory=dict)
    """Anchor -> figure."""

    def place(self, one: Figure, model: str | None) -> Markup:
        """A figure's place in the page; the script draws it when it comes into view."""
        anchor = one.name if model is None else f"{model}--{one.name}"
        assert anchor not in self.figures, f"two figures are called {anchor}"
        self.figures[anchor] = one
        return tag(
            "figure",
            tag("figcaption", tag("h4", one.title), *(tag("p", note) for note in one.notes)),
            tag("div", class_="canvas", role="img", aria_label=one.title),
            tag("div", class_="chips") if one.chips else "",
            tag("div", *(tag("button", kind, type="button", data_save=kind.lower(), title=f"Save as {kind}")
                         for kind in ("SVG", "PNG", "CSV")), class_="tools"),
            id=f"figure-{anchor}", data_figure=anchor, class_="half" if one.half else None,
        )  # fmt: skip

    def grid(self, figures: Iterable[Figure], model: str | None) -> Markup:
        """Figures one after another, narrow ones side by side."""
        places = [self.place(one, model) for one in figures]
        return tag("div", *places, class_="grid") if places else joined([])

    def sections(self) -> Markup:
        """All of them."""
        topics = by_topic(self.study.claims.by_id)
        parts = [self._of_topic(topic, ids) for topic, ids in topics.items()]
        return joined([*parts, self._choices(), self._method(), self._provenance()])

    def _of_topic(self, topic: Topic, ids: Sequence[str]) -> Markup:
        # Of the first claim that has an effect in several models.
        common = [one for claim in ids if (one := effects.of_claim(self.study, claim)) is not None][:1]
        if topic.name == "families" and (related := recorded.of_families(self.study)) is not None:
            common.append(related)
        by_model = [self._of_model(topic, ids, model, found) for model, found in self.study.models.items()]
        return tag(
            "section",
            tag("h2", topic.question), *([board.in_a_sentence(self.study, ids[0])] if ids else []),
            tag("p", topic.learnt), *([board.of_topic(self.study, ids)] if ids else []),
            *by_model, *([tag("h3", "All models"), self.grid(common, None)] if common else []),
            id=topic.name,
        )  # fmt: skip

    def _of_model(self, topic: Topic, ids: Sequence[str], model: str, found: ModelResults) -> Markup:
        figures = list(_figures(self.study, topic.name, model, found))
        more = [items.shown(self.study, found)] if topic.name == "steering" else []
        if topic.name in ("steering", "shared"):
            more += [tag("p", said, class_="absent") for said in steering.not_run(found, shared=topic.name == "shared")]
        body = [self.grid(figures, model), *more] if figures or any(more) else [self._absent(ids, model, found)]
        return _of(model, self.study, *body)

    def _absent(self, ids: Sequence[str], model: str, found: ModelResults) -> Markup:
        """Why a model has no figure here."""
        verdicts = self.study.verdicts.get(model)
        reasons = dict.fromkeys(
            missing(why)
            for claim in ids
            if verdicts is not None and claim in verdicts.claims
            for why in verdicts.claims[claim].missing.values()
        )
        lacking = dict.fromkeys(words.LACKING[one] for held in found.alignment.corpora.values() for one in held.lacking)
        said = "; ".join([*(f"its counts lack {one}" for one in lacking), *reasons][:4])
        return tag("p", f"No figure of {self.study.title(model)} here{f': {said}' if said else ''}.", class_="absent")

    def _choices(self) -> Markup:
        parts = []
        for model in self.study.models:
            summary = self.study.multiverses.get(model)
            if summary is None or not summary.claims:
                body = [tag("p", f"No claim of {self.study.title(model)} was recomputed over open choices.",
                            class_="absent")]  # fmt: skip
            else:
                shown = list(choices.figures(summary))
                if model in self.study.cells:
                    shown += specification.figures(summary, self.study.cells[model], self.study.claims)
                body = [self.grid(shown, model), choices.flips(summary)]
            parts.append(_of(model, self.study, *body))
        return tag(
            "section", tag("h2", "How far do open choices move the answer?"),
            tag("p", "The papers leave choices open: what of a router is read, how it is averaged, which layers are "
                "the middle. Every claim that traces allow to recompute is asked again under all combinations."),
            tag("p", "A claim's curve orders all combinations by effect; grey: its intervals; ringed: the study's own. "
                "The rows below show where each level of a choice lies on the curve: one that moves the answer has its "
                "levels at different ends. In percent, the variance of the effect that the choice explains."),
            *parts, id="choices",
        )  # fmt: skip

    def _method(self) -> Markup:
        return tag("section", tag("h2", "Method"), method.method(self.study), id="method")

    def _provenance(self) -> Markup:
        return tag("section", tag("h2", "Provenance"), provenance.provenance(self.study, self.commit),
                   id="provenance")  # fmt: skip


def _of(model: str, study: Study, *body: str) -> Markup:
    """What the page shows when a model is chosen."""
    return tag("div", tag("h3", study.title(model), class_=study.about(model).kind), *body, class_="of-model",
               data_model=model)  # fmt: skip


def _figures(study: Study, topic: str, model: str, found: ModelResults) -> Iterator[Figure]:
    corpora = list(found.alignment.corpora)
    measures: Mapping[str, tuple[str, ...]] = {
        "depth": ("divergence",), "alignment": ("alignment",), "entropy": ("entropy", "consistency"),
    }  # fmt: skip
    for corpus in corpora if topic in measures else ():
        for name in measures[topic]:
            if (one := curves.of_measure(found, corpus, name)) is not None:
                yield one
        if topic == "depth" and (heat := heatmap.of_divergence(found, corpus)) is not None:
            yield heat
    match topic:
        case "depth":
            if (domains := tasks.of_domains(found)) is not None:
                yield domains
        case "accuracy":
            yield from correlation.figures(found)
        case "families":
            yield from families.figures(found)
        case "experts":
            yield from experts.figures(found)
        case "tasks":
            yield from tasks.figures(found, study.paths.metrics(model))
        case "steering":
            yield from steering.of_tasks(found)
        case "shared":
            yield from steering.of_shared(found)
        case "masks":
            yield from masks.figures(found)
