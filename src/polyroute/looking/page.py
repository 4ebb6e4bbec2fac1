"""A look as a page: one HTML file without scripts, fonts or images, which a notebook shows too.

A layer is chosen with a radio button, so that the page works where scripts are not run; arrow keys go from one layer to
the next. Colours are those of `colours`; light or dark is the reader's setting.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from polyroute.ground.files import digest
from polyroute.looking import colours, words
from polyroute.looking.passes import DROPPED, Token

if TYPE_CHECKING:
    from polyroute.looking.look import Look

_STYLE = """
.pr-look{--bg:#fff;--fg:#1b1f24;--dim:#5b6570;--line:#d8dee4;--soft:#f3f5f7;--tint:55%;
 font:15px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;color:var(--fg);background:var(--bg);
 padding:20px;max-width:1080px;margin:0 auto;box-sizing:border-box;position:relative;color-scheme:light dark}
@media (prefers-color-scheme:dark){.pr-look{--bg:#14171b;--fg:#e8ebee;--dim:#9aa5b1;--line:#343b43;--soft:#1e2329;
 --tint:38%}}
.pr-look *{box-sizing:border-box}
.pr-look h1{font-size:20px;line-height:1.3;margin:0 0 4px;font-weight:650;text-wrap:balance}
.pr-look h2{font-size:14px;margin:0 0 6px;font-weight:600}
.pr-look p{margin:0 0 10px}
.pr-look .dim,.pr-look small{color:var(--dim);font-size:13px}
.pr-look>input{position:absolute;opacity:0;width:1px;height:1px}
.pr-look .curve{display:flex;align-items:flex-end;gap:3px;margin:16px 0 2px;overflow-x:auto;padding:4px 4px 0}
.pr-look .curve label{flex:1 0 30px;max-width:76px;cursor:pointer;text-align:center;font-size:12px;border-radius:6px;
 padding:4px 2px;color:var(--dim);font-variant-numeric:tabular-nums}
