"""The file of how texts divide into tokens of a model's tokenizer: `data/traces/<model>/vocabulary.parquet`.

Columns corpus, language (FLORES code), token (its number in the tokenizer) and count: how often it is among the tokens
that the traces count. Sorted by these, in the order of the corpora and languages that were traced.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow
import pyarrow.compute

from polyroute.artifacts import parquet
from polyroute.artifacts.trace import TraceError

_SCHEMA = pyarrow.schema(
    {"corpus": pyarrow.string(), "language": pyarrow.string(), "token": pyarrow.int64(), "count": pyarrow.int64()}
)


def write(path: Path, counts: Mapping[tuple[str, str], Mapping[int, int]]) -> None:
    """Write the file, whole or not at all; the same counts give the same bytes.

    Args:
        path: of the file.
        counts: corpus and language -> token -> how often it is counted.
    """
    rows = [
        {"corpus": corpus, "language": language, "token": token, "count": counted[token]}
        for (corpus, language), counted in counts.items()
        for token in sorted(counted)
    ]
    parquet.write_table(path, pyarrow.Table.from_pylist(rows, _SCHEMA))


def read(path: Path, corpus: str, language: str) -> dict[int, int]:
    """Token -> how often it is counted, in one language of a corpus.

    Raises:
        TraceError: the file is absent, as beside traces of an earlier version, damaged or in another's place, or lacks
            the language.
    """
    try:
        table = parquet.read_table(path, error=TraceError)
    except FileNotFoundError:
        raise TraceError(
            f"{path} is absent: traces made before tokens were counted beside them have none; run `dvc repro --force "
            "--single-item trace@MODEL`, which takes up finished traces"
        ) from None
    wanted = pyarrow.compute.and_(
        pyarrow.compute.equal(table["corpus"], corpus), pyarrow.compute.equal(table["language"], language)
    )
    held = table.filter(wanted)
    if not held.num_rows:
        raise TraceError(f"{path} does not hold {language} of `{corpus}`: run the stage `trace` again")
    return dict(zip(held["token"].to_pylist(), held["count"].to_pylist(), strict=True))
