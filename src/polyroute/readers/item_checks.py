"""What must hold of a task's items before a model is asked them.

One error names every breach found: task, language and item. The rules:

- every language has items, and no item twice; no item is in a language that was not asked for;
- every item is there in every language, since results are paired across languages;
- no prompt is blank, invisible characters such as U+200B apart, and no id;
- a choice item has at least two choices, as many as in every other language, none blank, no two equal, and so have the
  options that its prompt shows; its answer is one of them;
- a number item's answer is a plain decimal, and the same in every language (items that are numbered by their rows
  would otherwise be compared with others unnoticed); or it is a formula between dollar signs in all of them, which may
  be written in other ways;
- an answer that is a text (span, translation) is not blank.

Releases are not without fault, so two things are told and kept: prompts that two items of a language share, and a
right choice that is another one in another language (where options stand in another order, that is as it should be).
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from polyroute.artifacts.formula import is_formula
from polyroute.artifacts.kinds import TaskKind
from polyroute.artifacts.questions import SPLITS, TaskError
from polyroute.ground.visible import is_blank
from polyroute.readers.spec import Item

_PLAIN = re.compile(r"-?\d+(\.\d+)?")
_SHOWN = 3
"""Breaches of one kind and language that the message names; it counts the others."""

log = logging.getLogger(__name__)


def check_items(items: Sequence[Item], task: str, languages: Sequence[str], kind: TaskKind) -> None:
    """Hold a task's items against the rules above.

    Args:
        items: all of them, in any order.
        task: name in params.yaml, for the message.
        languages: FLORES codes that must be there.
        kind: what the answer is.

    Raises:
        TaskError: names every breach.
    """
    by_language: dict[str, list[Item]] = {code: [] for code in languages}
    for item in items:
        by_language.setdefault(item.language, []).append(item)
    everywhere = {item.item_id: item for item in reversed(items)}
    breaches = []
    for code, group in by_language.items():
        found: dict[str, list[str]] = {}
        if code not in languages:
            found["in a language that was not asked for"] = [item.item_id for item in group]
        elif not group:
            breaches.append(f"  {code}: no items")
        else:
            for told, item_id in _breaches(group, everywhere, kind):
                found.setdefault(told, []).append(item_id)
        breaches += [f"  {code}: {told}: {_listed(ids)}" for told, ids in found.items()]
    if breaches:
        raise TaskError(f"task `{task}` cannot be used:\n" + "\n".join(breaches))
    _tell(items, task, kind)


def _breaches(group: list[Item], everywhere: dict[str, Item], kind: TaskKind) -> Iterator[tuple[str, str]]:
    """What is wrong with the items of one language, and with which."""
    times = Counter(item.item_id for item in group)
    yield from (("there twice", item_id) for item_id, count in times.items() if count > 1)
    yield from (("missing, though in another language", item_id) for item_id in sorted(everywhere.keys() - times))
    for item in group:
        if is_blank(item.item_id):
            yield "without an id", "an item"
        if is_blank(item.prompt):
            yield "empty prompt", item.item_id
        if item.split not in (None, *SPLITS):
            yield f"split is neither {' nor '.join(SPLITS)}", item.item_id
        elif item.split != everywhere[item.item_id].split:
            yield "in another split than in another language", item.item_id
        faults = _FAULTS[kind](item, everywhere[item.item_id])
        yield from ((told, item.item_id) for told in faults)


def _choice_faults(item: Item, other: Item) -> Iterator[str]:
    for what, texts in (("choice", item.choices), ("option", item.shown)):
        stripped = [text.strip() for text in texts]
        if any(is_blank(text) for text in stripped):
            yield f"{what} missing (empty)"
        elif what == "choice" and len(set(stripped)) < len(stripped):
            yield "two choices are the same"
    if len(item.choices) < 2:
        yield "fewer than two choices"
    if len(item.choices) != len(other.choices):
        yield "another number of choices than in another language"
    if not isinstance(item.answer, int) or not 0 <= item.answer < len(item.choices):
        yield "answer outside the choices"


def _number_faults(item: Item, other: Item) -> Iterator[str]:
    if item.choices:
        yield "choices, though a number is asked for"
    if isinstance(item.answer, str) and is_formula(item.answer):
        if not is_formula(str(other.answer)):
            yield "a formula, but a number in another language"
    elif not isinstance(item.answer, str) or not _PLAIN.fullmatch(item.answer):
        yield "answer is no plain decimal such as 18 or -18.5"
    elif item.answer != other.answer:
        yield "another answer than in another language"


def _text_faults(item: Item, _other: Item) -> Iterator[str]:
    if item.choices:
        yield "choices, though a text is asked for"
    if not isinstance(item.answer, str) or is_blank(item.answer):
        yield "answer missing (empty)"


_FAULTS: dict[TaskKind, Callable[[Item, Item], Iterator[str]]] = {
    "choice": _choice_faults, "number": _number_faults, "span": _text_faults, "translation": _text_faults,
}  # fmt: skip
"""Kind -> what may be wrong with an item, beside the same item of another language."""


def _tell(items: Sequence[Item], task: str, kind: TaskKind) -> None:
    seen: dict[tuple[str, str], list[str]] = {}
    right: dict[str, set[int | str]] = {}
    for item in items:
        seen.setdefault((item.language, item.prompt), []).append(item.item_id)
        right.setdefault(item.item_id, set()).add(item.answer)
    for (code, _), ids in seen.items():
        if len(ids) > 1:
            log.warning("%s: items of equal prompt in %s, kept as they are: %s", task, code, ", ".join(ids))
    if kind == "choice" and (differing := sorted(item_id for item_id, answers in right.items() if len(answers) > 1)):
        log.warning(
            "%s: the right choice is not the same one in every language, kept as it is: %s", task, _listed(differing)
        )


def _listed(items: Sequence[str]) -> str:
    rest = len(items) - _SHOWN
    return ", ".join(items[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
