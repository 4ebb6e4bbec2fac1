"""Traces in memory compared in one call: what notebooks need of divergence and of the curves by layer.

The numbers are those of the stage `align`: D of paper 1 (Eq. 2) by sentence, and every measure of
`polyroute.measures.registry` by layer with intervals over sentences.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from polyroute.artifacts.trace import Trace
from polyroute.ground.layers import Zones
from polyroute.measures.divergence import routing_divergence
from polyroute.measures.layer_curves import Alignment, AlignmentError, check_comparable


@dataclass(frozen=True)
class Aligned:
    """Every language of one corpus beside the pivot."""

    pivot: str
    """Language that divergence is measured from."""
    rows: pd.DataFrame
    """All measures by layer, with intervals: those of `results.alignment.LayerRow`."""
    summaries: dict[str, dict[str, Any]]
    """Language -> divergence in the early, middle and late zone, their differences and the shape over depth."""
    zones: Zones
    """Which layers these are, in the model's numbering."""
    reading: str
    """The reading of expert importance that `summaries` and `curve` show."""

    def curve(self, measure: str = "divergence", reading: str | None = None) -> pd.DataFrame:
        """One measure: a row a layer, a column a language. `aligned.curve().plot()` draws it.

        Raises:
            AlignmentError: there is no such measure of that reading.
        """
        of_tokens = self.rows[self.rows["measure"] == measure]["reading"].unique()
        wanted = reading or (self.reading if self.reading in of_tokens or not len(of_tokens) else of_tokens[0])
        found = self.rows[(self.rows["measure"] == measure) & (self.rows["reading"] == wanted)]
        if found.empty:
            known = ", ".join(sorted(self.rows["measure"].unique()))
            raise AlignmentError(f"there is no measure `{measure}` of the reading `{wanted}`; the measures are {known}")
        return found.pivot(index="layer", columns="language", values="value")[list(found["language"].unique())]


def divergence(pivot: Trace, other: Trace, *, reading: str | None = None) -> pd.DataFrame:
    """Routing divergence D of each sentence and its translation, layer by layer (paper 1, Eq. 2).

    Args:
        pivot: trace of one language; D is symmetric, so that either may be the first.
        other: trace of the same items in another language, by the same model and settings.
        reading: reading of expert importance; by default `soft_mass`, the paper's, or `topk_count` of counts alone.

    Returns:
        (N, L): a row a sentence, named by its item, a column a layer; D in [0, 1]. `.mean()` is the curve over depth.

    Raises:
        AlignmentError: the traces are not parallel, or of different models or settings.
        TraceError: a trace does not hold the reading.
    """
    check_comparable(pivot, other)
    reading = reading or reading_of(pivot, other)
    values_NL = routing_divergence(pivot.distributions(reading), other.distributions(reading))
    return pd.DataFrame(
        values_NL,
        index=pd.Index(pivot.item_ids, name="item_id"),
        columns=pd.Index(pivot.header.layers, name="layer"),
    )


def align(
    traces: Mapping[str, Trace] | Iterable[Trace],
    pivot: str = "eng_Latn",
    *,
    resamples: int = 1000,
    confidence: float = 0.95,
    nearest: int = 8,
    seed: int = 0,
    zones: Zones | None = None,
) -> Aligned:
    """Every measure of every language by layer, as the stage `align` has it.

    Unit of resampling: the sentence with its translations.

    Args:
        traces: language -> trace, or traces, each of which says its language.
        pivot: the language that divergence is measured from.
        resamples: bootstrap resamples over sentences.
        confidence: coverage of intervals.
        nearest: other sentences of the most similar length that each one is compared with for sentence alignment.
        seed: of the resamples, and of the order among sentences of one length.
        zones: early, middle and late layers in the model's numbering; by share of depth where None.

    Raises:
        AlignmentError: there is no trace in the pivot or none beside it, two are of one language, or they are not
            parallel or not of one model and one setting.
    """
    by_language = _by_language(traces)
    if pivot not in by_language:
        held = ", ".join(by_language) or "none"
        raise AlignmentError(f"there is no trace in the pivot {pivot}; there are {held}: name one of them as `pivot`")
    if len(by_language) < 2:
        raise AlignmentError(f"there is no trace beside the pivot's, {pivot}: add one in another language")
    compared = Alignment(
        by_language[pivot], resamples=resamples, confidence=confidence, nearest=nearest, seed=seed, zones=zones
    )
    others = [trace for language, trace in by_language.items() if language != pivot]
    curves = [compared.language(trace) for trace in (by_language[pivot], *others)]
    return Aligned(
        pivot,
        pd.concat([curve.rows for curve in curves], ignore_index=True),
        {curve.language: curve.summary for curve in curves if curve.summary is not None},
        compared.zones,
        compared.reading,
    )


def reading_of(*traces: Trace) -> str:
    """The reading that traces are compared by: `soft_mass`, paper 1's, where all hold it, else `topk_count`."""
    return "soft_mass" if all("soft_mass" in trace.readings for trace in traces) else "topk_count"


def _by_language(traces: Mapping[str, Trace] | Iterable[Trace]) -> dict[str, Trace]:
    if isinstance(traces, Mapping):
        for language, trace in traces.items():
            if trace.header.language != language:
                raise AlignmentError(
                    f"the {trace.place} is given as {language}: trace it with language={language!r}, or name it so here"
                )
        return dict(traces)
    found: dict[str, Trace] = {}
    for trace in traces:
        if trace.header.language in found:
            raise AlignmentError(
                f"two traces are in {trace.header.language}: say each one's language, as in "
                'trace(model, tokenizer, texts, language="deu_Latn")'
            )
        found[trace.header.language] = trace
    return found
