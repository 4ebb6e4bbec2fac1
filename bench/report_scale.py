"""Size of the report of a large study: `python -m bench.report_scale [models] [languages] [layers] [experts]`.

By default 1 200 48 128. Takes the results of pocket-plain as they are in metrics/ and spreads them over so many models,
languages, layers and experts. The limit is 5 MB.
"""

from __future__ import annotations

import gzip
import shutil
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from bench.mlflow_scale import SOURCE, spread

from polyroute.ground.paths import Paths
from polyroute.languages import table as languages
from polyroute.params import file as params
from polyroute.params.resolve import report_settings
from polyroute.report.page import build
from polyroute.report.page.sections import Pages
from polyroute.report.page.study import Study, read
from polyroute.results.experts import ExpertRow
from polyroute.results.model import ModelResults


def large(study: Study, folder: Path, models: int, count: int, layers: int, experts: int) -> Study:
    """A study of so many models with the results of one, and its claims; Delta of every expert goes into a folder."""
    found: ModelResults = study.models[SOURCE]
    codes = [found.pivot, *(code for code in languages.codes() if code != found.pivot)][:count]
    names = [f"model-{number}" for number in range(models)]
    of_each = {
        "models": {name: noisy(spread(found, name, codes, layers)) for name in names},
        "verdicts": dict.fromkeys(names, study.verdicts[SOURCE]),
        "multiverses": dict.fromkeys(names, study.multiverses[SOURCE]),
        "cells": dict.fromkeys(names, study.cells[SOURCE]),
    }
    deltas = ExpertRow.read(study.paths.metrics(SOURCE))
    deltas = deltas[deltas["layer"] == 0]
    tall = pd.concat([deltas[deltas["expert"] == expert % 32].assign(expert=expert) for expert in range(experts)])
    every = pd.concat([tall.assign(layer=layer) for layer in range(layers)])
    noise = np.random.default_rng(1).normal(0, 0.1, len(every)).round(4)
    for name in names:
        Paths(folder).metrics(name).mkdir(parents=True)
        for file in study.paths.metrics(SOURCE).glob("t*.csv"):
            shutil.copy(file, Paths(folder).metrics(name))
        ExpertRow.write(
            Paths(folder).metrics(name), every.assign(model=name, delta=(every["delta"] + noise).clip(-1, 1))
        )
    about = {name: study.about(SOURCE).model_copy(update={"title": name}) for name in names}
    return replace(study, paths=Paths(folder), settings=study.settings.model_copy(update={"models": about}), **of_each)


def noisy(found: ModelResults) -> ModelResults:
    """Numbers of which no two are the same, since copies of a language would be packed into nothing."""
    noise = np.random.default_rng(1).normal(0, 0.03, len(found.layers)).round(4)
    layers = found.layers.assign(**{name: found.layers[name] + noise for name in ("value", "low", "high")})
    return replace(found, layers=layers)


def main(models: int, count: int, layers: int, experts: int) -> None:
    """Write it, and say what takes how much."""
    paths = Paths()
    with tempfile.TemporaryDirectory() as folder:
        held = read(paths, report_settings(params.read(paths.params)))
        study = large(held, Path(folder), models, count, layers, experts)
        text = build.page(study)
        pages = Pages(study)
        markup = len(pages.sections())
    Path("build").mkdir(exist_ok=True)
    Path("build/large.html").write_text(text, encoding="utf-8")
    print(f"{models} x {count} languages x {layers} layers x {experts} experts: {len(text.encode()) / 1e6:.2f} MB")
    print(f"  markup {markup / 1e6:.2f} MB, library {len(build.library()) / 1e6:.2f} MB; figures, packed:")
    sizes: Counter[str] = Counter()
    for anchor, one in pages.figures.items():
        packed = gzip.compress(build.as_json(one.payload()).encode(), mtime=0)
        sizes[anchor.rpartition("--")[2]] += round(len(packed) * 4 / 3)
    for name, size in sizes.most_common(12):
        print(f"  {size / 1e6:6.2f} MB  {name}")


if __name__ == "__main__":
    main(*(int(one) for one in (sys.argv[1:] + ["1", "200", "48", "128"][len(sys.argv) - 1 :])))
