"""`polyroute published`: a paper's settings run for one model, and each published number beside the rerun's.

Published numbers are those of `claims/` (gains, quantities) and of `recorded/published_accuracies.csv`; those of the
rerun are read from `metrics/`, whatever stage they are of.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from polyroute.artifacts.published_accuracies import read_means, read_published
from polyroute.artifacts.recording import RecordingError
from polyroute.claims.asked import NAMES
from polyroute.claims.claim import Claim, read_claims
from polyroute.claims.settings import Role
from polyroute.cli import recorded
from polyroute.ground.files import write_atomically
from polyroute.ground.frozen import ParamsError, suggest
from polyroute.ground.paths import Paths
from polyroute.params import file as params
from polyroute.params.file import ParamsFile
from polyroute.params.models import PUBLISHED, TransformersModel
from polyroute.params.published import paper_model, published, task_roles
from polyroute.report.published import PublishedNumber
from polyroute.results.accuracy import AccuracyRow, AccuracySummary
from polyroute.results.claims import ClaimsSummary, ClaimVerdict
from polyroute.results.steering import HELPED, MechanismRow, NotSteered, SteeringSummary, SteerRow

_ROLES: dict[str, Role] = {
    "belebele": "reading", "mgsm_direct": "maths", "mgsm_paper1": "maths", "global_mmlu_medical": "medical",
    "global_mmlu_medical_paper1": "medical",
}  # fmt: skip
"""Task as the published accuracies call it -> what it stands for; the preset asks no other."""
_OF_PLAN = ("p1.gain.", "p1.cell.")
"""Claims on a published plan, whose numbers are read from steering itself."""
_BY_PLAN: dict[str, Literal["steered", "gain", "experts"]] = {
    "steered": "steered", "gain": "gain", "experts": "experts",
}  # fmt: skip
"""What such claims call a number; their `base` is among the published accuracies."""
_STAGES = ("align", "experts", "score", "judge", "claims")
"""Stages that numbers are read from, each of which needs those before it."""


def entries(file: ParamsFile, model: str) -> list[str]:
    """The entries of params.yaml that run papers' settings for a model.

    Args:
        file: params.yaml.
        model: as the papers' settings call it (`olmoe-1b-7b`), or any entry of it.

    Raises:
        ParamsError: no paper has the model, or no entry takes a preset for it.
    """
    names = list(dict.fromkeys(name for preset in published().presets for name in preset.models))
    spec = file.models.get(model)
    known = model if model in names else paper_model(getattr(spec, "hub", None))
    if known is None:
        raise ParamsError(f"`{model}` is no model of a paper; {suggest(model, names)}")
    if isinstance(spec, TransformersModel) and spec.preset is not None:
        return [model]
    found = [
        name
        for name, one in file.models.items()
        if isinstance(one, TransformersModel) and one.preset is not None and paper_model(one.hub) == known
    ]
    if not found:
        raise ParamsError(f"models: no entry has `preset: published` for {known}; docs/published.md shows one")
    return found


def enlist(path: Path, names: Sequence[str]) -> list[str]:
    """Make entries models of the study, left out by `make study`; those that are models of it already stay.

    Args:
        path: params.yaml.
        names: entries of `models`.

    Returns:
        Those that are new.

    Raises:
        ParamsError: params.yaml is laid out otherwise than the one that ships; nothing is written then.
    """
    new = [name for name in names if name not in params.read(path).study.models]
    text = path.read_bytes().decode()
    for name in new:
        for listed in ("\n  models: [", "\n  extra: ["):
            text = recorded.after(text, listed, f"{name}, ", path)
    if new:
        params.parse_text(text, str(path))
        write_atomically(path, text.encode())
    return new


def numbers(file: ParamsFile, paths: Paths, names: Sequence[str]) -> list[PublishedNumber]:
    """Every published number of the models that entries run, beside the rerun's.

    Raises:
        ClaimsError: claims/ cannot be read.
        RecordingError: nor the published accuracies.
        ResultsError: a file of results is not as declared.
    """
    claims = list(read_claims(paths.claims).by_id.values())
    found: list[PublishedNumber] = []
    for name in names:
        spec = file.models[name]
        assert isinstance(spec, TransformersModel), "`entries` gives such alone"
        paper = next(preset.paper for preset in published().presets if preset.name == spec.preset)
        rerun, known = _Rerun(file, paths, name), str(paper_model(spec.hub))
        own = [
            one
            for claim in claims
            if claim.paper == paper and known in claim.models
            for one in _of_claim(claim, known, paper, rerun)
        ]
        # What plans do is what a paper is about; its quantities and accuracies follow.
        found += sorted(own, key=lambda one: one.kind == "quantity")
        if paper == 1:
            found += _accuracies(paths.root / PUBLISHED, str(spec.hub), rerun)
    return found


@dataclass(frozen=True)
class _Rerun:
    """Results of one entry, as far as there are any."""

    file: ParamsFile
    paths: Paths
    name: str

    @property
    def folder(self) -> Path:
        return self.paths.metrics(self.name)

    @cached_property
    def tasks(self) -> dict[str, str]:
        """Role -> the entry's task."""
        spec = self.file.models[self.name]
        assert isinstance(spec, TransformersModel)
        return task_roles({task: self.file.tasks[task].reader for task in spec.tasks})

    def unrun(self, stage: str) -> str | None:
        """The first stage that has not run of those that one needs, itself among them, in words."""
        files = {
            "align": "align.json", "experts": "experts.json", "score": "accuracy.json", "judge": "steer.json",
            "claims": "claims.json",
        }  # fmt: skip
        if not any(self.paths.traces(self.name).glob("*")) and not self.folder.exists():
            return "not run: trace"
        needed = _STAGES[: _STAGES.index(stage) + 1]
        return next((f"not run: {one}" for one in needed if not (self.folder / files[one]).exists()), None)

    @cached_property
    def accuracy(self) -> pd.DataFrame:
        return AccuracyRow.read(self.folder)

    @cached_property
    def steering(self) -> tuple[SteeringSummary, pd.DataFrame, pd.DataFrame]:
        return SteeringSummary.read(self.folder), SteerRow.read(self.folder), MechanismRow.read(self.folder)

    @cached_property
    def verdicts(self) -> dict[str, ClaimVerdict]:
        return ClaimsSummary.read(self.folder).claims


