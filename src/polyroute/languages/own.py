"""A language that a study brings along: a dialect, a constructed language, one that the table lacks."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from polyroute.ground.frozen import Frozen
from polyroute.languages.table import Language

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
