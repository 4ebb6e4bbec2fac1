"""Rank of a score among random draws that are made one after another and stopped early (Besag and Clifford 1991).

Each draw costs as much as the set it is compared with. A set that random ones often equal shows it after few draws, and
more would only sharpen a large p; one that hardly any equals needs them all. So draws stop when `h` of them did as
well, or when `most` are made:

    p = h / l               the h-th that did as well is draw l
    p = (1 + g) / (1 + n)   after all n draws, of which g < h did as well

Under the null hypothesis the set is one of the draws, and P(p <= a) <= a for every a: p of the first kind is at most a
only if fewer than h of the first h / a - 1 draws did as well. The smallest p is 1 / (1 + most). Unit: the draw.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from polyroute.stats.rank import rank_p

ENOUGH = 5
"""h: draws that did as well, after which no more are made."""
MOST = 99
"""Draws at most: p of .01 can be reached."""


def stopped_at(score: float, drawn: Sequence[float], h: int = ENOUGH) -> int | None:
    """Number of the draw, from 1, that was the h-th to score as high; None where no h of them did.

    Args:
        score: of the set; higher is better.
        drawn: scores of the draws, in the order in which they were made.
        h: draws that score as high, after which the rest says nothing more.

    Raises:
        ValueError: h is not positive, or a score is NaN.
    """
    if h < 1:
        raise ValueError(f"h = {h}: draws stop after at least one that scores as high")
    if np.isnan([score, *drawn]).any():
        raise ValueError("a score among random draws is NaN")
    places = np.flatnonzero(np.asarray(drawn, dtype=np.float64) >= score)
    return int(places[h - 1]) + 1 if len(places) >= h else None


def finished(score: float, drawn: Sequence[float], h: int = ENOUGH, most: int = MOST) -> bool:
    """Whether no further draw is needed: h of them score as high, or all are made.

    Draws may be made in rounds: those of the last round beyond the h-th change nothing, `sequential_p` leaves them out.

    Args:
        score: of the set; higher is better.
        drawn: scores of the draws so far, in order.
        h: draws that score as high, after which the rest says nothing more.
        most: draws at most.

    Raises:
        ValueError: as `stopped_at`, or more than `most` were drawn.
    """
    if len(drawn) > most:
        raise ValueError(f"{len(drawn)} draws are more than the {most} that were to be made at most")
    return len(drawn) == most or stopped_at(score, drawn, h) is not None


def sequential_p(score: float, drawn: Sequence[float], h: int = ENOUGH, most: int = MOST) -> float:
    """One-sided p-value of a set's score among random draws, stopped as this module says.

    Args:
        score: of the set; higher is better.
        drawn: scores of the draws, in the order in which they were made. Fewer than `most` with fewer than h that score
            as high are what there was to draw, and p is that of a fixed number; it is valid unless draws ended for what
            they showed.
        h: draws that score as high, after which the rest says nothing more and is left out.
        most: draws at most.

    Returns:
        In (0, 1]; a tie counts as a draw that did as well.

    Raises:
        ValueError: as `finished`, or there is no draw.
    """
    if not len(drawn):
        raise ValueError("a rank among random draws needs at least one")
    if len(drawn) > most:
        raise ValueError(f"{len(drawn)} draws are more than the {most} that were to be made at most")
    last = stopped_at(score, drawn, h)
    if last is not None:
        return h / last
    return float(rank_p(score, drawn))
