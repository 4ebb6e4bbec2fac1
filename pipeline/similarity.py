"""Stage similarity@<model>: traces -> distances between languages, their tree, and the use of experts by language."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from scipy.spatial.distance import squareform

from polyroute.artifacts import vocabulary
from polyroute.artifacts.trace import Trace, TraceFiles
from polyroute.experts.exclusivity import confound, left_out_table, shared_table
from polyroute.experts.released_settings import kept
from polyroute.experts.settings import SharedExperts, SimilaritySettings
from polyroute.ground.console import stage
from polyroute.ground.layers import ZONES
from polyroute.ground.paths import Paths
from polyroute.measures.families import agreement, label_values, resampled_joins, sensitivity, tree
from polyroute.measures.hub import hub
from polyroute.measures.language_distance import DECIMALS, Similarity
from polyroute.measures.relatedness import relatedness
from polyroute.measures.rivals import explain, rival_distances
from polyroute.measures.specificity import by_zone
from polyroute.measures.utilisation import utilisation_table
from polyroute.measures.vocabulary import token_shares, vocabulary_distance
from polyroute.results.similarity import (
    DistanceRow,
    RiseRow,
    SharedRow,
    SimilarityMetrics,
    SimilaritySummary,
    UtilisationRow,
)


@stage(SimilaritySettings)
def main(settings: SimilaritySettings, paths: Paths) -> Iterator[str]:
    """Compare all languages with one another, and tell which experts they share."""
    model, seed, languages = settings.name, settings.seed, settings.languages
    distances, utilisation, shared = [], [], []
    summary: dict[str, Any] = {}
    for corpus in settings.corpora:
        traces = TraceFiles(paths.trace(model, corpus, language) for language in languages)
        shares = _kept(settings.shared, traces[0].header.experts)
        similarity = Similarity(
            traces, resamples=settings.resamples, confidence=settings.confidence, seed=seed, zones=settings.zones
        )
        rivals = rival_distances(traces, _vocabulary(traces, paths.vocabulary(model)))
        distances.append(similarity.table())
        utilisation.append(utilisation_table(traces, seed=seed))
        shared += [shared_table(traces, **share, seed=seed).assign(**share) for share in shares]
        summary[corpus] = {
            "languages": languages,
            "top_k": traces[0].header.top_k,
            "headline": {"measure": similarity.headline.measure, "reading": similarity.headline.reading},
            "zones": {zone: _zone(similarity, place, rivals, settings, seed) for place, zone in enumerate(ZONES)},
            "hub": hub(traces, confidence=settings.confidence, seed=seed),
            "confound": [share | confound(left_out_table(traces, **share)) for share in shares],
        }
        for zone, found in summary[corpus]["zones"].items():
            yield f"{corpus}, {zone}: {_in_short(found)}"
    folder = paths.metrics(model)
    DistanceRow.write(folder, distances)
    UtilisationRow.write(folder, utilisation)
    RiseRow.write(folder, by_zone(pd.concat(utilisation)))
    SharedRow.write(folder, shared)
    SimilaritySummary.write(folder, {"corpora": summary})
    SimilarityMetrics.write(folder, SimilarityMetrics.of(folder))


def _kept(shared: SharedExperts, experts: int) -> list[dict[str, Any]]:
    """`k` and `thr` for a layer of so many experts; several k may keep the same number of a small one."""
    return [{"k": k, "thr": thr} for k in dict.fromkeys(kept(k, experts) for k in shared.k) for thr in shared.thr]


def _vocabulary(traces: Sequence[Trace], path: Path) -> Any:
    """1 - overlap of tokens of all pairs; None of counts recorded elsewhere, whose text is not at hand."""
    if any(trace.header.pooled for trace in traces):
        return None
    counts = (vocabulary.read(path, trace.header.corpus, trace.header.language) for trace in traces)
    return vocabulary_distance([token_shares(of) for of in counts])


def _zone(similarity: Similarity, place: int, rivals: Any, settings: SimilaritySettings, seed: int) -> dict[str, Any]:
    """What the distances of one zone say: the tree, what it follows, and what explains them."""
    headline, *others = similarity.distances
    routing_P, labels = headline.zones_ZP[place], label_values(similarity.languages)
    resampled = resampled_joins(None if headline.draws_RZP is None else headline.draws_RZP[:, place])
    found, test = tree(routing_P), {"shuffles": settings.shuffles, "seed": seed}
    return {
        "layers": list(getattr(similarity.zones, ZONES[place])),
        "linkage": [
            [int(a), int(b), round(height, DECIMALS), int(size)] for a, b, height, size in found.joins.tolist()
        ],
        "cophenetic": found.cophenetic,
        "labels": {
            label: agreement(found, resampled, values, confidence=settings.confidence, **test)
            for label, values in labels.items()
        },
        "rivals": explain(routing_P, rivals, families=labels["family"], **test),
        "sensitivity": [
            {"measure": other.measure, "reading": other.reading} | sensitivity(routing_P, other.zones_ZP[place], labels)
            for other in others
        ],
        "relatedness": _relatedness(routing_P, labels, settings, seed),
    }


def _relatedness(
    routing_P: Any, labels: dict[str, list[str]], settings: SimilaritySettings, seed: int
) -> dict[str, Any] | None:
    """Whether relatives are nearer, the pivot apart, which is the first language."""
    return relatedness(
        squareform(squareform(routing_P)[1:, 1:]), labels["family"][1:], labels["script"][1:],
        shuffles=settings.shuffles, confidence=settings.confidence, seed=seed,
    )  # fmt: skip


def _in_short(zone: dict[str, Any]) -> str:
    """The best-matching grouping and the strongest covariate, of those that could be tested."""
    labels = {name: label for name, label in zone["labels"].items() if label["rand"] is not None}
    rivals = {name: rival for name, rival in zone["rivals"].items() if rival["mantel"] is not None}
    parts = []
    if labels:
        name = min(labels, key=lambda label: labels[label]["p"])
        parts.append(f"best-matching grouping: {name} (Rand {labels[name]['rand']:.2f}, p {labels[name]['p']:.3f})")
    if rivals:
        name = max(rivals, key=lambda rival: rivals[rival]["mantel"])
        parts.append(
            f"strongest covariate of distance: {name} (r {rivals[name]['mantel']:.2f}, p {rivals[name]['p']:.3f})"
        )
    return "; ".join(parts) or "too few languages or labels to test"


if __name__ == "__main__":
    main()
