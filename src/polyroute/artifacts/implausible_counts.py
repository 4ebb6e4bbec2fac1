"""What in recorded counts text does not do: signs of a recorder that did not record."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from polyroute.artifacts.recorded_counts import Counts
from polyroute.artifacts.recording import RecordingError

FEW = 4
"""So many tokens, or fewer, may all choose the same experts."""


def implausible(found: Counts, place: str) -> tuple[str, ...]:
    """Sentences on what a reader should look at before trusting counts.

    - In a layer every token chose the same experts: a recorder's profiling run, or a router that is broken.
    - Two layers have equal counts of every expert: one was written over the other, as draft models do.
    - Two languages have equal counts in every layer: one file under two names.

    Args:
        found: the counts.
        place: how the error names them.

    Returns:
        One sentence a finding; nothing where all is well.

    Raises:
        RecordingError: in every layer of a language every token chose the same experts: nothing of its text is there.
    """
    header, said = found.header, []
    for language, counts_LE in zip(header.languages, found.counts_VLE, strict=True):
        tokens = header.tokens[language]
        if tokens > FEW and header.top_k < header.experts:
            same_L = ((counts_LE == 0) | (counts_LE == tokens)).all(axis=1)
            if same_L.all():
                raise RecordingError(
                    f"{place}: {language}: every token chose the same experts in every layer (in layer "
                    f"{header.layers[0]}, {np.flatnonzero(counts_LE[0]).tolist()}): the recorder's profiling run, "
                    "not text"
                )
            if same_L.any():
                said.append(
                    f"{language}: every token chose the same experts in layer {_listed(header.layers, same_L)}: was it "
                    "the recorder's profiling run?"
                )
            said += _copied_layers(header.layers, counts_LE, same_L, language)
    said += _copied_languages(found)
    return tuple(said)


def _copied_layers(
    layers: tuple[int, ...], counts_LE: NDArray[np.int64], same_L: NDArray[np.bool_], language: str
) -> list[str]:
    seen: dict[bytes, int] = {}
    copies = []
    for layer, counts_E, same in zip(layers, counts_LE, same_L, strict=True):
        first = seen.setdefault(counts_E.tobytes(), layer)
        if first != layer and not same:
            copies.append(f"{first} and {layer}")
    if not copies:
        return []
    more = f" ({len(copies) - 3} more)" if len(copies) > 3 else ""
    return [
        f"{language}: layers {'; '.join(copies[:3])}{more} have equal counts of every expert: was one written over the "
        "other?"
    ]


def _copied_languages(found: Counts) -> list[str]:
    seen: dict[bytes, str] = {}
    said = []
    for language, counts_LE in zip(found.header.languages, found.counts_VLE, strict=True):
        first = seen.setdefault(counts_LE.tobytes(), language)
        if first != language:
            said.append(f"{language} has the same counts as {first} in every layer: is it that language's file?")
    return said


def _listed(layers: tuple[int, ...], chosen_L: NDArray[np.bool_]) -> str:
    return ", ".join(str(layer) for layer, chosen in zip(layers, chosen_L, strict=True) if chosen)
