"""Every path of the study, once, relative to the root of the repository (the folder of dvc.yaml)."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Paths:
    """Where the study reads and writes below ``root``."""

    root: Path = Path()

    @property
    def params(self) -> Path:
        """Every parameter of the study."""
        return self.root / "params.yaml"

    @property
    def dvc_lock(self) -> Path:
        """What DVC last ran, and on what."""
        return self.root / "dvc.lock"

    @property
    def corpora(self) -> Path:
        """Fetched and checked corpora."""
        return self.root / "data" / "corpora"

    def corpus(self, corpus: str) -> Path:
        """``item_id, language, text``, one row an item and language."""
        return self.corpora / f"{corpus}.parquet"

    @property
    def recorded(self) -> Path:
        """Counts recorded elsewhere, as fetched."""
        return self.corpora / "recorded"

    def recorded_counts(self, model: str, corpus: str, language: str) -> Path:
        """One language's counts, as the release has them."""
        return self.recorded / model / corpus / f"{language}.json"

    def traces(self, model: str) -> Path:
        """A model's traces."""
        return self.root / "data" / "traces" / model

    def trace(self, model: str, corpus: str, language: str) -> Path:
        """Routing statistics of each sentence of one language."""
        return self.traces(model) / corpus / f"{language}.safetensors"

    @property
    def tasks(self) -> Path:
        """Fetched and checked tasks."""
        return self.root / "data" / "tasks"

    def questions(self, task: str) -> Path:
        """A task's questions, checked and divided into splits."""
        return self.tasks / task / "questions.parquet"

    def key(self, task: str) -> Path:
        """The right answers to a task's questions."""
        return self.tasks / task / "key.parquet"

    def answers(self, model: str) -> Path:
        """A model's raw and scored answers as it is: a folder a task, a file a half of its items."""
        return self.root / "data" / "answers" / model

    def steered(self, model: str) -> Path:
        """The same of the intervention study: a folder a task, a file a condition."""
        return self.root / "data" / "steered" / model

    def masked(self, model: str) -> Path:
        """The same under masks of exclusive experts: a folder a task, a file a mask."""
        return self.root / "data" / "masked" / model

    def plans(self, model: str) -> Path:
        """Steering plans that were chosen, one a task, in git."""
        return self.root / "plans" / model

    def plan(self, model: str, task: str) -> Path:
        """The steering plan that was chosen for a task."""
        return self.plans(model) / f"{task}.json"

    def metrics(self, model: str) -> Path:
        """A model's results: small files, in git."""
        return self.root / "metrics" / model

    def figures(self, model: str) -> Path:
        """A model's figures."""
        return self.root / "figures" / model

    @property
    def tracked(self) -> Path:
        """What the last ``track`` stage logged to MLflow."""
        return self.root / "data" / "tracked.json"

    @property
    def parts(self) -> Path:
        """Finished parts of long stages, outside DVC's outputs, so that a rerun takes them up."""
        return self.root / ".polyroute" / "parts"

    def pocket_model(self, model: str) -> Path:
        """A trained pocket model's checkpoint folder, in git."""
        return self.root / "models" / model

    @property
    def training(self) -> Path:
        """State of unfinished trainings."""
        return self.root / ".polyroute" / "training"
