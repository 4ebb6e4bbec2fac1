"""Corpora from the mini world, in the frame that every corpus of the project has: item_id, language, text."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from typing import Literal

import pandas as pd

from polyroute.errors import PolyrouteError
from polyroute.languages import ENGLISH
from polyroute.pocket import realise, tables, world
from polyroute.pocket.world import Split


def parallel_corpus(
    split: Split = "report", sentences: int = 400, languages: Sequence[str] | None = None, seed: int = 0
) -> pd.DataFrame:
    """Short generic documents of two or three sentences, every one in every language.

    Args:
        split: `select` or `report` for measurement; no sentence of theirs is among the training text.
        sentences: number of items (documents).
        languages: FLORES codes with a phrase table; all that have one where it is None.
        seed: of the choice of meanings; items of equal number mean the same in any set of languages.

    Returns:
        Columns item_id, language, text; texts of a language are all different.

    Raises:
        TableError: a language has no phrase table.
    """
    rng = random.Random(f"generic/{split}/{seed}")
    languages = tables.available() if languages is None else languages
    for language in languages:
        tables.load(language)
    drawn: dict[tuple[world.Event, ...], None] = {}
    while len(drawn) < sentences:
        drawn[world.draw_events(rng, split, rng.randint(2, 3))] = None
    rows = [
        (f"generic-{split}-{seed}-{number:04d}", language, realise.events(meanings, language))
        for number, meanings in enumerate(drawn)
        for language in languages
    ]
    return pd.DataFrame(rows, columns=["item_id", "language", "text"])


def in_task_corpus(
    task: Literal["arithmetic", "knowledge"], split: Split = "report", items: int = 400, seed: int = 0
) -> pd.DataFrame:
    """English text of a task, questions with their answers; no item is among the training text.

    A text of `arithmetic` is one problem, of `knowledge` two questions.

    Returns:
        Columns item_id, language (always English), text; texts are all different.

    Raises:
        PolyrouteError: the task is unknown, or there are not so many different texts.
    """
    rng = random.Random(f"{task}/{split}/{seed}")
    texts: dict[str, None] = {}
    if task == "arithmetic":
        while len(texts) < items:
            texts[realise.problem(world.draw_problem(rng, split), ENGLISH).text] = None
    elif task == "knowledge":
        facts = [fact for fact in world.facts() if fact.split == split]
        pairs = list(itertools.combinations(facts, 2))
        if items > len(pairs):
            raise PolyrouteError(f"knowledge has {len(pairs)} different texts in split `{split}`, not {items}")
        for pair in rng.sample(pairs, items):
            texts[" ".join(realise.question(fact, ENGLISH).text for fact in pair)] = None
    else:
        raise PolyrouteError(f"the mini world has no task `{task}`; there is arithmetic, knowledge")
    rows = [(f"{task}-text-{split}-{seed}-{number:04d}", ENGLISH, text) for number, text in enumerate(texts)]
    return pd.DataFrame(rows, columns=["item_id", "language", "text"])
