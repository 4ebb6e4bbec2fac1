"""The short board as a picture (SVG) for README.md: a line a question, a column a model.

Colours and signs are those of the report. The picture carries its own background and follows a reader's light or dark
setting, so that it can stand on any page; verdicts are told by sign as well as by colour.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from polyroute.claims.claim import Claims
from polyroute.report.claims import WORDS
from polyroute.report.topics import by_topic, lead, speaking
from polyroute.results.claims import ClaimsSummary, Code

ROW = 30
"""Height of a line, in pixels."""
COLUMN = 66
"""Width of a model's column."""
QUESTION = 585
"""Width of the questions."""
HEAD = 118
"""Height of the models' names, which stand slantwise."""
MARGIN = 18
SLANT = 100
"""Room on the right for the last name."""

_CLASSES: dict[Code, str] = {
    "replicated": "yes", "not_replicated": "no", "inconclusive": "open", "cannot_be_tested": "none",
}  # fmt: skip
_SIGNS: dict[Code, str] = {
    "replicated": "M-5 0.5 L-1.5 4 L5 -4",
    "not_replicated": "M-4 -4 L4 4 M4 -4 L-4 4",
    "inconclusive": "M-3 -2.5 A3 3 0 1 1 0.8 0.6 L0 2 M0 4.9 L0 5.1",
    "cannot_be_tested": "M0 0 L0 0.1",
}
_STYLE = """
text { font: 15px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; fill: #1b1d21; }
.small { font-size: 13px; fill: #5c636b; }
.page { fill: #ffffff; stroke: #d5d9dd; } .rule { stroke: #e4e7ea; }
.sign { fill: none; stroke-width: 2.2; stroke-linecap: round; stroke-linejoin: round; }
.yes { stroke: #00795a; } .no { stroke: #c44e00; } .open { stroke: #6a7078; }
.none { stroke: #c3c8cd; stroke-width: 5; }
circle.yes { fill: #00795a22; stroke: none; } circle.no { fill: #c44e0022; stroke: none; }
@media (prefers-color-scheme: dark) {
text { fill: #eceef1; } .small { fill: #a5adb6; }
.page { fill: #15171b; stroke: #383e46; } .rule { stroke: #2d3239; }
.yes { stroke: #45d3a4; } .no { stroke: #ff9a4d; } .open { stroke: #b3bac2; } .none { stroke: #4d545c; }
circle.yes { fill: #45d3a433; } circle.no { fill: #ff9a4d33; }
}
"""


def picture(claims: Claims, found: Mapping[str, ClaimsSummary]) -> str:
    """An SVG of the verdicts on the claim that speaks for each question.

    Args:
        claims: as they are now.
        found: model -> its verdicts, in the order of the columns.
    """
    topics = {topic: ids for topic, ids in by_topic(claims.by_id).items() if ids and topic.question}
    width = 2 * MARGIN + QUESTION + COLUMN * len(found) + SLANT
    bottom = HEAD + ROW * len(topics)
    height = bottom + 2 * MARGIN + ROW
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'role="img">',
        f"<title>Verdicts on {len(topics)} questions, by model</title>",
        f"<style>{_STYLE}</style>",
        f'<rect class="page" x=".5" y=".5" width="{width - 1}" height="{height - 1}" rx="8"/>',
    ]
    middles = {model: MARGIN + QUESTION + COLUMN * column + COLUMN // 2 for column, model in enumerate(found)}
    for model, x in middles.items():
        place = f"translate({x - 4} {HEAD - 8}) rotate(-32)"
        drawn.append(f'<text class="small" transform="{place}">{escape(model)}</text>')
    for line, (topic, ids) in enumerate(topics.items()):
        top = HEAD + ROW * line
        drawn.append(f'<path class="rule" d="M{MARGIN} {top} H{width - SLANT - MARGIN}"/>')
        drawn.append(f'<text x="{MARGIN}" y="{top + 20}">{escape(topic.question)}</text>')
        for model, x in middles.items():
            if (code := speaking(lead(topic, ids), found[model])) is not None:
                drawn += _sign(code, x, top + ROW // 2, model)
    drawn.append(f'<path class="rule" d="M{MARGIN} {bottom} H{width - SLANT - MARGIN}"/>')
    for entry, (code, word) in enumerate(WORDS.items()):
        x = MARGIN + 12 + 165 * entry
        drawn += _sign(code, x, bottom + MARGIN + ROW // 2, "")
        drawn.append(f'<text class="small" x="{x + 18}" y="{bottom + MARGIN + 20}">{escape(word)}</text>')
    return "\n".join([*drawn, "</svg>", ""])


def _sign(code: Code, x: int, y: int, model: str) -> list[str]:
    said = f"<title>{escape(f'{model}: {WORDS[code]}')}</title>" if model else ""
    disc = f'<circle class="{_CLASSES[code]}" r="11"/>' if code in ("replicated", "not_replicated") else ""
    sign = f'<path class="sign {_CLASSES[code]}" d="{_SIGNS[code]}"/>'
    return [f'<g transform="translate({x} {y})">{said}{disc}{sign}</g>']
