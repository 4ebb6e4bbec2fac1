"""The tasks' items: questions with choices, the same in every language."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pandas as pd

from polyroute.ground.errors import PolyrouteError
from polyroute.miniworld import realise, world
from polyroute.miniworld.world import Split

CHOICES = 10
"""Choices of every item. The best constant answer gets more than a tenth: numbers stand in ascending order."""


def arithmetic(split: Split, items: int, languages: Sequence[str], seed: int) -> pd.DataFrame:
    """Word problems, each in every language.

    Returns:
        Columns item_id, language, split, clause, prompt, choices (list of texts that follow the prompt),
        answer (index of the right choice).

    Raises:
        PolyrouteError: there are not so many different problems.
    """
    rng = random.Random(f"arithmetic/{split}/{seed}")
    drawn = world.different(lambda: world.draw_problem(rng, split), items, f"arithmetic `{split}`")
    rows = []
    for number, problem in enumerate(drawn):
        numbers = problem.choices(CHOICES)
        for language in languages:
            told = [realise.problem(problem, language, answer) for answer in numbers]
            rows.append(
                {
                    "item_id": f"arithmetic-{split}-{seed}-{number:04d}",
                    "language": language,
                    "split": split,
                    "clause": problem.clause,
                    "prompt": told[0].prompt,
                    "choices": [asked.answer + asked.end for asked in told],
                    "answer": numbers.index(problem.answer),
                }
            )
    return pd.DataFrame(rows)


def knowledge(split: Split, languages: Sequence[str]) -> pd.DataFrame:
    """The question for every fact of a split, in every language; the choices are all values of its relation.

    Returns:
        Columns item_id, language, split, relation, prompt, choices, answer, and known: whether training
        states the fact in that language (elsewhere it can be answered only by transfer).
    """
    rows = []
    for fact in world.facts():
        if fact.split != split:
            continue
        values = world.RELATIONS[fact.relation]
        for language in languages:
            told = [realise.question(fact, language, value) for value in values]
            rows.append(
                {
                    "item_id": f"knowledge-{fact.relation}-{fact.entity}",
                    "language": language,
                    "split": split,
                    "relation": fact.relation,
                    "prompt": told[0].prompt,
                    "choices": [asked.answer + asked.end for asked in told],
                    "answer": values.index(fact.value),
                    "known": fact.known(language),
                }
            )
    return pd.DataFrame(rows)


def stated(item_ids: Sequence[str], languages: Sequence[str]) -> list[bool]:
    """Whether training states what `knowledge` asks for in the item's language; else only transfer can answer it.

    Args:
        item_ids: of `knowledge`.
        languages: of each item.

    Raises:
        PolyrouteError: an item is none of `knowledge`.
    """
    facts = {f"knowledge-{fact.relation}-{fact.entity}": fact for fact in world.facts()}
    for item_id in item_ids:
        if item_id not in facts:
            raise PolyrouteError(f"item {item_id} asks for no fact of the mini world: fetch its task again")
    return [facts[item_id].known(language) for item_id, language in zip(item_ids, languages, strict=True)]
