"""A study of three models that never were: a real one of recorded counts, a small one with tasks, and distances."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from claims.made import asked, committed
from polyroute.claims.verdict import judge
from polyroute.ground.paths import Paths
from polyroute.params.settings import ReportSettings
from polyroute.report.page import build
from polyroute.report.page.study import Study, read
from polyroute.results.claims import ClaimsSummary
from polyroute.results.experts import ExpertRow
from report import plausible, plausible_languages, plausible_multiverse
from tiny import ROOT

SETTINGS = {
    "name": "a study", "pivot": "eng_Latn", "seed": 1, "confidence": 0.95, "resamples": 1000, "distances": ["recorded"],
    "models": {
        "counts": {"title": "Real-30B", "kind": "real", "source": "recorded/counts.parquet"},
        "tiny": {"title": "tiny", "kind": "pocket", "source": "models/tiny"},
        "absent": {"title": "absent", "kind": "pocket", "source": "models/absent"},
    },
}  # fmt: skip
LANGUAGES = 12


@pytest.fixture(scope="session")
def paths(tmp_path_factory) -> Paths:
    """Results of a model with everything and of one of counts alone."""
    paths = Paths(tmp_path_factory.mktemp("study"))
    shutil.copytree(ROOT / "claims", paths.claims)
    ClaimsSummary.write(paths.metrics("tiny"), judge(committed(), asked(paths.root, model="tiny")))
    plausible_multiverse.write(paths.metrics("tiny"))
    ExpertRow.write(paths.metrics("tiny"), pd.DataFrame(list(_experts()), columns=ExpertRow.columns()))
    plausible.write_nulls(paths, "tiny", 8)
    codes = plausible.write(paths, "counts", LANGUAGES, 8, measures=("divergence_pooled",), readings=("topk_count",))
    plausible_languages.write(paths, "counts", ["eng_Latn", *codes], 8, pooled=True)
    shutil.copytree(ROOT / "metrics" / "olmoe-1b-7b-0125-distances", paths.metrics("recorded"))
    return paths


def _experts() -> Iterator[tuple]:
    """Delta of four experts in eight layers, of any language and of a task."""
    for task, language in (("", "any"), ("arithmetic", "eng_Latn")):
        for layer in range(8):
            for expert in range(4):
                delta = 0.1 * expert if task else 0.1 * (3 - expert)
                yield ("tiny", "text", language, layer, expert, delta, delta - 0.02, delta + 0.02, task)


@pytest.fixture(scope="session")
def settings() -> ReportSettings:
    return ReportSettings.model_validate(SETTINGS)


@pytest.fixture(scope="session")
def study(paths: Paths, settings: ReportSettings) -> Study:
    return read(paths, settings)


@pytest.fixture(scope="session")
def report(paths: Paths, settings: ReportSettings) -> Path:
    """The page, written."""
    pytest.importorskip("vl_convert")
    return build.write(paths, settings)
