"""Files of the user's own, as they are: a corpus or a task as TSV, CSV, JSON lines, Parquet or plain lines, on disk.

`polyroute.readers.columns` says how columns and languages are named. TSV may be quoted as CSV or not at all, but no
cell of it holds a tab or a line break: use CSV or JSON lines for such text. Licence and source: the user's.

As a corpus: a table has the columns `text` and, if need be, `language`. A plain text file has one item a line, the same
item on the same line in every language. Rows without ids are numbered from 1.

As a task: `prompt` (exactly what the model reads), `answer`, and where there are choices `choice_1`, `choice_2`, ... up
to `choice_26`: the texts that follow the prompt, a blank before them where one belongs there. `answer` is the number of
the right choice, counted from 1; or the right number, a plain decimal such as 18 or -18.5, or a formula between dollar
signs; or the right short answer (span); or the reference (translation). A column `split` (`select` or `report`), if
there, divides the items; else a hash does. A choice may end early in the columns, not in the middle: an item with
`choice_1` and `choice_3` lacks one.
"""

from __future__ import annotations

import glob
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar, Literal

from polyroute.ground.hub import HubSource
from polyroute.readers import tables
from polyroute.readers.columns import MARK, TableCorpus, Tables, TableTask, present
from polyroute.readers.tables import Row


class LocalFiles(Tables):
    """Where the files lie."""

    first_row: ClassVar[int] = 1
    digits: ClassVar[int] = 7

    def on_disk(self) -> str:
        """The path, which may have `{language}` in it."""
        return self.files

    def names_at_hand(self) -> list[str]:
        """Files that the path may mean."""
        pattern = Path(glob.escape(self.files).replace(MARK, "*").replace("{split}", "*"))
        root = Path(pattern.anchor)
        return sorted(path.as_posix() for path in root.glob(str(pattern.relative_to(root))) if path.is_file())

    def table_columns(self, path: str, _source: HubSource) -> list[str]:
        """Names of the columns of a file; plain lines have none."""
        file = present(path)
        return [] if file.suffix == ".txt" else tables.fields(file)

    def table_rows(
        self, path: str, names: Sequence[str], optional: Sequence[str], lists: Sequence[str], _source: HubSource
    ) -> Iterable[Row]:
        """Rows of a file."""
        file = present(path)
        if file.suffix == ".txt":
            return [{names[0]: line} | dict.fromkeys(optional, "") for line in tables.lines(file)]
        return tables.columns(file, names, optional, lists)


class LocalCorpus(LocalFiles, TableCorpus):
    """Text of the user's own."""

    reader: Literal["local"]
    repeats_allowed: ClassVar[bool] = True


class LocalTask(LocalFiles, TableTask):
    """Items of the user's own."""

    reader: Literal["local"]
