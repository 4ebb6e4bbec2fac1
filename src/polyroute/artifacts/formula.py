"""How a right answer says that it is a formula: readers write it so, and scorers read it."""

FORMULA_MARK = "$"
"""Stands around a right answer that is a formula."""


def is_formula(answer: str) -> bool:
    """Whether a right answer is a formula and not a plain number."""
    return len(answer) > 2 * len(FORMULA_MARK) and answer.startswith(FORMULA_MARK) and answer.endswith(FORMULA_MARK)
