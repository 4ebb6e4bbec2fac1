"""Counts of expert choices that were recorded elsewhere: language, layer, expert -> how many tokens chose it.

Columns of the file: language (FLORES code), layer (the model's own number), expert (from 0) and count (64 bits), one
row for each, sorted by language as the header has them, layer and expert. `artifacts.recording` says what else is in
it.

Such a count is `topk_count` of a whole corpus. It says nothing of the router's logits (`soft_mass`, `topk_mass`,
entropies of single tokens) and nothing of single sentences (alignment, intervals over sentences, consistency). Where
the recorder kept the router's logits of every token, a fifth column holds their `soft_mass` too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow
from numpy.typing import NDArray
from pydantic import Field

from polyroute.artifacts import recording
from polyroute.artifacts.recording import Recording, RecordingError
from polyroute.artifacts.trace import Trace, TraceHeader

TOLERANCE = 0.005
"""How far a layer's counts may add up beside K times its tokens, as a share. The recorder of Qwen3-30B-A3B is off
by 0.0003; a file of another top-k, or one cut short, is off by far more."""
_SUM = 1e-6
"""How far soft mass may add up beside 1."""
_SCHEMA = pyarrow.schema(
    {"language": pyarrow.string(), "layer": pyarrow.int32(), "expert": pyarrow.int32(), "count": pyarrow.int64()}
)
_SOFT = pyarrow.schema({"soft_mass": pyarrow.float64()})
LARGEST = 2**53
"""The largest count that is taken: float64, in which distributions are computed, holds it exactly."""


class CountsHeader(Recording):
    """What recorded counts say of themselves."""

    experts: int = Field(ge=2)
    """A layer."""
    top_k: int = Field(ge=1)
    """Experts that a token is sent to."""
    tokens: dict[str, int]
    """Language -> tokens that were counted."""


@dataclass(frozen=True)
class Counts:
    """Counts of V languages in L layers of E experts."""

    header: CountsHeader
    counts_VLE: NDArray[np.int64]
    """Tokens whose top-k held the expert."""
    soft_VLE: NDArray[np.float64] | None = None
    """Mean over tokens of the softmax of the router's logits (arXiv 2510.04694, Eq. 1); None where these were not
    recorded."""

    @classmethod
    def checked(
        cls,
        header: CountsHeader,
        counts_VLE: NDArray[np.int64],
        place: str,
        soft_VLE: NDArray[np.float64] | None = None,
    ) -> Self:
        """Counts that can be.

        Args:
            header: what they are of.
            counts_VLE: the counts.
            place: how errors name them.
            soft_VLE: soft mass, where there is any.

        Raises:
            RecordingError: a count is below 0 or above the tokens of its language, a layer's counts do not add up to
                top-k times tokens, a language has no tokens or more than 2^53, or soft mass is no distribution; names
                language, layer and expert.
        """
        for language, counts_LE in zip(header.languages, counts_VLE, strict=True):
            tokens = header.tokens.get(language, 0)
            if tokens < 1:
                raise RecordingError(f"{place}: {language}: its header names no tokens: nothing was recorded")
            if tokens > LARGEST:
                raise RecordingError(f"{place}: {language}: its header names {tokens} tokens, more than 2^53")
            for layer, expert in np.argwhere((counts_LE < 0) | (counts_LE > tokens)):
                raise RecordingError(
                    f"{place}: {language}, layer {header.layers[layer]}, expert {expert}: the count "
                    f"{counts_LE[layer, expert]} is not from 0 to its {tokens} tokens"
                )
            expected = header.top_k * tokens
            # In float64: a sum of damaged counts can be more than 64 bits hold.
            sums_L = counts_LE.sum(axis=1, dtype=np.float64)
            for layer in np.flatnonzero(np.abs(sums_L - expected) > TOLERANCE * expected):
                raise RecordingError(
                    f"{place}: {language}, layer {header.layers[layer]}: counts add up to "
                    f"{sum(counts_LE[layer].tolist())}, "
                    f"not to top_k x tokens = {header.top_k} x {tokens} = {expected}: wrong top-k, or a damaged file"
                )
        if soft_VLE is not None:
            # Written so that NaN is refused too.
            wrong_VL = ~((soft_VLE >= 0).all(axis=2) & (np.abs(soft_VLE.sum(axis=2) - 1) < _SUM))
            for language, layer in np.argwhere(wrong_VL):
                raise RecordingError(
                    f"{place}: {header.languages[language]}, layer {header.layers[layer]}: soft mass is no "
                    "distribution over experts, from 0 and adding up to 1"
                )
        return cls(header, counts_VLE, soft_VLE)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file of `recorded/`.

        Raises:
            RecordingError: as `recording.read` and `checked`, or rows are lacking or in another order.
        """
        header, columns = recording.read(path, CountsHeader, _SCHEMA, _SOFT)
        shape_VLE = len(header.languages), len(header.layers), header.experts
        wanted = _keys(header)
        if any(list(columns[name]) != list(keys) for name, keys in wanted.items()):
            raise RecordingError(
                f"{path}: its rows are not one for each of {shape_VLE[0]} languages, {shape_VLE[1]} layers and "
                f"{shape_VLE[2]} experts, in the order of its header: make it anew with `polyroute import-counts`"
            )
        soft_VLE = columns["soft_mass"].reshape(shape_VLE) if "soft_mass" in columns else None
        return cls.checked(header, columns["count"].astype(np.int64).reshape(shape_VLE), str(path), soft_VLE)

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all; the same counts give the same bytes."""
        columns: dict[str, Any] = _keys(self.header) | {"count": self.counts_VLE.ravel()}
        if self.soft_VLE is not None:
            columns["soft_mass"] = self.soft_VLE.ravel()
        fields = [field for field in (*_SCHEMA, *_SOFT) if field.name in columns]
        recording.write(path, self.header, {of.name: pyarrow.array(columns[of.name], of.type) for of in fields})

    def trace(self, language: str, *, model: str) -> Trace:
        """One language as a trace that holds counts, and soft mass where it was recorded: N = 1, the whole corpus.

        All languages of a recording have one digest of the model, so that they can be compared; the digest of the text
        is that of its language.

        Args:
            language: FLORES code.
            model: its name in params.yaml.

        Raises:
            RecordingError: the language is not in the recording.
        """
        header, place = self.header, self._place(language)
        about = TraceHeader(
            model=model, model_digest=header.commit or "own", corpus=header.corpus,
            corpus_digest=f"{header.source}@{header.commit or 'own'}:{language}", language=language, engine="recorded",
            dtype="unknown", device="unknown", layers=header.layers, experts=header.experts, top_k=header.top_k,
            selection=(), settings={}, versions={}, pooled=True,
        )  # fmt: skip
        soft_NLE = None if self.soft_VLE is None else self.soft_VLE[place][None].astype(np.float32)
        return Trace(about, ("pooled",), np.array([header.tokens[language]]), self.counts_VLE[place][None], soft_NLE)

    def traces(self, languages: Sequence[str], *, model: str) -> list[Trace]:
        """Several languages, as `trace`."""
        return [self.trace(language, model=model) for language in languages]

    def _place(self, language: str) -> int:
        if language not in self.header.languages:
            raise RecordingError(
                f"no counts of {language} are in the recording of {self.header.model}; there are "
                f"{', '.join(self.header.languages)}"
            )
        return self.header.languages.index(language)


def _keys(header: CountsHeader) -> dict[str, list[str] | NDArray[np.int32]]:
    """What each row is of."""
    languages, layers, experts = len(header.languages), len(header.layers), header.experts
    return {
        "language": [code for code in header.languages for _ in range(layers * experts)],
        "layer": np.tile(np.repeat(np.array(header.layers, np.int32), experts), languages),
        "expert": np.tile(np.arange(experts, dtype=np.int32), languages * layers),
    }
