"""How languages of a model that never was would compare: files as the stage `similarity` writes them.

Languages of one family are near one another at both ends of the model, and all are near in the middle.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from polyroute.ground.paths import Paths
from polyroute.languages import table as languages
from polyroute.measures.families import agreement, label_values, tree
from polyroute.measures.rivals import explain
from polyroute.measures.specificity import by_zone
from polyroute.results.similarity import DistanceRow, RiseRow, SharedRow, SimilaritySummary, UtilisationRow

SETTINGS = ((4, 0.4), (4, 0.7), (20, 0.4))
FEWEST_NOTE = "a permutation test needs at least 5 languages"


def write(
    paths: Paths, model: str, codes: list[str], layers: int, *, corpus: str = "text", related: float = 1.0,
    pooled: bool = False,
) -> None:  # fmt: skip
    """Write what the stage writes.

    Args:
        paths: below which.
        model: its name.
        codes: FLORES codes, the pivot first.
        layers: how many there are.
        corpus: its only one.
        related: how much nearer relatives are in early and late layers; 0 makes all labels say nothing.
        pooled: whether counts hold no sentences, so that nothing has an interval or a chance level.
    """
    rng = np.random.default_rng(5)
    zones = {"early": [0, 0], "middle": [layers // 3, layers // 2], "late": [layers - 1, layers - 1]}
    labels = label_values(codes)
    first_P, second_P = np.triu_indices(len(codes), k=1)
    apart_P = np.array([labels["family"][a] != labels["family"][b] for a, b in zip(first_P, second_P, strict=True)])
    noise_P = rng.uniform(0.9, 1.1, len(apart_P))
    rows: list[dict[str, Any]] = []
    told: dict[str, Any] = {}
    for zone, strength in (("early", related), ("middle", 0.0), ("late", related)):
        distance_P = (0.05 + 0.1 * strength * apart_P + 0.05 * (zone != "middle")) * noise_P
        for a, b, value in zip(first_P, second_P, distance_P, strict=True):
            about = {"corpus": corpus, "measure": "jsd", "reading": "soft_mass"}
            about |= {"language_a": codes[a], "language_b": codes[b]}
            bounds = {} if pooled else {"low": value - 0.001, "high": value + 0.001}
            rows.append(about | {"zone": zone, "distance": value} | bounds)
            rows += [about | {"layer": layer, "distance": value} for layer in range(*_span(zones[zone]))]
        test = {"shuffles": 199, "seed": 1}
        joined = tree(distance_P)
        rivals = {"family": apart_P * 1.0, "script": noise_P, "fertility": rng.uniform(0, 1, len(apart_P))}
        told[zone] = {
            "layers": zones[zone], "cophenetic": joined.cophenetic, "linkage": joined.joins.tolist(),
            "labels": {name: agreement(joined, None, held, confidence=0.95, **test) for name, held in labels.items()},
            "rivals": explain(distance_P, rivals | {"vocabulary": None}, families=labels["family"], **test),
            "sensitivity": [],
        }  # fmt: skip
    confound = [
        {"k": k, "thr": thr, "added": {"branch": 0.9, "family": 0.4, "none": 0.3}}
        | {name: {"languages": 3, "relative_adds_most": 2.5, "expected": 1.2} for name in ("branch", "family")}
        for k, thr in SETTINGS
    ]
    held = {
        "languages": codes, "top_k": 8, "headline": {"measure": "jsd", "reading": "soft_mass"}, "zones": told,
        "confound": confound if len(codes) > 2 else [],
    }  # fmt: skip
    folder = paths.metrics(model)
    used = _utilisation(codes, layers, corpus, pooled)
    DistanceRow.write(folder, pd.DataFrame(rows).reindex(columns=DistanceRow.columns()).astype({"layer": "Int64"}))
    UtilisationRow.write(folder, used)
    RiseRow.write(folder, by_zone(used))
    shared = [_shared(codes, layers, corpus, k).assign(k=k, thr=thr) for k, thr in SETTINGS]
    SharedRow.write(folder, shared)
    SimilaritySummary.write(folder, {"corpora": {corpus: held}})


def _span(layers: list[int]) -> tuple[int, int]:
    return layers[0], layers[1] + 1


def _utilisation(codes: list[str], layers: int, corpus: str, pooled: bool) -> pd.DataFrame:
    depth = np.linspace(-1, 1, layers)
    rows = []
    for place, code in enumerate(["", *codes]):
        evenness = 0.95 - 0.1 * (code != "") - 0.05 * depth**2 - 0.1 * place / (len(codes) + 1)
        for layer, even in enumerate(evenness):
            row = {"corpus": corpus, "layer": layer, "language": code, "entropy": 4 * even, "evenness": even,
                   "dead": place % 3, "hot": 2, "max_violation": 8 * (1 - even), "specificity": 1.5}  # fmt: skip
            if code == "":
                row |= {"overlap": 0.6, "information": 0.05 + 0.1 * depth[layer] ** 2}
                row |= {} if pooled else {"information_null": 0.002, "information_p": 0.005}
            rows.append(row)
    return pd.DataFrame(rows).reindex(columns=UtilisationRow.columns())


def _shared(codes: list[str], layers: int, corpus: str, k: int) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for layer in range(layers):
        rows.append({"corpus": corpus, "layer": layer, "language": "", "shared": 9, "exclusive": 2 * len(codes) // 3})
        for place, code in enumerate(codes):
            about = languages.get(code)
            exclusive = (place + layer) % (k + 1)
            rows.append(
                {
                    "corpus": corpus, "layer": layer, "language": code, "resource": about.resource,
                    "family": about.family, "shared": k - exclusive, "exclusive": exclusive, "shared_use": 0.3,
                    "exclusive_use": 0.02 * exclusive, "left_out": codes[0], "left_out_relation": "none",
                    "left_out_exclusive": exclusive + 1, "exclusive_balanced": exclusive + 0.5,
                    "exclusive_balanced_low": exclusive, "exclusive_balanced_high": exclusive + 1,
                    "exclusive_same_size": exclusive + 0.4,
                }
            )  # fmt: skip
    whole = ("resource", "left_out_exclusive", "exclusive_balanced_low", "exclusive_balanced_high")
    return pd.DataFrame(rows).reindex(columns=SharedRow.columns()).astype(dict.fromkeys(whole, "Int64"))
