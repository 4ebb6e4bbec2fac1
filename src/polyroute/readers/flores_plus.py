"""FLORES+: 2,009 sentences of news, children's books and travel guides in over 200 languages.

Hub: `openlanguagedata/flores_plus`, gated (accept the terms on its page, then set HF_TOKEN), files
`{split}/{language}.jsonl`, splits `dev` (997) and `devtest` (1,012). Files are named by individual languages
(`cmn_Hans`, not `zho_Hans`): `FILES` translates (from the CHANGELOG of openlanguagedata/flores). Earlier commits have
Parquet files with the same columns, which are read too.
Schema: `id` (number within the split, the same in every language), `iso_639_3`, `iso_15924`, `glottocode`, `variant`,
`text`, `url`, `domain`, `topic`, `has_image`, `has_hyperlink`, `last_updated`, `split`.
Licence: CC BY-SA 4.0; the maintainers ask that the text be kept from web crawlers, so publish no copy of it.
Source: NLLB Team 2022, arXiv:2207.04672; maintained by the Open Language Data Initiative, https://oldi.org.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from polyroute.artifacts.corpus import CorpusError
from polyroute.languages import table as languages
from polyroute.readers.sib200 import ABSENT
from polyroute.readers.spec import HubCorpus, numbered
from polyroute.readers.tables import columns

FILES = {
    "ajp_Arab": "apc_Arab_sout3123", "aka_Latn": "twi_Latn_asan1239", "apc_Arab": "apc_Arab_nort3139",
    "est_Latn": "ekk_Latn", "grn_Latn": "gug_Latn", "kon_Latn": "ktu_Latn", "tgl_Latn": "fil_Latn",
    "twi_Latn": "twi_Latn_akua1239", "tzm_Tfng": "zgh_Tfng", "zho_Hans": "cmn_Hans", "zho_Hant": "cmn_Hant",
}  # fmt: skip
"""FLORES-200 code -> name of its file in FLORES+ 4.6, where that is another."""


class FloresPlus(HubCorpus):
    """FLORES+ sentences, gated."""

    reader: Literal["flores_plus"]

    def covered(self) -> list[str]:
        """The languages of FLORES-200, and N'Ko."""
        return [code for code in languages.released_codes() if code not in ABSENT]

    def written(self, language: str) -> str:
        """Name of a language's file."""
        return FILES.get(language, language)

    def file_items(self, file: Path, split: str, language: str) -> list[tuple[str, str]]:
        """Ids and texts of a file."""
        code = self.written(language)[: len("eng_Latn")]
        items = []
        for row in columns(file, ("id", "iso_639_3", "iso_15924", "text")):
            held = f"{row['iso_639_3']}_{row['iso_15924']}"
            if held != code:
                raise CorpusError(f"{file}: item {row['id']} is in {held}, not in {code} ({language})")
            if not row["id"].isascii() or not row["id"].isdigit():
                raise CorpusError(f"{file}: id `{row['id']}` is not a number")
            # Each split numbers its sentences from 0.
            items.append((numbered(split, int(row["id"]), 4), row["text"]))
        return items
