"""The questions of a task, without their right answers: all that asking a model needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from polyroute.artifacts.kinds import TaskKind


@dataclass(frozen=True)
class Questions:
    """What a model is asked."""

    task: str
    """Name in params.yaml."""
    kind: TaskKind
    version: int
    """Of the reader that made the prompts."""
    stops: Mapping[str, tuple[str, ...]]
    """Language -> strings that end a written answer; none where it has no entry."""
    frame: pd.DataFrame
    """item_id, language, split, prompt and, of choices, `choices`; by item_id, then language."""

    @property
    def languages(self) -> list[str]:
        """FLORES codes in the order of the task."""
        return [str(code) for code in self.frame["language"].drop_duplicates()]

    def half(self, split: str) -> pd.DataFrame:
        """The questions of a half, in their order."""
        return self.frame[self.frame["split"] == split]

    def only(self, languages: list[str]) -> Questions:
        """The same questions in some languages."""
        return Questions(
            self.task, self.kind, self.version, self.stops, self.frame[self.frame["language"].isin(languages)]
        )
