"""Open choices in tables: what the papers do, what we do and why, and how far each choice moves the answers.

What is chosen is in `params/decisions.yaml`; how far it moves an answer is read from the files of the stage
`multiverse`, by two numbers:

- the first-order share of the variance of a claim's effect over its cells (`multiverse.json`);
- how often the answer changes: of the combinations of all other choices, the share in which some two levels of this one
  come to other answers (`multiverse.csv`). With two levels it is how often going to the other one changes the answer.

The answer is the verdict by what is known: refuted, all known conditions hold, or neither. What a cell lacks for a
verdict, such as random initialisations of its own, is no change.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from polyroute.claims.claim import Claims
from polyroute.ground.paths import Paths
from polyroute.params.decisions import Decision, Varied, decisions
from polyroute.params.file import ParamsFile
from polyroute.params.published import Certainty
from polyroute.report import steering, words
from polyroute.report.claims import WORDS
from polyroute.report.multiverse import CHOICES
from polyroute.report.words import NONE
from polyroute.results.model import ModelResults
from polyroute.results.multiverse import ChoiceName, ChoiceShare, ClaimMultiverse, MultiverseRow, MultiverseSummary
from polyroute.results.table import written

SURE: dict[Certainty, str] = {
    "read": "read in code", "stated": "stated", "noted": "secondary note", "inferred": "inferred", "unknown": "unknown",
}  # fmt: skip
"""How sure it is what a paper does."""


FRAGILE = 0.5
"""Share of cells below which an answer, or the sign of an effect, is called fragile."""


@dataclass(frozen=True)
class Moved:
    """How far one choice moves one claim on one model."""

    model: str
    claim: str
    choice: ChoiceName
    level: str | None
    """Against the study's own level alone; None among all levels."""
    effect: float | None
    """First-order share of the variance of the effect; None where it does not vary."""
    changes: float
    """Share of the combinations of all other choices in which the answer is not the same at every level."""


@dataclass(frozen=True)
class Multiverses:
    """Of all models that have them."""

    summaries: dict[str, MultiverseSummary]
    answers: dict[tuple[str, str], dict[str, int]]
    """Model, claim -> cells by answer."""
    own: dict[tuple[str, str], str]
    """Model, claim -> answer of the study's own cell."""
    moved: list[Moved]
    """Of every choice with several levels."""
    levels: list[Moved]
    """The same of each level but the study's own, against that one alone; without a share of variance."""

    def of(self, claim: str) -> dict[str, ClaimMultiverse]:
        """Model -> a claim over its cells."""
        found = {model: summary.claims.get(claim) for model, summary in self.summaries.items()}
        return {model: one for model, one in found.items() if one is not None}


def gather(paths: Paths, models: Sequence[str]) -> Multiverses:
    """Read the multiverses of the models that have them, in the order given.

    Raises:
        ResultsError: a file is not as declared.
    """
    folders = {model: paths.metrics(model) for model in models}
    there = {model: of for model, of in folders.items() if written(of, MultiverseSummary, MultiverseRow)}
    summaries = {model: MultiverseSummary.read(folder) for model, folder in there.items()}
    counts: dict[tuple[str, str], dict[str, int]] = {}
    own: dict[tuple[str, str], str] = {}
    moved: list[Moved] = []
    levels: list[Moved] = []
    for model, folder in there.items():
        table = MultiverseRow.read(folder)
        for claim, one in summaries[model].claims.items():
            rows = table[table["claim"] == claim]
            by_cell = answers(rows)
            counts[model, claim] = {str(name): int(count) for name, count in by_cell.value_counts().items()}
            own[model, claim] = str(by_cell[rows["cell"] == 0].iloc[0])
            moved += _moved(model, claim, one, rows)
            levels += _levels(model, claim, one, rows)
    return Multiverses(summaries, counts, own, moved, levels)


