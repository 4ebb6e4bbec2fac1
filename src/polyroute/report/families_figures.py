"""Figures of how languages compare: their tree by zone with families, and what explains their distances."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from polyroute.ground.layers import ZONES
from polyroute.languages import table as languages
from polyroute.report import drawing, families, words
from polyroute.report.drawing import COLOURS, INK, SOFT
from polyroute.results.model import ModelResults
from polyroute.results.similarity import CorpusSimilarity, Join, RivalCorrelation, ZoneSimilarity

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MARKS = ("o", "s", "D", "^", "v", "P", "X")
"""Of families, beside their colours: a figure must be read without these too."""
_ALONE = "#9aa0a6"
_WIDE = 60
"""Beyond so many languages families alone have colours."""
_PANEL = 1.95
"""Width of a tree in inches."""


def draw(folder: Path, found: ModelResults) -> tuple[list[Path], list[str]]:
    """Draw `tree-<corpus>` and `rivals-<corpus>`.

    Args:
        folder: where they go.
        found: of the model.

    Returns:
        The files, and what could not be drawn though the stage has run, with its reason.
    """
    files: list[Path] = []
    missing: list[str] = []
    for corpus, held in found.similarity.corpora.items() if found.similarity is not None else ():
        files += _trees(folder / f"tree-{corpus}", found.model, corpus, held)
        reasons = {
            str(rival.note) for zone in held.zones.values() for rival in zone.rivals.values() if rival.mantel is None
        }
        if any(rival.mantel is not None for zone in held.zones.values() for rival in zone.rivals.values()):
            files += _rivals(folder / f"rivals-{corpus}", found.model, corpus, held)
        else:
            missing.append(f"rivals on {corpus} ({'; '.join(sorted(reasons))})")
    return files, missing


def _trees(stem: Path, model: str, corpus: str, held: CorpusSimilarity) -> list[Path]:
    codes, zones = held.languages, held.zones
    # Down to a size at which 48 names are still apart.
    row = max(0.135, 0.2 - 0.0018 * max(0, len(codes) - 12))
    size = min(9.0, 62 * row)
    beside = 0.2 + max(len(words.named(code)) for code in codes) * 0.6 * size / 72
    width, height = _PANEL + beside, max(row * (len(codes) + 0.6), 0.6)
    # One scale, so that zones can be compared.
    highest = max(join[2] for zone in zones.values() for join in zone.linkage)
    table, styles = families.agreement(zones), _styles(codes)
    with drawing.panels([(place * width, 0.0, _PANEL, height) for place in range(len(ZONES))]) as panels:
        for axes, zone in zip(panels, ZONES, strict=True):
            _tree(axes, codes, zones[zone].linkage, styles, size, highest or 1.0)
            axes.set_title(_zone(zone, zones), fontsize=9.5, color=INK, loc="left", pad=5)
            _agreements(axes, families.in_zone(table, zone))
        panels[1].set_xlabel(f"distance at which they join  ({families.headline(held)})", color=INK)
        _legend(panels[-1], codes, beside)
        verdicts = {zone: families.verdict(table, zone) for zone in ZONES}
        if len(set(verdicts.values())) == 1:
            told = f"in all zones: {verdicts['early']}"
        else:
            told = "; ".join(f"{zone}: {said}" for zone, said in verdicts.items())
        tests = int(table["p"].notna().sum())
        rule = [
            "below: adjusted Rand index of tree and label (1 the same groups, 0 chance), p by shuffled labels; bold: "
            f"q < 0.05, adjusted for the {tests} tests"
        ]
        drawing.head(
            panels[0], "Languages that are routed alike, and their families",
            f"{model} on {corpus}  ·  {families.headline(held)}  ·  average linkage", told, *(rule if tests else []),
            above=24, width=150,
        )  # fmt: skip
        return drawing.save(panels[0], stem)


def _zone(name: str, zones: Mapping[str, ZoneSimilarity]) -> str:
    first, last = zones[name].layers
    return f"{name}, {words.layers(range(first, last + 1))}"


def _tree(
    axes: Axes, codes: Sequence[str], linkage: Sequence[Join], styles: Mapping[str, tuple[str, str]],
    size: float, highest: float,
) -> None:  # fmt: skip
    """Draw a tree from its root at the left to the languages at the right, nearest neighbours beside one another."""
    order, joins = placed(linkage, len(codes))
    for corners, heights in joins:
        axes.plot(heights, corners, color="#5f6368", linewidth=1.0, solid_joinstyle="miter", zorder=2)
    air = 0.04 * highest
    for place, leaf in enumerate(order):
        colour, mark = styles[codes[leaf]]
        axes.plot(
            -air, place, marker=mark, color=colour, markersize=0.56 * size, markeredgewidth=0, clip_on=False, zorder=3
        )
        axes.annotate(
            words.named(codes[leaf]), (-air, place), xytext=(0.6 * size, 0), textcoords="offset points",
            va="center_baseline", fontsize=size, color=INK if colour == _ALONE else drawing.darker(colour),
            annotation_clip=False,
        )  # fmt: skip
    axes.patch.set_visible(False)  # names reach over its neighbours
    axes.set_xlim(1.04 * highest, 0)
    axes.set_ylim(len(codes) - 0.4, -0.6)
    drawing.bare(axes, grid="x")
    axes.spines["left"].set_visible(False)
    axes.set_yticks([])
    axes.locator_params(axis="x", nbins=4)


def placed(linkage: Sequence[Join], leaves: int) -> tuple[list[int], list[tuple[list[float], list[float]]]]:
    """Leaves from the top, and the three sides of each join: where they stand across, and their heights.

    Of two branches the one whose languages come earlier in the list stands above.
    """
    members: dict[int, list[int]] = {leaf: [leaf] for leaf in range(leaves)}
    for number, (first, second, _height, _size) in enumerate(linkage):
        pair = sorted((members[first], members[second]), key=min)
        members[leaves + number] = pair[0] + pair[1]
    order = members[max(members)]
    at = {leaf: float(place) for place, leaf in enumerate(order)}
    top = dict.fromkeys(range(leaves), 0.0)
    joins = []
    for number, (first, second, height, _size) in enumerate(linkage):
        one, other, new = first, second, leaves + number
        joins.append(([at[one], at[one], at[other], at[other]], [top[one], height, height, top[other]]))
        at[new], top[new] = (at[one] + at[other]) / 2, height
    return order, joins


@dataclass(frozen=True)
class _Family:
    """How the languages of a family are marked."""

    name: str
    mark: str
    branches: dict[str, str]
    """Branch -> colour, of those with several languages."""
    codes: list[str]
    colour: str = _ALONE
    """Of its languages whose branch has none."""


def _families(codes: Sequence[str]) -> list[_Family]:
    """Families with several languages, the largest first: each has a mark, and its branches have colours."""
    of_family: dict[str, list[str]] = {}
    for code in codes:
        of_family.setdefault(languages.get(code).family, []).append(code)
    several = sorted((one for one in of_family.items() if len(one[1]) > 1), key=lambda one: (-len(one[1]), one[0]))
    several = several[: len(_MARKS)]
    if len(codes) > _WIDE:
        return [
            _Family(family, mark, {}, members, colour)
            for (family, members), mark, colour in zip(several, _MARKS, COLOURS, strict=False)
        ]
    branches = Counter(languages.get(code).branch for _, members in several for code in members)
    ranked = sorted((branch for branch, count in branches.items() if count > 1), key=lambda one: (-branches[one], one))
    colours = dict(zip(ranked, COLOURS, strict=False))
    return [
        _Family(
            family, mark, {branch: colours[branch] for branch in ranked if branch in colours and branch in
                           {languages.get(code).branch for code in members}}, members,
        )
        for mark, (family, members) in zip(_MARKS, several, strict=False)
    ]  # fmt: skip


def _styles(codes: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Colour and mark of each language; grey where its branch has no colour, a dot where its family has no mark."""
    styles = dict.fromkeys(codes, (_ALONE, "."))
    for family in _families(codes):
        for code in family.codes:
            styles[code] = (family.branches.get(languages.get(code).branch, family.colour), family.mark)
    return styles


