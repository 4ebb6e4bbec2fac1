"""The mini world that the pocket models are trained on: a corpus and a task; nothing is downloaded.

As a corpus: what `polyroute.miniworld.corpus` generates, short documents in parallel (`generic`) or text of a task. The
same seed gives the same items in any set of languages.

As a task: `polyroute.miniworld.items` says what the items are: word problems of one operation (`arithmetic`), or
questions for invented facts (`knowledge`); ten choices each. Training sees none of them: the world has the splits
`select` and `report` of its own. Items of a split are drawn by `seed`, the same ones in any set of languages. Prompts
end in the language's word for "answer" and choices close the sentence, so that 1 is not a likelier 18.

Languages: those of the phrase tables. Licence: that of polyroute. Source: generated.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field

from polyroute.artifacts.kinds import TaskKind
from polyroute.artifacts.questions import SPLITS, Split, TaskError
from polyroute.ground.hub import HubSource
from polyroute.miniworld import tables
from polyroute.readers.spec import CorpusSpec, Item, TaskSpec, Text

# The generators need pandas, which params.yaml is read without: they are imported where they are used.


class MiniworldCorpus(CorpusSpec):
    """Text generated from the mini world of the pocket models."""

    reader: Literal["miniworld"]
    content: Literal["generic", "arithmetic", "knowledge"]
    """`generic` is parallel; the others are text of a task."""
    split: Literal["train", "select", "report"]
    items: int = Field(ge=1)
    seed: int = Field(ge=0)

    def is_parallel(self) -> bool:
        """Whether it is generic text."""
        return self.content == "generic"

    def covered(self) -> list[str]:
        """Languages with a phrase table."""
        return list(tables.available())

    def paths(self, _language: str) -> list[str]:
        """No files."""
        return []

    def read(self, codes: Sequence[str], _source: HubSource) -> list[Text]:
        """All items of the languages."""
        from polyroute.miniworld import corpus

        if self.content == "generic":
            frame = corpus.parallel_corpus(self.split, self.items, list(codes), self.seed)
        else:
            frame = corpus.in_task_corpus(self.content, self.split, self.items, list(codes), self.seed)
        return list(zip(frame["item_id"], frame["language"], frame["text"], strict=True))


class MiniworldTask(TaskSpec):
    """Problems and questions of the pocket models' mini world."""

    reader: Literal["miniworld"]
    content: Literal["arithmetic", "knowledge"]
    items: int = Field(ge=1)
    """Items of each split."""
    seed: int = Field(ge=0)
    kind: ClassVar[TaskKind] = "choice"

    def covered(self) -> list[str]:
        """Languages with a phrase table."""
        return list(tables.available())

    def paths(self, _language: str) -> list[str]:
        """No files."""
        return []

    def read(self, task: str, codes: Sequence[str], _source: HubSource) -> list[Item]:
        """All items of the languages, split by split."""
        return [item for split in SPLITS for item in self._items(task, codes, split)]

    def _items(self, task: str, codes: Sequence[str], split: Split) -> list[Item]:
        from polyroute.miniworld import items

        if self.content == "arithmetic":
            frame = items.arithmetic(split, self.items, codes, self.seed)
        else:
            frame = items.knowledge(split, codes)
            drawn = sorted(frame["item_id"].unique(), key=lambda item_id: _draw(self.seed, item_id))
            if len(drawn) < self.items:
                raise TaskError(
                    f"task `{task}`: the mini world has {len(drawn)} facts in the split {split} and {self.items} are "
                    f"asked for: set tasks.{task}.items to {len(drawn)} or fewer"
                )
            frame = frame[frame["item_id"].isin(drawn[: self.items])]
        rows = (frame[name] for name in ("item_id", "language", "prompt", "answer", "choices"))
        return [
            Item(item_id, language, prompt, int(answer), tuple(choices), split=split)
            for item_id, language, prompt, answer, choices in zip(*rows, strict=True)
        ]


def _draw(seed: int, item_id: str) -> bytes:
    return hashlib.sha256(f"{seed}/{item_id}".encode()).digest()
