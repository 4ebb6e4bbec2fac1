"""Routing of Qwen3-30B-A3B over MGSM prompts, as the release of arXiv 2601.14050 recorded it."""

from polyroute.artifacts.recorded_counts import Counts
from polyroute.artifacts.trace import Trace
from tiny import ROOT

FILE = ROOT / "recorded" / "qwen3-30b-a3b-mgsm.parquet"
ALL = ("eng_Latn", "deu_Latn", "spa_Latn", "fra_Latn", "ben_Beng", "jpn_Jpan", "swh_Latn", "zho_Hans")
SIX = ("eng_Latn", "deu_Latn", "spa_Latn", "jpn_Jpan", "swh_Latn", "zho_Hans")
"""Those that the tests' numbers by hand are of."""


def recorded_counts(*languages: str) -> list[Trace]:
    """Pooled traces of these languages, the six where none is named."""
    return Counts.read(FILE).traces(languages or SIX, model="m")