def _legend(axes: Axes, codes: Sequence[str], beside: float) -> None:
    """Families with their branches, then those of one language; `beside` is the room of the names in inches."""
    from matplotlib.lines import Line2D

    handles, texts = [], []

    def entry(colour: str, mark: str, text: str) -> None:
        handles.append(Line2D([], [], linestyle="", marker=mark, color=colour, markersize=5.5, markeredgewidth=0))
        texts.append(drawing.wrapped(text, 28))

    shown = _families(codes)
    branches = Counter(languages.get(code).branch for code in codes)
    for family in shown:
        rest = len(family.codes) - sum(branches[branch] for branch in family.branches)
        wide = family.colour != _ALONE
        entry(family.colour if wide else "none", family.mark, f"{family.name} ({len(family.codes)})")
        for branch, colour in family.branches.items():
            entry(colour, family.mark, f"{branch} ({branches[branch]})")
        if rest and not wide:
            entry(_ALONE, family.mark, f"{'other branches' if family.branches else 'one a branch'} ({rest})")
    named = {code for family in shown for code in family.codes}
    others = Counter(languages.get(code).family for code in codes if code not in named)
    small = [f"{family} ({others[family]})" for family in sorted(others) if others[family] > 1]
    if small:
        entry(_ALONE, ".", "smaller families: " + ", ".join(small))
    lone = sorted(family for family in others if others[family] == 1)
    if lone:
        entry(_ALONE, ".", "one language each: " + ", ".join(lone))
    legend = axes.legend(
        handles, texts, loc="upper left", bbox_to_anchor=(1 + beside / _PANEL + 0.06, 1.02), frameon=False,
        fontsize=8, labelcolor=INK, alignment="left", borderaxespad=0, handletextpad=0.3, labelspacing=0.35,
    )  # fmt: skip
    for handle, text in zip(handles, legend.get_texts(), strict=True):
        if handle.get_color() == "none":
            text.set_fontweight("bold")


