"""Stage correlate@<model>: divergence and accuracy -> their correlation over languages, by zone and by layer."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from polyroute.artifacts.published_accuracies import read_published
from polyroute.artifacts.trace import Trace
from polyroute.ground.console import stage
from polyroute.ground.layers import Zones
from polyroute.ground.paths import Paths
from polyroute.measures.correlation import correlate, language_covariates
from polyroute.measures.group_correlation import correlate_groups
from polyroute.measures.published import LEAST, with_published
from polyroute.measures.settings import CorrelateSettings
from polyroute.measures.zone_correlation import ZoneCorrelations, correlate_zones
from polyroute.results.accuracy import AccuracyRow
from polyroute.results.alignment import AlignmentSummary, LayerRow, divergence
from polyroute.results.correlation import CorrelationMetrics, CorrelationRow, CorrelationSummary


@stage(CorrelateSettings)
def main(settings: CorrelateSettings, paths: Paths) -> Iterator[str]:
    """Correlate divergence with accuracy over languages, and hold rival explanations fixed."""
    model, corpus, folder = settings.name, settings.generic, paths.metrics(settings.name)
    summary = AlignmentSummary.read(folder).corpora[corpus]
    zones = Zones.model_validate(summary.zones.model_dump())
    curves, accuracy = divergence(LayerRow.read(folder), corpus, summary.reading), AccuracyRow.read(folder)
    _, *others = settings.languages
    resource, source = None, "class of Joshi et al. 2020"
    if settings.text_shares is not None:
        resource = {language: math.log(share) for language, share in settings.text_shares.items()}
        source = "log share of the training documents"
    published = {}
    if settings.published is not None:
        found = read_published(Path(settings.published.file), settings.published.model)
        published = {f"published-{task}": by_language for task, by_language in found.items()}
    asked = {
        str(task): scores.set_index("language")["accuracy"] for task, scores in accuracy.groupby("task", sort=False)
    }
    told = {task: pd.Series({code: one.accuracy for code, one in of.items()}) for task, of in published.items()}
    tables, held = [], {}
    for task, scored in (asked | told).items():
        languages = [language for language in others if language in scored.index]
        if not languages:
            yield f"{task}: accuracy in {', '.join(scored.index)}, none of which was traced"
            continue
        tokens = {code: float(Trace.load(paths.trace(model, corpus, code)).tokens.mean()) for code in languages}
        data = (curves.loc[languages].to_numpy(), scored[languages].to_numpy())
        about = {
            "languages": languages, "layers": list(curves.columns), "confidence": settings.confidence,
            "seed": settings.seed, "covariates": language_covariates(tokens, resource),
        }  # fmt: skip
        by_layer, by_zone = correlate(*data, **about), correlate_zones(*data, zones=zones, **about)
        record: dict[str, Any] = {}
        if settings.groups:
            record["groups"] = correlate_groups(
                *data, languages=languages, layers=about["layers"], zones=zones, groups=settings.groups,
                near_chance=settings.near_chance, confidence=settings.confidence, seed=settings.seed,
            )  # fmt: skip
        if task in published:
            by_zone = with_published(by_zone, languages)
            points = {code: one.record() for code, one in published[task].items()}
            record |= {"published": points, "languages_needed": LEAST}
        tables.append(by_layer.rows.assign(task=task))
        notes = dict.fromkeys((*by_zone.notes, *by_layer.notes))
        held[task] = by_zone.record() | {"notes": list(notes)} | record
        yield f"{task}: {_summary_line(by_zone, len(languages))}"
    if not tables:
        yield "no accuracy: nothing to correlate"
    CorrelationRow.write(folder, tables)
    CorrelationSummary.write(folder, {"corpus": corpus, "resource": source, "tasks": held})
    CorrelationMetrics.write(folder, CorrelationMetrics.of(folder))


def _summary_line(found: ZoneCorrelations, languages: int) -> str:
    middle = found.record()["zones"]["middle"]
    if middle["r"] is None:
        return f"not computed: {found.notes[0]}" if found.notes else "not computed; correlation.json says why"
    interval = "" if middle["low"] is None else f" [{middle['low']:+.2f}, {middle['high']:+.2f}]"
    p = f"p {middle['p']:.3f}" if middle["p"] >= 0.001 else "p < 0.001"
    return (
        f"r of the middle zone's divergence and accuracy over {languages} languages: {middle['r']:+.2f}{interval}, "
        f"{p}; {'no verdict' if found.verdict is None else found.verdict.replace('_', ' ')}"
    )


if __name__ == "__main__":
    main()
