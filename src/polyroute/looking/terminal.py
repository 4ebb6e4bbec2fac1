"""A look in the terminal: a table of layers, then of each text a row a token and a column a layer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from rich.cells import cell_len, set_cell_size
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from polyroute.looking import colours, words
from polyroute.looking.passes import DROPPED

if TYPE_CHECKING:
    from polyroute.looking.look import Look

_BAR = 24
"""Width of a bar of 1, or of the longest."""
_EIGHTHS = " ▏▎▍▌▋▊▉"
_LEVELS = " ▁▂▃▄▅▆▇█"
_LABEL = 16
"""Cells of a token, at most."""


def parts(look: Look, width: int) -> Iterator[RenderableType]:
    """What is printed, from top to bottom.

    Args:
        look: what is looked at.
        width: cells a line; layers that do not fit are left out of the tables of tokens, evenly.
    """
    yield Text(words.about(look), style="bold")
    yield Text(words.headline(look))
    yield Text()
    yield _layers(look)
    places = _fitting(look, width)
    palette = colours.by_layer(look)
    for side in range(len(look.texts)):
        yield Text()
        yield Text(look.texts[side], style="bold")
        yield _tokens(look, side, places, palette)
    yield Text()
    if len(places) < len(look.layers):
        yield Text(
            f"{len(places)} of {len(look.layers)} layers fit; choose others with --layers, or see the page", "dim"
        )
    yield Text(_legend(look), style="dim")


def _layers(look: Look) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("layer", justify="right")
    before_L, after_L, shared = look.divergence(before=True), look.divergence(), look.shared()
    values_L = before_L if before_L is not None else look.evenness(0)
    table.add_column("D" if look.is_pair else "evenness", justify="right")
    table.add_column("")
    if look.after is not None and look.is_pair:
        table.add_column("D, plan", justify="right")
    if look.after is not None:
        table.add_column("rerouted", justify="right")
    table.add_column("shared experts" if look.is_pair else "most used experts")
    rerouted_L, used = look.rerouted_share(), look.most_used(0)
    top = max(float(values_L.max()), 1e-9)
    for place, layer in enumerate(look.layers):
        row: list[str | Text] = [str(layer), words.number(values_L[place])]
        row.append(Text(_bar(values_L[place] / top), style="#56b4e9"))
        if look.after is not None and after_L is not None:
            row.append(words.number(after_L[place]))
        if rerouted_L is not None:
            row.append(f"{rerouted_L[place]:.0%}")
        experts = used[place] if shared is None else shared[place]
        count = f"{len(experts)} of {look.top_k}  " if look.is_pair else ""
        row.append(f"{count}{', '.join(map(str, experts))}")
        table.add_row(*row)
    return table


def _tokens(look: Look, side: int, places: list[int], palette: list[dict[int, int]]) -> Table:
    shown, before = look.shown[side], look.before[side]
    nearest, rerouted_TL = look.nearest(side), look.rerouted(side)
    digits = len(str(look.experts - 1))
    table = Table(box=None, padding=0, pad_edge=False, header_style="dim")
    table.add_column("", width=_label(look), no_wrap=True)
    for place in places:
        table.add_column(f" {look.layers[place]:>{digits}}", no_wrap=True)
    for number, token in enumerate(shown.tokens):
        cells: list[Text] = []
        for place in places:
            expert = int(shown.ids_TLK[number, place, 0])
            cell = Text(" ")
            cell.append(_name(expert, digits), style=_style(expert, palette[place]))
            if nearest is not None:
                cell.append(_LEVELS[round(8 * int(nearest[1][number, place]) / look.top_k)], style="dim")
            if rerouted_TL is not None:
                was = int(before.ids_TLK[number, place, 0])
                changed = rerouted_TL[number, place]
                told = f"‹{_name(was, digits)}" if changed and was != expert else "‹" + "·" * digits if changed else ""
                cell.append(told.ljust(digits + 1), style="dim")
            cells.append(cell)
        table.add_row(Text(_fit(token.text, token.begins, _label(look))), *cells)
    return table


def _legend(look: Look) -> str:
    said = ["Each cell is a token's first expert in a layer."]
    if look.is_pair:
        said.append(
            f"█ all {look.top_k} experts shared with the most similarly routed token of the other text, ▄ half."
        )
    if look.after is not None:
        said.append("‹ the expert that was first before the plan; ‹·· others changed.")
    return " ".join([*said, words.how_to_read(look)])


def _fitting(look: Look, width: int) -> list[int]:
    """Places of the layers that fit, the first and the last among them."""
    digits = len(str(look.experts - 1))
    each = 1 + digits + (1 if look.is_pair else 0) + (digits + 1 if look.after is not None else 0)
    room = max(1, (width - _label(look)) // each)
    layers = len(look.layers)
    return sorted({int(place) for place in np.linspace(0, layers - 1, min(room, layers)).round()})


def _label(look: Look) -> int:
    longest = max(cell_len(token.text) + 2 for one in look.shown for token in one.tokens)
    return min(longest, _LABEL)


def _fit(text: str, begins: bool, width: int) -> str:
    """A token in a fixed number of cells, set in where it goes on a word."""
    written = text if begins else f"+{text}"
    if cell_len(written) >= width:
        written = set_cell_size(written, width - 2) + "…"
    # A mark of direction keeps right-to-left tokens from drawing the numbers after them to their side.
    return set_cell_size(written, width) + "\u200e"


def _name(expert: int, digits: int) -> str:
    return "–".rjust(digits) if expert == DROPPED else f"{expert:>{digits}}"


def _style(expert: int, palette: dict[int, int]) -> str:
    if expert not in palette:
        return "dim" if expert == DROPPED else "#000000 on #c8c8c8"
    colour = colours.COLOURS[palette[expert]]
    return f"{colours.ink(colour)} on {colour}"


def _bar(share: float) -> str:
    eighths = round(share * _BAR * 8)
    return ("█" * (eighths // 8) + _EIGHTHS[eighths % 8]).rstrip()
