"""What a model's study reads and writes, in tokens by stage, as its entry of params.yaml has it.

    read      items x languages x tokens an item x conditions
    written   the same, of answers in words, each cut off at `max_new_tokens`

Conditions are counted as the stages make them. `tune` tries every threshold, rule and strength. `steer` reports one
plan beside its doses, rules and places, and random sets until five did as well as the plan, which takes from
`FIRST_ROUND` to `steer.draws` of each. `mask` masks three ranges of layers for every language. What cannot be run is
not known before: a plan without experts costs nothing. What conditions share, the layers below a plan's, is not taken
off.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from polyroute.ground.frozen import suggest
from polyroute.params.file import ParamsFile
from polyroute.params.models import TransformersModel
from polyroute.params.needed import model_corpora, model_languages
from polyroute.readers.global_mmlu import GlobalMMLUTask
from polyroute.readers.miniworld import MiniworldTask
from polyroute.readers.polymath import PolyMathTask
from polyroute.readers.spec import HubTask, TaskSpec
from polyroute.sizing import tokens
from polyroute.sizing.shape import SizingError
from polyroute.sizing.speed import Dtype

Stage = Literal["trace", "draw", "evaluate", "tune", "steer", "mask"]
"""Stages that run a model."""
FIRST_ROUND = 9
"""Random sets of a plan that are asked before any is held against it."""
UNKNOWN = 1000
"""Items that are taken where neither the entry nor its data set's release says how many there are."""
_RANGES = 3
"""Ranges of layers that are masked."""
_PUBLISHED = 60
"""Questions of a subject with `positions: published`."""


@dataclass(frozen=True)
class Job:
    """Items that a stage runs in one way."""

    stage: Stage
    what: str
    """Corpus or task."""
    items: int
    """In each language."""
    languages: int
    conditions: tuple[int, int]
    """Fewest and most."""
    read: float
    """Tokens an item, mean over languages."""
    written: float = 0
    """Tokens of an answer, likewise; 0 where nothing is written."""
    cut: int = 0
    """Where an answer is cut off."""

    def tokens_read(self, conditions: int) -> float:
        """Under so many conditions."""
        return self.items * self.languages * conditions * self.read

    def tokens_written(self, conditions: int) -> float:
        """Under so many conditions."""
        return self.items * self.languages * conditions * self.written


@dataclass(frozen=True)
class Workload:
    """All that a study runs a model for."""

    study: str
    """Whose entry of params.yaml it is."""
    languages: tuple[str, ...]
    dtype: Dtype
    """Of the weights, by the entry."""
    batch_tokens: int
    sentences: int
    """Texts of all corpora and languages, each a row of a trace."""
    jobs: tuple[Job, ...]
    draws: int
    """Random initialisations, of models that are small enough."""
    most_weights: int
    assumed: tuple[str, ...]
    """Corpora and tasks that `UNKNOWN` items are taken of."""


def workload(file: ParamsFile, name: str, group: str | None = None) -> Workload:
    """What the study of an entry runs.

    Args:
        file: params.yaml.
        name: an entry of `models`.
        group: an entry of `languages` in place of the model's.

    Raises:
        SizingError: there is no such entry, it was recorded elsewhere, or the group is unknown.
    """
    spec = file.models.get(name)
    if spec is None:
        runnable = [other for other, one in file.models.items() if isinstance(one, TransformersModel)]
        raise SizingError(
            f"`{name}` is no entry of `models` in params.yaml: name one whose study is to be estimated with --like, of "
            f"{', '.join(runnable)}"
        )
    if not isinstance(spec, TransformersModel):
        raise SizingError(f"models.{name} was recorded elsewhere: nothing is run, so there is nothing to estimate")
    if group is not None:
        if group not in file.languages:
            raise SizingError(
                f"there is no `{group}` among `languages` in params.yaml; {suggest(group, list(file.languages))}"
            )
        spec = spec.model_copy(update={"languages": group})
        file = file.model_copy(update={"models": {**file.models, name: spec}})
    made = _Made(file, name, spec)
    jobs = tuple(made.jobs())
    return Workload(
        study=name, languages=tuple(model_languages(file, name)), dtype=spec.dtype,
        batch_tokens=spec.batch_tokens,
        sentences=sum(job.items * job.languages for job in jobs if job.stage == "trace"), jobs=jobs,
        draws=file.nulls.draws, most_weights=file.nulls.most_weights, assumed=tuple(dict.fromkeys(made.assumed)),
    )  # fmt: skip


