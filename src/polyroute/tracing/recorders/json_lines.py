"""JSON lines as hooks and training frameworks write them: a line a layer and token, batch or step.

`columns` has the names that are known. A line holds the number of its layer and either routes (`topk_ids`, of one token
or of a batch, with weights and router logits or without) or counts of a step (`tokens_per_expert`, as Megatron's
balancing has them). Lines without a layer may come first: facts about the model, whose top-k and number of experts are
held against the model's. Megatron's `layer_number` begins at 1; layers are numbered from 0 here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyroute.artifacts.recording import RecordingError
from polyroute.tracing.recorders import strict_json
from polyroute.tracing.recorders.columns import COUNTS, FACTS, FROM_ONE, LAYER, LOGITS, ROUTES, WEIGHTS, named
from polyroute.tracing.recorders.tally import Tally, whole


@dataclass
class _Rows:
    """Routes of a layer, in the order of the file."""

    ids: list[list[Any]] = field(default_factory=list)
    weights: list[list[Any]] = field(default_factory=list)
    logits: list[list[Any]] = field(default_factory=list)


def recognised(value: Any) -> bool:
    """Whether a JSON value is a line of routes or counts."""
    return isinstance(value, dict) and bool(set(value) & set(LAYER)) and bool(set(value) & {*ROUTES, *COUNTS})


def read(path: Path, tally: Tally) -> None:
    """Add one file.

    Raises:
        RecordingError: a line is no JSON object, names no layer or neither routes nor counts, is of another model's
            shape, or as `Tally.route`; names the line.
    """
    rows: dict[int, _Rows] = {}
    facts = True
    for line, value in strict_json.values(strict_json.read_text(path), str(path)):
        place = f"{path}: line {line or 1}"
        if not isinstance(value, dict):
            raise RecordingError(f"{place} is no JSON object")
        name = named(LAYER, value, place)
        if name is None:
            if not facts:
                raise RecordingError(f"{place} names no layer (`{'`, `'.join(LAYER)}`)")
            _check_facts(value, tally, place)
            continue
        facts = False
        layer = whole(value[name], place, f"`{name}`")
        if name == FROM_ONE:
            layer -= 1
            if layer < 0:
                raise RecordingError(f"{place}: `{name}` is 0, and begins at 1")
        _line(value, layer, line or 1, place, rows, tally)
    for layer, held in rows.items():
        tally.route(
            layer, _numbers(held.ids, np.int64, path, layer, "experts"), "",
            weights_TK=_numbers(held.weights, np.float64, path, layer, "weights") if held.weights else None,
            logits_TE=_numbers(held.logits, np.float64, path, layer, "router logits") if held.logits else None,
        )  # fmt: skip


def _line(value: Mapping[str, Any], layer: int, line: int, place: str, rows: dict[int, _Rows], tally: Tally) -> None:
    routes, counts = named(ROUTES, value, place), named(COUNTS, value, place)
    if counts is not None and routes is None:
        held = value[counts]
        if not isinstance(held, list) or len(held) != tally.shape.experts:
            raise RecordingError(f"{place}: `{counts}` is no list of {tally.shape.experts} counts: is --experts right?")
        tally.layer(layer)
        for expert, count in enumerate(held):
            tally.add(layer, expert, count, f"line {line}, layer {layer}, expert {expert}")
        return
    if routes is None:
        raise RecordingError(f"{place}: neither routes (`{'`, `'.join(ROUTES)}`) nor counts (`{'`, `'.join(COUNTS)}`)")
    tokens = _tokens(value[routes], place, routes)
    of = rows.setdefault(layer, _Rows())
    for token in tokens:
        if len(token) != tally.shape.top_k or not all(type(one) is int and -1 <= one < 2**31 for one in token):
            raise RecordingError(
                f"{place}: `{routes}` is {str(token)[:60]}, not {tally.shape.top_k} numbers of experts: is "
                "--top-k right?"
            )
    for names, kept in ((WEIGHTS, of.weights), (LOGITS, of.logits)):
        key = named(names, value, place)
        if (key is None) != (not kept) and of.ids:
            raise RecordingError(f"{place}: `{key or names[0]}` is in some lines of layer {layer} alone")
        if key is not None:
            beside = _tokens(value[key], place, key)
            if len(beside) != len(tokens):
                raise RecordingError(f"{place}: `{key}` is of {len(beside)} tokens, `{routes}` of {len(tokens)}")
            kept.extend(beside)
    of.ids.extend(tokens)


def _tokens(value: Any, place: str, key: str) -> list[list[Any]]:
    """One token or several, as several."""
    if isinstance(value, list) and value and all(isinstance(one, list) for one in value):
        return value
    if isinstance(value, list) and not any(isinstance(one, list) for one in value):
        return [value] if value else []
    raise RecordingError(f"{place}: `{key}` is no list of numbers, nor one such list a token")


def _numbers(rows: list[list[Any]], kind: type, path: Path, layer: int, what: str) -> NDArray[Any]:
    try:
        if any(isinstance(one, bool | str) or one is None for row in rows for one in row):
            raise ValueError
        return np.array(rows, dtype=kind)
    except (ValueError, OverflowError, TypeError):
        raise RecordingError(f"{path}: layer {layer}: {what} are not as many numbers for every token") from None


def _check_facts(value: Mapping[str, Any], tally: Tally, place: str) -> None:
    wanted = {"top_k": tally.shape.top_k, "experts": tally.shape.experts}
    for option, names in FACTS.items():
        for name in names:
            if type(value.get(name)) is int and value[name] != wanted[option]:
                raise RecordingError(
                    f"{place}: `{name}` is {value[name]}, and --{option.replace('_', '-')} {wanted[option]}"
                )
