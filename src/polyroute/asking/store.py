"""Finished raw answers, kept outside DVC's outputs under all that determines them, so that a rerun takes them up."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow

from polyroute.artifacts import parquet
from polyroute.ground import checksum
from polyroute.ground.checksum import ChecksumError
from polyroute.ground.files import digest
from polyroute.steering.condition import Condition

READ = ("item_id", "language", "prompt", "choices")
"""What decides an answer, of the columns of a task: the right answer does not, nor does the half an item is in."""


def questions_digest(questions: pd.DataFrame) -> str:
    """Of what a model reads of items, in their order, and of nothing else."""
    return digest(questions[[name for name in READ if name in questions]].to_dict("records"))


class AnswerStore:
    """Finished raw answers on disk, one file a condition and language."""

    def __init__(self, parts: Path, determines: Any):
        """Name the parts by what they are of.

        Args:
            parts: folder of all parts of the study.
            determines: plain data that decides the answers besides questions and plan: model, task, settings, versions.
        """
        self._folder, self._determines = parts / "answers", determines
        self._digested: tuple[pd.DataFrame, str] | None = None
        """The questions that were asked for last, all of whose conditions are looked up one after another."""

    def get(self, questions: pd.DataFrame, condition: Condition) -> pd.DataFrame | None:
        """The answers to exactly these questions, if finished before."""
        path = self._path(questions, condition)
        try:
            return pd.read_parquet(io.BytesIO(checksum.read(path, of=path.stem)))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, ChecksumError):  # damaged, or of others: computing again is always right
            path.unlink()
            return None

    def put(
        self, questions: pd.DataFrame, condition: Condition, answers: pd.DataFrame, *, beside: Sequence[str]
    ) -> None:
        """Keep finished answers.

        Args:
            questions: that were asked.
            condition: under which.
            answers: raw.
            beside: digests of what the conditions do whose rows shared the batches, in their order, this one among
                them.
        """
        table = pyarrow.Table.from_pandas(answers)
        batch = json.dumps(list(beside)).encode()
        table = table.replace_schema_metadata({**(table.schema.metadata or {}), b"polyroute.beside": batch})
        path = self._path(questions, condition)
        parquet.write_table(path, table, of=path.stem, lasting=False)

    def _path(self, questions: pd.DataFrame, condition: Condition) -> Path:
        if self._digested is None or self._digested[0] is not questions:
            self._digested = questions, questions_digest(questions)
        determines = {"determines": self._determines, "questions": self._digested[1]}
        return self._folder / f"{digest(determines | {'plan': plan_of(condition)})}.parquet"


def plan_of(condition: Condition) -> dict[str, Any] | None:
    """What a condition does, as plain data; what its plan is called and where it came from change nothing in that."""
    return None if condition.plan is None else condition.plan.model_dump(mode="json", exclude={"source"})
