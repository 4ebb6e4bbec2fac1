"""Small data sets made on the spot."""

import json
from collections.abc import Mapping

COMMIT = "0123456789abcdef0123456789abcdef01234567"
"""What a pinned revision looks like."""


def jsonl(*rows: Mapping[str, object]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def tsv(*rows: tuple[object, str]) -> str:
    """Rows of a SIB-200 file."""
    return "index_id\tcategory\ttext\n" + "".join(f"{number}\ttravel\t{text}\n" for number, text in rows)
