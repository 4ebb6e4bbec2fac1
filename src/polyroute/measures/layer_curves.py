"""Alignment of languages with the pivot by layer: every measure of one model on one parallel corpus.

Unit of resampling of all intervals: the sentence, the same resamples for every language, layer and measure. For
sentence alignment each sentence is left out in turn.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from polyroute.artifacts.importance import HEAD
from polyroute.artifacts.trace import Trace
from polyroute.ground.cores import each_on_a_core
from polyroute.ground.errors import PolyrouteError
from polyroute.ground.layers import Zones
from polyroute.measures import divergence, sentence_alignment
from polyroute.measures.first_tokens import FirstTokens
from polyroute.measures.layer_measure import Compared, Drawing
from polyroute.measures.of_tokens import LayerMeasure
from polyroute.measures.registry import MEASURES
from polyroute.measures.rounding import bounded
from polyroute.measures.split_half import SPLITS, floor, split_half
from polyroute.measures.zones import Difference, default_zones, depth_shape, inside
from polyroute.results.quantities import DECIMALS, rounded
from polyroute.stats.bootstrap import Bootstrap, Interval
from polyroute.stats.signs import FEWEST


class AlignmentError(PolyrouteError):
    """Traces that cannot be compared."""


@dataclass(frozen=True)
class LanguageCurves:
    """What one language's trace says, by layer."""

    language: str
    rows: pd.DataFrame
    """Those of `results.alignment.LayerRow`."""
    summary: dict[str, Any] | None
    """Zone means, their differences with intervals, the shape of the curve; None for the pivot."""
    zone_items: NDArray[np.float64] | None
    """(N, 3) divergence of each sentence in the early, middle and late zone; None for the pivot."""
    alignment_L: NDArray[np.float64] | None
    """Sentence alignment; None for the pivot and where there are no sentences."""
    first_tokens: FirstTokens | None = None
    """The same over the first tokens of sentences; None for the pivot and where the trace keeps none."""


