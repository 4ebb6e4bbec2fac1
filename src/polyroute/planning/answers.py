"""A model asked under plans, and its answers scored: what the stages `tune`, `steer` and `judge` do between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from polyroute.artifacts import frequency
from polyroute.artifacts.answers import Answers
from polyroute.artifacts.key import joined
from polyroute.artifacts.questions import SPLITS, Questions, Split
from polyroute.asking.ask import Asker
from polyroute.ground import console
from polyroute.interventions.effects import ranked
from polyroute.interventions.rounds import Halves, next_round
from polyroute.planning.given import Given
from polyroute.scoring.kinds import by_score, grade
from polyroute.steering.condition import BASELINE, Condition

Right = dict[Split, dict[str, pd.DataFrame]]
"""Half of the items -> `baseline` or condition -> answers with `correct`."""


@dataclass(frozen=True)
class Respondent:
    """The model, asked in some of the languages."""

    given: Given
    languages: Sequence[str]
    purpose: str
    """Of the batches, as of `asking.ask.Asker`."""

    @cached_property
    def questions(self) -> Questions:
        """Those that are asked."""
        whole = self.given.questions.some(self.given.items)
        frame = whole.frame[whole.frame["language"].isin(self.languages)].reset_index(drop=True)
        return replace(whole, frame=frame)

    @cached_property
    def items(self) -> pd.DataFrame:
        """With what is right, in every language: what was written may be in any of them."""
        return joined(self.given.questions.some(self.given.items), self.given.key)

    @cached_property
    def asker(self) -> Asker:
        """Asks them."""
        given = self.given
        return Asker(given.loaded, given.ask_settings(), self.purpose, given.task, self.questions, given.parts)

    def right(self, conditions: Mapping[Split, Sequence[Condition]]) -> Right:
        """Both halves, each under its own conditions beside the baseline."""
        return {split: self._half(split, conditions[split]) for split in SPLITS}

    def in_rounds(self, conditions: Halves, inflation: float) -> Right:
        """The same, random sets as many as are needed (`interventions.rounds`)."""
        found: Right = {split: {} for split in SPLITS}
        while True:
            known = whole(found)
            scores = ranked(known, self.given.pivot, {"chosen": inflation}) if known else {}
            now = next_round(conditions, scores)
            due = [split for split in SPLITS if now[split] or not found[split]]
            if not due:
                return found
            for split in due:
                found[split] |= self._half(split, now[split])

    def frequency(self) -> NDArray[np.float64]:
        """(L, E) activation frequency of experts on the prompts, each language counting the same."""
        table = self.asker.frequency()
        told = table[table["part"] == frequency.PROMPT].groupby(["layer", "expert"], sort=False)["frequency"].mean()
        experts = int(table["expert"].max()) + 1
        found_LE: NDArray[np.float64] = told.to_numpy(np.float64).reshape(-1, experts)
        return found_LE

    def _half(self, split: Split, conditions: Sequence[Condition]) -> dict[str, pd.DataFrame]:
        together = [BASELINE, *conditions]
        with console.progress(f"{self.purpose}: {split}", self.asker.count(split, together), "answers") as advance:
            said = self.asker.ask(split, together, advance)
        return {name: self._scored(one, split) for name, one in said.items()}

    def _scored(self, said: Answers, split: Split) -> pd.DataFrame:
        return by_score(grade(said, self.items, split).frame, said.header.kind, self.given.score)


def whole(right: Mapping[Split, Mapping[str, pd.DataFrame]]) -> dict[str, pd.DataFrame]:
    """Answers to all items under what both halves were asked under."""
    names = [name for name in right["select"] if all(name in half for half in right.values())]
    return {name: pd.concat([half[name] for half in right.values()], ignore_index=True) for name in names}
