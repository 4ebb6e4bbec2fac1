"""A study of one model that never was: traces of nine languages and of two tasks, and what stages make of them."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
from click.testing import CliRunner

from experts.made import random_trace
from pipeline.test_stages import load_script
from polyroute.artifacts import vocabulary
from polyroute.ground.files import write_json
from polyroute.ground.paths import Paths
from polyroute.results.accuracy import AccuracyRow, AccuracySummary
from tiny import ROOT

MODEL, SENTENCES, LAYERS = "tiny", 20, 10
CODES = [
    "eng_Latn", "deu_Latn", "nld_Latn", "fra_Latn", "spa_Latn", "rus_Cyrl", "jpn_Jpan", "fin_Latn", "hun_Latn",
]  # fmt: skip
STAGES = ("align", "experts", "similarity", "correlate", "claims")
_INTERVALS = {"resamples": 100, "confidence": 0.95}
_TASKS = {
    "arithmetic": {"text": "sums", "languages": ["eng_Latn"]}, "knowledge": {"text": "facts", "languages": ["eng_Latn"]}
}  # fmt: skip
_ROLES = {"arithmetic": "maths", "knowledge": "medical"}
SETTINGS = {
    "align": {"revision": None, "corpora": ["text"], "zones": None, "intervals": _INTERVALS, "nearest": 3},
    "experts": {"generic": "text", "taus": [0.1, 0.3], "middle": None, "tasks": _TASKS, "intervals": _INTERVALS},
    "similarity": {
        "corpora": ["text"], "zones": None, "resamples": 100, "confidence": 0.95, "shuffles": 100,
        "shared": {"k": [15, 20], "thr": [0.4, 0.7]},
    },
    "correlate": {"generic": "text", "confidence": 0.95, "text_shares": None},
    "claims": {"generic": "text", "roles": _ROLES, "text_shares": None},
    "multiverse": {
        "generic": "text", "roles": _ROLES, "text_shares": None, "other_pivot": "deu_Latn",
        "groups": {}, "tasks": _TASKS, "halved": ["fin_Latn"], "intervals": _INTERVALS,
        "shuffles": 100,
    },
}  # fmt: skip


def write(root: Path) -> Paths:
    """Traces, accuracies, and everything that the stages before `multiverse` write."""
    paths = Paths(root)
    # Languages part at both ends and meet in the middle, the more so the later in the list.
    depth_L = np.abs(np.linspace(-1, 1, LAYERS))
    for number, code in enumerate(CODES):
        shift_LE = np.random.default_rng(number // 2).normal(size=(LAYERS, 8)) * depth_L[:, None] * (1 + number / 4)
        _trace(paths, number, "text", code, shift_LE)
    for number, corpus in enumerate(("sums", "facts")):
        shift_LE = np.random.default_rng(50 + number).normal(size=(LAYERS, 8)) * 2
        _trace(paths, 60 + number, corpus, "eng_Latn", shift_LE)
    counts = {("text", code): {number // 2: 3, 7: 1, 10 + number: 2} for number, code in enumerate(CODES)}
    vocabulary.write(paths.vocabulary(MODEL), counts)
    for stage, own in SETTINGS.items():
        known = {} if stage == "claims" else {"languages": CODES}
        write_json(paths.stage_settings(MODEL, stage), {"name": MODEL, "seed": 3} | known | own)
    _accuracies(paths.metrics(MODEL))
    (root / "claims").symlink_to(ROOT / "claims")
    for stage in STAGES:
        run(root, stage)
    return paths


def run(root: Path, stage: str) -> str:
    """A stage in this process; what it says."""
    with _inside(root):
        main = load_script(ROOT / "pipeline" / f"{stage}.py").main
        done = CliRunner().invoke(main, ["--model", MODEL], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@contextmanager
def _inside(folder: Path):
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def _trace(paths: Paths, seed: int, corpus: str, code: str, shift_LE: np.ndarray) -> None:
    trace = random_trace(seed, SENTENCES, LAYERS, 8, shift_LE, corpus=corpus, language=code)
    soft_NLE = trace.topk_count + np.random.default_rng(seed).gamma(1.0, 2.0, size=trace.topk_count.shape)
    columns = trace.columns() | {"soft_mass": (soft_NLE / soft_NLE.sum(-1, keepdims=True)).astype(np.float32)}
    type(trace).of_columns(trace.header, trace.item_ids, columns).save(paths.trace(MODEL, corpus, code))


def _accuracies(folder: Path) -> None:
    rows = [
        {"task": task, "language": code, "items": 40, "accuracy": 0.95 - 0.06 * number, "low": 0.4, "high": 1.0,
         "chance": 0.25, "accuracy_by_token": 0.9 - 0.05 * number}
        for task in _ROLES
        for number, code in enumerate(CODES)
    ]  # fmt: skip
    table = pd.DataFrame(rows).reindex(columns=AccuracyRow.columns())
    folder.mkdir(parents=True, exist_ok=True)
    AccuracyRow.write(folder, table)
    one = {"kind": "choice", "pivot": 0.95, "others": 0.7, "chance": 0.25, "uniform": 0.25}
    AccuracySummary.write(folder, {"tasks": dict.fromkeys(_ROLES, one | {"stated": None, "transfer": None})})