class Alignment:
    """Compares traces of one model on one corpus with the pivot's."""

    def __init__(
        self,
        pivot: Trace,
        *,
        resamples: int,
        confidence: float,
        nearest: int,
        seed: int,
        zones: Zones | None = None,
        reading: str = "soft_mass",
    ):
        """Prepare with the pivot's trace.

        Args:
            pivot: trace of the language that divergence is measured from.
            resamples: bootstrap resamples over sentences.
            confidence: coverage of intervals.
            nearest: other sentences of the most similar length that each one is compared with for sentence alignment.
            seed: of the resamples, and of the order among sentences of one length.
            zones: early, middle and late layers in the model's numbering; by share of depth where None.
            reading: that summaries show; `soft_mass`, paper 1's own, gives way to counts where nothing else is known.

        Raises:
            AlignmentError: the trace does not hold the reading.
        """
        self.pivot = pivot
        self.zones = zones or default_zones(pivot.header.layers)
        if reading == "soft_mass" and reading not in pivot.readings:
            reading = "topk_count"
        if reading not in pivot.readings:
            raise AlignmentError(
                f"{pivot.place} holds no `{reading}`, which `importance` in the model's entry names; it holds "
                f"{', '.join(pivot.readings)}"
            )
        self.reading = reading
        """The reading that summaries show."""
        self._bootstrap = None if pivot.header.pooled else Bootstrap(len(pivot.item_ids), resamples, confidence, seed)
        self._drawing = Drawing(self._bootstrap, nearest, seed)
        self._of_pivot: dict[str, Compared] = {}

    def language(self, trace: Trace) -> LanguageCurves:
        """Every measure of one language; of the pivot, those that need no other.

        Args:
            trace: of the language, or the very trace that this alignment was made with.

        Raises:
            AlignmentError: the trace is of another model, corpus, setting or other sentences than the pivot's, or a
                value is none that its measure can have.
        """
        check_comparable(self.pivot, trace)
        is_pivot = trace is self.pivot
        rows: list[pd.DataFrame] = []
        zone_items = alignment_L = first_tokens = None
        head = [HEAD] if trace.head and self.pivot.head else []
        of_tokens = (reading for one in MEASURES if (reading := getattr(one, "reading", None)))
        for reading in dict.fromkeys([*trace.readings, *head, *of_tokens]):
            compared = self._compared(trace, reading)
            for measure in MEASURES:
                if not (measure.pivot and is_pivot):
                    rows += [_tidy(trace, measure, *curve, reading) for curve in measure.curves(compared)]
            if compared.headline and not is_pivot:
                zone_items = self._zone_items(compared.once(divergence.MEASURE.by_sentence))
            if compared.of_head and not is_pivot:
                first_tokens = self._first_tokens(compared, rows)
        table = pd.concat(rows, ignore_index=True)
        summary = None
        if zone_items is not None:
            summary = self.summarise(zone_items) | {"tokens_per_sentence": _fertility(trace)}
            alignment_L = _aligned(table, self.reading)
        return LanguageCurves(trace.header.language, table, summary, zone_items, alignment_L, first_tokens)

    def of_languages(self, traces: Sequence[Trace]) -> Iterator[LanguageCurves]:
        """`language` of each in turn, as many at a time as there are cores; best after the pivot's own.

        Args:
            traces: each is read when its turn comes, so that of `TraceFiles` few are in memory.

        Raises:
            AlignmentError: as `language`.
        """
        return each_on_a_core(lambda place: self.language(traces[place]), range(len(traces)))

    def _first_tokens(self, compared: Compared, rows: list[pd.DataFrame]) -> FirstTokens | None:
        zones_N3 = self._zone_items(compared.once(divergence.MEASURE.by_sentence))
        sentences = int((~np.isnan(zones_N3).any(axis=1)).sum())
        alignment_L = _aligned(pd.concat(rows, ignore_index=True), HEAD)
        assert alignment_L is not None, "traces that keep first tokens have sentences"
        if sentences < FEWEST:
            return FirstTokens(sentences, {}, np.full(3, np.nan), alignment_L)
        return FirstTokens(sentences, self.summarise(zones_N3), np.nanmean(zones_N3, axis=0), alignment_L)

    def _compared(self, trace: Trace, reading: str) -> Compared:
        headline = reading == self.reading
        if reading not in self._of_pivot:
            self._of_pivot[reading] = Compared(self.pivot, self.pivot, reading, headline, self._drawing)
        of_pivot = self._of_pivot[reading]
        return (
            of_pivot if trace is self.pivot else Compared(self.pivot, trace, reading, headline, self._drawing, of_pivot)
        )

    def split_half(self) -> dict[str, Any] | None:
        """The pivot's sentences in two halves, as `split_half.floor` has them; None of pooled counts."""
        if self._bootstrap is None:
            return None
        paired_SL = split_half(self.pivot.distributions(self.reading), splits=SPLITS, seed=self._drawing.seed)
        return floor(paired_SL, self._zone_items(paired_SL))

    def summarise(self, zone_items: NDArray[np.float64]) -> dict[str, Any]:
        """Zone means of divergence, outer zones minus the middle, and the shape of the curve.

        Args:
            zone_items: (N, 3) divergence of each sentence in the three zones. Fewer than `FEWEST` sentences have no
                intervals, so that no shape is named.
        """
        early_N, middle_N, late_N = zone_items.T
        differences = np.stack([early_N - middle_N, late_N - middle_N], axis=1)
        if self._bootstrap is None:
            outer = [Difference(float(value), None, None) for value in differences[0]]
        elif len(differences) < FEWEST:
            outer = [Difference(float(value), np.nan, np.nan) for value in differences.mean(axis=0)]
        else:
            interval = self._bootstrap.mean(differences)
            bounds = zip(interval.value, interval.low, interval.high, strict=True)
            outer = [Difference(*map(float, bound)) for bound in bounds]
        zones = dict(zip(("early", "middle", "late"), np.nanmean(zone_items, axis=0), strict=True))
        return {zone: rounded(value) for zone, value in zones.items()} | {
            "early_minus_middle": bounded(outer[0]),
            "late_minus_middle": bounded(outer[1]),
            "shape": depth_shape(*outer),
        }

    def _zone_items(self, divergence_NL: NDArray[np.float64]) -> NDArray[np.float64]:
        inside_3L = inside(self.zones, self.pivot.header.layers)
        return np.stack([divergence_NL[:, inside_L].mean(axis=1) for inside_L in inside_3L], axis=1)


