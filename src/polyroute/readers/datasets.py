"""Any data set of the hub, or a folder laid out like one, whose columns params.yaml names; a corpus or a task.

Files of the hub are named by their path at a pinned commit and come through the mirror or the network as those of
every other reader; none of the data set's own code is run. Parquet is read by pyarrow and JSON by the library
`datasets`, in batches and without its cache, so that `take` of a large file reads no more than it needs; TSV, CSV and
plain lines as `polyroute.readers.tables` reads them, which leaves quotes and numbers as they stand.
Licence and source: those of the data set, which are the study's to give.

GSM8K (Cobbe et al. 2021, arXiv:2110.14168; MIT) is read so: `openai/gsm8k`, files
`main/{split}-00000-of-00001.parquet`, the column `question` as in-task text of arithmetic, without the worked answer;
ids are the numbers of rows, counted from 0 within the split.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import model_validator

from polyroute.artifacts.corpus import CorpusError
from polyroute.ground.hub import HubSource
from polyroute.ground.names import PathBelow, RepositoryName
from polyroute.readers import tables
from polyroute.readers.columns import TableCorpus, Tables, TableTask, present
from polyroute.readers.spec import Repository
from polyroute.readers.tables import Row

_ENDINGS = (".parquet", ".json", ".jsonl")
"""Of files that are not read as tables of text."""
BATCH = 1000
"""Rows held in memory at once."""


class DatasetFiles(Tables):
    """Where a data set lies."""

    hub: RepositoryName | None = None
    """`organisation/dataset`."""
    revision: str | None = None
    """Commit of the data set; `polyroute pin` turns a branch into one."""
    folder: Path | None = None
    """A folder on disk, instead of `hub`."""
    files: PathBelow
    """Path below the data set or folder, with `{language}` and `{split}` where they vary."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.hub is None) == (self.folder is None):
            raise ValueError("give exactly one of `hub` and `folder`")
        if (self.hub is None) != (self.revision is None):
            raise ValueError("`hub` needs a `revision`: a commit, or a branch for `polyroute pin`; a folder has none")
        return self

    def repository(self) -> tuple[Repository, str] | None:
        """Data set on the hub and its commit."""
        return None if self.hub is None or self.revision is None else (self.hub, self.revision)

    def on_disk(self) -> str | None:
        """The folder."""
        return None if self.folder is None else str(self.folder)

    def names_at_hand(self) -> list[str]:
        """Files of the folder, below it."""
        if self.folder is None:
            return []
        return sorted(path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file())

    def table_columns(self, path: str, source: HubSource) -> list[str]:
        """Names of the columns of a file."""
        file = self._file(path, source)
        if file.suffix in (".parquet", ".jsonl", ".tsv", ".csv"):
            return tables.fields(file)
        return list(next(_records(file), {}))

    def table_rows(
        self, path: str, names: Sequence[str], optional: Sequence[str], lists: Sequence[str], source: HubSource
    ) -> Iterable[Row]:
        """Rows of a file."""
        file = self._file(path, source)
        if file.suffix == ".txt":
            return ({names[0]: line} | dict.fromkeys(optional, "") for line in tables.lines(file))
        if file.suffix not in _ENDINGS:
            return tables.columns(file, names, optional, lists)
        return (
            tables.cells(f"{file}, row {number}", record, names, optional, lists)
            for number, record in enumerate(_records(file), start=1)
        )

    def _file(self, path: str, source: HubSource) -> Path:
        if self.hub is None or self.revision is None:
            return present(str((self.folder or Path()) / path))
        return source.file(self.hub, self.revision, path)


def _records(file: Path) -> Iterator[dict[str, Any]]:
    """Rows with their cells as Python has them, a batch at a time."""
    return _of_parquet(file) if file.suffix == ".parquet" else _of_json(file)


def _of_parquet(file: Path) -> Iterator[dict[str, Any]]:
    """By pyarrow itself: `datasets` scans with threads that may abort the process on its way out."""
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(file) as opened:
            for batch in opened.iter_batches(batch_size=BATCH):
                yield from batch.to_pylist()
    except (pyarrow.ArrowException, ValueError, OSError, ArithmeticError) as error:
        raise CorpusError(f"{file}: cannot be read ({error})") from None


def _of_json(file: Path) -> Iterator[dict[str, Any]]:
    try:
        import datasets
    except ImportError:
        raise CorpusError(f"{file} needs the package `datasets`: install it (`pip install polyroute[study]`)") from None
    try:
        # Streaming reads the file where it lies; the library makes its cache folder all the same.
        with tempfile.TemporaryDirectory() as cache:
            rows = datasets.load_dataset("json", data_files=[str(file)], split="train", streaming=True, cache_dir=cache)
        for batch in rows.iter(batch_size=BATCH):
            yield from (dict(zip(batch, cells, strict=True)) for cells in zip(*batch.values(), strict=True))
    except (datasets.exceptions.DatasetsError, ValueError, OSError, ArithmeticError) as error:
        raise CorpusError(f"{file}: cannot be read ({error})") from None


class DatasetCorpus(DatasetFiles, TableCorpus):
    """Text in a column of a data set."""

    reader: Literal["datasets"]


class DatasetTask(DatasetFiles, TableTask):
    """Items in columns of a data set."""

    reader: Literal["datasets"]
