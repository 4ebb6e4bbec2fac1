"""params.yaml -> the settings of each stage: defaults filled in, groups of languages expanded, nothing else in it.

A stage depends on its own settings alone, so a change of params.yaml reruns the stages whose settings come out other
than before. The digest of a checkpoint is in the settings of the stages that run the model.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from polyroute.artifacts.turns import ChatText
from polyroute.asking.settings import AskedTask, AskSettings, SteerSettings
from polyroute.claims.settings import ClaimsSettings, Role
from polyroute.experts.settings import ExpertsSettings, SimilaritySettings, TaskText
from polyroute.ground.frozen import Frozen
from polyroute.interventions.settings import (
    ChooseSettings,
    JudgedTask,
    JudgeSettings,
    MaskedSet,
    MaskedTask,
    MaskPlans,
    PlannedTask,
    PlanSettings,
    SteerGrid,
    SteerPlans,
    StudiedTask,
)
from polyroute.languages.own import StudySettings
from polyroute.measures.settings import AlignSettings, CorrelateSettings, DistancesSettings, Published
from polyroute.models.settings import ModelSettings
from polyroute.multiverse.settings import MultiverseSettings
from polyroute.params.file import ParamsFile
from polyroute.params.models import PUBLISHED, RecordedModel, TransformersModel, published_as, revision
from polyroute.params.needed import (
    Needed,
    fetched_corpora,
    model_corpora,
    model_languages,
    model_tasks,
    text_languages,
    turn_languages,
)
from polyroute.params.published import OVERRIDDEN, paper_model
from polyroute.params.settings import (
    FetchedCorpus,
    FetchedCounts,
    FetchedTask,
    FetchSettings,
    ReportedModel,
    ReportSettings,
    TrackSettings,
)
from polyroute.pocket.documents import language_shares
from polyroute.readers.miniworld import MiniworldTask
from polyroute.scoring.settings import ScoredTask, ScoreSettings
from polyroute.tracing.settings import (
    DrawSettings,
    NullsSettings,
    RecordedCounts,
    TracingSettings,
    TurnsSettings,
    TurnsTask,
)

Kind = TypeVar("Kind", bound=Frozen)
_ROLES: dict[str, Role] = {
    "mgsm": "maths", "arithmetic": "maths", "global_mmlu": "medical", "knowledge": "medical", "belebele": "reading",
}  # fmt: skip
"""Reader of a task, or content of one of the mini world -> what it stands for in claims."""


def resolve(file: ParamsFile, digests: Mapping[str, str]) -> dict[str, Frozen]:
    """The settings of every stage of every model of the study.

    Args:
        file: params.yaml.
        digests: model that is run -> digest of its checkpoint, as `models.source.digest` tells it.

    Returns:
        `<model>/<stage>`, or `track` or `report`, -> settings; `engine` beside them, which no stage depends on.

    Raises:
        TaskError: a task does not exist in the pivot, or is at no pinned commit.
    """
    found: dict[str, Frozen] = {}
    for model in file.study.models:
        stages = model_settings(file, model, digests.get(model, ""))
        found |= {f"{model}/{stage}": settings for stage, settings in stages.items()}
    for name in file.study.distances:
        found[f"{name}/distances"] = DistancesSettings(
            name=name, file=file.distances[name], pivot=file.study.pivot, shuffles=file.similarity.shuffles,
            confidence=file.similarity.confidence, seed=file.study.seed,
        )  # fmt: skip
    tracked = {model: shown(file, model) for model in file.study.models}
    return found | {
        "track": TrackSettings(
            name=file.study.name, models=tracked, own_languages=file.own_languages, read=read(file),
            distances=file.study.distances,
        ),
        "report": report_settings(file),
        "engine": file.engine,
    }  # fmt: skip


def read(file: ParamsFile) -> dict[str, FetchSettings]:
    """Model of the study -> what it reads.

    Raises:
        TaskError: as `resolve`.
    """
    return {model: _Resolved(file, model, "").fetch() for model in file.study.models}


def report_settings(file: ParamsFile) -> ReportSettings:
    """What the report says of the study and of its models beside their results; real models first."""
    models = {name: _reported(file, name) for name in file.study.models}
    order = ("real", "pocket", "untrained")
    return ReportSettings(
        name=file.study.name, pivot=file.study.pivot, seed=file.study.seed, confidence=file.intervals.confidence,
        resamples=file.intervals.resamples, distances=list(file.study.distances), own_languages=file.own_languages,
        models=dict(sorted(models.items(), key=lambda model: order.index(model[1].kind))),
    )  # fmt: skip


def _reported(file: ParamsFile, name: str) -> ReportedModel:
    spec = file.models[name]
    recipe = file.pocket.get(name)
    if recipe is not None:
        kind: Literal["real", "pocket", "untrained"] = "pocket" if recipe.tokens else "untrained"
        return ReportedModel(title=name, kind=kind, source=f"made here: models/{name}")
    called, commit = published_as(spec), revision(spec)
    where = spec.file if isinstance(spec, RecordedModel) else spec.hub or spec.folder or name
    title = name if called is None else called.rpartition("/")[2]
    if isinstance(spec, RecordedModel):
        title += " (recorded)"
    elif title.lower() != name.lower() and called is not None:
        title += f" ({name})"
    return ReportedModel(title=title, kind="real", source=f"{where}{f' @{commit[:12]}' if commit else ''}")


def model_settings(file: ParamsFile, model: str, digest: str) -> dict[str, StudySettings]:
    """Stage -> settings, of one model.

    Args:
        file: params.yaml.
        model: entry of `models`.
        digest: of its checkpoint; means nothing for counts recorded elsewhere.

    Raises:
        TaskError: as `resolve`.
    """
    resolved = _Resolved(file, model, digest)
    own = {code: file.own_languages[code] for code in resolved.languages if code in file.own_languages}
    return {stage: settings.model_copy(update={"own_languages": own}) for stage, settings in resolved.stages().items()}


class _Resolved:
    """What several stages of a model need."""

    def __init__(self, file: ParamsFile, model: str, digest: str):
        self.file, self.name, self.spec = file, model, file.models[model]
        self.seed, self.pivot = file.study.seed, file.study.pivot
        self.run = self.spec if isinstance(self.spec, TransformersModel) else None
        self.languages = model_languages(file, model)
        self.tasks = model_tasks(file, model)
        self.edited = self.tasks if self.run is not None and self.run.interventions else {}
        self.evaluate = (self.run and self.run.evaluate) or file.evaluate
        self.steer = (self.run and self.run.steer) or file.steer
        self.masked = self._masked()
        self.model = None if self.run is None else _of(ModelSettings, self.run, digest=digest)

    def stages(self) -> dict[str, StudySettings]:
        file, spec, run = self.file, self.spec, self.run
        masked = {task: self.tasks[task] for task in self.masked}
        beside = {task: self.masked[task].languages for task in masked}
        common = {"name": self.name, "seed": self.seed}
        measured = common | {"languages": self.languages}
        return {
            "fetch": self.fetch(),
            "trace": _of(
                TracingSettings, file.trace, **common, model=self.model, counts=self._counts(),
                corpora=model_corpora(file, self.name) if run else dict.fromkeys(spec.corpora, self.languages),
                chats=self._chats(),
            ),
            "align": AlignSettings(
                **measured, revision=revision(spec), corpora=spec.corpora, zones=spec.zones, intervals=file.intervals,
                nearest=file.align.nearest, importance=spec.importance,
            ),
            "draw": _of(
                DrawSettings, file.nulls, **measured, model=self.model, corpus=spec.generic,
                special_tokens=file.trace.special_tokens, nearest=file.align.nearest,
                chat=self._chats().get(spec.generic),
            ),
            "nulls": NullsSettings(
                **measured, corpus=spec.generic, zones=spec.zones, nearest=file.align.nearest,
            ),
            "experts": ExpertsSettings(
                **measured, generic=spec.generic, taus=file.experts.taus,
                multilingual=file.experts.multilingual, domain_divergence=file.experts.domain_divergence,
                middle=run.middle if run else None,
                tasks={task: self._text(task) for task in self.tasks}, intervals=file.intervals,
            ),
            "turns": self._turns(),
            "similarity": _of(
                SimilaritySettings, file.similarity, **measured, corpora=spec.corpora, zones=spec.zones
            ),
            "evaluate": self._ask(self.tasks, 0),
            "score": ScoreSettings(name=self.name, pivot=self.pivot, tasks={
                task: ScoredTask(**self._scored(task), lacking=needed.lacking, facts=self._of_facts(task))
                for task, needed in self.tasks.items()
            }),
            "correlate": CorrelateSettings(
                **measured, generic=spec.generic, confidence=file.intervals.confidence, text_shares=self._text_shares(),
                groups=self._groups(), near_chance=spec.near_chance, published=self._published(),
            ),
            "plan": PlanSettings(
                **common, pivot=self.pivot, generic=spec.generic, dominant=run.dominant if run else None,
                tasks={task: self._planned(task) for task in self.edited}, steer=_of(SteerGrid, self.steer),
                mask=self._mask(), among=self._among(), masked=self.masked,
                mask_corpus=run.mask.corpus if run and run.mask else None,
            ),
            "tune": self._ask(self.edited, 0, edited=True),
            "choose": ChooseSettings(
                **common, pivot=self.pivot, generic=spec.generic, dominant=run.dominant if run else None,
                tasks={task: self._studied(task) for task in self.edited}, steer=_of(SteerPlans, self.steer),
            ),
            "steer": _of(
                SteerSettings, self._ask(self.edited, self.steer.mechanism_items, edited=True), pivot=self.pivot,
                scores={task: self._scored(task)["score"] for task in self.edited},
            ),
            "mask": self._ask(masked, file.mask.mechanism_items, beside, edited=True),
            "judge": JudgeSettings(
                **common, pivot=self.pivot, intervals=file.intervals, masked=self.masked,
                tasks={task: self._judged(task) for task in self.edited},
            ),
            "claims": ClaimsSettings(
                **common, generic=spec.generic, roles=self._roles(), text_shares=self._text_shares(),
                known_as=paper_model(run.hub) if run and run.preset else None,
                published={} if spec.accuracies is None else {"published-belebele": "reading"},
            ),
            "multiverse": MultiverseSettings(
                **measured, generic=spec.generic, roles=self._roles(), text_shares=self._text_shares(),
                other_pivot=self._other_pivot(), groups=self._groups(), halved=file.experts.multilingual.halved,
                tasks={task: self._text(task) for task in self.tasks}, intervals=file.intervals,
                shuffles=file.similarity.shuffles,
            ),
            "figures": StudySettings(name=self.name),
        }  # fmt: skip

    def fetch(self) -> FetchSettings:
        """What the model reads."""
        file, counts = self.file, self._counts()
        corpora = fetched_corpora(file, self.name)
        return FetchSettings(
            name=self.name,
            corpora={name: FetchedCorpus(entry=file.corpora[name], languages=codes) for name, codes in corpora.items()},
            tasks={
                name: FetchedTask(entry=file.tasks[name], languages=needed.languages, lacking=needed.lacking)
                for name, needed in self.tasks.items()
            },
            counts=counts and FetchedCounts(entry=counts, corpus=self.spec.generic, languages=self.languages),
        )

    def _groups(self) -> dict[str, list[str]]:
        """Groups that are correlated on their own, in the order of the model's languages, the pivot apart."""
        groups = {name: self.file.languages[name] for name in self.spec.groups}
        return {name: [code for code in self.languages[1:] if code in codes] for name, codes in groups.items()}

    def _other_pivot(self) -> str | None:
        """The other dominant language, or the one after the pivot."""
        dominant = self.run.dominant if self.run is not None and self.run.dominant is not None else []
        return next((code for code in (*dominant, *self.languages) if code != self.pivot), None)

    def _chats(self) -> dict[str, ChatText]:
        """Corpora of a model that is run here that are traced as a chat."""
        entries = {name: self.file.corpora[name] for name in model_corpora(self.file, self.name)}
        return {name: entry.chat for name, entry in entries.items() if entry.chat is not None}

    def _counts(self) -> RecordedCounts | None:
        if not isinstance(self.spec, RecordedModel):
            return None
        return _of(RecordedCounts, self.spec)

    def _ask(
        self, tasks: Mapping[str, Needed], mechanism_items: int, languages: Mapping[str, list[str]] | None = None,
        *, edited: bool = False,
    ) -> AskSettings:  # fmt: skip
        asked = {
            task: AskedTask(
                kind=self.file.tasks[task].kind, languages=(languages or {}).get(task, needed.languages),
                own=self.file.tasks[task].own_asking(), items=self.file.tasks[task].edited if edited else None,
            )
            for task, needed in tasks.items()
        }  # fmt: skip
        return _of(
            AskSettings, self.evaluate, name=self.name, seed=self.seed, model=self.model, tasks=asked,
            mechanism_items=mechanism_items, engine="transformers" if self.run is None else self.run.engine,
        )  # fmt: skip

    def _text(self, task: str) -> TaskText:
        return TaskText(text=self.file.tasks[task].text, languages=text_languages(self.file, task))

    def _scored(self, task: str) -> dict[str, Any]:
        entry = self.file.tasks[task]
        return {"kind": entry.kind, "score": entry.own_score() or self.file.score.of(entry.kind)}

    def _of_facts(self, task: str) -> bool:
        entry = self.file.tasks[task]
        return isinstance(entry, MiniworldTask) and entry.content == "knowledge"

    def _turns(self) -> TurnsSettings:
        """Text by turn, under the published setting of a task where there is one."""
        file, run = self.file, self.run
        asked = None if run is None else run.turns
        tasks = {}
        if run is not None and asked is not None:
            middle = run.middle or (run.zones.middle if run.zones else None)
            for task, text in asked.texts.items():
                setting = run.published.get(task)
                tau, layers = (file.turns.tau, middle) if setting is None else (setting.tau, setting.layers)
                tasks[task] = TurnsTask(text=text, tau=tau, layers=layers)
        return _of(
            TurnsSettings, file.turns, name=self.name, seed=self.seed, confidence=file.intervals.confidence,
            not_asked="recorded" if run is None else "no_texts" if asked is None else None,
            model=self.model if asked else None, generic=asked and asked.generic, tasks=tasks,
            languages=turn_languages(file, self.name),
        )  # fmt: skip

    def _planned(self, task: str) -> PlannedTask:
        assert self.run is not None, "counts recorded elsewhere have no tasks"
        return _of(
            PlannedTask,
            self._text(task),
            published_shared=self.run.published_shared.get(task),
            shared_corpus=self.run.shared_corpus.get(task),
        )

    def _studied(self, task: str) -> StudiedTask:
        assert self.run is not None, "counts recorded elsewhere have no tasks"
        return _of(
            StudiedTask, self._planned(task), **self._scored(task), items=self.file.tasks[task].edited,
            published=self.run.published.get(task),
        )  # fmt: skip

    def _judged(self, task: str) -> JudgedTask:
        setting = self.run.published.get(task) if self.run is not None else None
        gain = None if setting is None else setting.gain
        return JudgedTask(**self._scored(task), items=self.file.tasks[task].edited, gain=gain)

    def _among(self) -> list[str]:
        """Languages among which experts are exclusive."""
        if self.run is None or self.run.mask is None:
            return []
        return self.file.languages[self.run.mask.among or self.run.mask.languages]

    def _masked(self) -> dict[str, MaskedTask]:
        if self.run is None or self.run.mask is None or not self.run.interventions:
            return {}
        mask, found = self.run.mask, {}
        for task in mask.tasks:
            own = mask.own.get(task)
            masked = self.file.languages[mask.languages if own is None else own.languages]
            found[task] = MaskedTask(
                languages=[code for code in masked if code in self.tasks[task].languages],
                lacking=[code for code in masked if code in self.tasks[task].lacking],
                among=None if own is None else self.file.languages[mask.among_of(task)], own_only=own is not None,
            )  # fmt: skip
        return found

    def _mask(self) -> MaskPlans | None:
        mask = self.file.mask
        ours = {task: own for task, own in mask.tasks.items() if task in self.masked}
        own = self.run.mask.own if self.run and self.run.mask else {}
        for task, one in own.items():
            said = one.model_dump(include={"k", "thr", "width"}, exclude_none=True)
            ours |= {task: _of(MaskedSet, ours.get(task, mask), **said)} if said else {}
        return _of(MaskPlans, mask, tasks=ours) if self.masked else None

    def _roles(self) -> dict[str, Role]:
        """Tasks by what they stand for in the papers; a task of the mini world by its content."""
        entries = {task: self.file.tasks[task] for task in self.tasks}
        kinds = {task: getattr(entry, "content", entry.reader) for task, entry in entries.items()}
        return {task: _ROLES[kind] for task, kind in kinds.items() if kind in _ROLES}

    def _published(self) -> Published | None:
        model = published_as(self.spec) if self.spec.accuracies else None
        return None if model is None else Published(file=PUBLISHED, model=model)

    def _text_shares(self) -> dict[str, float] | None:
        recipe = self.file.pocket.get(self.name)
        return None if recipe is None else language_shares(recipe)


