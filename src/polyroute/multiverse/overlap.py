"""The claim that no expert is one of a task and a multilingual one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from polyroute.artifacts.trace import Trace
from polyroute.claims.asked import NAMES, Found
from polyroute.claims.estimates import CONFIDENCE, Estimate
from polyroute.claims.settings import Role
from polyroute.experts.multilingual import SDS, standardised
from polyroute.experts.specialised import Specialisation, overlap
from polyroute.ground.layers import LayerRange
from polyroute.measures.specialisation import check_comparable
from polyroute.multiverse.distances import weighted
from polyroute.multiverse.grid import Cell, Choice
from polyroute.multiverse.study import Study
from polyroute.results.claims import StandIn
from polyroute.results.quantities import DECIMALS
from polyroute.stats.bootstrap import Bootstrap
from polyroute.stats.resampled import own_seed

TAUS = ("0.3", "0.4", "0.5")
"""At 0.3 and more paper 1 finds no expert in both sets."""
OLDER = ("three_sd", "weighted_mean")
ROLES: tuple[Role, ...] = ("maths", "medical")


def choices(study: Study) -> list[Choice]:
    """p1.no_overlap; none where a task has no text of its own, or there are counts alone."""
    if not text_of_roles(study) or study.bootstrap is None:
        return []
    older = OLDER if "soft_mass" in study.first.readings else ()
    return [
        Choice("tau", TAUS), Choice("rule", ("any", *older)), study.averaging,
        Choice("expert_layers", ("all", "middle", "published")), study.languages,
    ]  # fmt: skip


def text_of_roles(study: Study) -> dict[Role, tuple[str, str]]:
    """What stands for mathematics and medicine -> the task and the text of its experts, where both have one."""
    texts: dict[Role, tuple[str, str]] = {}
    for role in ROLES:
        task = study.asked.task(role)
        of = study.settings.tasks.get(task or "")
        if task is not None and of is not None and of.text is not None:
            texts[role] = (task, of.text)
    return texts if len(texts) == len(ROLES) else {}


def no_overlap(study: Study, cell: Cell, found: Found) -> None:
    """p1.no_overlap: as `claims.experts.no_overlap`, from traces."""
    multilingual = study.once(("multilingual", cell["averaging"]), lambda: _multilingual(study, cell["averaging"]))
    for role, (task, text) in text_of_roles(study).items():
        if task != NAMES[role]:
            found.stand_in(StandIn(kind="task", used=task, meant=NAMES[role]))
        key = ("of_task", text, cell["averaging"])
        ours = study.once(key, _Frequencies.of, study, text, study.pivot, cell["averaging"])
        base = _base(study, cell["averaging"])
        sets = overlap(
            _rounded(ours.against(base)), multilingual[cell["rule"], cell["languages"]], [float(cell["tau"])],
            _layers(study, cell["expert_layers"]),
        ).iloc[0]  # fmt: skip
        bounds = (float(sets["both_low"]), float(sets["both_high"]))
        found.put(f"both.{role}", Estimate(float(sets["both"]), *bounds))
        found.put(f"expected.{role}", float(sets["expected"]))


def _layers(study: Study, level: str) -> LayerRange | None:
    match level:
        case "all":
            return None
        case "middle":
            experts = study.asked.results.experts
            assert experts is not None, "cells of this claim need the stage `experts`"
            return experts.summary.middle.layers
    numbers, inside = study.first.header.layers, study.places("published")["middle"]
    return numbers[inside[0]], numbers[inside[-1]]


@dataclass(frozen=True)
class _Frequencies:
    """Activation frequency and soft mass of a text, in all its sentences and in every resample of them."""

    trace: Trace
    mean_LE: NDArray[np.float64]
    draws_RLE: NDArray[np.float64]

    @classmethod
    def of(cls, study: Study, corpus: str, language: str, averaging: str, reading: str = "") -> _Frequencies:
        """Of a text; of the soft mass where a reading is named."""
        trace, about = study.trace(corpus, language), study.settings.intervals
        seed = own_seed(study.settings.seed, corpus)
        bootstrap = study.once(
            ("resamples", corpus), lambda: Bootstrap(len(trace.item_ids), about.resamples, about.confidence, seed)
        )
        of_N = np.ones(len(trace.tokens)) if averaging == "sequences" else trace.tokens.astype(np.float64)
        if reading:
            mass_NLE = trace.distributions(reading) if averaging == "sequences" else weighted(trace, reading)
        else:
            mass_NLE = trace.topk_count / (trace.tokens[:, None, None] if averaging == "sequences" else 1)
        mass_NM = mass_NLE.reshape(len(mass_NLE), -1)
        drawn_RM = (bootstrap.counts_RN @ mass_NM) / (bootstrap.counts_RN @ of_N)[:, None]
        shape = mass_NLE.shape[1:]
        return cls(trace, (mass_NM.sum(axis=0) / of_N.sum()).reshape(shape), drawn_RM.reshape(-1, *shape))

    def against(self, base: _Frequencies) -> Specialisation:
        """Delta against generic text."""
        check_comparable(self.trace, base.trace)
        about = self.trace.header
        return Specialisation(
            about.model, about.corpus, about.language, about.layers, self.mean_LE - base.mean_LE,
            self.draws_RLE - base.draws_RLE, CONFIDENCE,
        )  # fmt: skip


def _base(study: Study, averaging: str, reading: str = "") -> _Frequencies:
    generic = study.settings.generic
    return study.once(
        ("base", averaging, reading), lambda: _Frequencies.of(study, generic, study.pivot, averaging, reading)
    )


def _multilingual(study: Study, averaging: str) -> dict[tuple[str, str], Specialisation]:
    """Rule and set of languages -> Delta of multilingual experts; 1 and 0 of rules that do not go by tau."""
    found = {("any", level): one for level, one in _largest(study, averaging, older=False).items()}
    if "soft_mass" in study.first.readings:
        for level, one in _largest(study, averaging, older=True).items():
            found["three_sd", level] = one
        for level, one in _weighted(study, averaging).items():
            found["weighted_mean", level] = one
    return found


def _each(study: Study, averaging: str, reading: str) -> Iterator[tuple[str, Specialisation]]:
    base = _base(study, averaging, reading)
    for code in study.settings.languages[1:]:
        yield code, _Frequencies.of(study, study.settings.generic, code, averaging, reading).against(base)


def _largest(study: Study, averaging: str, *, older: bool) -> dict[str, Specialisation]:
    """Largest Delta over languages; or whether an expert exceeds 3 standard deviations of its layer in any."""
    so_far: dict[str, Specialisation] = {}
    for code, one in _each(study, averaging, "soft_mass" if older else ""):
        mine = _beyond(one) if older else _rounded(one)
        for level in study.languages.levels:
            if code not in study.among(level):
                continue
            held = so_far.get(level)
            so_far[level] = mine if held is None else _combined(held, mine)
    return so_far


def _weighted(study: Study, averaging: str) -> dict[str, Specialisation]:
    """Whether an expert exceeds 3 standard deviations of its layer in a weighted mean over languages."""
    sums: dict[str, tuple[Specialisation, NDArray[np.float64], NDArray[np.float64], float]] = {}
    for code, one in _each(study, averaging, "soft_mass"):
        weight = 0.5 if code in study.settings.halved else 1.0
        assert one.draws_RLE is not None, "sentences are resampled"
        for level in study.languages.levels:
            if code in study.among(level):
                _, mean_LE, draws_RLE, total = sums.get(level, (one, 0.0, 0.0, 0.0))
                sums[level] = (
                    one, mean_LE + weight * one.delta_LE, draws_RLE + weight * one.draws_RLE, total + weight
                )  # fmt: skip
    return {
        level: _beyond(replace(one, delta_LE=mean_LE / total, draws_RLE=draws_RLE / total))
        for level, (one, mean_LE, draws_RLE, total) in sums.items()
    }


def _combined(one: Specialisation, other: Specialisation) -> Specialisation:
    assert one.draws_RLE is not None, "sentences are resampled"
    assert other.draws_RLE is not None, "sentences are resampled"
    return replace(
        one,
        delta_LE=np.maximum(one.delta_LE, other.delta_LE),
        draws_RLE=np.maximum(one.draws_RLE, other.draws_RLE),
    )


def _beyond(one: Specialisation) -> Specialisation:
    """1 where a difference exceeds 3 standard deviations of its layer, else 0: above any tau or below all."""
    assert one.draws_RLE is not None, "sentences are resampled"
    return replace(
        one,
        delta_LE=(standardised(one.delta_LE) > SDS).astype(np.float64),
        draws_RLE=(standardised(one.draws_RLE) > SDS).astype(np.float64),
    )


def _rounded(one: Specialisation) -> Specialisation:
    """As `experts.specialised` rounds Delta before it is compared with tau."""
    assert one.draws_RLE is not None, "sentences are resampled"
    return replace(one, delta_LE=one.delta_LE.round(DECIMALS), draws_RLE=one.draws_RLE.round(DECIMALS))
