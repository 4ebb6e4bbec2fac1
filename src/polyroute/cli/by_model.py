"""What several models have of one file of results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from polyroute.ground.paths import Paths
from polyroute.results.document import Document
from polyroute.results.table import written

D = TypeVar("D", bound=Document)


def by_model(kind: type[D], paths: Paths, models: Sequence[str], *, named: bool) -> dict[str, D]:
    """Model -> its document.

    Args:
        kind: of document.
        paths: where `metrics/` is.
        models: whose.
        named: whether each must have it; else those that have none are left out.

    Raises:
        ResultsError: a model that must has none, or none has; or a file is not as declared.
    """
    there = [model for model in models if named or written(paths.metrics(model), kind)]
    return {model: kind.read(paths.metrics(model)) for model in there or models[:1]}
