"""Conditions: what is done to a model while it answers. A baseline does nothing; any other follows a plan.

Stages hand them on as files, one a task, so that asking never knows why it asks: `data/plans/<model>/<purpose>/`,
`data/chosen/<model>/`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.dataclasses import dataclass

from polyroute.ground import again
from polyroute.ground.errors import PolyrouteError
from polyroute.ground.files import read_checked_json, write_checked_json
from polyroute.steering.plan import Plan

Kind = Literal[
    "baseline", "candidate", "chosen", "dose", "rule", "random", "multilingual", "early", "late", "all", "pivot",
    "published", "published-random", "shared", "shared-chosen", "shared-random", "shared-published",
    "shared-published-random", "exclusive", "by-turn", "by-task",
]  # fmt: skip


class ConditionError(PolyrouteError):
    """A file of conditions that cannot be read; the message names it."""


@dataclass(frozen=True)
class Condition:
    """One way of answering questions."""

    name: str
    """Part of file names: lower case, digits, hyphens, dots."""
    kind: Kind
    plan: Plan | None
    """None for the baseline."""
    layers: tuple[int, int] | None = None
    """First and last layer of the range that was to be edited."""
    draw: int | None = None
    """Number of the control set, for random experts."""
    target: str | None = None
    """Language whose experts a mask takes."""
    range: str | None = None
    """`early`, `middle` or `late`, of a mask."""
    control_of: str | None = None
    """Name of the condition whose experts these stand in for, for random experts."""


BASELINE = Condition("baseline", "baseline", None)

F = TypeVar("F", bound="ConditionFile")


class ConditionFile(BaseModel):
    """The conditions under which one task is asked; subclasses add what the later stages want to know of them."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    conditions: tuple[Condition, ...]

    def save(self, path: Path) -> None:
        """Write the file whole or not at all; the same conditions give the same bytes."""
        write_checked_json(path, self.model_dump(mode="json"))

    @classmethod
    def load(cls: type[F], path: Path) -> F:
        """What `save` wrote.

        Raises:
            ConditionError: the file is absent, damaged, in another's place or holds something else; names it.
        """
        try:
            content = read_checked_json(path, error=ConditionError)
            return cls.model_validate_json(json.dumps(content), strict=False)
        except FileNotFoundError:
            raise ConditionError(f"{path} is absent: {again.absent(path)}") from None
        except ValueError as error:  # not UTF-8, not JSON, or other keys
            told = _sentence(error.errors()[0]) if isinstance(error, ValidationError) else str(error)
            raise ConditionError(
                f"{path} holds no conditions that can be used ({told}): {again.damaged(path)}"
            ) from None


class AskedConditions(ConditionFile):
    """As asking reads any file of conditions: what else is in it is for others."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    languages: tuple[str, ...] | None = None
    """In which the task is asked; None in all of its languages."""
    own_only: bool = False
    """Whether a mask is met by the language whose experts it takes alone, the baseline by all."""


def _sentence(breach: Any) -> str:
    key = ".".join(str(part) for part in breach["loc"])
    return f"{key}: {breach['msg']}" if key else str(breach["msg"])
