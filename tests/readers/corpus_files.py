"""Small data sets made on the spot."""

import json
from collections.abc import Mapping

from polyroute.readers.sib200 import SIB200

COMMIT = "0123456789abcdef0123456789abcdef01234567"
"""What a pinned revision looks like."""


def jsonl(*rows: Mapping[str, object]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def tsv(*rows: tuple[object, str]) -> str:
    """Rows of a SIB-200 file."""
    return "index_id\tcategory\ttext\n" + "".join(f"{number}\ttravel\t{text}\n" for number, text in rows)


def sib200(items, **changes):
    given = {"files": "data/{language}/{split}.tsv", "splits": ["train", "test"]}
    return SIB200(reader="sib200", hub="D/sib", revision="main", items=items, **(given | changes))


def put_sib200(put, **languages):
    """Puts `train` of the given rows and `test` of one row more for every language."""
    for code, rows in languages.items():
        put(f"D/sib/data/{code}/train.tsv", tsv(*rows))
        put(f"D/sib/data/{code}/test.tsv", tsv((7, f"seven {code}")))
