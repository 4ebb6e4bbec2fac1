"""Claims and results that never were."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from polyroute.claims.asked import Asked
from polyroute.claims.claim import Claims, read_claims
from polyroute.claims.settings import ClaimsSettings
from polyroute.ground.paths import Paths
from polyroute.results.model import ModelResults, Nulls
from polyroute.results.nulls import NullsSummary
from report import plausible, plausible_languages, plausible_masks, plausible_tasks
from tiny import ROOT

MODEL = "tiny"
LAYERS = 8
LANGUAGES = 8
ENTRY: dict[str, Any] = {
    "id": "own.one", "paper": "own", "section": "here", "statement": "x is above 0.", "models": ["big"],
    "quantity": {"x": "a number", "noise": "another"}, "unit": "language", "null": "noise",
    "replicated_if": ["x.low > 0", "x.value > noise"], "not_replicated_if": ["x.high < 0"], "effect": "x",
    "beats": "noise", "needs": {"stages": ["align"]},
    "published": [{"what": "x", "value": 0.5, "certainty": "P", "of": "x"}], "power": {"effect": 0.5, "languages": 10},
}  # fmt: skip


def write(folder: Path, *entries: dict[str, Any], name: str = "own.yaml") -> Path:
    """A folder of claims with one file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(yaml.safe_dump({"claims": list(entries)}))
    return folder


@cache
def committed() -> Claims:
    """The claims of the study, read once."""
    return read_claims(ROOT / "claims")


def asked(root: Path, *, tasks: bool = True, model: str = MODEL, **settings: Any) -> Asked:
    """Plausible results of a model, as claims see them."""
    paths = Paths(root)
    codes = plausible.write(
        paths, model, LANGUAGES, LAYERS, measures=("divergence", "alignment", "entropy"), readings=("soft_mass",)
    )
    if tasks:
        plausible_tasks.write(paths, model, codes, LAYERS)
        plausible_languages.write(paths, model, ["eng_Latn", *codes], LAYERS)
        plausible_masks.write(paths, model, ["eng_Latn", *codes])
    return of(paths.metrics(model), tasks=tasks, **settings)


def of(folder: Path, *, tasks: bool = True, **settings: Any) -> Asked:
    """Results in a folder, as claims see them."""
    results = ModelResults.read(folder)
    roles = {"arithmetic": "maths", "knowledge": "medical"} if tasks else {}
    given: dict[str, Any] = {
        "name": folder.name, "seed": 1, "generic": next(iter(results.alignment.corpora)), "roles": roles,
        "text_shares": None,
    }  # fmt: skip
    return Asked(results, ClaimsSettings.model_validate(given | settings), folder)


def ranked(one: Asked, draws: int, *, largest: float) -> Asked:
    """The same model, whose alignment only the largest of so many random initialisations came near."""
    alignment = {"value": 0.3, "median": 0.0, "largest": largest, "p": 0.05, "verdict": "beyond_random_init"}
    summary = NullsSummary.model_validate(
        {
            "corpus": one.corpus, "draws": draws, "attainable_p": 0.05, "not_run": None, "alignment": [],
            "verdict": "beyond_random_init", "quantities": {"alignment_middle": alignment},
        }
    )  # fmt: skip
    return replace(one, results=replace(one.results, nulls=Nulls(summary, pd.DataFrame())))
