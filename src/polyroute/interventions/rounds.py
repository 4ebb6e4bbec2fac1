"""Which conditions are asked next: random control sets are asked round by round, until enough of them did as well.

Most plans do no better than random experts, and a few draws show it; a plan that does better deserves a sharp p. See
`stats.sequential` for the p-value, which the size of rounds does not change.
"""

from collections.abc import Mapping, Sequence

from polyroute.stats.sequential import finished
from polyroute.steering.condition import Condition

ROUNDS = (9, 19, 49)
"""Draws that are asked after each round; after the last, all of them."""


def next_round(conditions: Sequence[Condition], scores: Mapping[str, float]) -> list[Condition]:
    """The conditions to ask now.

    Args:
        conditions: all that may be asked, a baseline not among them.
        scores: of the conditions that were asked, over the languages to be helped; higher is better.

    Returns:
        Those to be asked; none when all is known.
    """
    found = [one for one in conditions if one.name not in scores and one.control_of is None]
    for name in dict.fromkeys(one.control_of for one in conditions if one.control_of is not None):
        draws = [one for one in conditions if one.control_of == name]
        drawn = [scores[one.name] for one in draws if one.name in scores]
        if name in scores and finished(scores[name], drawn, most=len(draws)):
            continue
        limit = next((size for size in ROUNDS if size > len(drawn)), len(draws))
        found += draws[len(drawn) : limit]
    return found