def _of(kind: type[Kind], source: Frozen, /, **more: Any) -> Kind:
    """A type filled from another that has some of its fields, and from what is given."""
    shared = {name: getattr(source, name) for name in kind.model_fields if name in type(source).model_fields}
    return kind.model_validate(shared | more)


def shown(file: ParamsFile, model: str) -> dict[str, Any]:
    """What the stages that a model goes through are set to, as plain data: section -> settings.

    `study` and `model` are among them: the seed and the pivot, and the model's own entry.
    """
    spec = file.models[model]
    sections = ["intervals", "align", "similarity"]
    if isinstance(spec, TransformersModel):
        sections += ["trace", "nulls"] + (["experts", "evaluate", "score", "steer"] if spec.tasks else [])
        sections += ["turns"] if spec.turns is not None else []
    shown = {section: getattr(file, section).model_dump(mode="json") for section in sections}
    if isinstance(spec, TransformersModel) and spec.mask is not None:
        mask = file.mask.model_dump(mode="json")
        shown["mask"] = mask | {
            "tasks": {task: mask["tasks"][task] for task in spec.mask.tasks if task in mask["tasks"]}
        }
    study = {"pivot": file.study.pivot, "seed": file.study.seed}
    entry = spec.model_dump(mode="json")
    shown |= {section: own for section in OVERRIDDEN if (own := entry.pop(section, None)) is not None}
    return {"study": study, "model": entry, **shown}
