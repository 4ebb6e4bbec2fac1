"""Results of a model that never was: curves shaped as real ones, for any number of languages."""

from typing import get_args

import numpy as np
import pandas as pd

from polyroute.ground.paths import Paths
from polyroute.languages import table as languages
from polyroute.measures.random_rank import ranked, table, unranked
from polyroute.measures.routing_summary import Reading
from polyroute.results.alignment import AlignmentSummary, LayerRow
from polyroute.results.nulls import Depth, NullRow, NullsSummary

PIVOT = "eng_Latn"


def write(
    paths: Paths, model: str, count: int, layers: int, *, measures: tuple[str, ...], readings: tuple[str, ...]
) -> list[str]:
    """Write `metrics/<model>/` for `count` languages besides English; pooled measures have no intervals."""
    codes = [code for code in languages.codes() if code != PIVOT][:count]
    depth = np.linspace(-1, 1, layers)
    rows = []
    for rank, code in enumerate([PIVOT, *codes]):
        values = 0.1 + 0.3 * rank / count * (0.3 + depth**2)
        for measure in measures:
            if measure.startswith(("divergence", "alignment")) and code == PIVOT:
                continue
            for reading in readings:
                for layer, value in enumerate(values):
                    bounds = (None, None) if "pooled" in measure else (value - 0.01, value + 0.01)
                    rows.append((model, "text", code, layer, measure, reading, value, *bounds))
    difference = {"value": 0.2, "low": 0.1, "high": 0.3}
    mean = {
        "early": 0.4, "middle": 0.2, "late": 0.4,
        "early_minus_middle": difference, "late_minus_middle": difference, "shape": "U",
    }  # fmt: skip
    pooled = all("pooled" in measure for measure in measures)
    align = {
        "model": {
            "name": model, "engine": "transformers", "revision": None, "dtype": "float32", "layers": layers,
            "experts": 64, "top_k": 8, "digest": "0" * 64, "versions": {"torch": "2.13.0"},
        },
        "pivot": PIVOT,
        "corpora": {
            "text": {
                "sentences": None if pooled else 50,
                "reading": readings[0],
                "zones": {"early": [0, 0], "middle": [layers // 3, layers // 2], "late": [layers - 1, layers - 1]},
                "languages": dict.fromkeys(codes, mean | {"tokens_per_sentence": 20.0}),
                "mean": mean,
                "over_languages": _over_languages(count, layers, pooled),
                "split_half": None if pooled else {
                    "splits": 99, "divergence": [0.02] * layers, "high": [0.03] * layers,
                    "early_minus_middle": {"mean": 0.0, "high": 0.01}, "late_minus_middle": {"mean": 0.0, "high": 0.01},
                },
            }
        },
    }  # fmt: skip
    folder = paths.metrics(model)
    LayerRow.write(folder, pd.DataFrame(rows, columns=LayerRow.columns()).astype({"low": float, "high": float}))
    AlignmentSummary.write(folder, align)
    return codes


def write_nulls(paths: Paths, model: str, layers: int, *, beyond: bool = True, not_run: str | None = None) -> None:
    """Write `nulls.json` and `nulls.csv` of 19 random initialisations, which are reached in all but `beyond`."""
    folder = paths.metrics(model)
    if not_run is not None:
        NullRow.write(folder, [])
        NullsSummary.write(folder, unranked("text", not_run))
        return

    def read(height: float) -> list[Reading]:
        by_layer = [Reading(name, layer, height) for name in ("alignment", "divergence") for layer in range(layers)]
        return [Reading(quantity, None, height) for quantity in get_args(Depth)] + by_layer

    own, drawn = read(0.19 if beyond else 0.01), [read(0.01 * draw) for draw in range(19)]
    NullRow.write(folder, table(own, drawn))
    NullsSummary.write(folder, ranked("text", own, drawn))


def _over_languages(count: int, layers: int, pooled: bool) -> dict:
    """What the stage align says over languages; alignment is a hump that is nearer than chance but at its ends."""
    difference = {"value": 0.2, "low": 0.1, "high": 0.3}
    found = {"early_minus_middle": difference, "late_minus_middle": difference, "shape": "U"}
    found |= {"languages": count, "by_family": found | {"families": 4, "agrees": True}}
    if pooled:
        return found
    heights = 0.2 * (1 - np.linspace(-1, 1, layers) ** 2)
    rows = [
        {"layer": layer, "value": height, "low": height - 0.02, "high": height + 0.02, "p": 0.01, "q": 0.02}
        for layer, height in enumerate(heights)
    ]
    aligned = list(range(1, layers - 1)) if count >= 5 else None
    return found | {"alignment": rows, "aligned_layers": aligned, "peak_layer": int(heights.argmax())}
