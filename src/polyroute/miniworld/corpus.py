"""Corpora from the mini world, in the frame that every corpus of the project has: item_id, language, text."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

import pandas as pd

from polyroute.ground.errors import PolyrouteError
from polyroute.languages.table import ENGLISH
from polyroute.miniworld import realise, tables, world
from polyroute.miniworld.world import Split


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
    drawn = world.different(lambda: world.draw_events(rng, split, rng.randint(2, 3)), sentences, f"generic `{split}`")
    rows = [
        (f"generic-{split}-{seed}-{number:04d}", language, realise.events(meanings, language))
        for number, meanings in enumerate(drawn)
        for language in languages
    ]
    return pd.DataFrame(rows, columns=["item_id", "language", "text"])


def in_task_corpus(
    task: Literal["arithmetic", "knowledge"],
    split: Split = "report",
    items: int = 400,
    languages: Sequence[str] = (ENGLISH,),
    seed: int = 0,
) -> pd.DataFrame:
    """Text of a task, questions with their answers, every one in every language.

    None of the splits `select` and `report` is among the training text; `train` is what that is drawn from.

    A text of `arithmetic` is one problem, of `knowledge` two questions.

    Args:
        task: which.
        split: as in `parallel_corpus`.
        items: how many.
        languages: FLORES codes with a phrase table.
        seed: of the choice; items of equal number mean the same in any set of languages.

    Returns:
        Columns item_id, language, text; texts of a language are all different.

    Raises:
        PolyrouteError: the task is unknown, or there are not so many different texts.
        TableError: a language has no phrase table.
    """
    rng = random.Random(f"{task}/{split}/{seed}")
    texts: list[Callable[[str], str]]
    if task == "arithmetic":
        problems = world.different(lambda: world.draw_problem(rng, split), items, f"arithmetic `{split}`")
        texts = [partial(_problem, problem) for problem in problems]
    elif task == "knowledge":
        facts = [fact for fact in world.facts() if fact.split == split]
        pairs = list(itertools.combinations(facts, 2))
        if items > len(pairs):
            raise PolyrouteError(f"knowledge has {len(pairs)} different texts in split `{split}`, not {items}")
        texts = [partial(_questions, pair) for pair in rng.sample(pairs, items)]
    else:
        raise PolyrouteError(f"the mini world has no task `{task}`; there is arithmetic, knowledge")
    rows = [
        (f"{task}-text-{split}-{seed}-{number:04d}", language, text(language))
        for number, text in enumerate(texts)
        for language in languages
    ]
    return pd.DataFrame(rows, columns=["item_id", "language", "text"])


def _problem(problem: world.Problem, language: str) -> str:
    return realise.problem(problem, language).text


def _questions(facts: Sequence[world.Fact], language: str) -> str:
    return tables.load(language).space.join(realise.question(fact, language).text for fact in facts)
