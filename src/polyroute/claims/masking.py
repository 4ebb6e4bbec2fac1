"""Quantities of claims on masks of exclusive experts, from mask.json."""

from __future__ import annotations

from polyroute.claims.asked import Asked, Found
from polyroute.claims.estimates import Estimate, mean, minus
from polyroute.claims.routing import WIDE
from polyroute.results.masking import MaskedTask, MaskHeadline, MeanDifference

RANGES = ("early", "middle", "late")


def middle_masks(asked: Asked, found: Found) -> None:
    """p2.middle_masks_differ: own less others by range, and what others lose more in the middle."""
    by = _headlines(asked, found, "accuracy")
    if any(name not in by for name in RANGES):
        return
    own = {name: _estimate(by[name].own_minus_others) for name in RANGES}
    for name in RANGES:
        found.put(f"own_{name}", own[name])
    lower = min((own["early"], own["late"]), key=lambda one: 0.0 if one.value is None else one.value)
    found.put("difference", minus(own["middle"], lower))
    beyond = {name: minus(_estimate(by[name].off_diagonal), _estimate(by[name].random_off_diagonal)) for name in RANGES}
    found.put("general", minus(beyond["middle"], mean([beyond["early"], beyond["late"]])))
    found.stand_in(WIDE)


def own_more(asked: Asked, found: Found) -> None:
    """p2.mask_own_more: own less others, and less random masks, of each score and outer range."""
    for score in ("accuracy", "consistency"):
        for name, headline in _headlines(asked, found, score).items():
            if name in ("early", "late"):
                found.put(f"own.{score}.{name}", _estimate(headline.own_minus_others))
                found.put(f"own_random.{score}.{name}", _estimate(headline.own_minus_random))


def _headlines(asked: Asked, found: Found, score: str) -> dict[str, MaskHeadline]:
    task = asked.read(found, "maths")
    masked: MaskedTask | None = asked.results.masking.tasks.get(task or "") if asked.results.masking else None
    if masked is None or asked.results.masking is None:
        return {}
    table = asked.results.masking.table
    rows = table[table["task"] == task]
    found.languages, found.items = len(masked.targets), int(rows["items"].min()) if len(rows) else None
    return {str(name): one for held, by in masked.headline.items() if held == score for name, one in by.items()}


def _estimate(one: MeanDifference) -> Estimate:
    return Estimate(one.value, one.low, one.high)
