"""What the stage `claims` reads of params.yaml."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from polyroute.languages.own import StudySettings

Role = Literal["maths", "medical", "reading"]
"""What a task stands for in the papers: mathematics (MGSM), medical knowledge (Global-MMLU's medical subjects), reading
(Belebele)."""


class ClaimsSettings(StudySettings):
    """What the stage `claims` reads."""

    seed: int
    generic: str
    """Corpus that divergence is asked of."""
    roles: dict[str, Role]
    """Task of the model -> what it stands for; a task that stands for nothing in the papers is left out."""
    published: dict[str, Role] = Field(default={})
    """Task whose accuracies others published, as correlation.json names it -> what it stands for; taken where the model
    was not asked itself."""
    known_as: str | None = None
    """What claims call the model, where its entry takes a paper's settings and so has another name; null: as the entry
    is called."""
    text_shares: dict[str, float] | None
    """Language -> share of the training documents, where it is known; else resource is the class of Joshi et al."""
