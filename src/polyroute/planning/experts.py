"""Which experts a task calls on, and in which layers they are moved: what the stages `trace` and `experts` find."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from polyroute.experts.specialised import AgainstGeneric, experts_above
from polyroute.ground.files import digest
from polyroute.interventions.plans import Conditions, Target
from polyroute.languages.table import ENGLISH
from polyroute.measures.divergence import routing_divergence
from polyroute.measures.middle import choose_middle
from polyroute.planning.given import Given, PlanningError
from polyroute.results.quantities import Middle
from polyroute.tracing.collect import TraceSettings, collect, make_header

if TYPE_CHECKING:
    from collections.abc import Mapping

    from polyroute.artifacts.trace import Trace
    from polyroute.artifacts.turns import Item

_GENERIC, _TEXT = "generic", "task"


def found(given: Given) -> tuple[Conditions, Middle]:
    """What makes the conditions of the task, and the layers that are steered.

    Raises:
        TraceError: a text cannot be read by the model.
        PlanningError: the generic text is not parallel.
    """
    generic = {language: _traced(given, _GENERIC, language, items) for language, items in given.generic.items()}
    text = _traced(given, _TEXT, ENGLISH, given.text)
    middle = _middle(given, generic)
    # No resamples: experts are told by Delta alone, and nothing here asks how surely.
    table = AgainstGeneric(generic[ENGLISH], resamples=1, confidence=0.5, seed=given.seed).of(text).table()
    about = text.header
    target = Target(given.name, about.model_digest or None, given.task, tuple(about.layers), about.experts, about.top_k)
    conditions = Conditions(
        target, given.grid, task_experts=partial(experts_above, table), middle=middle.layers, seed=given.seed
    )
    return conditions, middle


def _middle(given: Given, generic: Mapping[str, Trace]) -> Middle:
    if given.middle is not None:
        return Middle(layers=given.middle, has_trough=False, rule="params", curve=None)
    pivot = generic[given.pivot]
    others = {language: trace for language, trace in generic.items() if language != given.pivot}
    if not others:
        raise PlanningError(
            "the middle layers are told from generic text in another language, and there is none: give its translation "
            "in the language that the plan is for, or name the layers with --layers"
        )
    for language, trace in others.items():
        if trace.item_ids != pivot.item_ids:
            raise PlanningError(f"generic text in {language} is not parallel to that in {given.pivot}: other items")
    mass_NLE = pivot.distributions("soft_mass")
    curves_VL = np.stack(
        [routing_divergence(mass_NLE, trace.distributions("soft_mass")).mean(axis=0) for trace in others.values()]
    )
    return choose_middle(curves_VL, pivot.header.layers, given.default_middle)


def _traced(given: Given, corpus: str, language: str, items: Mapping[str, Item]) -> Trace:
    loaded, settings = given.loaded, given.tracing or TraceSettings(pairs=1, seed=given.seed)
    header = make_header(
        loaded.model, loaded.routers, settings, name=given.name, model_digest=loaded.digest, corpus=corpus,
        corpus_digest=digest(dict(items)), language=language, tokenizer=loaded.tokenizer,
    )  # fmt: skip
    return collect(loaded.model, loaded.tokenizer, items, loaded.routers, header, settings)
