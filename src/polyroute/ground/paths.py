"""Every path of the study, once, relative to the root of the repository (the folder of dvc.yaml).

What a path is made of are names (`ground.names`), wherever they come from; one that leads elsewhere is a `PlaceError`.
"""

from dataclasses import dataclass
from pathlib import Path

from polyroute.ground.names import plain


@dataclass(frozen=True)
class Paths:
    """Where the study reads and writes below ``root``."""

    root: Path = Path()

    @property
    def params(self) -> Path:
        """Every parameter of the study."""
        return self.root / "params.yaml"

    @property
    def dvc_yaml(self) -> Path:
        """The stages."""
        return self.root / "dvc.yaml"

    @property
    def dvc_lock(self) -> Path:
        """What DVC last ran, and on what."""
        return self.root / "dvc.lock"

    @property
    def settings(self) -> Path:
        """What params.yaml comes to for each stage of each model of the study; in git."""
        return self.root / "settings"

    def stage_settings(self, *names: str) -> Path:
        """What one stage of a model reads: model and stage; or the stage alone, where it is of no model."""
        return self.settings.joinpath(*map(plain, names)).with_suffix(".json")

    def code(self, script: str) -> Path:
        """What the code comes to that a script of pipeline/ imports: one digest."""
        return self.settings / "_code" / f"{plain(script)}.txt"

    def inputs(self, model: str) -> Path:
        """What a model reads, fetched and checked."""
        return self.root / "data" / "inputs" / plain(model)

    def corpora(self, model: str) -> Path:
        """A model's corpora."""
        return self.inputs(model) / "corpora"

    def corpus(self, model: str, corpus: str) -> Path:
        """``item_id, language, text``, one row an item and language."""
        return self.corpora(model) / f"{plain(corpus)}.parquet"

    def recorded_counts(self, model: str, corpus: str) -> Path:
        """Counts recorded elsewhere, as `recorded/` has them."""
        return self.corpora(model) / "recorded" / f"{plain(corpus)}.parquet"

    def questions(self, model: str) -> Path:
        """What a model is asked, a file a task."""
        return self.inputs(model) / "questions"

    def task_questions(self, model: str, task: str) -> Path:
        """A task's questions, checked and divided into splits."""
        return self.questions(model) / f"{plain(task)}.parquet"

    def keys(self, model: str) -> Path:
        """The right answers, a file a task."""
        return self.inputs(model) / "keys"

    def key(self, model: str, task: str) -> Path:
        """The right answers to a task's questions."""
        return self.keys(model) / f"{plain(task)}.parquet"

    def traces(self, model: str) -> Path:
        """A model's traces."""
        return self.root / "data" / "traces" / plain(model)

    def trace(self, model: str, corpus: str, language: str) -> Path:
        """Routing statistics of each sentence of one language."""
        return self.traces(model) / plain(corpus) / f"{plain(language)}.safetensors"

    def vocabulary(self, model: str) -> Path:
        """How a model's texts divide into tokens, beside its traces."""
        return self.traces(model) / "vocabulary.parquet"

    def draws(self, model: str) -> Path:
        """What random initialisations of a model's architecture do with its text."""
        return self.root / "data" / "draws" / f"{model}.json"

    def conditions(self, model: str, purpose: str) -> Path:
        """What is tried (`tune`) and masked (`mask`): a file a task."""
        return self.root / "data" / "plans" / plain(model) / plain(purpose)

    def chosen(self, model: str) -> Path:
        """What is reported beside the chosen plans: a folder a task, a file by what they were chosen on."""
        return self.root / "data" / "chosen" / plain(model)

    def answers(self, model: str, purpose: str) -> Path:
        """What a model answers (`evaluate`, `tune`, `steer`, `mask`), unscored: by task, half and condition."""
        return self.root / "data" / "answers" / plain(model) / plain(purpose)

    def scored(self, model: str, of: str) -> Path:
        """The same scored, of the model as it is (`baseline`) and edited (`interventions`)."""
        return self.root / "data" / "scored" / plain(model) / plain(of)

    def plans(self, model: str) -> Path:
        """Steering plans that were chosen, one a task, each with its verdict; in git."""
        return self.root / "plans" / plain(model)

    def plan(self, model: str, task: str) -> Path:
        """The steering plan that was chosen for a task."""
        return self.plans(model) / f"{plain(task)}.json"

    def metrics(self, model: str) -> Path:
        """A model's results: small files, in git."""
        return self.root / "metrics" / plain(model)

    def figures(self, model: str) -> Path:
        """A model's figures."""
        return self.root / "figures" / plain(model)

    @property
    def report(self) -> Path:
        """The report of the whole study: one page of HTML that needs no network."""
        return self.root / "report.html"

    @property
    def claims(self) -> Path:
        """The claims that results are held against, a file a source, and their lock; in git."""
        return self.root / "claims"

    @property
    def tracked(self) -> Path:
        """What the last ``track`` stage logged to MLflow."""
        return self.root / "data" / "tracked.json"

    @property
    def parts(self) -> Path:
        """Finished parts of long stages, outside DVC's outputs, so that a rerun takes them up."""
        return self.root / ".polyroute" / "parts"

    @property
    def aside(self) -> Path:
        """What stages wrote before, while they run."""
        return self.root / ".polyroute" / "aside"

    @property
    def times(self) -> Path:
        """How long each stage took when it last ran here."""
        return self.root / ".polyroute" / "times"

    def pocket_model(self, model: str) -> Path:
        """A trained pocket model's checkpoint folder, in git."""
        return self.root / "models" / plain(model)

    @property
    def training(self) -> Path:
        """State of unfinished trainings."""
        return self.root / ".polyroute" / "training"
