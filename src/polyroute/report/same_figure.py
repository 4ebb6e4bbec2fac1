"""Whether two SVG figures show the same: the words in them, and where their lines and marks are drawn.

Bytes differ where a last digit does. Both are drawn by matplotlib, which writes words as shapes, with the words
themselves in comments.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from polyroute.results.compare import Difference

POINTS = 4.0
"""How far a mark may be from where it was, in points; a figure is about 600 wide."""
_DEFINITIONS = re.compile(r"<defs>.*?</defs>", re.DOTALL)
_WORDS = re.compile(r"<!-- (.*?) -->", re.DOTALL)
_DRAWN = re.compile(r'\s(?:d|x|y|transform|width|height)="([^"]*)"')
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")


def compare(file: str, before: bytes, now: bytes) -> list[Difference]:
    """What differs in a figure.

    Args:
        file: what to call it.
        before: one SVG.
        now: another.
    """
    texts = [_DEFINITIONS.sub("", svg.decode(errors="replace")) for svg in (before, now)]
    # Numbers in words are of the tables that the figure is drawn from.
    words = [[_NUMBER.sub("0", told) for told in _WORDS.findall(text)] for text in texts]
    if words[0] != words[1]:
        here = next((pair for pair in zip(*words, strict=False) if pair[0] != pair[1]), None)
        what = f"{here[0]!r}, now {here[1]!r}" if here else f"{len(words[0])} words, now {len(words[1])}"
        return [Difference(file, "words", what, "exactly", 1, len(words[0]), "")]
    points = [_points(text) for text in texts]
    if len(points[0]) != len(points[1]):
        what = f"{len(points[0])} coordinates, now {len(points[1])}"
        return [Difference(file, "drawing", what, "exactly", 1, 1, "")]
    moved = np.abs(points[0] - points[1])
    if not moved.any():
        return []
    worst, beyond = float(moved.max()), int((moved > POINTS).sum())
    differing = beyond or int((moved > 0).sum())
    return [
        Difference(file, "drawing", f"{worst:.3g} points", f"{POINTS:g} points", differing, len(moved), "", not beyond)
    ]


def _points(text: str) -> NDArray[np.float64]:
    drawn = " ".join(_DRAWN.findall(text))
    return np.array(_NUMBER.findall(drawn), dtype=np.float64)