def choices_table(file: ParamsFile, found: Multiverses, measured: Sequence[ModelResults]) -> str:
    """A row an open choice."""
    columns = ["choice", "papers", "how sure", "ours", "why", "the other by", "how far it moves an answer"]
    rows = []
    for one in decisions():
        setting = one.setting
        papers = one.papers or ""
        if setting is not None and one.papers is None:
            papers = "not known" if setting.value is None else _value(setting.value)
            if setting.others:
                papers += f" (or {', '.join(map(_value, setting.others))})"
        ours = _value(one.default(file)) if one.ours is None else one.ours
        other = f"{one.other}; {one.none}" if one.key is None else f"`{_shown(one.key)}`: {one.other}"
        rows.append([one.choice, papers, SURE[one.sure], ours, one.why, other, _far(file, one, found, measured)])
    return words.markdown(columns, rows)


def moves_table(found: Multiverses) -> str:
    """A row a claim and choice, a column a model: share of variance / how often the answer changes."""
    models = list(found.summaries)
    by = {(one.claim, one.choice, one.model): one for one in found.moved}
    kept = dict.fromkeys((one.claim, one.choice) for one in found.moved)
    claims = list(dict.fromkeys(claim for claim, _ in kept))
    rows = [
        [f"`{claim}`", CHOICES[choice], *(_pair(by.get((claim, choice, model))) for model in models)]
        for claim, choice in sorted(kept, key=lambda one: claims.index(one[0]))
    ]
    return words.markdown(["claim", "choice", *models], rows)


def headlines(claims: Claims, found: Multiverses) -> str:
    """A paragraph a claim that has multiverses: on each model how many cells share its verdict, and what moves it."""
    paragraphs = []
    for name, claim in claims.by_id.items():
        of = found.of(name)
        if of:
            lines = [f"- {model}: {_survives(model, name, one, found)}" for model, one in of.items()]
            paragraphs.append("\n".join([f"**{claim.statement}** (`{name}`)\n", *lines]))
    return "\n\n".join(paragraphs) or NONE


def _moved(model: str, claim: str, one: ClaimMultiverse, rows: pd.DataFrame) -> Iterator[Moved]:
    for choice, others in _several(one):
        yield Moved(model, claim, choice.choice, None, choice.effect, changes(rows, others))


def _levels(model: str, claim: str, one: ClaimMultiverse, rows: pd.DataFrame) -> Iterator[Moved]:
    for choice, others in _several(one):
        own, *further = choice.levels
        for level in further:
            two = rows[rows[choice.choice].isin([own, level])]
            yield Moved(model, claim, choice.choice, level, None, changes(two, others))


def _several(one: ClaimMultiverse) -> Iterator[tuple[ChoiceShare, list[str]]]:
    """Choices with several levels, each with all others."""
    several = [choice for choice in one.choices if len(choice.levels) > 1]
    for choice in several:
        yield choice, [other.choice for other in several if other.choice != choice.choice]


def answers(rows: pd.DataFrame) -> pd.Series:
    """What each cell of a claim comes to by what is known: `refuted`, `holds`, or `open`.

    Args:
        rows: with `verdict`, `holding` and `failing` of `MultiverseRow`.
    """
    found = pd.Series("open", index=rows.index)
    found[(rows["failing"] == 0) & (rows["holding"] > 0)] = "holds"
    found[rows["verdict"] == "not_replicated"] = "refuted"
    return found


def changes(rows: pd.DataFrame, others: Sequence[str]) -> float:
    """Share of the combinations of other choices in which the answer differs between some two levels of a choice.

    Args:
        rows: cells of one claim, as of `answers`, with a column a choice.
        others: all choices with several levels but the one in question.
    """
    found = answers(rows)
    by = found.groupby([rows[other] for other in others] if others else [0] * len(rows))
    return float((by.nunique() > 1).mean())