def _accuracies(path: Path, hub: str, rerun: _Rerun) -> Iterator[PublishedNumber]:
    """Published accuracies, means over languages first."""
    means = read_means(path, hub)
    for task, (value, certainty, source) in means.items():
        yield _accuracy(PublishedNumber(1, rerun.name, "accuracy", task, None, value, certainty, source), rerun)
    try:
        held = read_published(path, hub)
    except RecordingError:
        if means or not path.is_file():
            raise
        return  # nothing of this model was published
    for task, by_language in held.items():
        for code, one in by_language.items():
            number = PublishedNumber(1, rerun.name, "accuracy", task, code, one.accuracy, one.certainty, one.source)
            yield _accuracy(number, rerun)


def _accuracy(number: PublishedNumber, rerun: _Rerun) -> PublishedNumber:
    task = rerun.tasks.get(_ROLES.get(number.what, ""))
    if task is None:
        return replace(number, missing=f"not asked: {number.what}")
    if reason := rerun.unrun("score"):
        return replace(number, missing=reason)
    if number.language is None:
        return replace(number, rerun=AccuracySummary.read(rerun.folder).tasks[task].others)
    rows = rerun.accuracy
    rows = rows[(rows["task"] == task) & (rows["language"] == number.language)]
    if rows.empty:
        return replace(number, missing=f"not asked in {number.language}")
    return replace(number, **_interval(rows.iloc[0], "accuracy"))


