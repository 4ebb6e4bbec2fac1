"""A language that a study brings along: a dialect, a constructed language, one that the table lacks."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from polyroute.ground.frozen import Frozen, StageSettings
from polyroute.languages.table import Language, register

OwnCode = Annotated[str, Field(pattern=r"^[a-z]{3}_[A-Z][a-z]{3}$")]
"""`language_Script` as FLORES writes it; ISO 639-3 keeps `qaa` to `qtz` for private use."""


class OwnLanguage(Frozen):
    """What a study says of a language that the table lacks."""

    name: str
    """In English."""
    family: str | None = None
    """Top-level family of Glottolog; null counts the language as a family of its own."""
    branch: str | None = None
    """Subgroup of the family; null counts it as a branch of its own."""
    region: str | None = None
    """Sub-region of UN M49; null counts it as a region of its own."""
    resource: int | None = Field(default=None, ge=0, le=5)
    """Resource class of Joshi et al. 2020; null is unknown."""
    bcp47: str | None = None
    """BCP 47 tag, by which files may name it."""
    detector: str | None = None
    """BCP 47 tag of the language that answers in this one are recognised as (`de` for a German dialect); null leaves
    the language of its answers untold."""

    def row(self, code: str) -> Language:
        """The language as the table would have it."""
        return Language(
            flores=code,
            bcp47=self.bcp47 or code.replace("_", "-"),
            name=self.name,
            family=self.family or self.name,
            branch=self.branch or self.name,
            script=code[-4:],
            region=self.region or self.name,
            resource=self.resource,
            detector=self.detector or "",
            unknown=tuple(
                key for key in ("family", "branch", "region", "resource", "detector") if getattr(self, key) is None
            ),
        )


class StudySettings(StageSettings):
    """Settings of a stage that names languages: whoever reads them knows those that the study brings along."""

    own_languages: dict[OwnCode, OwnLanguage] = Field(default={})
    """FLORES-like code -> a language of the model that the table lacks."""

    def model_post_init(self, _context: Any) -> None:
        """Let this process name them."""
        register((language.row(code) for code, language in self.own_languages.items()), keep=True)

    @model_serializer(mode="wrap")
    def _brief(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content: dict[str, Any] = handler(self)
        if not self.own_languages:
            del content["own_languages"]
        return content
