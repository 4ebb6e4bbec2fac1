"""How routing is traced here, and where counts lie that were recorded elsewhere; needs no torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from polyroute.artifacts.turns import ChatText
from polyroute.ground.frozen import Frozen
from polyroute.ground.layers import LayerRange, Zones
from polyroute.languages.own import StudySettings
from polyroute.models.settings import ModelSettings, Shape

if TYPE_CHECKING:
    from polyroute.artifacts.recorded_counts import Counts


class Tracing(Frozen):
    """How routing is traced."""

    pairs: int = Field(ge=1)
    """Token pairs sampled a sequence for routing consistency; all pairs where there are fewer."""
    head: int = Field(ge=1)
    """First tokens of a sentence whose routing is kept apart, so that languages are compared over as many tokens at the
    same positions; a sentence that is shorter in either language is left out of that comparison."""
    special_tokens: Literal["exclude", "include"]
    """Whether tokens that the tokenizer adds by itself (BOS, EOS) count in statistics; of a corpus that is read as a
    chat its own `chat.counted` says so."""


class Nulls(Frozen):
    """What random initialisations of a model's architecture are drawn."""

    draws: int = Field(ge=19)
    """How many; a rank p among them is at least 1 / (draws + 1), and with fewer than 19 none reaches 0.05."""
    most_weights: int = Field(ge=1)
    """An architecture of more weights has none: each holds all of its weights in float32."""
    items: int | None = Field(default=None, ge=2)
    """Sentences that the model and its random initialisations are read from, at even steps through the corpus; all of
    them where null or where there are no more. The rank is exact for any number: all are read from the same."""


class Turns(Frozen):
    """How task experts are told from experts of the assistant's turn (`polyroute.experts.turns`)."""

    resamples: int = Field(ge=99)
    """Bootstrap resamples of sequences."""
    sets: int = Field(ge=39)
    """Random sets that the turn share is held against, at their 97.5% point."""
    tau: float = Field(ge=0, lt=1)
    """Threshold on Delta of tasks for which the model has no published setting."""


class TurnTexts(Frozen):
    """Which text tells the task from the turn, of a model with a chat template."""

    generic: str
    """Corpus of passages, said by the user and by the assistant."""
    texts: dict[str, str] = Field(min_length=1)
    """Task of the model -> corpus of conversations, a question of the user and a solution of the assistant."""


class TurnsTask(Frozen):
    """One task."""

    text: str
    """Corpus of its conversations."""
    tau: float
    """Threshold on Delta: the published one, where there is one."""
    layers: LayerRange | None
    """First and last layer: the published ones, or those of the middle; None takes the middle of the depth."""


class RecordedCounts(Frozen):
    """Expert counts that were recorded elsewhere, in a file of `recorded/`."""

    file: str
    """The file, as `polyroute import-counts` writes it (`polyroute.artifacts.recorded_counts`)."""
    commit: Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")] | None = None
    """Commit that the file's header must name; null takes any."""
    shape: Shape
    """Layers, experts and top-k that the counts must have."""

    def counts(self, corpus: str, languages: Sequence[str]) -> Counts:
        """The counts, held against what params.yaml says of them.

        Args:
            corpus: what it calls the text.
            languages: FLORES codes that are wanted.

        Raises:
            RecordingError: the file is absent or damaged, or of another text, commit or shape, or lacks a language.
        """
        from polyroute.artifacts.recorded_counts import Counts
        from polyroute.artifacts.recording import RecordingError

        found = Counts.read(Path(self.file))
        header = found.header
        shape = Shape(layers=len(header.layers), experts=header.experts, top_k=header.top_k)
        pairs = {
            "corpora": ([corpus], [header.corpus]),
            "commit": (self.commit or header.commit, header.commit),
            "shape": (self.shape, shape),
        }
        for key, (wanted, held) in pairs.items():
            if wanted != held:
                raise RecordingError(f"{self.file}: its header has {held}, but `{key}` in params.yaml is {wanted}")
        if lacking := [code for code in languages if code not in header.languages]:
            raise RecordingError(
                f"{self.file}: no counts of {', '.join(lacking)} are recorded; there are {', '.join(header.languages)}"
            )
        return found


class TracingSettings(Tracing, StudySettings):
    """What the stage `trace` reads."""

    model: ModelSettings | None
    """None where the counts were recorded elsewhere."""
    counts: RecordedCounts | None
    """None where the model is run."""
    corpora: dict[str, list[str]]
    """Corpus -> FLORES codes, the pivot first; in-task text among them."""
    chats: dict[str, ChatText] = Field(default={})
    """Corpus -> how it becomes a chat; those that are not here are read as they are."""
    seed: int


class DrawSettings(Nulls, StudySettings):
    """What the stage `draw` reads."""

    model: ModelSettings | None
    """None where the counts were recorded elsewhere."""
    corpus: str
    """The generic text, which the model is to be ranked on."""
    languages: list[str]
    """FLORES codes, the pivot first."""
    special_tokens: Literal["exclude", "include"]
    """As the traces have them."""
    chat: ChatText | None = None
    """As the traces of the corpus have it."""
    nearest: int
    """Other sentences of the most similar length that each sentence is compared with for alignment."""
    seed: int


class NullsSettings(StudySettings):
    """What the stage `nulls` reads."""

    corpus: str
    """The generic text, which the model is ranked on."""
    languages: list[str]
    """FLORES codes, the pivot first."""
    nearest: int
    """As the random initialisations have it."""
    zones: Zones | None
    seed: int


class TurnsSettings(Turns, StudySettings):
    """What the stage `turns` reads."""

    not_asked: Literal["recorded", "no_texts"] | None
    """Counts were recorded elsewhere, or the model's entry names no text by turn; None where it is asked."""
    model: ModelSettings | None
    """None where it is not asked."""
    generic: str | None
    """Corpus of passages; None where it is not asked."""
    languages: list[str]
    """FLORES codes of the passages, English first; the others tell multilingual experts."""
    tasks: dict[str, TurnsTask]
    confidence: float
    """Coverage of intervals."""
    seed: int
