"""What tasks of a model that never was would have shown: files as the stages `experts` to `steer` write them.

Smooth curves with a little made-up noise, the same in every run. Accuracy falls with rank, so that divergence, which
rises with it, correlates negatively; steering helps by `effect`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from polyroute.ground.paths import Paths
from polyroute.results.accuracy import AccuracyRow, AccuracySummary
from polyroute.results.correlation import CorrelationRow, CorrelationSummary
from polyroute.results.experts import DomainRow, ExpertRow, ExpertsSummary, MemberRow
from polyroute.results.steering import HELPED, MechanismRow, SteeringSummary, SteerRow, TurnedRow
from polyroute.results.table import Row
from polyroute.steering.plan import Plan

PIVOT = "eng_Latn"
TASKS = ("arithmetic", "knowledge")
DOSES = (-0.5, 0.25, 0.5, 0.75, 1.0)
SHARED = (("eng_Latn", 0.03, 0.1), ("eng_Latn", 0.3, 0.4), ("other", 0.03, -0.1), ("other", 0.3, -0.8))
"""Source, strength and share of the effect of steering toward shared experts."""
LEFT_OUT = "no expert above tau 0.1 in layers 7 to 7"

CURVE = {
    "languages": 3, "smallest": 0.1, "smallest_layer": 2, "ends": 0.3, "threshold": 0.2, "layers_below": [1, 6],
    "languages_agreeing": 3,
}  # fmt: skip


def write(
    paths: Paths, model: str, codes: list[str], layers: int, *, tasks: tuple[str, ...] = TASKS, effect: float = 0.021,
    rule: str = "soft", sign: float = -1.0, notes: tuple[str, ...] = (), not_run: str | None = None, draws: int = 3,
) -> None:  # fmt: skip
    """Write everything that the stages after `align` write.

    Args:
        paths: below which.
        model: its name.
        codes: FLORES codes besides English, best first.
        layers: how many there are.
        tasks: names.
        effect: what the chosen plan adds to accuracy.
        rule: of the chosen plan.
        sign: of the correlation in the middle.
        notes: why there is no correlation, which then is NaN.
        not_run: why nothing was steered; of every task.
        draws: random control sets.
    """
    write_accuracy(paths, model, codes, tasks)
    write_experts(paths, model, layers, tasks)
    write_correlation(paths, model, codes, layers, tasks, sign=sign, notes=notes)
    write_steering(paths, model, codes, tasks, effect=effect, rule=rule, not_run=not_run, draws=draws)


def write_nothing(paths: Paths, model: str) -> None:
    """The files of a model without tasks: tables of a header alone."""
    write(paths, model, [], 2, tasks=())


def write_accuracy(paths: Paths, model: str, codes: list[str], tasks: tuple[str, ...]) -> None:
    rows: list[dict[str, Any]] = []
    short = {}
    for place, task in enumerate(tasks):
        accuracy = accuracies(codes, place)
        for code, value in accuracy.items():
            low, high = max(value - 0.08, 0), min(value + 0.08, 1)
            shares = {"accuracy_by_token": value, "accuracy_by_character": value, "tied": 0.0}
            rows.append(
                {"task": task, "language": code, "items": 100, "accuracy": value, "low": low, "high": high} | shares
            )
        others = [accuracy[code] for code in codes]
        short[task] = {
            "kind": "choice", "chance": 0.1 + 0.15 * place, "uniform": 0.1, "pivot": accuracy[PIVOT],
            "others": float(np.mean(others)), "stated": None, "transfer": None,
        }  # fmt: skip
    _write(AccuracyRow, paths, model, rows)
    AccuracySummary.write(paths.metrics(model), {"tasks": short})


def accuracies(codes: list[str], place: int = 0) -> dict[str, float]:
    """Accuracy by language, English first."""
    falling = np.linspace(0.9 - 0.1 * place, 0.2, len(codes)) if codes else []
    return {PIVOT: 1.0 - 0.02 * place} | {
        code: round(float(value), 4) for code, value in zip(codes, falling, strict=True)
    }


DOMAIN_DEPTH = {
    "sentences": 60, "early_minus_middle": {"value": -0.08, "low": -0.1, "high": -0.06},
    "late_minus_middle": {"value": -0.07, "low": -0.09, "high": -0.05}, "floor_early_minus_middle": 0.001,
    "floor_late_minus_middle": -0.001,
}  # fmt: skip
"""What stands under a cap."""


def write_experts(paths: Paths, model: str, layers: int, tasks: tuple[str, ...]) -> None:
    depth = np.linspace(-1, 1, layers)
    rows, held = [], {}
    for place, task in enumerate(tasks):
        for layer, value in enumerate((0.12 + 0.05 * place) * (1.4 - depth**2)):
            about = {"model": model, "corpus": f"pocket-{task}", "language": PIVOT, "layer": layer, "task": task}
            numbers = {"value": value, "low": value - 0.01, "high": value + 0.012, "plug_in": value + 0.003}
            rows.append(about | {"reading": "soft_mass"} | numbers)
        sets = [
            {
                "tau": tau, "task": 40 // n, "task_low": 38 // n, "task_high": 44 // n, "multilingual": 60 // n**2,
                "multilingual_low": 55 // n**2, "multilingual_high": 66 // n**2, "both": 9 // n**3, "both_low": 0,
                "both_high": 12, "expected": 9.4 / n**3, "share_of_resamples": 1 / n,
            }
            for n, tau in enumerate((0.1, 0.2, 0.3, 0.4, 0.5), 1)
        ]  # fmt: skip
        held[task] = {"text": f"pocket-{task}", "sets": sets, "domain_shape": "cap", "domain_depth": DOMAIN_DEPTH}
    _write(DomainRow, paths, model, rows)
    _write(ExpertRow, paths, model, [])
    _write(MemberRow, paths, model, [])
    middle = {"layers": [1, layers - 2], "has_trough": True, "rule": "trough", "curve": CURVE}
    ExpertsSummary.write(paths.metrics(model), {"corpus": "text", "tasks": held, "middle": middle})


def write_correlation(
    paths: Paths, model: str, codes: list[str], layers: int, tasks: tuple[str, ...], *, sign: float,
    notes: tuple[str, ...],
) -> None:  # fmt: skip
    languages = len(codes)
    depth = np.linspace(-1, 1, layers)
    strength = {("pearson", ""): 0.85, ("spearman", ""): 0.78}
    strength |= {("pearson", name): share for name, share in
                 (("tokens_per_sentence", 0.3), ("script", np.nan), ("resource", 0.4), ("all", np.nan))}  # fmt: skip
    rows = []
    for place, task in enumerate(tasks):
        for (method, controlled_for), share in strength.items():
            values = sign * share * (1 - 0.1 * place) * (1 - 1.2 * depth**2) + 0.03 * np.sin(9 * depth)
            values = values * np.nan if notes else values
            for layer, r in enumerate(values):
                low, high = (np.nan if controlled_for else np.tanh(np.arctanh(r) + add) for add in (-0.5, 0.5))
                p = float(np.exp(-9 * r**2))
                numbers = {"r": r, "low": low, "high": high, "p": p, "q": min(1.5 * p, 1)}
                about = {"task": task, "layer": layer, "method": method, "controlled_for": controlled_for}
                rows.append(about | numbers | {"languages": languages})
    _write(CorrelationRow, paths, model, rows)
    held = {task: _held(codes, place, sign, notes) for place, task in enumerate(tasks)}
    CorrelationSummary.write(paths.metrics(model), {"corpus": "text", "resource": "class", "tasks": held})


def _held(codes: list[str], place: int, sign: float, notes: tuple[str, ...]) -> dict[str, Any]:
    """One task of correlation.json; the second task's zone is given the first's less a tenth."""
    known = not notes and bool(codes)
    r = round(sign * 0.86 * (1 - 0.1 * place), 4)
    zone = {"r": r, "low": min(r - 0.1, r), "high": r + 0.2, "p": 0.002, "rho": 0.9 * r, "rho_p": 0.004}
    unknown = dict.fromkeys(zone)
    given = {name: {"r": share * sign if known else None, "p": 0.5 if known else None}
             for name, share in (("tokens_per_sentence", 0.32), ("resource", 0.42))}  # fmt: skip
    outer = {"r": 0.1, "low": -0.5, "high": 0.6, "p": 0.7, "rho": 0.1, "rho_p": 0.7}
    code = ("negative" if r < 0 else "positive") if known else None
    accuracy = accuracies(codes, place)
    return {
        "verdict": code,
        "detectable_r": 0.916 if known else None,
        "by_family": {"families": 4} | (
            {"low": -0.97, "high": 0.1, "verdict": "not_distinguishable", "agrees": False} if known and place
            else {"low": zone["low"], "high": zone["high"], "verdict": code, "agrees": True} if known
            else dict.fromkeys(("low", "high", "verdict", "agrees"))
        ),
        "zones": {
            "early": (outer if known else unknown) | {"given": {}},
            "middle": (zone if known else unknown) | {"given": given},
            "late": (outer if known else unknown) | {"given": {}},
        },
        "points": {
            code: {"divergence": round(0.1 + 0.02 * rank, 4), "accuracy": accuracy[code]}
            for rank, code in enumerate(codes)
        },
        "notes": list(notes),
    }  # fmt: skip


def write_steering(
    paths: Paths, model: str, codes: list[str], tasks: tuple[str, ...], *, effect: float, rule: str,
    not_run: str | None, draws: int,
) -> None:  # fmt: skip
    rows: list[dict[str, Any]] = []
    rerouting: list[dict[str, Any]] = []
    held: dict[str, Any] = {}
    for place, task in enumerate(tasks):
        if not_run is not None:
            held[task] = {"not_run": not_run, "shared": {"not_run": not_run}}
            continue
        strength = 0.5 if rule == "soft" else None
        done = {("chosen", "chosen"): 1.0}
        done |= {(f"dose{dose:g}", "dose"): 2.4 * dose - 0.9 * dose**2 - 0.3 for dose in DOSES}
        done |= {(name, "rule"): share for name, share in (("activate", -4.0), ("deactivate", -2.4))}
        done |= {(f"random{draw}", "random"): 0.3 * (draw - 1) for draw in range(draws)}
        done |= {(f"shared-{source}-{strength:g}", "shared"): share for source, strength, share in SHARED}
        done |= {("shared-chosen", "shared-chosen"): 0.4}
        done |= {(f"shared-random{draw}", "shared-random"): 0.05 * draw for draw in range(draws)}
        elsewhere = {("multilingual", "multilingual"): -0.4, ("early", "early"): 0.2, ("all", "all"): 0.9}
        done |= elsewhere | {("pivot-deu_Latn", "pivot"): 0.7, ("published", "published"): 0.6}
        base = accuracies(codes, place)
        for number, ((condition, kind), share) in enumerate(done.items()):
            reach = min(0.9, 0.1 * number)
            rerouting += [
                {
                    "task": task, "condition": condition, "layer": layer, "experts": 2, "tokens": 500,
                    "rerouted": reach, "edit_size": 0.02 * (number + 1), "relative_size": 0.01 * (number + 1),
                    "share_before": 0.1, "share_after": 0.1 + reach / 2,
                }
                for layer in (1, 2)
            ]  # fmt: skip
            change = change_of(effect, share, place)
            differences = {PIVOT: -0.01 * share} | dict(
                zip(codes, change * np.linspace(0.6, 1.4, len(codes)), strict=True)
            )
            of_helped = float(np.mean([differences[code] for code in codes]))
            helped = float(np.mean([base[code] for code in codes]))
            for group, difference in (differences | {HELPED: of_helped}).items():
                is_helped = group == HELPED
                start, room, p = (helped, 0.012, 0.004) if is_helped else (base[group], 0.04, 0.4)
                about = {"task": task, "condition": condition, "kind": kind, "group": group, "language_changed": np.nan}
                counts = {"languages": len(codes) if is_helped else 1, "items": 100, "gained": 12, "lost": 9}
                numbers = {
                    "base": start,
                    "edited": float(np.clip(start + difference, 0, 1)),
                    "difference": difference,
                    "p": p,
                    "q": 2 * p,
                }
                bounds = {"low": difference - room, "high": difference + room}
                rows.append(about | counts | numbers | bounds | {"test": "exchange" if is_helped else "McNemar"})
        helps = effect * (1 - 0.6 * place) > 0.012
        code = "helps" if helps else "not_distinguishable"
        chosen = {"condition": f"tau0.1-{rule}", "rule": rule, "strength": strength, "tau": 0.1, "experts": 41}
        tried = [{"condition": "baseline", "accuracy": 0.5}, {"condition": "tau0.1", "accuracy": 0.52}]
        fold = {
            "chosen": chosen, "selection": tried,
            "left_out": [{"name": "late", "reason": LEFT_OUT}, {"name": "tau0.2-activate", "reason": LEFT_OUT}],
            "balance": [_balance("chosen", 1, True), _balance("chosen", 2, False)],
        }  # fmt: skip
        shared = {"condition": "shared-eng_Latn-0.3", "source": "eng_Latn", "strength": 0.3, "experts": 14}
        shared_fold = {"chosen": shared, "selection": [], "balance": [_balance("shared-chosen", 1, True)]}
        held[task] = {
            "not_run": None,
            "middle": {"layers": [1, 6], "has_trough": True, "rule": "trough", "curve": CURVE},
            "chosen": chosen,
            "selection": tried,
            "folds": {"select": fold, "report": fold}, "inflation": 1.2,
            "verdict": verdict(code, pivot_loss=0.01),
            "published": {"condition": "published", "verdict": verdict("too_few_items", draws=0)},
            "by_pivot_correctness": [],
            "shared": {
                "not_run": None, "pair": [PIVOT, codes[0]], "layers": [1, 6], "k": 5, "thr": 0.7,
                "chosen": shared, "selection": [],
                "folds": {"select": shared_fold, "report": shared_fold}, "inflation": 1.1,
                "difference": change_of(effect, 0.4, place),
                "as_released": {"condition": "shared-eng_Latn-0.3", "difference": change_of(effect, 0.4, place)},
                "verdict": verdict("not_distinguishable", pivot_loss=0.004),
                "published": [],
            },
        }  # fmt: skip
        plan = Plan(
            model=model, experts_per_layer=32, top_k=4, rule=rule, strength=strength, experts={1: (3, 4)},
            source={"task": task, "tau": 0.1},
        )  # fmt: skip
        plan.save(paths.plan(model, task))
    _write(SteerRow, paths, model, rows)
    _write(MechanismRow, paths, model, rerouting)
    item = {"item": "one", "language": "eng_Latn", "direction": "right", "of": 9, "prompt": "<one?> eng_Latn",
            "answer": "yes & no.", "before": "", "after": "yes & no."}  # fmt: skip
    _write(TurnedRow, paths, model, [{"task": task} | item for task in held])
    SteeringSummary.write(paths.metrics(model), {"tasks": held})


def _balance(condition: str, layer: int, matched: bool) -> dict[str, Any]:
    """How like random sets are in one layer."""
    return {
        "condition": condition, "layer": layer, "experts": 3, "frequency": 0.3, "others": 0.1,
        "controls": 0.29 if matched else 0.2, "before": 2.0, "after": 0.1 if matched else 1.0, "matched": matched,
    }  # fmt: skip


def verdict(code: str, pivot_loss: float = 0.01, draws: int = 19) -> dict[str, Any]:
    """A verdict on 100 items."""
    helps = code.startswith("helps")
    return {
        "code": code, "helps": helps, "beyond_random": helps if draws else None, "rank_p": 0.05 if draws else None,
        "draws": draws, "items": 100, "low90": -0.01, "high90": 0.03, "margin": 0.01, "pivot_loss": pivot_loss,
        "pivot_change": {"value": -pivot_loss, "low90": -0.03, "high90": 0.01, "items": 100},
        "power": {
            "effect": 0.02, "published": False, "power": 0.85, "detectable": 0.017, "detectable_before": 0.019,
            "items_needed": 90, "discordance": 0.1, "correlation": 0.05,
        },
    }  # fmt: skip


def change_of(effect: float, share: float, place: int) -> float:
    """Pooled difference of a condition on the task of that place."""
    return effect * share * (1 - 0.6 * place)


def _write(kind: type[Row], paths: Paths, model: str, rows: list[dict[str, Any]]) -> None:
    kind.write(paths.metrics(model), [pd.DataFrame(rows).reindex(columns=kind.columns())] if rows else [])
