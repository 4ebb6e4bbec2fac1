"""What was found, in Markdown tables over models: depth, languages, accuracy, correlation, experts, steering and masks.

Every number and verdict is read from `metrics/`; nothing is computed anew. Accuracy is in percent, its differences are
in points, brackets are 95% intervals as the stages computed them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from polyroute.ground.errors import PolyrouteError
from polyroute.ground.paths import Paths
from polyroute.report import accuracy, correlation, depth, experts, families, masking, steering, turns
from polyroute.results.model import ModelResults

_TABLES: dict[str, Callable[[Sequence[ModelResults]], str]] = {
    "Divergence over depth": depth.depth_table,
    "Language families": families.tree_table,
    "What goes with routing distance": families.rivals_table,
    "Use of experts": experts.use_table,
    "Shared and exclusive experts": experts.shared_table,
    "Exclusivity and relatives": experts.relatives_table,
    "Accuracy": accuracy.accuracy_table,
    "Divergence and accuracy": correlation.correlation_table,
    "Experts": experts.task_table,
    "Task or turn": turns.turn_table,
    "Steering": steering.steering_table,
    "Steering toward shared experts": steering.shared_table,
    "Masking exclusive experts": masking.masking_table,
}


def gather(paths: Paths, models: Sequence[str]) -> list[ModelResults]:
    """Read the results of the models whose languages were compared or that have been asked a task, in the order given.

    Raises:
        PolyrouteError: there is none.
        ResultsError: a file is not as declared, or a model's routing is not measured.
    """
    found = [ModelResults.read(paths.metrics(model)) for model in models if paths.metrics(model).exists()]
    measured = [one for one in found if one.tasks or one.similarity]
    if not measured:
        raise PolyrouteError(
            f"languages have not been compared, nor tasks measured, of {', '.join(models)}: name a model in "
            "`study.models` and run `dvc repro`"
        )
    return measured


def tables(measured: Sequence[ModelResults]) -> dict[str, str]:
    """Title -> table, of those that have a row."""
    return {title: table for title, table in every_table(measured).items() if table.count("\n") > 1}


def every_table(measured: Sequence[ModelResults]) -> dict[str, str]:
    """Title -> table; without a row where no model has been measured for it."""
    return {title: table(measured) for title, table in _TABLES.items()}