def _far(file: ParamsFile, one: Decision, found: Multiverses, measured: Sequence[ModelResults]) -> str:
    if one.seen is not None:
        return f"see {one.seen}"
    if one.measured is not None:
        return _mean_of_gains(file.study.pivot, measured)
    every = [*found.moved, *found.levels]
    moved = [of for of in every if any(_varies(varied, of) for varied in one.cells)]
    if not moved:
        return "unknown here" if one.takes is None else f"unknown here; takes {one.takes}"
    parts = []
    if known := [of for of in moved if of.effect is not None]:
        most = max(known, key=lambda of: of.effect or 0.0)
        parts.append(f"up to {most.effect:.0%} of the variance (`{most.claim}`, {most.model})")
    often = max(moved, key=lambda of: of.changes)
    parts.append(
        f"changes the answer in up to {often.changes:.0%} of combinations (`{often.claim}`, {often.model})"
        if often.changes > 0
        else "changes no answer"
    )
    return "; ".join(parts)


def _varies(varied: Varied, of: Moved) -> bool:
    """Whether a multiverse's choice is the one meant."""
    claimed = not varied.claims or of.claim in varied.claims
    return claimed and (of.choice, of.level) == (varied.choice, varied.level)


def _mean_of_gains(pivot: str, measured: Sequence[ModelResults]) -> str:
    """Largest change of a chosen plan's mean gain when the pivot is one of the languages, which all weigh alike."""
    largest: tuple[float, str] | None = None
    for one in measured:
        if one.steering is None:
            continue
        table = one.steering.table
        for task in steering.ran(one.steering):
            rows = table[(table["task"] == task) & (table["condition"] == "chosen") & (table["languages"] == 1)]
            gain = rows.set_index("group")["difference"]
            if pivot in gain and len(gain) > 1:
                shift = float(gain.mean() - gain.drop(pivot).mean())
                if largest is None or abs(shift) > abs(largest[0]):
                    largest = shift, f"{one.model}, {task}"
    if largest is None:
        return "unknown here; nothing was steered"
    return f"English moves the mean gain of a chosen plan by {words.points(largest[0])} points at most ({largest[1]})"


def _survives(model: str, claim: str, one: ClaimMultiverse, found: Multiverses) -> str:
    """How far a claim's answer holds over its cells, and what moves it."""
    counts, own = found.answers[model, claim], found.own[model, claim]
    replicated = one.verdicts.get("replicated", 0)
    same = counts[own]
    parts = [
        f"{WORDS[one.base]}; {same} of {one.cells} cells agree",
        f"{replicated} replicate it",
        f"all known conditions hold in {counts.get('holds', 0)}",
        f"{counts.get('refuted', 0)} refute it",
    ]
    if one.effect is not None and one.lowest is not None and one.highest is not None:
        parts.append(f"effect {one.effect:.3g}, over cells {one.lowest:.3g} to {one.highest:.3g}")
        if one.same_sign is not None:
            parts[-1] += f" and of the same sign in {one.same_sign:.0%}"
    text = "; ".join(parts)
    most = one.choices[0]
    if most.effect:
        text += f". Most of the effect's variance: {CHOICES[most.choice]} ({most.effect:.0%})"
    moved = [of for of in found.moved if (of.model, of.claim) == (model, claim)]
    often = max(moved, key=lambda of: of.changes, default=None)
    if often is not None and often.changes > 0:
        text += f". Changes the answer most often: {CHOICES[often.choice]} ({often.changes:.0%})"
    fragile = ["answer"] if same < FRAGILE * one.cells else []
    if one.same_sign is not None and one.same_sign < FRAGILE:
        fragile.append("sign")
    mark = f"**fragile {' and '.join(fragile)}**: " if fragile else ""
    return f"{mark}{text}."


def _pair(one: Moved | None) -> str:
    if one is None:
        return NONE
    return f"{NONE if one.effect is None else f'{one.effect:.0%}'} / {one.changes:.0%}"


def _shown(key: str) -> str:
    """A key with roles as names between angle brackets."""
    return key.replace("{", "<").replace("}", ">")


def _value(value: Any) -> str:
    """A value of params.yaml in words."""
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case [int() as first, int() as last] if first < last:
            return f"{first}-{last}"
        case dict():
            return ", ".join(f"{key} {_value(of)}" for key, of in value.items())
        case list() | tuple():
            return ", ".join(map(_value, value))
    return str(value)
