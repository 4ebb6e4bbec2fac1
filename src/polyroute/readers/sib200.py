"""SIB-200: sentences of FLORES-200 in 205 languages, with a topic each; here the parallel text alone.

Hub: `Davlan/sib200`, files `data/{language}/{split}.tsv`, splits `train` (701), `dev` (99), `test` (204), read as one
corpus of 1,004 items. Languages are FLORES-200 codes.
Schema: `index_id` (number of the sentence in FLORES-200, the same in every language), `category`, `text`; tab-separated
and quoted as CSV.
Licence: annotations Apache-2.0, text (FLORES-200) CC BY-SA 4.0.
Source: Adelani et al., "SIB-200: A Simple, Inclusive, and Big Evaluation Dataset for Topic Classification in 200+
Languages and Dialects", EACL 2024, arXiv:2309.07445; text: NLLB Team 2022, arXiv:2207.04672.

What is wrong in the release stays as it is. FLORES-200 has sentences overwritten by another (facebookresearch/flores
issues 62 and 67), and so has SIB-200: in Bambara items 1181 and 1183 are one text, in Urdu 845 and 1859 (found in the
48 languages at hand; `polyroute.readers.checks.repeats` lists them). In some languages (among those 48: Bengali,
Burmese, German, Hungarian, Korean, Sinhala, Swedish, Tamil, Telugu) up to 6% of the sentences, those with direct
speech, stand in quotes with the quotes inside doubled, as if a CSV file had been taken for text.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from polyroute.artifacts.corpus import CorpusError
from polyroute.languages import table as languages
from polyroute.readers.spec import HubCorpus, numbered
from polyroute.readers.tables import columns

ABSENT = {"ben_Latn", "hin_Latn", "npi_Latn", "sin_Latn", "urd_Latn"}
"""Codes of the table of languages that neither FLORES-200 nor FLORES+ has."""


class SIB200(HubCorpus):
    """FLORES-200 sentences with topics."""

    reader: Literal["sib200"]

    def covered(self) -> list[str]:
        """FLORES-200's 204 and N'Ko."""
        return [code for code in languages.released_codes() if code not in ABSENT]

    def file_items(self, file: Path, _split: str, _language: str) -> list[tuple[str, str]]:
        """Ids and texts of a file."""
        items = []
        for row in columns(file, ("index_id", "text")):
            if not row["index_id"].isascii() or not row["index_id"].isdigit():
                raise CorpusError(f"{file}: index_id `{row['index_id']}` is not a number")
            # Sentences are numbered through all three splits, so the number alone is the id.
            items.append((numbered("", int(row["index_id"]), 4), row["text"]))
        return items