def in_short(summary: dict[str, Any]) -> dict[str, float]:
    """A corpus's summary as a handful of numbers, for `dvc metrics`.

    Args:
        summary: `languages` (code -> zone means, differences and shape), `mean` over them, and `over_languages`.
    """
    mean = summary["mean"]
    shapes = [language["shape"] for language in summary["languages"].values()]
    aligned = {}
    if rows := summary["over_languages"].get("alignment"):
        peak = max(rows, key=lambda row: float(row["value"]))
        aligned = {"alignment_peak": peak["value"], "alignment_peak_layer": peak["layer"]}
    return (
        aligned
        | {zone: mean[zone] for zone in ("early", "middle", "late")}
        | {
            "early_minus_middle": mean["early_minus_middle"]["value"],
            "late_minus_middle": mean["late_minus_middle"]["value"],
            "languages": len(shapes),
            "languages_with_u": shapes.count("U"),
        }
    )


def headline_curves(table: pd.DataFrame, readings: dict[str, str]) -> list[dict[str, Any]]:
    """The divergence that summaries show, pooled where traces hold nothing else; for `dvc plots`.

    Args:
        table: rows of `results.alignment.LayerRow`.
        readings: corpus -> the reading that its summaries show.

    Returns:
        One record a corpus, language and layer, with the keys corpus, language, layer, divergence.
    """
    chosen = table[(table["reading"] == table["corpus"].map(readings)) & table["measure"].str.startswith("divergence")]
    by_sentence = chosen[chosen["measure"] == "divergence"]
    chosen = by_sentence if len(by_sentence) else chosen
    rows = chosen[["corpus", "language", "layer", "value"]].rename(columns={"value": "divergence"})
    parsed: list[dict[str, Any]] = json.loads(rows.to_json(orient="records"))
    return parsed


def check_comparable(pivot: Trace, other: Trace) -> None:
    """Refuse traces whose difference would be one of engine, settings or text, and not of language.

    Raises:
        AlignmentError: names what differs, or the items that one of them lacks.
    """
    for field in ("model", "model_digest", "corpus", "engine", "dtype", "device", "layers", "experts", "top_k",
                  "settings", "versions", "pooled"):  # fmt: skip
        ours, theirs = getattr(pivot.header, field), getattr(other.header, field)
        if ours != theirs:
            raise AlignmentError(
                f"{other.place} has {field} {theirs}, the pivot's has {ours}: differences of engine and settings would "
                "pass for differences of language; trace both alike (stage `trace`)"
            )
    if pivot.item_ids != other.item_ids:
        lacking = sorted(set(pivot.item_ids) - set(other.item_ids))[:5]
        extra = sorted(set(other.item_ids) - set(pivot.item_ids))[:5]
        said = f"it lacks items {lacking or 'none'} and has besides {extra or 'none'}"
        if not lacking and not extra:
            said = "it has the same items in another order"
        raise AlignmentError(f"{other.place} is not parallel to the pivot's: {said}")


def _tidy(trace: Trace, measure: LayerMeasure, name: str, found: Interval, reading: str) -> pd.DataFrame:
    value_L = found.value.round(DECIMALS)
    for layer, value in zip(trace.header.layers, value_L, strict=True):
        if not np.isnan(value) and not measure.bounds[0] <= value <= measure.bounds[1]:
            raise AlignmentError(
                f"{trace.place}: {name} of {reading} is {value} in layer {layer}, outside of {list(measure.bounds)}: "
                f"correct the bounds of the measure `{measure.name}`, or how it is computed"
            )
    return pd.DataFrame(
        {
            "model": trace.header.model,
            "corpus": trace.header.corpus,
            "language": trace.header.language,
            "layer": trace.header.layers,
            "measure": name,
            "reading": reading,
            "value": value_L,
            "low": found.low.round(DECIMALS),
            "high": found.high.round(DECIMALS),
        }
    )


def _aligned(table: pd.DataFrame, reading: str) -> NDArray[np.float64] | None:
    found = table[(table["measure"] == sentence_alignment.MEASURE.name) & (table["reading"] == reading)]
    return None if found.empty else found["value"].to_numpy(np.float64)


def _fertility(trace: Trace) -> float | None:
    return None if trace.header.pooled else round(float(trace.tokens.mean()), 2)
