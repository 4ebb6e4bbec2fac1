"""Which of several scores of an answer is compared; all of them are written."""

from typing import Literal

from polyroute.artifacts.kinds import TaskKind
from polyroute.ground.frozen import Frozen
from polyroute.languages.own import StudySettings

Normalisation = Literal["sum", "token", "character"]
SpanScore = Literal["inclusion", "inclusion_as_released", "exact_match", "f1"]
NumberScore = Literal["correct", "flexible_extract", "first_box"]


class Score(Frozen):
    """Which score of an answer is compared; the others are written too."""

    choice: Normalisation
    """Which likelihood decides a choice: its sum, or its mean by token or by character."""
    span: SpanScore = "inclusion"
    """Which score of a short answer counts; see `polyroute.scoring.spans`. `inclusion_as_released` is paper 2's to the
    letter, by which an empty answer is right."""
    number: NumberScore = "correct"
    """Which reading of a number counts: ours (`polyroute.scoring.numbers`), lm-evaluation-harness's
    (`polyroute.scoring.flexible_extract`), or paper 2's, by which the first box counts. A task with the harness's
    prompts has its own."""

    def of(self, kind: TaskKind) -> str:
        """The score that decides in a kind of task: one of `polyroute.scoring.kinds.SCORES`."""
        compared: dict[TaskKind, str] = {
            "choice": self.choice, "number": self.number, "span": self.span, "translation": "chrf",
        }  # fmt: skip
        return compared[kind]


class ScoredTask(Frozen):
    """How answers to a task are scored."""

    kind: TaskKind
    score: str
    """The one that is compared."""
    lacking: list[str]
    """The model's languages that the task does not exist in."""
    facts: bool
    """Whether items ask for facts of the mini world, of which it is known in which languages training states them."""


class ScoreSettings(StudySettings):
    """What the stage `score` reads."""

    pivot: str
    tasks: dict[str, ScoredTask]
