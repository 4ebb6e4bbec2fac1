"""Stage correlate@<model>: divergence and accuracy -> their correlation over languages, by layer."""

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd

from polyroute.artifacts.trace import Trace
from polyroute.ground.console import stage
from polyroute.ground.paths import Paths
from polyroute.measures.correlation import correlate, language_covariates
from polyroute.measures.settings import CorrelateSettings
from polyroute.results.accuracy import AccuracyRow
from polyroute.results.alignment import AlignmentSummary, LayerRow, divergence
from polyroute.results.correlation import CorrelationMetrics, CorrelationRow, CorrelationSummary


@stage(CorrelateSettings)
def main(settings: CorrelateSettings, paths: Paths) -> Iterator[str]:
    """Correlate divergence with accuracy over languages, and hold rival explanations fixed."""
    model, corpus, folder = settings.name, settings.generic, paths.metrics(settings.name)
    reading = AlignmentSummary.read(folder).corpora[corpus].reading
    curves, accuracy = divergence(LayerRow.read(folder), corpus, reading), AccuracyRow.read(folder)
    _, *others = settings.languages
    resource, source = None, "class of Joshi et al. 2020"
    if settings.text_shares is not None:
        resource = {language: math.log(share) for language, share in settings.text_shares.items()}
        source = "log share of the training documents"
    tables, notes = [], {}
    for task, scores in accuracy.groupby("task", sort=False):
        scored = scores.set_index("language")["accuracy"]
        languages = [language for language in others if language in scored.index]
        tokens = {code: float(Trace.load(paths.trace(model, corpus, code)).tokens.mean()) for code in languages}
        found = correlate(
            curves.loc[languages].to_numpy(), scored[languages].to_numpy(),
            languages=languages, layers=list(curves.columns), seed=settings.seed,
            **settings.intervals.model_dump(), covariates=language_covariates(tokens, resource),
        )  # fmt: skip
        tables.append(found.rows.assign(task=task))
        notes[str(task)] = {"notes": list(found.notes)}
        yield f"{task}: {_summary_line(found.rows, len(languages))}"
    if not tables:
        yield "no accuracy: nothing to correlate"
    CorrelationRow.write(folder, tables)
    CorrelationSummary.write(folder, {"corpus": corpus, "resource": source, "tasks": notes})
    CorrelationMetrics.write(folder, CorrelationMetrics.of(folder))


def _summary_line(rows: pd.DataFrame, languages: int) -> str:
    plain: Any = rows[(rows["method"] == "pearson") & (rows["controlled_for"] == "")].dropna(subset=["r"])
    if plain.empty:
        return "not computed; correlation.json says why"
    row = plain.loc[plain["r"].abs().idxmax()]
    return (
        f"r of divergence and accuracy over {languages} languages is strongest in layer {row['layer']}: "
        f"{row['r']:+.2f} [{row['low']:+.2f}, {row['high']:+.2f}], q {row['q']:.3f}"
    )


if __name__ == "__main__":
    main()
