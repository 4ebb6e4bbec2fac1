"""A subset of many languages in which neither one family nor one resource class outweighs the others.

Families are gone through in turn, from the one with most languages (ties by name), and each turn takes two languages of
a family, so that relatives can be compared. Of a family's languages that are left comes first

1. one whose resource class is known (Joshi et al. 2020; `languages.table`);
2. one of the class with the fewest languages so far;
3. the first by code.

A language in several scripts counts once, in its usual one; its other scripts come when every language is taken.
Constructed languages, which the table puts under one heading, are no family and come last in each turn. Nothing is
drawn by chance: the same languages give the same subset. A family with one language gives one, so that in wide subsets
large families still have more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from polyroute.languages.table import Language

A_TURN = 2
"""Languages that a family gives in its turn."""
NO_FAMILY = "Artificial Language"
"""Glottolog's heading of languages that are nobody's relatives."""


def balanced(languages: Sequence[Language], count: int, first: str) -> list[str]:
    """Choose some of the languages.

    Args:
        languages: to choose from.
        count: how many; all where there are no more.
        first: FLORES code of a language that is taken before all others, as part of its family's turn; passed over
            where it is not among the languages.

    Returns:
        FLORES codes, sorted, `first` at the start.
    """
    usual: dict[str, Language] = {}
    for language in sorted(languages, key=lambda one: (one.flores != first, len(one.bcp47), one.flores)):
        usual.setdefault(language.flores[:3], language)
    taken: list[Language] = []
    for some in (list(usual.values()), [one for one in languages if one not in usual.values()]):
        _take(taken, some, min(count, len(languages)), first)
    return sorted((one.flores for one in taken), key=lambda code: (code != first, code))


def _take(taken: list[Language], languages: Sequence[Language], count: int, first: str) -> None:
    """Add languages, turn by turn, until there are `count` or none is left."""
    left: dict[str, list[Language]] = {}
    for language in languages:
        left.setdefault(language.family, []).append(language)
    in_turn = sorted(left, key=lambda family: (family == NO_FAMILY, -len(left[family]), family))

    def rank(language: Language) -> tuple[bool, int, str]:
        alike = sum(one.resource == language.resource for one in taken)
        return language.resource is None, alike, language.flores

    # `first` is taken before others count the classes.
    early = [one for one in languages if one.flores == first]
    for language in early:
        left[language.family].remove(language)
        taken.append(language)
    given = Counter(one.family for one in early)
    while len(taken) < count and any(left.values()):
        for family in in_turn:
            for _ in range(A_TURN - given.pop(family, 0)):
                if left[family] and len(taken) < count:
                    chosen = min(left[family], key=rank)
                    left[family].remove(chosen)
                    taken.append(chosen)
