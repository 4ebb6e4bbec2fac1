"""What claims are asked of: one model's results; and what an answer is gathered in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from math import log
from pathlib import Path

import numpy as np
import pandas as pd

from polyroute.claims.claim import Claim
from polyroute.claims.estimates import Estimate
from polyroute.claims.settings import ClaimsSettings, Role
from polyroute.languages import table as languages
from polyroute.results.alignment import CorpusAlignment
from polyroute.results.claims import Missing, StandIn
from polyroute.results.correlation import PublishedPoint, TaskCorrelation
from polyroute.results.model import ModelResults
from polyroute.results.nulls import NullsSummary

NAMES: dict[Role, str] = {"maths": "mgsm", "medical": "global-mmlu-medical", "reading": "belebele-reading"}
"""What a task stands for -> the task that claims name."""
_FOR_READING: tuple[Role, ...] = ("reading", "medical", "maths")
"""Whose accuracy is taken for Belebele's, the first that there is."""


@dataclass
class Found:
    """Quantities of one claim, as far as they are known."""

    claim: Claim
    values: dict[str, float] = field(default_factory=dict)
    """Symbol -> its value."""
    missing: dict[str, Missing] = field(default_factory=dict)
    """Quantity -> why it is unknown, where that is known better than from what has not run."""
    stand_ins: list[StandIn] = field(default_factory=list)
    languages: int | None = None
    items: int | None = None

    def put(self, name: str, value: Estimate | float | None) -> None:
        """Give a quantity; what is unknown of it is left out."""
        if isinstance(value, Estimate):
            self.values.update(value.parts(name))
        elif value is not None and np.isfinite(value):
            self.values[name] = float(value)

    def lack(self, names: Iterable[str], missing: Missing) -> None:
        """Say why quantities are unknown."""
        self.missing.update(dict.fromkeys(names, missing))

    def stand_in(self, one: StandIn) -> None:
        """Say that other data is used than the claim means."""
        if one not in self.stand_ins:
            self.stand_ins.append(one)


