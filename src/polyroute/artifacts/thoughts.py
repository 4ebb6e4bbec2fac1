"""Thought in the texts of answers: where it stands, and what a model says after it.

Marks of thought are told by their form, not from a list: a pair of tags whose name speaks of thinking (`<think>`,
`[THINK]`, `<seed:think>`, `<|START_THINKING|>`, `<|channel>thought`), and for other names of the kind (`<reasoning>`)
only where the tag is closed too, since it may be a heading. What tokenizer and template of a model say of its marks is
found when it is asked (`asking.marks`): a text that begins inside a thought carries its opening mark, and marks of
another form are written as `<think>` and `</think>`. The harmony format (GPT-OSS) writes channels: `final` is the
answer, all others are thought.

A thought that never ends leaves an empty answer, and the text is not finished. Marks around an answer (`<answer>`,
`<|START_RESPONSE|>`) are taken off.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

OPEN, CLOSE = "<think>", "</think>"
"""As marks of another form are written."""
_NAME = r"(?:\w+[:_-])?(?:think(?:ing)?|thoughts?)(?:[:_-]\w+)?"
_LIKE = r"(?:\w+[:_-])?(?:reason(?:ing)?|reflect(?:ion)?|cot|scratchpad|analysis)(?:[:_-]\w+)?"
_OPENS = r"<{name}>|<\|(?!end)(?:start_|begin_|begin_of_|start_of_)?{name}(?<!_end)\|>|<\|channel>\s*{name}|◁{name}▷"
_CLOSES = r"</{name}>|<\|(?:end_|end_of_){name}\|>|<\|/{name}\|>|<\|{name}_end\|>|◁/{name}▷"
_MARK = re.compile(
    rf"(?P<closes>{_CLOSES.format(name=_NAME)}|\[/(?-i:THINK)\]|<channel\|>|(?P<late>{_CLOSES.format(name=_LIKE)}))"
    rf"|(?P<opens>{_OPENS.format(name=_NAME)}|\[(?-i:THINK)\])|(?P<perhaps>{_OPENS.format(name=_LIKE)})",
    re.IGNORECASE,
)
_CHANNEL = re.compile(r"<\|channel\|>(\w+)(?:(?!<\|channel\|>).)*?<\|message\|>", re.DOTALL)
_ANSWER = re.compile(
    r"\s*<(answer|response|output|solution|final(?:_answer)?)>(.*?)(?:</\1>|$)", re.DOTALL | re.IGNORECASE
)
_SPECIAL = re.compile(r"<\|[^|<>]*\|>|<\|\w+>|<\w+\|>|</s>|<(?:eos|end_of_turn)>")


def thoughts(text: str) -> Iterator[tuple[int, int | None]]:
    """Where each thought of a text begins and ends, its marks included; None where one never ends.

    A closing mark without an opening one ends a thought that began before the text did.
    """
    if channels := list(_CHANNEL.finditer(text)):
        for place, channel in enumerate(channels):
            if channel[1] != "final":
                yield channel.start(), channels[place + 1].start() if place + 1 < len(channels) else None
        return
    begun: int | None = None
    sure = False
    done = False
    for mark in _MARK.finditer(text):
        if mark["closes"]:
            if begun is None and done and mark["late"]:
                continue
            yield begun if begun is not None else 0, mark.end()
            begun, sure, done = None, False, True
        elif begun is None:
            begun, sure = mark.start(), mark["opens"] is not None
        elif mark["opens"] and not sure:
            sure = True
    if begun is not None and sure:
        yield begun, None


def answer_part(text: str) -> str:
    """What a model says after it has thought, without special tokens; empty where it never stops thinking."""
    found = list(thoughts(text))
    if any(end is None for _, end in found):
        return ""
    said = text[max((end for _, end in found if end is not None), default=0) :]
    if channel := _CHANNEL.search(said):
        said = said[channel.end() :]
    if answer := _ANSWER.search(said):
        said = answer[2]
    return _SPECIAL.sub("", said).strip()


def is_open(text: str) -> bool:
    """Whether a text ends inside a thought."""
    return any(end is None for _, end in thoughts(text))
