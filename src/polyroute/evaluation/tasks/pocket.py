"""Items of the mini world that the pocket models are trained on; nothing is downloaded.

`polyroute.miniworld.items` says what they are: word problems of one operation (`arithmetic`), or questions for invented
facts (`knowledge`); ten choices each. Training sees none of them: the world has the splits `select` and `report` of
its own. Items of a split are drawn by `seed`, the same ones in any set of languages.
Schema: that of the items, whose prompts end in the language's word for "answer" and whose choices close the sentence,
so that 1 is not a likelier 18. Licence: that of polyroute. Source: generated.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from polyroute.evaluation.tasks.checks import TaskError
from polyroute.evaluation.tasks.reader import SPLITS, Item, Split, TaskReader
from polyroute.ground.hub import HubSource
from polyroute.params.tasks import PocketTask

VERSION = 1


def _read(task: str, spec: PocketTask, codes: Sequence[str], _source: HubSource) -> list[Item]:
    return [item for split in SPLITS for item in _items(task, spec, codes, split)]


def _items(task: str, spec: PocketTask, codes: Sequence[str], split: Split) -> list[Item]:
    # The mini world needs its phrase tables, which no other task should have to load.
    from polyroute.miniworld import items

    if spec.content == "arithmetic":
        frame = items.arithmetic(split, spec.items, codes, spec.seed)
    else:
        frame = items.knowledge(split, codes)
        drawn = sorted(frame["item_id"].unique(), key=lambda item_id: _draw(spec.seed, item_id))
        if len(drawn) < spec.items:
            raise TaskError(
                f"task `{task}`: the mini world has {len(drawn)} facts in the split {split} and {spec.items} are asked "
                f"for: set tasks.{task}.items to {len(drawn)} or fewer"
            )
        frame = frame[frame["item_id"].isin(drawn[: spec.items])]
    rows = (frame[name] for name in ("item_id", "language", "prompt", "answer", "choices"))
    return [
        Item(item_id, language, prompt, int(answer), tuple(choices), split=split)
        for item_id, language, prompt, answer, choices in zip(*rows, strict=True)
    ]


def _draw(seed: int, item_id: str) -> bytes:
    return hashlib.sha256(f"{seed}/{item_id}".encode()).digest()


READER = TaskReader(version=VERSION, read=_read, files=lambda _spec, _language: [], covered=lambda _spec: None)
