"""Colours of runs: within a model the languages of a group share a hue, and each model turns the hues its own way.

MLflow gives a run one colour, in a chart of one model's languages and in a chart of one language's models: both must be
told apart, by the colour-blind too. A group is a family, or a branch of Indo-European, to which nearly half of all
languages belong.
"""

from __future__ import annotations

import colorsys
import hashlib
from functools import cache

from polyroute.languages import table as languages

_OWN = "Indo-European"
_HUES = {
    "Germanic": 0.57, "Romance": 0.07, "Slavic": 0.40, "Indo-Aryan": 0.91, "Iranian": 0.85, "Atlantic-Congo": 0.14,
    "Austronesian": 0.50, "Afro-Asiatic": 0.67, "Turkic": 0.24, "Sino-Tibetan": 0.0, "Japonic": 0.77,
    "Dravidian": 0.31, "Koreanic": 0.72, "Uralic": 0.62, "Tai-Kadai": 0.45, "Austroasiatic": 0.19,
}  # fmt: skip
"""Places on the colour circle of groups with many languages or much text, those that studies ask most far apart; others
have one by their name."""
_LIGHTNESS = (0.40, 0.58, 0.29, 0.49, 0.66)
"""Of the languages of a group in turn, so that neighbours differ."""

_TURNS = (
    (0.0, 0.0, 0.0), (0.45, 0.0, 0.0), (0.9, 0.0, 0.4), (0.85, 1.0, 0.25), (0.4, 0.0, 0.4), (0.15, 1.0, 0.25),
    (0.6, 0.0, 0.0), (0.6, 0.0, 0.25), (0.0, 0.0, 0.25), (0.15, 1.0, 0.4),
)  # fmt: skip
"""Of each model in turn: how far hues go round the colour circle, and the share of black (0) or white (1) that is mixed
in. Found by search: the first two models are 40 apart in CIELAB, the first four 16, the ten that MLflow draws 7, as
seen by people with and without deuteranopia or protanopia."""
_OF_MODELS = ("#000000", "#e69f00", "#56b4e9", "#009e73", "#cc79a7", "#d55e00", "#0072b2", "#8c8c8c")
"""Okabe and Ito's colours, the yellow apart, which is hard to see on white."""

Tone = tuple[float, float, float]


def of_language(code: str, shade: int) -> str:
    """A language's colour, `#rrggbb`.

    Args:
        code: FLORES code.
        shade: number of the model.
    """
    group = _group(code)
    hue = _HUES.get(group, int(hashlib.sha256(group.encode()).hexdigest()[:4], 16) / 0x10000)
    members = _members().get(group, (code,))
    place = members.index(code) if code in members else 0
    turn, towards, share = _TURNS[shade % len(_TURNS)]
    tone = colorsys.hls_to_rgb((hue + turn) % 1, _LIGHTNESS[place % len(_LIGHTNESS)], 0.78)
    return _mixed(tone, towards, share)


def of_model(shade: int) -> str:
    """A model's own colour; the first is black."""
    return _OF_MODELS[shade % len(_OF_MODELS)]


def of_pivot(shade: int) -> str:
    """The colour of the language that others are compared with."""
    return _mixed((0.35, 0.35, 0.35), *((0.0, 0.0), (1.0, 0.45), (0.0, 0.4))[shade % 3])


def _group(code: str) -> str:
    language = languages.get(code)
    return language.branch if language.family == _OWN else language.family


@cache
def _members() -> dict[str, tuple[str, ...]]:
    """Group -> its languages, those with most resources first, so that their lightness differs."""
    found: dict[str, list[str]] = {}
    for code in sorted(languages.released_codes(), key=lambda code: (-(languages.get(code).resource or 0), code)):
        found.setdefault(_group(code), []).append(code)
    return {group: tuple(codes) for group, codes in found.items()}


def _mixed(tone: Tone, towards: float, share: float) -> str:
    """A tone with a share of black or white in it."""
    return "#" + "".join(f"{round(255 * ((1 - share) * channel + share * towards)):02x}" for channel in tone)