def _agreements(axes: Axes, rows: pd.DataFrame) -> None:
    """Lines below a tree, one a label: `family 0.35, p 0.004`."""
    for place, (label, row) in enumerate(rows.iterrows()):
        told = "not tested" if pd.isna(row["rand"]) else words.coefficient(row["rand"])
        chance = "" if pd.isna(row["rand"]) else f", p {words.chance(row['p'])}"
        axes.annotate(
            f"{label} {told}{chance}", (0, 0), xycoords="axes fraction", xytext=(0, -40 - 11.5 * place), va="top",
            fontsize=8, textcoords="offset points", color=INK,
            fontweight="bold" if row["q"] < words.LEVEL else "normal",
        )  # fmt: skip


def _rivals(stem: Path, model: str, corpus: str, held: CorpusSimilarity) -> list[Path]:
    zones = held.zones
    rivals = families.RIVALS
    width, height = 2.1, 0.42 * len(rivals) + 0.2
    with drawing.panels([(place * (width + 0.22), 0.0, width, height) for place in range(len(zones))]) as panels:
        for axes, zone in zip(panels, ZONES, strict=True):
            for place, rival in enumerate(rivals):
                _dots(axes, zones[zone].rivals[rival], place)
            axes.set_xlim(-1, 1)
            axes.set_ylim(len(rivals) - 0.4, -0.6)
            drawing.bare(axes, grid="x")
            axes.axvline(0, color=SOFT, linewidth=0.8, zorder=1)
            axes.spines["left"].set_visible(False)
            named = [families.called(rival) for rival in rivals] if axes is panels[0] else []
            axes.set_yticks(range(len(rivals)) if named else [], named, color=INK)
            axes.tick_params(axis="y", length=0)
            axes.set_xticks([-1, -0.5, 0, 0.5, 1], ["\N{MINUS SIGN}1", "", "0", "", "1"])
            axes.set_title(_zone(zone, zones), fontsize=9.5, color=INK, loc="left", pad=5)
        panels[1].set_xlabel("correlation with routing distance, over pairs of languages", color=INK)
        _dots_legend(panels[-1])
        drawing.head(
            panels[0], "What goes with routing distance between languages",
            f"{model} on {corpus}  ·  {families.headline(held)}  ·  {len(held.languages)} languages",
            "filled: p < 0.05, one-sided, by permuting languages", *_unknown(held), above=24, width=120,
        )  # fmt: skip
        return drawing.save(panels[0], stem)


_ALL, _GIVEN = (COLOURS[0], "o"), (COLOURS[1], "D")
"""Of a rival alone, and given the others."""


def _dots(axes: Axes, rival: RivalCorrelation, place: int) -> None:
    for r, p, (colour, mark), aside in (
        (rival.mantel, rival.p, _ALL, -0.14), (rival.partial, rival.partial_p, _GIVEN, 0.14),
    ):  # fmt: skip
        if r is None or p is None:
            continue
        filled = p < words.LEVEL
        axes.plot([0, r], [place + aside] * 2, color=colour, linewidth=1.2, alpha=0.55, zorder=2)
        axes.plot(
            r, place + aside, marker=mark, markersize=6, markeredgecolor=colour, zorder=3,
            markerfacecolor=colour if filled else "white", markeredgewidth=1.1,
        )  # fmt: skip


def _dots_legend(axes: Axes) -> None:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], linestyle="", marker=mark, color=colour) for colour, mark in (_ALL, _GIVEN)]
    axes.legend(
        handles, ["alone", "given the others"], loc="upper left", bbox_to_anchor=(1.03, 1.02), frameon=False,
        fontsize=8, labelcolor=INK, borderaxespad=0, handletextpad=0.3,
    )  # fmt: skip


def _unknown(held: CorpusSimilarity) -> list[str]:
    """Rivals without a value in any zone, with the reason."""
    zones = list(held.zones.values())
    notes = {
        rival: first.note
        for rival, first in zones[0].rivals.items()
        if all(zone.rivals[rival].mantel is None for zone in zones)
    }
    return [f"{families.called(rival)}: {note}" for rival, note in notes.items()]
