"""How routing is traced here, and where counts lie that were recorded elsewhere; needs no torch."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator

from polyroute.artifacts.turns import ChatText
from polyroute.ground.frozen import Frozen
from polyroute.ground.hub import HubSource, SourceError
from polyroute.ground.layers import Zones
from polyroute.languages import table as language_table
from polyroute.languages.own import StudySettings
from polyroute.models.settings import ModelSettings, Shape

_COMMIT = re.compile(r"/([0-9a-f]{40})/")


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


class RecordedCounts(Frozen):
    """Expert counts that were recorded elsewhere, one file a language."""

    url: str | None = None
    """Where each language's counts lie, with `{language}`, at a pinned commit; null where they are yours."""
    files: str
    """Their path in a mirror folder or, without a `url`, below `text/`; with `{language}`."""
    codes: language_table.Scheme
    """How `{language}` is written in `url` and `files`."""
    sha256: dict[str, Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]]
    """FLORES code -> checksum of its file."""
    shape: Shape
    """Layers, experts and top-k that the counts must have."""

    @property
    def commit(self) -> str | None:
        """The commit that `url` is pinned at."""
        found = _COMMIT.search(self.url or "")
        return found[1] if found else None

    def fetch(self, language: str, source: HubSource, target: Path) -> None:
        """Write a language's counts to `target`, checked against `sha256`; whole or not at all.

        Raises:
            SourceError: none are recorded, they cannot be had, or their checksum is another.
        """
        if language not in self.sha256:
            raise SourceError(f"no counts of {language} are recorded; there are {', '.join(sorted(self.sha256))}")
        url = None if self.url is None else self._of(self.url, language)
        what = f"recorded counts of {language}"
        source.recorded(what, url, self.file(language), self.sha256[language], target)

    def file(self, language: str) -> str:
        """Path of a language's counts, in a mirror or on disk."""
        return self._of(self.files, language)

    def _of(self, pattern: str, language: str) -> str:
        return pattern.replace("{language}", language_table.code_in(language, self.codes))

    @field_validator("url")
    @classmethod
    def _pinned(cls, url: str | None) -> str | None:
        if url is None:
            return None
        if not _COMMIT.search(url):
            raise ValueError("no commit of 40 hexadecimal digits in the path: a branch moves")
        if "{language}" not in url:
            raise ValueError("no `{language}` in it")
        if not url.startswith("https://"):
            raise ValueError("not an https address; for files on disk use `polyroute import-counts` or a mirror")
        return url


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


class NullsSettings(Nulls, StudySettings):
    """What the stage `nulls` reads."""

    model: ModelSettings | None
    """None where the counts were recorded elsewhere."""
    corpus: str
    """The generic text, which the model is ranked on."""
    languages: list[str]
    """FLORES codes, the pivot first."""
    special_tokens: Literal["exclude", "include"]
    """As the traces have them."""
    chat: ChatText | None = None
    """As the traces of the corpus have it."""
    nearest: int
    """Other sentences of the most similar length that each sentence is compared with for alignment."""
    zones: Zones | None
    seed: int
