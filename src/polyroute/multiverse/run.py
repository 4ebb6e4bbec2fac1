"""A claim's verdict in every cell, by the claim's own conditions, and what its cells come to together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from polyroute.claims.asked import Found
from polyroute.claims.claim import Claim, Claims
from polyroute.claims.conditions import decide
from polyroute.multiverse import divergence, domains, entropy, exclusive, families, overlap
from polyroute.multiverse.elsewhere import elsewhere
from polyroute.multiverse.grid import Cell, Choice, MultiverseError, cells, in_one_unit, main_effects, neighbours
from polyroute.multiverse.study import Study
from polyroute.results.claims import Code, Missing
from polyroute.results.multiverse import ElsewhereName, MultiverseRow, Single
from polyroute.results.quantities import rounded

_ALL: tuple[ElsewhereName, ...] = ("generic_text", "chat", "counted", "languages", "checkpoint", "reading")


@dataclass(frozen=True)
class Recomputed:
    """How a claim is recomputed."""

    choices: Callable[[Study], list[Choice]]
    """That these data allow; none where they lack what the claim is of."""
    answer: Callable[[Study, Cell, Found], None]
    """Gives the claim's quantities in a cell."""
    elsewhere: tuple[ElsewhereName, ...] = _ALL
    """Open choices that take another run."""
    unit: str | None = None
    """The choice that the unit of the effect hangs on."""


RECOMPUTED: dict[str, Recomputed] = {
    "p1.u_shape": Recomputed(
        divergence.u_shape_choices, divergence.u_shape, (*_ALL, "first_tokens", "random_init"), unit="distance"
    ),
    "p1.domain_cap": Recomputed(
        domains.choices, domains.domain_cap, (*_ALL, "task_text", "medinstruct_input"), unit="distance"
    ),
    "p1.correlation": Recomputed(
        divergence.correlation_choices, divergence.divergence_and_accuracy, (*_ALL, "accuracy")
    ),
    "p1.entropy_by_depth": Recomputed(entropy.choices, entropy.by_depth, (*_ALL, "first_tokens")),
    "p1.no_overlap": Recomputed(overlap.choices, overlap.no_overlap, (*_ALL, "task_text", "medinstruct_input")),
    "p2.families": Recomputed(families.choices, families.families),
    "p2.high_share_low_exclusive": Recomputed(
        exclusive.choices, exclusive.share_and_exclusive, (*_ALL, "corpus")
    ),
}  # fmt: skip
"""Claim -> how; a family of claims is a module beside this one."""
_OF_ANSWERS = {"evaluate", "steer", "mask"}


@dataclass(frozen=True)
class _Answer:
    """One cell."""

    effect: float | None
    low: float | None
    high: float | None
    verdict: Code
    holding: int
    failing: int
    missing: dict[str, Missing]