@dataclass(frozen=True)
class Asked:
    """One model's results, with what claims ask of them again and again."""

    results: ModelResults
    settings: ClaimsSettings
    folder: Path
    """`metrics/<model>/`."""

    @property
    def model(self) -> str:
        """What claims call the model."""
        return self.settings.known_as or self.results.model

    @property
    def corpus(self) -> str:
        """The generic corpus."""
        return self.settings.generic

    @property
    def null(self) -> NullsSummary | None:
        """Where the model stands among random initialisations on the generic corpus; None where it was not asked."""
        return self.results.null(self.corpus)

    @property
    def edited(self) -> bool:
        """Whether the model is steered; not where it has tasks and the stage `judge` was given none of them."""
        return self.results.steering is None or bool(self.results.steering.tasks) or not self.settings.roles

    @cached_property
    def alignment(self) -> CorpusAlignment:
        """Of the generic corpus."""
        return self.results.alignment.corpora[self.corpus]

    @cached_property
    def codes(self) -> list[str]:
        """Languages of the generic corpus, the pivot apart."""
        return list(self.alignment.languages)

    def zone(self, name: str, codes: Iterable[str] | None = None) -> list[float]:
        """Mean D of a zone, a number a language."""
        kept = self.codes if codes is None else codes
        return [float(getattr(self.alignment.languages[code], name)) for code in kept]

    def task(self, role: Role) -> str | None:
        """The model's task that stands for something."""
        return next((task for task, found in self.settings.roles.items() if found == role), None)

    def own(self, task: str) -> str:
        """The model's task that stands for the one that a claim names; that name itself where none does."""
        role = next((role for role, name in NAMES.items() if name == task), None)
        return (None if role is None else self.task(role)) or task

    @cached_property
    def published(self) -> tuple[str, TaskCorrelation] | None:
        """Belebele's accuracies as others published them, where the model was not asked it; with the task's name."""
        asked = set() if self.results.accuracy is None else set(self.results.accuracy.table["task"])
        if self.task("reading") in asked or self.results.correlations is None:
            return None
        held = self.results.correlations.tasks
        names = [task for task, role in self.settings.published.items() if role == "reading" and task in held]
        return next(((task, held[task]) for task in names if held[task].published), None)

    @property
    def for_reading(self) -> str | None:
        """The task whose accuracy stands for Belebele's."""
        if self.published is not None:
            return self.published[0]
        return next((task for role in _FOR_READING if (task := self.task(role)) is not None), None)

    def read(self, found: Found, role: Role) -> str | None:
        """The model's task, with a note where it stands for another; None where it has none."""
        task = self.task(role)
        if task is not None and task != NAMES[role]:
            found.stand_in(StandIn(kind="task", used=task, meant=NAMES[role]))
        return task

    def accuracy(self, found: Found, role: Role) -> pd.Series[float] | None:
        """Accuracy by language, the pivot apart; of another task where the model has none for reading."""
        if role == "reading" and self.published is not None:
            points = self.published_points
            found.stand_in(StandIn(kind="task", used=self.published[0], meant=NAMES[role]))
            found.items = min((one.items for one in points.values()), default=None)
            return pd.Series({code: one.accuracy for code, one in points.items()}, dtype=float)
        task = self.for_reading if role == "reading" else self.task(role)
        if task is None or self.results.accuracy is None:
            return None
        if task != NAMES[role]:
            found.stand_in(StandIn(kind="task", used=task, meant=NAMES[role]))
        table = self.results.accuracy.table
        rows = table[(table["task"] == task) & table["language"].isin(self.codes)]
        found.items = int(rows["items"].min()) if len(rows) else None
        by: pd.Series[float] = rows.set_index("language")["accuracy"]
        return by

    @property
    def published_points(self) -> dict[str, PublishedPoint]:
        """Published accuracies of languages of the generic corpus, the pivot apart."""
        points = {} if self.published is None else self.published[1].published or {}
        return {code: points[code] for code in self.codes if code in points}

    def near_chance(self) -> list[str]:
        """Languages whose accuracy is not above chance with its interval, in the task that stands for reading."""
        if self.published is not None:
            points = self.published_points
            return [code for code, one in points.items() if one.chance is not None and one.low <= one.chance]
        task = self.for_reading
        if task is None or self.results.accuracy is None:
            return []
        chance = self.results.accuracy.tasks[task].chance
        table = self.results.accuracy.table
        rows = table[(table["task"] == task) & table["language"].isin(self.codes)]
        least = rows.get("chance", chance)  # of each language, where the stage tells it
        return [] if least is None else [str(code) for code in rows.loc[rows["low"] <= least, "language"]]

    def resource(self, found: Found, codes: Iterable[str]) -> dict[str, float]:
        """How much text there is of each language, where it is known."""
        if self.settings.text_shares is not None:
            found.stand_in(StandIn(kind="resource", used="log share of the training documents", meant="resource class"))
            shares = self.settings.text_shares
            return {code: log(shares[code]) for code in codes if shares.get(code, 0) > 0}
        classes = {code: languages.get(code).resource for code in codes}
        return {code: float(known) for code, known in classes.items() if known is not None}

    def log_tokens(self, codes: Iterable[str]) -> list[float] | None:
        """Log tokens a sentence; None where they are not known."""
        tokens = [self.alignment.languages[code].tokens_per_sentence for code in codes]
        return None if None in tokens else [log(one) for one in tokens if one]

    def by_layer(self, measure: str, reading: str) -> pd.DataFrame:
        """A measure of the generic corpus: a row a language, a column a layer."""
        layers = self.results.layers
        table = layers[
            (layers["corpus"] == self.corpus) & (layers["measure"] == measure) & (layers["reading"] == reading)
        ]
        found: pd.DataFrame = table.pivot(index="language", columns="layer", values="value")
        return found

    def published_middle(self, claim: Claim) -> pd.Series[float] | None:
        """Mean D by language over the layers that a claim names for this model; None where it names none, or layers
        that were not measured."""
        named = ((claim.setting or {}).get("middle") or {}).get(self.model)
        if named is None:
            return None
        first, last = named
        curves = self.by_layer("divergence", self.alignment.reading).loc[self.codes]
        if not {*range(first, last + 1)} <= {*curves.columns}:
            return None
        means: pd.Series[float] = curves[list(range(first, last + 1))].mean(axis=1)
        return means

    def interval(self, code: str, measure: str, layers: Iterable[int], reading: str = "soft_mass") -> Estimate:
        """Mean of a measure of one language over some layers, with an interval no narrower than it must be."""
        table = self.results.layers
        rows = table[
            (table["corpus"] == self.corpus) & (table["measure"] == measure) & (table["reading"] == reading)
            & (table["language"] == code) & table["layer"].isin(list(layers))
        ]  # fmt: skip
        if rows.empty or rows[["value", "low", "high"]].isna().to_numpy().any():
            return Estimate()
        value, low, high = (float(rows[part].mean()) for part in ("value", "low", "high"))
        return Estimate(value, low, high)

    def layers_of(self, zone: str) -> range:
        """Layers of a zone."""
        first, last = getattr(self.alignment.zones, zone)
        return range(first, last + 1)


Provider = Callable[[Asked, Found], None]
"""Gives what it can of one claim's quantities."""