.pr-look .curve label:hover{background:var(--soft)}
.pr-look .curve .bars{display:flex;align-items:flex-end;justify-content:center;gap:2px;height:92px}
.pr-look .many .bars{gap:0}
.pr-look .bars i{display:block;width:60%;min-height:1px;background:#56b4e9;border-radius:3px 3px 0 0}
.pr-look .bars i.was{background:none;border:1.5px solid var(--dim);border-bottom:0;width:34%}
.pr-look .bars i.was+i{width:34%}
.pr-look .curve span{display:flex;justify-content:center;white-space:nowrap}
.pr-look .many{gap:0}
.pr-look .many label{flex:1 1 0;min-width:0;padding:4px 0;border-radius:3px}
.pr-look .many .v,.pr-look .many .q{visibility:hidden}
.pr-look .many label:hover .v{visibility:visible}
.pr-look .many .bars i{width:72%}
.pr-look .many .bars i.was,.pr-look .many .bars i.was+i{width:44%}
.pr-look .axis{color:var(--dim);font-size:13px;margin:0 0 14px}
.pr-look .layer{display:none;border-top:1px solid var(--line);padding-top:14px}
.pr-look .text{margin:0 0 16px;display:flex;flex-wrap:wrap;gap:8px;align-items:flex-start}
.pr-look .t{display:inline-flex;flex-direction:column;border-radius:6px;overflow:hidden;
 background:color-mix(in srgb,var(--c) calc(var(--tint)*var(--o)),var(--soft))}
.pr-look .w{display:inline-flex;flex-wrap:wrap;gap:6px 2px}
.pr-look .t b{font-weight:500;padding:3px 7px 1px;text-align:center;font-size:16px;white-space:pre}
.pr-look .moved{outline:2px solid var(--fg);outline-offset:-1px}
.pr-look .k{display:grid;grid-template-columns:repeat(var(--k),auto);gap:2px;padding:2px 4px 4px;
 justify-content:center;direction:ltr}
.pr-look .k i{font:11px/15px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;padding:0 3px;border-radius:3px;
 min-width:20px;text-align:center;border:1.5px solid var(--c);background:var(--bg);color:var(--fg)}
.pr-look .k i.s{background:var(--c);color:var(--ink)}
.pr-look .k i.gone{text-decoration:line-through;border-style:dotted;opacity:.65}
.pr-look .k i.new{font-weight:700;box-shadow:0 0 0 1.5px var(--fg)}
.pr-look details{border-top:1px solid var(--line);padding:10px 0}
.pr-look summary{cursor:pointer;font-weight:600;font-size:14px}
.pr-look .wide{overflow-x:auto;margin:10px 0}
.pr-look table{border-collapse:separate;border-spacing:1px;font-size:12px;font-variant-numeric:tabular-nums}
.pr-look table th{font-weight:500;color:var(--dim);padding:1px 5px;text-align:center}
.pr-look table th:first-child{position:sticky;left:0;background:var(--bg);text-align:start;color:var(--fg);
 white-space:pre}
.pr-look table td{min-width:24px;text-align:center;padding:1px 3px;border-radius:3px;
 background:color-mix(in srgb,var(--c) calc(var(--tint)*var(--o)),var(--soft))}
.pr-look table td.moved{outline-width:1.5px}
"""
_LEVELS = 4
"""Steps of the tint: how many of a token's experts the other text shares, in quarters."""
_FEW = 16
"""Layers that have room for their number and value each."""


def page(look: Look) -> str:
    """A whole HTML file."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>polyroute look: {escape(look.model)}</title>"
        "<style>body{margin:0;background:#fff}@media (prefers-color-scheme:dark){body{background:#14171b}}</style>"
        f"</head><body>\n{fragment(look)}</body></html>\n"
    )


def fragment(look: Look) -> str:
    """What a notebook shows."""
    return "".join(_parts(look))


def _parts(look: Look) -> Iterator[str]:
    layers = look.layers
    name = "pr-" + digest([look.model, *look.texts, repr(look.plan)])[:8]
    curve_L = _curve(look)
    first = int(curve_L.argmin()) if look.is_pair else int(curve_L.argmax())
    yield f'<section class="pr-look" id="{name}"><style>{_STYLE}{_colour_rules()}'
    for layer in layers:
        chosen = f"#{name}-{layer}:checked"
        yield f"{chosen}~.layers .l{layer}{{display:block}}"
        yield f"{chosen}~.curve label[for={name}-{layer}]{{background:var(--soft);color:var(--fg);font-weight:700}}"
        yield f"{chosen}~.curve label[for={name}-{layer}] .v{{visibility:visible}}"
        yield f"#{name}-{layer}:focus-visible~.curve label[for={name}-{layer}]{{outline:2px solid var(--fg)}}"
    yield f"</style><h1>{escape(words.routing(look))}</h1>"
    yield f'<p class="dim">{escape(words.about(look))}. {escape(words.effect(look))}</p>'
    for place, layer in enumerate(layers):
        checked = " checked" if place == first else ""
        yield f'<input type="radio" name="{name}" id="{name}-{layer}" aria-label="layer {layer}"{checked}>'
    yield from _bars(look, name, curve_L)
    yield '<div class="layers">'
    palette = colours.by_layer(look)
    for place in range(len(layers)):
        yield from _layer(look, place, palette[place])
    yield "</div>"
    yield from _grid(look, palette)
    yield f'<p class="dim" style="margin:10px 0 0">{escape(_legend(look))}</p></section>\n'


def _curve(look: Look) -> NDArray[np.float64]:
    divergence_L, effect_L = look.divergence(), look.effect(0)
    return divergence_L if divergence_L is not None else effect_L if effect_L is not None else look.evenness(0)


def _bars(look: Look, name: str, curve_L: NDArray[np.float64]) -> Iterator[str]:
    was_L = look.divergence(before=True) if look.after is not None else None
    top = max(float(curve_L.max()), 0.0 if was_L is None else float(was_L.max()), 1e-9)
    step = -(-len(look.layers) // 8)
    many = len(look.layers) > _FEW
    yield f'<div class="curve{" many" if many else ""}">'
    for place, layer in enumerate(look.layers):
        before = "" if was_L is None else f'<i class="was" style="height:{was_L[place] / top:.1%}"></i>'
        yield (
            f'<label for="{name}-{layer}"><span class="v">{words.number(curve_L[place])}</span>'
            f'<span class="bars">{before}<i style="height:{curve_L[place] / top:.1%}"></i></span>'
            f'<span class="n{" q" if many and place % step else ""}">{layer}</span></label>'
        )
    if look.is_pair:
        said = "Divergence D between the two texts, by layer"
        said += "; outlined without the plan, filled with it" if was_L is not None else ""
    elif look.after is not None:
        said = "D between the text's routing without and with the plan, by layer"
    else:
        said = "Routing entropy of the text, as a share of the largest, by layer"
    yield f'</div><p class="axis">{said}. Choose a layer, or step with the arrow keys.</p>'


def _layer(look: Look, place: int, palette: dict[int, int]) -> Iterator[str]:
    layer = look.layers[place]
    yield f'<div class="layer l{layer}"><h2>Layer {layer}</h2><p class="dim">{escape(_said(look, place))}</p>'
    for side in range(len(look.texts)):
        yield '<div class="text" dir="auto">'
        yield from _tokens(look, side, place, palette)
        yield "</div>"
    yield "</div>"


def _said(look: Look, place: int) -> str:
    divergence_L, before_L, shared = look.divergence(), look.divergence(before=True), look.shared()
    said = []
    if divergence_L is not None and before_L is not None and shared is not None:
        was = f" (without the plan {words.number(before_L[place])})" if look.after is not None else ""
        experts = f" ({', '.join(map(str, shared[place]))})" if shared[place] else ""
        said.append(f"D {words.number(divergence_L[place])}{was}.")
        said.append(f"Shared: {len(shared[place])} of the {look.top_k} most used experts{experts}.")
    else:
        used = ", ".join(map(str, look.most_used(0)[place]))
        said.append(f"Most used experts: {used}. Evenness {words.number(look.evenness(0)[place])}.")
    rerouted_L, plan = look.rerouted_share(), look.plan
    if rerouted_L is not None and plan is not None:
        moved = plan.experts.get(look.layers[place])
        planned = f"The plan moves {', '.join(map(str, moved))} here. " if moved else ""
        said.append(f"{planned}{rerouted_L[place]:.0%} of the tokens go to other experts than without it.")
    return " ".join(said)


def _tokens(look: Look, side: int, place: int, palette: dict[int, int]) -> Iterator[str]:
    shown, before = look.shown[side], look.before[side]
    nearest = look.nearest(side)
    columns = min(look.top_k, 4)
    for number, token in enumerate(shown.tokens):
        ids_K, weights_K = shown.ids_TLK[number, place], shown.weights_TLK[number, place]
        was = {int(expert) for expert in before.ids_TLK[number, place]} - {DROPPED}
        theirs: set[int] = set()
        told = ""
        if nearest is not None:
            other = int(nearest[0][number, place])
            theirs = {int(expert) for expert in look.shown[1 - side].ids_TLK[other, place]} - {DROPPED}
            common, word = int(nearest[1][number, place]), look.shown[1 - side].tokens[other].text
            told = f"; {common} of {look.top_k} shared with “{word}”" if common else "; none shared"
        chips = []
        for expert in map(int, ids_K):
            if expert != DROPPED:
                marks = f"c{palette.get(expert, colours.RARE)}"
                marks += " s" if expert in theirs or nearest is None else ""
                marks += " new" if expert not in was else ""
                chips.append(f'<i class="{marks}">{expert}</i>')
        gone = sorted(was - set(map(int, ids_K)))
        chips += [f'<i class="c{palette.get(expert, colours.RARE)} gone">{expert}</i>' for expert in gone]
        experts = ", ".join(
            f"{expert} ({words.number(weight)})" for expert, weight in zip(ids_K, weights_K, strict=True) if weight
        )
        title = escape(f"{token.text}: experts {experts}{told}")
        kind = f"t {_class(look, ids_K[0], nearest and nearest[1][number, place], palette)}"
        kind += " moved" if gone else ""
        yield ("</span>" if number else "") + '<span class="w">' if token.begins else ""
        yield (
            f'<span class="{kind}" title="{title}"><b>{escape(token.text)}</b>'
            f'<span class="k" style="--k:{columns}">{"".join(chips)}</span></span>'
        )
    yield "</span>"


def _grid(look: Look, palette: list[dict[int, int]]) -> Iterator[str]:
    """All layers at once: the first expert of each token."""
    yield "<details><summary>All layers: the first expert of each token</summary>"
    for side in range(len(look.texts)):
        shown, nearest, rerouted_TL = look.shown[side], look.nearest(side), look.rerouted(side)
        yield '<div class="wide"><table><tr><th></th>'
        yield "".join(f"<th>{layer}</th>" for layer in look.layers)
        yield "</tr>"
        for number, token in enumerate(shown.tokens):
            yield f"<tr><th><bdi>{escape(_written(token))}</bdi></th>"
            for place in range(len(look.layers)):
                expert = int(shown.ids_TLK[number, place, 0])
                common = None if nearest is None else nearest[1][number, place]
                kind = _class(look, expert, common, palette[place])
                kind += " moved" if rerouted_TL is not None and rerouted_TL[number, place] else ""
                yield f'<td class="{kind}">{"–" if expert == DROPPED else expert}</td>'
            yield "</tr>"
        yield "</table></div>"
    yield "</details>"


def _written(token: Token) -> str:
    return token.text if token.begins else f" +{token.text}"


def _class(look: Look, expert: int, common: int | None, palette: dict[int, int]) -> str:
    level = _LEVELS if common is None else round(_LEVELS * int(common) / look.top_k)
    return f"c{palette.get(int(expert), colours.RARE)} o{level}"


def _colour_rules() -> str:
    rules = [
        f".pr-look .c{number}{{--c:{colour};--ink:{colours.ink(colour)}}}"
        for number, colour in enumerate((*colours.COLOURS, colours.GREY))
    ]
    return "".join([*rules, *(f".pr-look .o{level}{{--o:{level / _LEVELS:g}}}" for level in range(_LEVELS + 1))])


def _legend(look: Look) -> str:
    said = [
        f"Under each token: the {look.top_k} experts that it is sent to, largest weight first; the first gives the "
        "token its colour."
    ]
    if look.is_pair:
        said.append(
            "Each token is compared with the token of the other text that shares most experts with it: experts that "
            "both are sent to are filled, and the more these are, the stronger the token's colour."
        )
    if look.after is not None:
        said.append("Framed: the plan changes the token's experts; struck out are those it leaves.")
    return " ".join([*said, words.how_to_read(look)])
