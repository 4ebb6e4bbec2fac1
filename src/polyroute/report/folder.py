"""`metrics/<model>/`: files of stages, and errors that say what to rerun."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import pandas as pd

from polyroute.report.results import ResultsError


@dataclass(frozen=True)
class Folder:
    """What the stages wrote of one model."""

    path: Path
    model: str

    def holds(self, stage: str, names: Sequence[str]) -> bool:
        """Whether the stage has run.

        Args:
            stage: name in dvc.yaml.
            names: the files that it writes.

        Raises:
            ResultsError: some are there and some are not.
        """
        there = [name for name in names if (self.path / name).exists()]
        lacking = [name for name in names if name not in there]
        if there and lacking:
            self._refuse(stage, lacking[0], f"is absent, though {there[0]} is there")
        return bool(there)

    def json(
        self, stage: str, name: str, keys: Sequence[str] = (), *, entries: str = "tasks",
        entry_keys: Sequence[str] = (),
    ) -> dict[str, Any]:  # fmt: skip
        """The content of a JSON file.

        Args:
            stage: that writes it.
            name: of the file.
            keys: that it must have.
            entries: key of an object that it must have too.
            entry_keys: that every entry of that object must have.

        Raises:
            ResultsError: it is unreadable or lacks a key.
        """
        try:
            content = json.loads((self.path / name).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            self._refuse(stage, name, f"cannot be read ({error})", error)
        lacking = [key for key in (entries, *keys) if not isinstance(content, dict) or key not in content]
        if lacking:
            self._refuse(stage, name, f"lacks {_listed(lacking)}")
        if not isinstance(content[entries], dict):
            self._refuse(stage, name, f"does not list `{entries}` by name")
        self.check_keys(stage, name, content[entries], entry_keys, entries)
        return dict(content)

    def check_keys(
        self, stage: str, name: str, held: dict[str, Any], keys: Sequence[str], entries: str = "tasks"
    ) -> None:
        """Refuse a file in which an entry lacks a key."""
        of = {"tasks": "task", "corpora": "corpus", "zones": "zone"}[entries]
        for entry, content in held.items():
            lacking = [key for key in keys if not isinstance(content, dict) or key not in content]
            if lacking:
                self._refuse(stage, name, f"lacks {_listed(lacking)} of {of} {entry}")

    def table(self, stage: str, name: str, text: Sequence[str], numbers: Sequence[str]) -> pd.DataFrame:
        """The rows of a CSV file; numbers that are empty are NaN, text that is empty is empty.

        Args:
            stage: that writes it.
            name: of the file.
            text: columns that hold text.
            numbers: columns that hold numbers; `layer` among them is whole where no row lacks it.

        Raises:
            ResultsError: it is unreadable or lacks a column.
        """
        types: dict[str, Any] = dict.fromkeys(text, str)
        types |= dict.fromkeys(numbers, "float64")
        empty = {column: [""] for column in numbers}
        try:
            table = pd.read_csv(self.path / name, dtype=types, keep_default_na=False, na_values=empty)
        except (OSError, ValueError) as error:
            self._refuse(stage, name, f"cannot be read ({error})", error)
        lacking = [column for column in types if column not in table.columns]
        if lacking:
            self._refuse(stage, name, f"lacks the columns {', '.join(lacking)}")
        if "layer" in table and table["layer"].notna().all():
            table["layer"] = table["layer"].astype("int64")
        return table

    def _refuse(self, stage: str, name: str, what: str, cause: BaseException | None = None) -> NoReturn:
        raise ResultsError(f"{self.path / name} {what}: `dvc repro {stage}@{self.model}` writes it") from cause


def _listed(keys: Iterable[str]) -> str:
    return ", ".join(f"`{key}`" for key in keys)
