"""What is right: one Parquet file a task with the columns item_id, language (FLORES code) and answer.

`answer` is the index of the right choice, counted from 0; or text: a plain decimal or a formula between dollar signs, a
short answer, or a translation. It is apart from the questions, so that an answer that is put right asks nothing again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from polyroute.artifacts import parquet
from polyroute.artifacts.kinds import TaskKind
from polyroute.artifacts.questions import COLUMNS as ASKED
from polyroute.artifacts.questions import Questions, TaskError, read_table

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ["item_id", "language", "answer"]


@dataclass(frozen=True)
class Key:
    """The right answers of a task, in some of its languages."""

    kind: TaskKind
    frame: pd.DataFrame
    """`COLUMNS`, in the order of the questions."""

    def write(self, path: Path) -> None:
        """Write as Parquet, whole or not at all; the same key gives the same bytes."""
        import pyarrow

        types = {"answer": pyarrow.int32() if self.kind == "choice" else pyarrow.string()}
        columns = {
            name: pyarrow.array(self.frame[name].tolist(), types.get(name, pyarrow.string())) for name in COLUMNS
        }
        parquet.write(path, columns, {"kind": self.kind})

    @classmethod
    def read(cls, path: Path) -> Key:
        """What `write` wrote.

        Raises:
            TaskError: the file is absent or holds no key.
        """
        kind, _, frame = read_table(path, dict.fromkeys(ASKED, COLUMNS), "key")
        return cls(kind, frame)


def joined(questions: Questions, key: Key) -> pd.DataFrame:
    """Questions with their right answers: the columns of the questions and `answer`, in the order of the questions.

    Raises:
        TaskError: the key is of another kind of task, or lacks an item.
    """
    if questions.kind != key.kind:
        raise TaskError(f"the questions ask for a {questions.kind} and the key has those of a {key.kind}: fetch again")
    answers = key.frame.set_index(["item_id", "language"])["answer"]
    pairs = list(zip(questions.frame["item_id"], questions.frame["language"], strict=True))
    absent = [pair for pair in pairs if pair not in answers.index]
    if absent:
        raise TaskError(f"the key has no answer to item {absent[0][0]} in {absent[0][1]}: run `dvc repro fetch`")
    return questions.frame.assign(answer=answers.loc[pairs].tolist())


def read_joined(
    questions: Path, key: Path, languages: Sequence[str] | None = None, split: str | None = None,
    *, count: int | None = None,
) -> pd.DataFrame:  # fmt: skip
    """`joined` of the files of a task, in all languages and splits or in the given ones.

    Args:
        questions: file of them.
        key: file of what is right.
        languages: that are kept; all if None.
        split: that is kept; both if None.
        count: items of each split, as `some_items` takes them; all if None.

    Raises:
        TaskError: as `Questions.read`, `Key.read` and `joined`.
    """
    return joined(Questions.read(questions, languages, split).some(count), Key.read(key))
