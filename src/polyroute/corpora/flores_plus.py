"""FLORES+: 2,009 sentences of news, children's books and travel guides in over 200 languages.

Hub: `openlanguagedata/flores_plus`, gated (accept the terms on its page, then set HF_TOKEN), files
`{split}/{language}.jsonl`, splits `dev` (997) and `devtest` (1,012). Files are named by individual languages
(`cmn_Hans`, not `zho_Hans`): `polyroute.languages` translates. Earlier commits have Parquet files with the same
columns, which are read too.
Schema: `id` (number within the split, the same in every language), `iso_639_3`, `iso_15924`, `glottocode`, `variant`,
`text`, `url`, `domain`, `topic`, `has_image`, `has_hyperlink`, `last_updated`, `split`.
Licence: CC BY-SA 4.0; the maintainers ask that the text be kept from web crawlers, so publish no copy of it.
Source: NLLB Team 2022, arXiv:2207.04672; maintained by the Open Language Data Initiative, https://oldi.org.
"""

from __future__ import annotations

from pathlib import Path

from polyroute.corpora.reader import HubReader, Items, numbered
from polyroute.corpora.tables import CorpusError, columns
from polyroute.languages import table as languages


def _items(file: Path, split: str, language: str) -> Items:
    code = languages.code_in(language, "flores_plus")[: len("eng_Latn")]
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


READER = HubReader(parallel=True, items=_items, scheme="flores_plus")
