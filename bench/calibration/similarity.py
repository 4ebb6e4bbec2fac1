"""Correlation of routing distance with another distance where both follow families, and with nothing else in common.

Languages have a place in a plane, half of whose variance is their family's; the two matrices are distances of places
that are drawn apart. Permuting all languages then rejects too often; permuting relatives alone does not. The group test
shuffles labels of families over a matrix that does not follow them.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from bench.calibration import families
from bench.calibration.table import Row
from numpy.typing import NDArray
from scipy.spatial.distance import pdist

from polyroute.measures.families import label_distance
from polyroute.stats.mantel import matrix_correlation

TOPIC = "similarity"
SIZES = (7, 11, 17, 50)
LEVEL = 0.05
SHARED = 0.5
"""Of the variance within a family."""
APART = 3.0
"""How much further the first family lies from the others than they from one another, in both matrices."""
FAMILIES = families.FAMILIES | {7: (4, 2, 1)}
"""Languages -> how many are of each family; of 7 in three families, so that relatives can be permuted."""
_SHUFFLES = 199


def simulate(studies: int, sizes: tuple[int, ...] = SIZES) -> Iterator[Row]:
    """Size of Mantel's test, over all languages and within families, and of the group test.

    Args:
        studies: simulated for each row.
        sizes: languages of a study; those of `SIZES`.
    """
    for languages in sizes:
        family_V = np.repeat(np.arange(len(FAMILIES[languages])), FAMILIES[languages])
        names = [f"family {family}" for family in family_V]
        rng = np.random.default_rng(languages)
        both, within, groups = 0, 0, 0
        for study in range(studies):
            test = {"shuffles": _SHUFFLES, "seed": study}
            first_P, second_P = (pdist(_places(rng, family_V)) for _ in range(2))
            both += matrix_correlation(first_P, second_P, **test).p <= LEVEL
            within += matrix_correlation(first_P, second_P, within=names, **test).p <= LEVEL
            unrelated_P = pdist(rng.standard_normal((languages, 2)))
            groups += matrix_correlation(unrelated_P, label_distance(names), **test).p <= LEVEL
        counted = (
            ("size, all languages permuted", "both follow families", both),
            ("size, permuted within families", "both follow families", within),
            ("size of the group test", "routing follows no family", groups),
        )
        for quantity, population, rejected in counted:
            yield Row(TOPIC, quantity, population, languages, LEVEL, float(rejected) / studies, studies)


def _places(rng: np.random.Generator, family_V: NDArray[np.int64]) -> NDArray[np.float64]:
    """(V, 2) places of languages, half of whose variance is their family's; the first family lies apart."""
    of_family_G2 = rng.standard_normal((family_V.max() + 1, 2))
    of_family_G2[0] += APART
    own_V2 = rng.standard_normal((len(family_V), 2))
    places_V2: NDArray[np.float64] = np.sqrt(SHARED) * of_family_G2[family_V] + np.sqrt(1 - SHARED) * own_V2
    return places_V2