def _of_claim(claim: Claim, model: str, paper: Literal[1, 2], rerun: _Rerun) -> Iterator[PublishedNumber]:
    """The numbers of a claim that are of this model."""
    of_plan, source, spoken_of = claim.id.startswith(_OF_PLAN), f"paper {paper}, {claim.section}", None
    for one in claim.published:
        named = next((name for name in claim.models if name in one.what), None)
        spoken_of = named or (spoken_of if one.what.startswith("the same") else None)
        if not isinstance(one.value, float) or spoken_of not in (None, model):
            continue
        setting = claim.setting or {}
        if of_plan and one.what in _BY_PLAN:
            number = PublishedNumber(
                paper, rerun.name, _BY_PLAN[one.what], setting["task"], setting.get("language"), one.value,
                one.certainty, source,
            )  # fmt: skip
            yield _of_plan(number, claim, rerun)
        elif not of_plan and one.of is not None:
            number = PublishedNumber(
                paper, rerun.name, "quantity", f"{claim.id}: {one.what}", None, one.value, one.certainty, source,
                **_before(claim),
            )  # fmt: skip
            yield _of_verdict(number, claim.id, one.of, rerun)


def _of_plan(number: PublishedNumber, claim: Claim, rerun: _Rerun) -> PublishedNumber:
    if number.kind == "gain":
        number = replace(number, **_before(claim))
    if reason := rerun.unrun("judge"):
        return replace(number, missing=reason)
    role = next((role for role, name in NAMES.items() if name == number.what), "")
    task = rerun.tasks.get(role, number.what)
    summary, table, mechanism = rerun.steering
    told = summary.tasks.get(task)
    if told is None or isinstance(told, NotSteered):
        return replace(number, missing=f"not steered: {told.not_run}" if told else f"not asked: {number.what}")
    rows = table[
        (table["task"] == task) & (table["kind"] == "published") & (table["group"] == (number.language or HELPED))
    ]
    if told.published is None or rows.empty:
        left_out = (one for fold in told.folds.values() for one in fold.left_out if one.name == "published")
        reason = next((one.reason for one in left_out), f"not asked in {number.language or 'other languages'}")
        return replace(number, missing=reason)
    if number.kind == "experts":
        edits = mechanism[(mechanism["task"] == task) & (mechanism["condition"] == told.published.condition)]
        return replace(number, rerun=float(edits["experts"].sum())) if len(edits) else number
    if number.kind == "steered":
        return replace(number, rerun=float(rows.iloc[0]["edited"]))
    simulated: dict[str, Any] = {}
    if number.language is None and told.published.verdict.power.published:
        simulated = {"power": told.published.verdict.power.power, "power_of": "rerun"}
    return replace(number, **_interval(rows.iloc[0], "difference"), **simulated)


def _of_verdict(number: PublishedNumber, claim: str, quantity: str, rerun: _Rerun) -> PublishedNumber:
    if reason := rerun.unrun("claims"):
        return replace(number, missing=reason)
    if (verdict := rerun.verdicts.get(claim)) is None:
        return replace(number, missing="not run: claims")
    values = verdict.values
    value = values.get(f"{quantity}.value", values.get(quantity))
    if value is None:
        lack = verdict.missing.get(quantity)
        return replace(number, missing=f"not measured: {lack.what}" if lack else "not measured")
    return replace(number, rerun=value, low=values.get(f"{quantity}.low"), high=values.get(f"{quantity}.high"))


def _before(claim: Claim) -> dict[str, Any]:
    return {} if claim.power.at_hand is None else {"power": claim.power.at_hand, "power_of": "before"}


def _interval(row: Any, name: str) -> dict[str, Any]:
    low, high = (None if pd.isna(row[one]) else float(row[one]) for one in ("low", "high"))
    return {"rerun": float(row[name]), "low": low, "high": high}