class _Made:
    def __init__(self, file: ParamsFile, name: str, spec: TransformersModel):
        self.file, self.name, self.spec = file, name, spec
        self.assumed: list[str] = []

    def jobs(self) -> Iterator[Job]:
        traced = [self._trace(corpus, codes) for corpus, codes in model_corpora(self.file, self.name).items()]
        yield from traced
        # Each initialisation is read on the first `nulls.items` of the generic text.
        generic = next(job for job in traced if job.what == self.spec.generic)
        draws = self.file.nulls.draws
        yield replace(
            generic,
            stage="draw",
            items=min(self.file.nulls.items or generic.items, generic.items),
            conditions=(draws, draws),
        )
        for task in self.spec.tasks:
            yield from self._of_task(task)

    def _trace(self, corpus: str, codes: Sequence[str]) -> Job:
        spec = self.file.corpora[corpus]
        held = spec.items or self._assumed(corpus)
        items = min(spec.take or held, held)
        return Job("trace", corpus, items, len(codes), (1, 1), tokens.of_corpus(spec.reader) * tokens.factor(codes))

    def _of_task(self, name: str) -> Iterator[Job]:
        task = self.file.tasks[name]
        codes, lacking = task.languages_of(model_languages(self.file, self.name))
        if not codes:
            return
        half = self._half(name, task)
        edited = min(task.edited or half, half)
        every = self._job(name, task, codes)
        yield replace(every, items=2 * half)
        if not self.spec.interventions:
            return
        tried, reported, controlled = self._conditions(name, task)
        if tried:
            steer = self.spec.steer or self.file.steer
            yield replace(every, stage="tune", items=2 * edited, conditions=(tried, tried))
            fewest, most = (reported + controlled * min(draws, steer.draws) for draws in (FIRST_ROUND, steer.draws))
            yield replace(every, stage="steer", items=2 * edited, conditions=(fewest, most))
        mask = self.spec.mask
        if mask is not None and name in mask.tasks:
            yield self._masked(name, every, codes, lacking, 2 * edited)

    def _job(self, name: str, task: TaskSpec, codes: Sequence[str]) -> Job:
        item, longer = tokens.of_task(task.reader), tokens.factor(codes)
        asking = self.spec.evaluate or self.file.evaluate
        cut = task.max_new_tokens or asking.max_new_tokens
        written = 0 if task.kind == "choice" else min(item.written * longer, cut)
        return Job(
            "evaluate", name, 0, len(codes), (1, 1), item.read * longer, written, cut if written else 0
        )  # fmt: skip

    def _conditions(self, name: str, task: TaskSpec) -> tuple[int, int, int]:
        """Plans that are tried, plans that are reported beside random sets, and plans that have random sets."""
        steer, pair = self.spec.steer or self.file.steer, self.spec.dominant is not None
        tried = reported = controlled = 0
        if task.text is not None:
            published = int(name in self.spec.published)
            tried = len(steer.taus) * (len(steer.strengths) + 1)
            # chosen, activate, deactivate, multilingual, early, late, all
            reported = 7 + len(steer.doses) + len(task.pivots) + published + 2 * int(self.spec.turns is not None)
            controlled = 1 + published
        if pair:
            sources = 2 * len(steer.magnitude.strengths)
            given = self.spec.published_shared.get(name)
            own = 0 if given is None else len(given.strengths)
            tried, reported, controlled = tried + sources, reported + 1 + sources + own, controlled + 1 + own
        return tried, reported, controlled

    def _masked(self, name: str, every: Job, codes: Sequence[str], lacking: Sequence[str], items: int) -> Job:
        assert self.spec.mask is not None, "the task is masked"
        own = self.spec.mask.own.get(name)
        group = self.file.languages[self.spec.mask.languages if own is None else own.languages]
        asked = [code for code in group if code in codes]
        targets = asked if own is not None else [code for code in group if code in codes or code in lacking]
        masks = _RANGES * (1 + self.file.mask.draws) * (1 if own is not None else len(targets))
        return replace(every, stage="mask", items=items, languages=len(asked), conditions=(masks, masks))

    def _half(self, name: str, task: TaskSpec) -> int:
        """Items of one half of a task."""
        if isinstance(task, MiniworldTask):
            return min(task.take or task.items, task.items)
        if isinstance(task, GlobalMMLUTask) and task.positions != "all":
            held = len(task.subjects) * (task.per_subject or _PUBLISHED)
        elif isinstance(task, PolyMathTask):
            held = task.items * len(task.levels)
        else:
            held = task.items if isinstance(task, HubTask) else getattr(task, "items", None) or self._assumed(name)
        return min(task.take or held, -(-held // 2))

    def _assumed(self, name: str) -> int:
        self.assumed.append(name)
        return UNKNOWN
