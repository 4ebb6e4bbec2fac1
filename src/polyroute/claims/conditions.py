"""Conditions of a claim: comparisons over named quantities, in three-valued logic (Kleene 1952).

A condition is text such as `em.low > 0` or `abs(given.value) >= abs(plain.value) / 2`. It is parsed, never run, and
may hold numbers, dotted names, `+ - * /`, `abs`, `min`, `max`, comparisons (chained ones too), `and`, `or` and `not`.
A quantity that is not known makes unknown what depends on it, and never counts as satisfied.
"""

import ast
import math
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from polyroute.ground.errors import PolyrouteError

Truth = bool | None
"""True, false, or unknown (None)."""

Code = Literal["replicated", "not_replicated", "inconclusive", "cannot_be_tested"]

_ARITHMETIC: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
}
_FUNCTIONS: dict[str, Callable[[list[float]], float]] = {"abs": lambda x: abs(x[0]), "min": min, "max": max}


class ConditionError(PolyrouteError):
    """A condition is not of the grammar; the message quotes it."""


def every(truths: Iterable[Truth]) -> Truth:
    """Whether all are true: false if one is false, else unknown if one is unknown. True of none."""
    seen = list(truths)
    return False if False in seen else None if None in seen else True


def some(truths: Iterable[Truth]) -> Truth:
    """Whether one is true: true if one is, else unknown if one is unknown. False of none."""
    seen = list(truths)
    return True if True in seen else None if None in seen else False


@dataclass(frozen=True)
class Condition:
    """One condition, parsed."""

    text: str
    tree: ast.expr
    symbols: frozenset[str]
    """Dotted names of the quantities that it speaks of."""

    def holds(self, values: Mapping[str, float | None]) -> Truth:
        """Whether it holds.

        Args:
            values: symbol -> its value; one that is absent, None or NaN is unknown.

        Returns:
            True or false; None if that hangs on an unknown quantity, or on a division by 0.
        """
        return _truth(self.tree, values)


def parse(text: str) -> Condition:
    """A condition from its text.

    Raises:
        ConditionError: the text is not of the grammar.
    """
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError) as error:
        raise ConditionError(f"condition `{text}` cannot be read: write a comparison such as `em.low > 0`") from error
    symbols: set[str] = set()
    _check_truth(tree, text, symbols)
    return Condition(text, tree, frozenset(symbols))


def decide(
    replicated_if: Iterable[Condition], not_replicated_if: Iterable[Condition], values: Mapping[str, float | None]
) -> Code:
    """What a claim comes to.

    Args:
        replicated_if: must all hold.
        not_replicated_if: one suffices.
        values: symbol -> its value; one that is absent, None or NaN is unknown.

    Returns:
        `cannot_be_tested` if an unknown quantity could still bring either verdict; `inconclusive` if all that matters
        is known and brings neither, or both: then what was found is no more than both sets allow.

    Raises:
        ConditionError: a set is empty.
    """
    sets = list(replicated_if), list(not_replicated_if)
    if not all(sets):
        raise ConditionError("a claim needs conditions both for `replicated_if` and for `not_replicated_if`; add them")
    held = every(condition.holds(values) for condition in sets[0])
    failed = some(condition.holds(values) for condition in sets[1])
    if held and failed:
        return "inconclusive"
    if held and failed is False:
        return "replicated"
    if failed:
        return "not_replicated"
    return "inconclusive" if held is False and failed is False else "cannot_be_tested"


def _refuse(node: ast.AST, text: str, wanted: str) -> ConditionError:
    part = ast.unparse(node)
    return ConditionError(f"condition `{text}`: `{part}` is not {wanted}; see polyroute.claims.conditions")


def _check_truth(node: ast.expr, text: str, symbols: set[str]) -> None:
    match node:
        case ast.BoolOp(values=parts):
            for part in parts:
                _check_truth(part, text, symbols)
        case ast.UnaryOp(op=ast.Not(), operand=part):
            _check_truth(part, text, symbols)
        case ast.Compare(left=left, ops=ops, comparators=others) if all(type(op) in _COMPARISONS for op in ops):
            for part in [left, *others]:
                _check_number(part, text, symbols)
        case _:
            raise _refuse(node, text, "a comparison")


def _check_number(node: ast.expr, text: str, symbols: set[str]) -> None:
    match node:
        case ast.Constant(value=value) if type(value) in (int, float):
            return
        case ast.Name() | ast.Attribute() if (name := _name(node)) is not None:
            symbols.add(name)
        case ast.UnaryOp(op=ast.USub(), operand=part):
            _check_number(part, text, symbols)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            _check_number(left, text, symbols)
            _check_number(right, text, symbols)
        case ast.Call(func=ast.Name(id=name), args=parts, keywords=[]) if name in _FUNCTIONS:
            if len(parts) < 1 or (name == "abs") != (len(parts) == 1):
                raise _refuse(node, text, "a call with the right number of arguments")
            for part in parts:
                _check_number(part, text, symbols)
        case _:
            raise _refuse(node, text, "a number")


def _name(node: ast.expr) -> str | None:
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=owner, attr=last):
            first = _name(owner)
            return None if first is None else f"{first}.{last}"
    return None


def _truth(node: ast.expr, values: Mapping[str, float | None]) -> Truth:
    match node:
        case ast.BoolOp(op=op, values=parts):
            return (every if isinstance(op, ast.And) else some)(_truth(part, values) for part in parts)
        case ast.UnaryOp(operand=part):
            truth = _truth(part, values)
            return None if truth is None else not truth
        case ast.Compare(left=left, ops=ops, comparators=others):
            numbers = [_number(part, values) for part in [left, *others]]
            return every(
                None if a is None or b is None else _COMPARISONS[type(op)](a, b)
                for a, op, b in zip(numbers, ops, numbers[1:], strict=False)
            )
    raise AssertionError(node)


def _number(node: ast.expr, values: Mapping[str, float | None]) -> float | None:
    found: float | None = None
    match node:
        case ast.Constant(value=int() | float() as value):
            found = float(value)
        case ast.UnaryOp(operand=part):
            number = _number(part, values)
            found = None if number is None else -number
        case ast.BinOp(left=left, op=op, right=right):
            a, b = _number(left, values), _number(right, values)
            if a is not None and b is not None and not (isinstance(op, ast.Div) and b == 0):
                found = _ARITHMETIC[type(op)](a, b)
        case ast.Call(func=ast.Name(id=name), args=parts):
            numbers = [_number(part, values) for part in parts]
            known = [number for number in numbers if number is not None]
            found = _FUNCTIONS[name](known) if len(known) == len(numbers) else None
        case _:
            found = values.get(_name(node) or "")
    return None if found is None or math.isnan(found) else found
