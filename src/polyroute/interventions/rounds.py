"""Which conditions are asked next: random control sets are asked round by round, until enough of them did as well.

Most plans do no better than random experts, and a few draws show it; a plan that does better deserves a sharp p. See
`stats.sequential` for the p-value, which the size of rounds does not change.
"""

from collections.abc import Mapping, Sequence

from polyroute.artifacts.questions import Split
from polyroute.stats.sequential import finished
from polyroute.steering.condition import Condition

Halves = Mapping[Split, Sequence[Condition]]
"""Half of the items -> conditions."""
ROUNDS = (9, 19, 49)
"""Draws that are asked after each round; after the last, all of them."""


def next_round(conditions: Halves, scores: Mapping[str, float]) -> Halves:
    """The conditions to ask now, of both halves alike: a random set is ranked on all items that it is asked.

    Args:
        conditions: all that may be asked, a baseline not among them. Of one name are a plan and what stands in for it
            in the other half.
        scores: name of a condition that was asked -> over the languages to be helped and all its items; higher is
            better.

    Returns:
        Those to be asked; none when all is known.
    """
    every = {one.name: one for half in conditions.values() for one in half}
    found = {name for name, one in every.items() if name not in scores and one.control_of is None}
    for own in dict.fromkeys(one.control_of for one in every.values() if one.control_of is not None):
        draws = [name for name, one in every.items() if one.control_of == own]
        drawn = [scores[name] for name in draws if name in scores]
        if own in scores and finished(scores[own], drawn, most=len(draws)):
            continue
        limit = next((size for size in ROUNDS if size > len(drawn)), len(draws))
        found |= set(draws[len(drawn) : limit])
    return {split: [one for one in half if one.name in found] for split, half in conditions.items()}
