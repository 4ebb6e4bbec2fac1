"""What masks would have done to a model that never was: files as the stage `mask` writes them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from polyroute.ground.paths import Paths
from polyroute.results.masking import MaskHeadline, MaskingSummary, MaskRow

RANGES = {"early": [0, 1], "middle": [3, 4], "late": [6, 7]}
NO_EXPERT = "no exclusive expert in layers 3 to 4"


def write(
    paths: Paths, model: str, codes: list[str], *, tasks: tuple[str, ...] = ("arithmetic",), loss: float = 0.12,
    draws: int = 2, scores: tuple[str, ...] = ("accuracy", "consistency"),
) -> None:  # fmt: skip
    """Write what the stage writes; the last language has no exclusive expert in the middle.

    Args:
        paths: below which.
        model: its name.
        codes: languages that are asked and masked.
        tasks: names.
        loss: of a language without its own experts in early layers; half of it in late ones, none in the middle.
        draws: random masks for each mask.
        scores: that are compared.
    """
    rows: list[dict[str, Any]] = []
    told: dict[str, Any] = {}
    for task in tasks:
        for score in scores:
            for name, share in (("early", 1.0), ("middle", 0.0), ("late", 0.5)):
                for y, target in enumerate(codes):
                    if name == "middle" and y == len(codes) - 1:
                        continue
                    for draw in (None, *range(draws)):
                        for x, evaluated in enumerate(codes):
                            own = -loss * share * (x == y and draw is None)
                            change = own + 0.01 * np.sin(3 * x + 5 * y + (0 if draw is None else draw))
                            rows.append(
                                {
                                    "task": task, "score": score, "evaluated": evaluated, "target": target,
                                    "range": name, "kind": "exclusive" if draw is None else "random", "draw": draw,
                                    "experts": 3, "items": 20, "base": 0.6, "edited": 0.6 + change,
                                    "difference": change, "low": change - 0.05, "high": change + 0.05,
                                    "p": 0.001 if own else 0.5, "q": 0.01 if own else 0.9, "share_before": 0.1,
                                    "rerouted": 0.4,
                                }
                            )  # fmt: skip
        told[task] = {
            "languages": codes, "targets": codes, "k": 4, "thr": 0.4, "ranges": RANGES,
            "exclusive": {name: dict.fromkeys(codes, 3) for name in RANGES},
            "left_out": [{"name": f"middle-{codes[-1]}", "reason": NO_EXPERT}],
            "headline": {score: {name: headline(-loss * share) for name, share in
                                 (("early", 1.0), ("middle", 0.0), ("late", 0.5))} for score in scores},
            "unit": "items", "targets_without_task": [], "balance": {},
        }  # fmt: skip
    table = pd.DataFrame(rows, columns=MaskRow.columns()).astype({"draw": "Int64"})
    MaskRow.write(paths.metrics(model), [table] if rows else [])
    MaskingSummary.write(paths.metrics(model), {"tasks": told})


def headline(own: float, others: float = -0.001, random: float = -0.004, room: float = 0.02) -> MaskHeadline:
    """Means of one score and range with their intervals."""
    values = {
        "diagonal": own, "off_diagonal": others, "random_diagonal": random, "random_off_diagonal": random,
        "own_minus_others": own - others, "own_minus_random": own - random,
    }  # fmt: skip
    code = "hurts" if own + room < 0 else "not_distinguishable"
    beside = own - random
    verdict = {
        "code": code, "items": 20, "low90": own - room, "high90": own + room, "margin": 0.01,
        "power": {
            "effect": 0.02, "published": False, "power": 0.85, "detectable": 0.017, "detectable_before": 0.019,
            "items_needed": 90, "discordance": 0.1, "correlation": 0.05,
        },
        "beyond_others": own - others + room < 0, "beyond_random": beside + room < 0,
        "random_costs_more": beside - room > 0, "rank_p": 0.05, "draws": 19,
    }  # fmt: skip
    return MaskHeadline.model_validate(
        verdict
        | {
            what: {"value": value, "low": value - room, "high": value + room}
            | ({} if what.startswith("own") else {"pairs": 4})
            for what, value in values.items()
        }
    )
