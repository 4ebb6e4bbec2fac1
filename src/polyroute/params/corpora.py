"""Section `corpora` of params.yaml: one type a reader."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from polyroute.ground.frozen import Frozen

ENGLISH_ONLY = ("gsm8k", "medinstruct")
"""Readers of in-task text that exists in no other language."""


class HubFiles(Frozen):
    """Files of one data set on the hub."""

    hub: str = Field(pattern=r"^[^/]+/[^/]+$")
    """`organisation/dataset`."""
    revision: str
    """Commit of the data set; `polyroute pin` turns a branch into one."""
    files: str
    """Path in the data set, with `{language}` and `{split}` where they vary."""
    splits: list[str] = Field(default=[""])
    """Values of `{split}`, read in this order as one corpus."""
    items: int = Field(ge=1)
    """Items in each language that the release holds; any other number is an error."""
    unicode: Literal["as-is", "NFC"] = "as-is"
    """Whether text is normalised to NFC on the way in."""
    take: int | None = Field(default=None, ge=1)
    """Keep the first so many items in order of id, read as text (null keeps all)."""


class SIB200(HubFiles):
    """FLORES-200 sentences with topics; see `polyroute.corpora.sib200`."""

    reader: Literal["sib200"]


class FloresPlus(HubFiles):
    """FLORES+ sentences, gated; see `polyroute.corpora.flores_plus`."""

    reader: Literal["flores_plus"]


class Belebele(HubFiles):
    """Belebele passages; see `polyroute.corpora.belebele`."""

    reader: Literal["belebele"]


class GSM8K(HubFiles):
    """English mathematical problems; see `polyroute.corpora.gsm8k`."""

    reader: Literal["gsm8k"]


class MedInstruct(HubFiles):
    """English medical instructions; see `polyroute.corpora.medinstruct`."""

    reader: Literal["medinstruct"]


class LocalFiles(Frozen):
    """Text of the user's own."""

    reader: Literal["local"]
    files: str
    """Path of a file, or of a file a language with `{language}`; the ending tells the format: tsv, jsonl,
    parquet (columns below) or txt (one item a line, aligned across languages by line number)."""
    parallel: bool = True
    """Whether every item exists in every language; in-task text is English only."""
    id_column: str = "item_id"
    text_column: str = "text"
    language_column: str = "language"
    """Read where `files` has no `{language}`; holds FLORES codes."""
    items: int | None = Field(default=None, ge=1)
    """Expected number of items in each language (null takes what is there)."""
    unicode: Literal["as-is", "NFC"] = "as-is"
    take: int | None = Field(default=None, ge=1)


class PocketCorpus(Frozen):
    """Text generated from the mini world of the pocket models."""

    reader: Literal["pocket"]
    content: Literal["generic", "arithmetic", "knowledge"]
    """`generic` is parallel; the tasks' text is in English only."""
    split: Literal["select", "report"]
    items: int = Field(ge=1)
    seed: int = Field(ge=0)


Corpus = Annotated[
    SIB200 | FloresPlus | Belebele | GSM8K | MedInstruct | LocalFiles | PocketCorpus,
    Field(discriminator="reader"),
]