def multiverse(study: Study, claims: Claims, board: Mapping[str, Code]) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Every claim that can be recomputed, in every cell.

    Args:
        study: a model's traces and results.
        claims: with their conditions.
        board: claim -> verdict on it alone, by the stage `claims`; of claims that it has.

    Returns:
        Rows of `results.multiverse.MultiverseRow`, and the content of `MultiverseSummary`.
    """
    tables, summaries, single = [], {}, {}
    for name, claim in claims.by_id.items():
        choices = RECOMPUTED[name].choices(study) if name in RECOMPUTED else []
        if not choices:
            single[name] = _why_single(claim)
            continue
        table, summaries[name] = of_claim(study, claim, board.get(name))
        tables.append(table)
    rows = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=MultiverseRow.columns())
    return rows, {"model": study.asked.results.model, "claims": summaries, "single": single}


def of_claim(study: Study, claim: Claim, board: Code | None) -> tuple[pd.DataFrame, dict[str, Any]]:
    """One claim in every cell.

    Args:
        study: a model's traces and results.
        claim: with its conditions.
        board: its verdict alone by the stage `claims`; None where that has not run.

    Returns:
        As `multiverse`, of the one claim.

    Raises:
        MultiverseError: the claim is not recomputed, or these data lack what it is of.
    """
    how = RECOMPUTED.get(claim.id)
    choices = [] if how is None else how.choices(study)
    if how is None or not choices:
        raise MultiverseError(
            f"{claim.id} has no multiverse on {study.asked.results.model}: `polyroute multiverse` says why, claim by "
            "claim"
        )
    found = list(cells(choices))
    answers = [_answer(study, claim, how, cell) for cell in found]
    return _rows(claim, found, answers), _summary(study, how, choices, found, answers, board)


def _answer(study: Study, claim: Claim, how: Recomputed, cell: Cell) -> _Answer:
    model = study.asked.results.model
    found = Found(claim)
    found.values |= claim.thresholds(model)
    how.answer(study, cell, found)
    values = {name: rounded(value) for name, value in found.values.items()}
    held = [condition.holds(values) for condition in claim.replicates]
    lacking = sorted({claim.quantity_of(symbol) for symbol in claim.symbols if symbol not in values})
    return _Answer(
        values.get(f"{claim.effect}.value", values.get(claim.effect)),
        values.get(f"{claim.effect}.low"), values.get(f"{claim.effect}.high"),
        decide(claim.replicates, claim.refutes, values), held.count(True), held.count(False),
        {quantity: found.missing.get(quantity) or _missing(study, claim, quantity) for quantity in lacking},
    )  # fmt: skip


def _missing(study: Study, claim: Claim, quantity: str) -> Missing:
    """Why a quantity is unknown where its cell does not say."""
    if quantity in claim.needs.new:
        return Missing(kind="new", what=claim.needs.new[quantity])
    if study.asked.alignment.lacking:
        return Missing(kind="few", what="sentences and router logits, which recorded counts do not hold")
    return Missing(kind="few", what="languages, sentences or items")


def _rows(claim: Claim, found: list[dict[str, str]], answers: list[_Answer]) -> pd.DataFrame:
    rows: list[dict[str, Any]] = [
        dict.fromkeys(MultiverseRow.columns(), "") | dict(cell) | {
            "claim": claim.id, "cell": number, "effect": one.effect, "low": one.low, "high": one.high,
            "verdict": one.verdict, "holding": one.holding, "failing": one.failing, "unknown": " ".join(one.missing),
        }
        for number, (cell, one) in enumerate(zip(found, answers, strict=True))
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=MultiverseRow.columns())
    return table.astype(dict.fromkeys(("effect", "low", "high"), "float64"))


def _summary(
    study: Study, how: Recomputed, choices: list[Choice], found: list[dict[str, str]],
    answers: list[_Answer], board: Code | None,
) -> dict[str, Any]:  # fmt: skip
    effects = [one.effect for one in answers]
    own = answers[0]
    in_unit = [
        one.effect for cell, one in zip(found, answers, strict=True)
        if one.effect is not None and (how.unit is None or cell[how.unit] == found[0][how.unit])
    ]  # fmt: skip
    moved = main_effects(choices, found, in_one_unit(found, effects, how.unit))
    conditions = main_effects(choices, found, [float(one.holding) for one in answers])
    place = {tuple(cell.items()): number for number, cell in enumerate(found)}
    flips = [
        {"choice": choice, "level": level, "verdict": verdict}
        for choice, level, cell in neighbours(choices)
        if (verdict := answers[place[tuple(cell.items())]].verdict) != own.verdict
    ]
    known = [effect for effect in effects if effect is not None]
    verdicts = Counter(one.verdict for one in answers)
    held = sum(one.failing == 0 and one.holding > 0 for one in answers)
    return {
        "cells": len(found),
        "verdicts": dict(sorted(verdicts.items())),
        "replicated": _share(verdicts["replicated"], len(found)),
        "all_known_hold": _share(held, len(found)),
        "same_sign": _same_sign(own.effect, known),
        "effect": own.effect,
        "lowest": min(in_unit, default=None),
        "highest": max(in_unit, default=None),
        "in_unit": len(in_unit),
        "board": board,
        "base": own.verdict,
        "choices": sorted(
            (
                {
                    "choice": choice.name, "levels": list(choice.levels),
                    "effect": _rounded(moved.get(choice.name)), "holding": _rounded(conditions.get(choice.name)),
                }
                for choice in choices
            ),
            key=lambda one: -(one["effect"] or 0.0),
        ),
        "flips": flips,
        "unknown": {name: one.model_dump() for name, one in _unknown(answers)},
        "elsewhere": elsewhere(study, how.elsewhere),
    }  # fmt: skip


def _unknown(answers: Iterable[_Answer]) -> list[tuple[str, Missing]]:
    """Quantities that some cell lacks, each with the first reason."""
    found: dict[str, Missing] = {}
    for one in answers:
        for name, why in one.missing.items():
            found.setdefault(name, why)
    return sorted(found.items())


def _why_single(claim: Claim) -> Single:
    if claim.id in RECOMPUTED:
        return "no_data"
    return "needs_answers" if _OF_ANSWERS & set(claim.needs.stages) else "not_recomputed"


def _same_sign(own: float | None, known: list[float]) -> float | None:
    if own is None or own == 0 or not known:
        return None
    return _share(sum(effect * own > 0 for effect in known), len(known))


def _share(some: int, of: int) -> float:
    return rounded(some / of)


def _rounded(value: float | None) -> float | None:
    return None if value is None else rounded(value)
