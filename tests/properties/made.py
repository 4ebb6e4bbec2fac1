"""What the properties share: awkward values, and what a refusal must be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from polyroute.ground.errors import PolyrouteError

T = TypeVar("T")

few = settings(
    derandomize=True, max_examples=30, deadline=None, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
"""The same examples on every run, few enough for every run of the suite."""

LONGEST_LINE = 1500
"""Characters of a line of a message: a sentence with names and a list, no dump of what was read."""

texts = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["", " ", "no", "../x", "/etc/passwd", "{language}", "{", "1e400", "nan", "٣", "\u200b", "x" * 400]
    ),
)
numbers = st.one_of(
    st.integers(-3, 200), st.sampled_from([2**31, 2**63, 10**400, -(10**30)]), st.floats(allow_nan=True, width=64)
)
scalars = st.one_of(st.none(), st.booleans(), numbers, texts)
values: st.SearchStrategy[Any] = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=4
)
"""What may stand where something else belongs."""


def told(call: Callable[[], T], *places: str) -> T | None:
    """What a call gives; None where it is refused in sentences that name one of the places. Nothing else may come."""
    try:
        return call()
    except PolyrouteError as error:
        message = str(error)
    assert message.strip()
    assert "Traceback" not in message
    assert max(map(len, message.splitlines())) <= LONGEST_LINE, message
    assert not places or any(place in message for place in places), message
    return None
