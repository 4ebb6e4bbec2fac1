"""Translation of a parallel corpus' English sentences into each of its languages, beside what people wrote there.

Hub: the files of a corpus, laid out as its module in `polyroute.readers` says: SIB-200 (FLORES-200's sentences, open;
`layout: sib200`) or FLORES+ (gated; `layout: flores_plus`). Paper 2 takes the split `dev` of FLORES+.
Schema, licence, source: those of the corpus. An item's id is its id there.

Prompt, as in paper 2 (arXiv 2601.14050, `intervention/vllm_intervention_flores.py`, MIT), in English:

    Translate the following English text into {Lang}.
    English: {text}

    {Lang}:

{Lang} is the English name of the language: the release's for its ten, for the others that of `polyroute.languages`.
A translation ends where the model would go on with a next sentence in English. English into English is asked too, as in
the release: it is a copy, and the pivot that the other languages are held against.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field

from polyroute.artifacts.kinds import TaskKind
from polyroute.ground.hub import HubSource
from polyroute.languages import table as languages
from polyroute.languages.table import ENGLISH
from polyroute.readers.flores_plus import FloresPlus
from polyroute.readers.sib200 import SIB200
from polyroute.readers.spec import HubTask, Item

_NAMES = {"arb_Arab": "Arabic", "zho_Hans": "Chinese"}
"""FLORES code -> name in the release, where the table has another."""
_LAYOUTS: dict[str, type[SIB200] | type[FloresPlus]] = {"sib200": SIB200, "flores_plus": FloresPlus}


class TranslationTask(HubTask):
    """English sentences to translate."""

    reader: Literal["translation"]
    layout: Literal["sib200", "flores_plus"]
    """Reader of `corpora` whose files these are."""
    splits: list[str] = Field(min_length=1)
    """Values of `{split}` in `files`, read in this order as one task."""
    kind: ClassVar[TaskKind] = "translation"

    def covered(self) -> list[str]:
        """The languages of the corpus."""
        return self._corpus().covered()

    def paths(self, language: str) -> list[str]:
        """The English files and those of the language."""
        both = dict.fromkeys((ENGLISH, language))
        return [path for code in both for path in self._corpus().paths(code)]

    def stops(self, _language: str) -> tuple[str, ...]:
        """How a next item would begin."""
        return ("\nEnglish:",)

    def read(self, task: str, codes: Sequence[str], source: HubSource) -> list[Item]:
        """All items of the languages, beside the English ones."""
        # Checking a corpus needs pandas, which params.yaml is read without.
        from polyroute.readers.fetch import fetch_corpus

        frame = fetch_corpus(task, self._corpus(), list(dict.fromkeys((ENGLISH, *codes))), source)
        english = frame[frame["language"] == ENGLISH].set_index("item_id")["text"]
        asked = frame[frame["language"].isin(codes)]
        return [
            Item(item_id, code, _prompt(english[item_id].strip(), code), text.strip())
            for item_id, code, text in zip(asked["item_id"], asked["language"], asked["text"], strict=True)
        ]

    def _corpus(self) -> SIB200 | FloresPlus:
        shared = self.model_dump(include={"hub", "revision", "files", "splits", "items"})
        return _LAYOUTS[self.layout].model_validate(shared | {"reader": self.layout})


def _prompt(text: str, code: str) -> str:
    name = _NAMES.get(code) or languages.get(code).name
    return f"Translate the following English text into {name}.\nEnglish: {text}\n\n{name}:"
