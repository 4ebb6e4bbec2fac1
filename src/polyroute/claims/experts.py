"""Quantities of claims on sets of experts, from experts.json and membership.csv."""

from __future__ import annotations

from polyroute.claims.asked import Asked, Found
from polyroute.claims.estimates import Estimate
from polyroute.results.claims import Missing, StandIn
from polyroute.results.experts import MemberRow

TAU = 0.3
"""Above which paper 1 finds no expert in both sets."""
_SMALLEST = 5
"""Experts, below which a set's stability is not looked at."""
_SURE = 0.95
"""Share of resamples that a stable expert is in."""


def no_overlap(asked: Asked, found: Found) -> None:
    """p1.no_overlap: experts in both sets at tau .3, and how many independent sets would share.

    Where no expert would be in both without one language, it is named.
    """
    if asked.results.experts is None:
        return
    found.items = asked.alignment.sentences
    for role in ("maths", "medical"):
        task = asked.read(found, role)
        if task is None or task not in asked.results.experts.summary.tasks:
            continue
        for sets in asked.results.experts.summary.tasks[task].sets:
            if sets.tau == TAU:
                found.put(f"both.{role}", Estimate(sets.both, sets.both_low, sets.both_high))
                found.put(f"expected.{role}", sets.expected)
                if sets.both_hinges_on:
                    one = StandIn(kind="hinge", used=", ".join(sets.both_hinges_on), meant=f"both.{role}")
                    found.stand_in(one)
        if f"expected.{role}" not in found.values:
            found.lack((f"both.{role}", f"expected.{role}"), Missing(kind="new", what="0.3 among `experts.taus`"))


def sets_stable(asked: Asked, found: Found) -> None:
    """own.expert_sets_stable: share of each set's members that nearly all resamples hold."""
    if asked.results.experts is None:
        return
    found.items = asked.alignment.sentences
    members = MemberRow.read(asked.folder)
    members = members[members["member"] & members["share_of_resamples"].notna()]
    # Multilingual experts are those of `any`; each language's own set is part of it.
    members = members[(members["task"] != "") | (members["language"] == "any")]
    shares = [
        float((rows["share_of_resamples"] >= _SURE).mean())
        for _, rows in members.groupby(["task", "corpus", "language", "tau"])
        if len(rows) >= _SMALLEST
    ]
    if not shares:
        found.lack(("least", "mean"), Missing(kind="few", what=f"a set of {_SMALLEST} experts or more"))
        return
    found.put("least", min(shares))
    found.put("mean", sum(shares) / len(shares))


def first_layer(asked: Asked, found: Found) -> None:
    """p1.phi_first_layer: overlap of experts in layer 0."""
    if asked.results.similarity is None:
        return
    table = asked.results.similarity.utilisation
    rows = table[(table["corpus"] == asked.corpus) & (table["layer"] == 0) & (table["language"] == "")]
    found.languages, found.items = len(asked.codes), asked.alignment.sentences
    found.put("same", float(rows["overlap"].iloc[0]) if len(rows) else None)
