"""Markup: text is escaped here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape


class Markup(str):
    """HTML that is put into a page as it stands."""

    __slots__ = ()


def text(content: str) -> Markup:
    """Text as it is to be read; markup stays as it is."""
    return content if isinstance(content, Markup) else Markup(escape(content, quote=False))


def tag(name: str, *content: str, **attributes: str | bool | None) -> Markup:
    """An element.

    Args:
        name: of the element.
        content: texts and markup within.
        attributes: `class_` is `class`, `data_model` is `data-model`; True stands without a value, None and False are
            left out.
    """
    said = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{escape(str(value))}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    return Markup(f"<{name}{said}>{''.join(map(text, content))}</{name}>")


def joined(parts: Iterable[str]) -> Markup:
    """Parts after one another."""
    return Markup("".join(map(text, parts)))


def table(head: Sequence[str], rows: Iterable[Sequence[str]], **attributes: str | bool | None) -> Markup:
    """A table whose first column names its rows, in a box that scrolls where the screen is narrow."""
    body = (
        tag(
            "tr",
            tag("th", first, scope="row"),
            # For where a row has no room beside its head.
            *(tag("td", cell, data_column=name) for name, cell in zip(head[1:], rest, strict=True)),
        )
        for first, *rest in rows
    )
    return tag(
        "div",
        tag(
            "table",
            tag("thead", tag("tr", *(tag("th", cell, scope="col") for cell in head))), tag("tbody", *body),
            **attributes,
        ),
        class_="wide",
    )  # fmt: skip
