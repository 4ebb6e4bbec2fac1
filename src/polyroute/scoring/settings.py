"""Which of several scores of an answer is compared; all of them are written."""

from typing import Literal

from polyroute.artifacts.kinds import TaskKind
from polyroute.ground.frozen import Frozen

Normalisation = Literal["sum", "token", "character"]
SpanScore = Literal["inclusion", "inclusion_as_released", "exact_match", "f1"]


class Score(Frozen):
    """Which score of an answer is compared; the others are written too."""

    choice: Normalisation
    """Which likelihood decides a choice: its sum, or its mean by token or by character."""
    span: SpanScore = "inclusion"
    """Which score of a short answer counts; see `polyroute.scoring.spans`. `inclusion_as_released` is paper 2's to the
    letter, by which an empty answer is right."""

    def of(self, kind: TaskKind) -> str:
        """The score that decides in a kind of task: one of `polyroute.scoring.kinds.SCORES`."""
        return {"choice": self.choice, "span": self.span, "number": "correct", "translation": "chrf"}[kind]


class ScoredTask(Frozen):
    """How the answers to one task are scored."""

    kind: TaskKind
    score: str
    """The score of `polyroute.scoring.kinds.SCORES` that decides."""
    languages: list[str]
    """FLORES codes in which it is asked, the pivot first."""
    lacking: list[str]
    """Languages of the model in which the task does not exist."""


class ScoreSettings(Frozen):
    """What the stage `score` reads."""

    name: str
    """Of the model in params.yaml."""
    pivot: str
    tasks: dict[str, ScoredTask]
