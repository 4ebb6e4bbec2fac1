"""Two checkpoints compared: divergence, expert sets, accuracy."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from polyroute.artifacts.trace import Trace
from polyroute.comparing.answers import Accuracy, accuracy, records
from polyroute.comparing.change import FEWEST_SENTENCES, Change, changes, divergences, named, over_languages
from polyroute.comparing.kept import Kept, Sets
from polyroute.comparing.sides import CompareError, Pair
from polyroute.ground.layers import LayerRange, Zones
from polyroute.measures.of_traces import reading_of
from polyroute.measures.zones import default_zones


@dataclass(frozen=True)
class Comparison:
    """What became of routing between two checkpoints."""

    one: str
    other: str
    corpus: str
    pivot: str
    reading: str
    """Of expert importance."""
    sentences: int | None
    """None of counts of a whole corpus."""
    layers: tuple[int, ...]
    experts: int
    top_k: int
    tau: float
    confidence: float
    zones: dict[str, LayerRange]
    languages: dict[str, dict[str, Change]]
    """Language -> zone or layer -> change of D."""
    mean: dict[str, Change]
    """The same over languages."""
    sets: list[Kept]
    tokens_differ: list[str]
    """Languages whose sentences have another number of tokens in the other checkpoint."""
    accuracy: list[Accuracy] = field(default_factory=list)
    not_compared: dict[str, str] = field(default_factory=dict)
    """What cannot be said -> why."""
    notes: tuple[str, ...] = ()
    """What differs beside the weights."""

    def most_changed(self, count: int) -> list[str]:
        """The languages whose D changes most in the middle, in their own order."""
        by_change = sorted(self.languages, key=lambda code: -abs(self.languages[code]["middle"].difference))
        return [code for code in self.languages if code in set(by_change[:count])]

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        told = asdict(self)
        told["accuracy"] = {one.task: records(one) for one in self.accuracy}
        told["sets"] = [asdict(one) for one in self.sets]
        for one in told["sets"]:
            for part in ("lost", "gained"):
                one[part] = {str(layer): list(experts) for layer, experts in one[part].items()}
        told["layers"] = list(self.layers)
        told["zones"] = {name: list(span) for name, span in self.zones.items()}
        told["notes"] = list(self.notes)
        return told


@dataclass(frozen=True)
class Answered:
    """Where the answers of two checkpoints are."""

    one: Path
    other: Path
    scores: dict[str, str]
    """Task -> the score that is compared."""


def compare(
    pair: Pair, *, zones: Zones | None = None, tau: float = 0.3, confidence: float = 0.95,
    seed: int = 0, answered: Answered | None = None,
) -> Comparison:  # fmt: skip
    """Compare two checkpoints.

    Args:
        pair: their traces.
        zones: early, middle and late layers; by share of depth where None.
        tau: threshold on Delta of specialised experts.
        confidence: coverage of intervals.
        seed: of halves and exchanges.
        answered: their answers, where there are any.

    Raises:
        CompareError: traces are not of the same sentences, or a zone holds no layer.
        SpecialisationError: a sequence has no counted token.
        AnswerError: a file of answers is damaged.
    """
    layers = pair.about.layers
    zones = zones or default_zones(layers)
    pivots = pair.traces(pair.pivot)
    sets = Sets(*pivots, tau=tau, seed=seed)
    rows, tokens_differ = sets.of_pivot(), []
    pooled = pair.about.pooled
    reading = ""
    found = {}
    for language in pair.languages:
        one, other = pair.traces(language)
        reading = reading or reading_of(*pivots, one, other)
        for pivot, trace in zip(pivots, (one, other), strict=True):
            _parallel(pivot, trace)
        found[language] = divergences((pivots[0], one), (pivots[1], other), zones, reading)
        rows += sets.of(language, one, other)
        if not pooled and (one.tokens != other.tokens).any():
            tokens_differ.append(language)
    for corpus in pair.texts:
        rows += sets.of(corpus, *pair.traces(pair.pivot, corpus))
    tasks, refused = ([], {}) if answered is None else accuracy(
        answered.one, answered.other, pivot=pair.pivot, scores=answered.scores, confidence=confidence, seed=seed
    )  # fmt: skip
    refused = {f"accuracy on {task}": why for task, why in refused.items()}
    if answered is None:
        refused["accuracy"] = "traces alone say nothing of answers: name two entries of params.yaml that were asked"
    elif not tasks and not refused:
        refused["accuracy"] = "neither was asked anything, or answers were not scored"
    if pooled:
        refused["intervals over sentences"] = "counts of the whole corpus hold no single sentences"
    elif len(pivots[0].item_ids) < FEWEST_SENTENCES:
        refused["intervals over sentences"] = f"{len(pivots[0].item_ids)} sentences are too few for one"
    return Comparison(
        one=pair.one.name, other=pair.other.name, corpus=pair.corpus, pivot=pair.pivot, reading=reading,
        sentences=None if pooled else len(pivots[0].item_ids), layers=layers, experts=pair.about.experts,
        top_k=pair.about.top_k, tau=tau, confidence=confidence, zones=dict(zones),
        languages={code: named(changes(each, confidence), layers) for code, each in found.items()},
        mean=named(over_languages(list(found.values()), confidence), layers), sets=rows, tokens_differ=tokens_differ,
        accuracy=tasks, not_compared=refused | pair.left_out, notes=pair.notes,
    )  # fmt: skip


def _parallel(pivot: Trace, trace: Trace) -> None:
    if pivot.item_ids != trace.item_ids:
        raise CompareError(f"the {trace.place} is not of the sentences of the pivot's: trace both alike")
