"""Coverage of the gap between relatives and others, and how often the claim on families is decided wrongly.

Languages fall into families as in samples of languages, and have one of three scripts. Distances are sums of a language
apart from its partner, of both languages and of the pair, or distances of places; families are drawn anew in every
study, each with what its languages have in common. The truth is the mean gap of many studies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from bench.calibration import families
from bench.calibration.table import Row
from numpy.typing import NDArray
from scipy.spatial.distance import pdist, squareform

from polyroute.measures.relatedness import relatedness

OUTSIDE = """\
A verdict takes the interval that leaves out a family at a time. That which leaves out a language at a time covers too
little, the less the larger families are; it stands beside it for what others did. Where languages share much with their
family and families are large, no other interval that was tried covers: one that doubles its variance comes to 54%."""
CONFIDENCE = 0.95
SIZES = (11, 17, 50)
_TRUTH = 20
"""Studies whose mean is the truth, for each that is counted; at most `_MOST`."""
_MOST = 4000

Draw = Callable[[np.random.Generator, NDArray[np.int64]], NDArray[np.float64]]


def _sums(of_family: float) -> Draw:
    """Distances that are sums of two languages' own, relatives nearer by half a unit."""

    def draw(rng: np.random.Generator, family_V: NDArray[np.int64]) -> NDArray[np.float64]:
        own_V = 0.3 * rng.standard_normal(len(family_V))
        own_V += of_family * rng.standard_normal(family_V.max() + 1)[family_V]
        first_P, second_P = np.triu_indices(len(family_V), k=1)
        apart_P = 0.5 * (family_V[first_P] != family_V[second_P])
        return 3 + apart_P + own_V[first_P] + own_V[second_P] + 0.3 * rng.standard_normal(len(first_P))

    return draw


def _places(share: float) -> Draw:
    """Distances of places in four dimensions, a share of whose variance is their family's."""

    def draw(rng: np.random.Generator, family_V: NDArray[np.int64]) -> NDArray[np.float64]:
        center_G4 = rng.standard_normal((family_V.max() + 1, 4))
        own_V4 = rng.standard_normal((len(family_V), 4))
        return pdist(np.sqrt(share) * center_G4[family_V] + np.sqrt(1 - share) * own_V4)

    return draw


POPULATIONS: dict[str, Draw] = {
    "sums": _sums(0.0), "sums, shared by families": _sums(0.3), "places by family": _places(0.5),
    "places, no families": _places(0.0),
}  # fmt: skip


def simulate(studies: int, sizes: tuple[int, ...] = SIZES) -> Iterator[Row]:
    """Coverage of both intervals of the gap and of that over scripts, and wrong verdicts where families say nothing.

    Args:
        studies: simulated for each population.
        sizes: languages of a study; those of `SIZES`.
    """
    for languages in sizes:
        family_V = np.repeat(np.arange(len(families.FAMILIES[languages])), families.FAMILIES[languages])
        script_V = np.random.default_rng(3).integers(0, 3, languages)
        names, scripts = ([f"{kind} {one}" for one in of_V] for kind, of_V in (("f", family_V), ("s", script_V)))
        for called, draw in POPULATIONS.items():
            rng = np.random.default_rng([languages, len(called)])
            truth, apart = np.mean(
                [_gaps(draw(rng, family_V), family_V, script_V) for _ in range(min(_TRUTH * studies, _MOST))], axis=0
            )
            hits = dict.fromkeys(("by family", "other scripts, by family", "by language"), 0)
            wrong = 0
            for study in range(studies):
                found = relatedness(
                    draw(rng, family_V), names, scripts, shuffles=1, confidence=CONFIDENCE, seed=study
                )  # fmt: skip
                assert found is not None, "families have several languages"
                for name, true, low, high in (
                    ("by family", truth, "by_family_low", "by_family_high"),
                    ("other scripts, by family", apart, "other_script_low", "other_script_high"),
                    ("by language", truth, "low", "high"),
                ):
                    hits[name] += found[low] <= true <= found[high]
                wrong += found["by_family_low"] > 0 or found["by_family_high"] < 0 or found["other_script_high"] < 0
            for name, count in hits.items():
                yield Row("relatedness", f"coverage, {name}", called, languages, CONFIDENCE, count / studies, studies)
            if called == "places, no families":
                yield Row("relatedness", "size", called, languages, 1 - CONFIDENCE, wrong / studies, studies)


def _gaps(
    distance_P: NDArray[np.float64], family_V: NDArray[np.int64], script_V: NDArray[np.int64]
) -> tuple[float, float]:
    """Mean distance across families less that within, over all pairs and over those of different scripts."""
    distance_VV = squareform(distance_P)
    same_VV, other_VV = family_V[:, None] == family_V, script_V[:, None] != script_V
    pairs_VV = ~np.eye(len(family_V), dtype=bool)
    over = [
        float(distance_VV[used_VV & ~same_VV].mean() - distance_VV[used_VV & same_VV].mean())
        for used_VV in (pairs_VV, other_VV)
    ]
    return over[0], over[1]
