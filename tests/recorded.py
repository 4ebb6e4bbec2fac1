"""Routing of Qwen3-30B-A3B over MGSM prompts, as the release of arXiv 2601.14050 recorded it."""

from pathlib import Path

from polyroute.artifacts.trace import Trace
from polyroute.models.settings import Shape
from polyroute.tracing.counts import import_counts

CODES = {
    "eng_Latn": "en", "deu_Latn": "de", "spa_Latn": "es", "jpn_Jpan": "ja", "swh_Latn": "sw", "zho_Hans": "zh",
}  # fmt: skip


def recorded_counts(real_data: Path, *languages: str) -> list[Trace]:
    """Pooled traces of these languages, all that there are where none is named."""
    folder = real_data / "routing_counts" / "qwen3-30b-a3b"
    return [
        import_counts(
            folder / f"mgsm_{CODES[language]}.json", model="m", model_digest="", corpus="mgsm", language=language,
            shape=Shape(layers=48, experts=128, top_k=8), sha256="",
        )
        for language in languages or CODES
    ]  # fmt: skip
