"""Translation of a parallel corpus' English sentences into each of its languages, beside what people wrote there.

Hub: the files of a corpus, laid out as its module in `polyroute.corpora` says: SIB-200 (FLORES-200's sentences, open;
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

from polyroute import corpora
from polyroute.evaluation.tasks.reader import Item, TaskReader
from polyroute.ground.hub import HubSource
from polyroute.languages import table as languages
from polyroute.languages.table import ENGLISH
from polyroute.params.corpora import SIB200, FloresPlus
from polyroute.params.tasks import TranslationTask

VERSION = 1
_NAMES = {"arb_Arab": "Arabic", "zho_Hans": "Chinese"}
"""FLORES code -> name in the release, where the table has another."""
_LAYOUTS: dict[str, type[SIB200] | type[FloresPlus]] = {"sib200": SIB200, "flores_plus": FloresPlus}


def _corpus(spec: TranslationTask) -> SIB200 | FloresPlus:
    shared = spec.model_dump(include={"hub", "revision", "files", "splits", "items"})
    return _LAYOUTS[spec.layout].model_validate(shared | {"reader": spec.layout})


def _files(spec: TranslationTask, language: str) -> list[str]:
    both = dict.fromkeys((ENGLISH, language))
    return [path for code in both for path in corpora.files(_corpus(spec), code)]


def _read(task: str, spec: TranslationTask, codes: Sequence[str], source: HubSource) -> list[Item]:
    frame = corpora.fetch(task, _corpus(spec), list(dict.fromkeys((ENGLISH, *codes))), source)
    english = frame[frame["language"] == ENGLISH].set_index("item_id")["text"]
    asked = frame[frame["language"].isin(codes)]
    return [
        Item(item_id, code, _prompt(english[item_id].strip(), code), text.strip())
        for item_id, code, text in zip(asked["item_id"], asked["language"], asked["text"], strict=True)
    ]


def _prompt(text: str, code: str) -> str:
    name = _NAMES.get(code) or languages.get(code).name
    return f"Translate the following English text into {name}.\nEnglish: {text}\n\n{name}:"


def _covered(spec: TranslationTask) -> list[str]:
    return languages.covered(spec.layout)


READER = TaskReader(
    version=VERSION, read=_read, files=_files, covered=_covered, stops=lambda _spec, _language: ("\nEnglish:",)
)
