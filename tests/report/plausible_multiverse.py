"""A multiverse that never was: two choices of one claim, and why another has none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from polyroute.results.multiverse import MultiverseRow, MultiverseSummary

CLAIM, SINGLE = "p1.u_shape", "p1.gain.qwen3.mgsm"
EFFECTS = {("divergence", "study"): 0.3, ("divergence", "rise"): -0.1, ("jsd", "study"): 3.0, ("jsd", "rise"): -1.0}


def summary(model: str = "tiny") -> dict[str, Any]:
    """Of the claim."""
    return {
        "model": model,
        "claims": {
            CLAIM: {
                "cells": 4, "verdicts": {"not_replicated": 2, "replicated": 2}, "replicated": 0.5,
                "all_known_hold": 0.5, "same_sign": 0.5, "effect": 0.3, "lowest": -0.1, "highest": 0.3, "in_unit": 2,
                "board": "replicated", "base": "replicated",
                "choices": [
                    {"choice": "zones", "levels": ["study", "rise"], "effect": 1.0, "holding": 0.25},
                    {"choice": "distance", "levels": ["divergence", "jsd"], "effect": 0.0, "holding": None},
                    {"choice": "reading", "levels": ["soft_mass"], "effect": None, "holding": None},
                ],
                "flips": [{"choice": "zones", "level": "rise", "verdict": "not_replicated"}],
                "unknown": {"share_u": {"kind": "few", "what": "sentences"}},
                "elsewhere": [{"choice": "chat", "here": "no", "stage": "trace"}],
            }
        },
        "single": {SINGLE: "needs_answers"},
    }  # fmt: skip


def write(folder: Path) -> None:
    """Both files of the stage."""
    rows = [
        dict.fromkeys(MultiverseRow.columns(), "") | {
            "claim": CLAIM, "cell": number, "reading": "soft_mass", "distance": distance, "zones": zones,
            "effect": effect, "low": effect - 0.05, "high": effect + 0.05, "holding": 1, "failing": 0,
            "verdict": "replicated" if effect > 0 else "not_replicated",
        }
        for number, ((distance, zones), effect) in enumerate(EFFECTS.items())
    ]  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    MultiverseRow.write(folder, pd.DataFrame(rows))
    MultiverseSummary.write(folder, summary(folder.name))
