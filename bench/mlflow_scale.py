"""Time of logging a large study to MLflow: `python bench/mlflow_scale.py [models] [languages] [layers]`, or 4 200 48.

Takes the results of pocket-plain as they are in metrics/ and spreads them over so many models, languages and layers;
logs them to a SQLite file of its own, or to `MLFLOW_TRACKING_URI`. The limit is 3 minutes.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from polyroute.ground.paths import Paths
from polyroute.languages import table as languages
from polyroute.results.model import ModelResults
from polyroute.tracking import runs, store

SOURCE = "pocket-plain"


def spread(found: ModelResults, model: str, codes: list[str], layers: int) -> ModelResults:
    """The results of a model with other languages and layers, each taken from one that is there."""
    others = [code for code in found.languages if code != found.pivot]

    def wider(table: pd.DataFrame) -> pd.DataFrame:
        held = dict(iter(table[table["layer"] == 0].groupby("language")))
        taken = [
            held[others[i % len(others)] if i else found.pivot].assign(language=code)
            for i, code in enumerate(codes)
            if (others[i % len(others)] if i else found.pivot) in held
        ]
        one = pd.concat(taken, ignore_index=True)
        wide = pd.concat([one] * layers, ignore_index=True)
        return wide.assign(layer=np.repeat(np.arange(layers), len(one)))

    corpora = {
        corpus: held.model_copy(
            update={"languages": {code: held.languages[others[i % len(others)]] for i, code in enumerate(codes) if i}}
        )
        for corpus, held in found.alignment.corpora.items()
    }
    alignment = found.alignment.model_copy(update={"corpora": corpora})
    similarity = found.similarity and replace(
        found.similarity, utilisation=wider(found.similarity.utilisation), shared=wider(found.similarity.shared)
    )
    return replace(found, model=model, alignment=alignment, layers=wider(found.layers), similarity=similarity)


def main(models: int, count: int, layers: int) -> None:
    """Log, and say how long it took."""
    found = ModelResults.read(Paths().metrics(SOURCE))
    codes = [found.pivot, *(code for code in languages.codes() if code != found.pivot)][:count]
    with tempfile.TemporaryDirectory() as folder:
        uri = os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{folder}/mlflow.db"
        store.set_defaults()
        held = store._Store(uri, "scale")
        wall, cpu = time.monotonic(), time.process_time()
        made, points = 0, 0
        for shade in range(models):
            wide = spread(found, f"model-{shade}", codes, layers)
            for run in runs._of_model(Paths(Path(folder)), replace(wide, steering=None), {}, [], shade):
                held.log(run, {})
                made, points = made + 1, points + len(run.points)
        print(
            f"{models} models x {count} languages x {layers} layers: {made} runs, {points:,} points, "
            f"{time.monotonic() - wall:.0f} s, {time.process_time() - cpu:.0f} s of this process's CPU"
        )


if __name__ == "__main__":
    main(*(int(one) for one in (sys.argv[1:] + ["4", "200", "48"][len(sys.argv) - 1 :])))
