"""Power by the verdict's own rule: where a study says that 80% would find a difference, how many new ones do?

A study without a difference says which it could detect; new studies of the same population have that difference. The
unit is the study that says so: new ones share what it said, so that their number makes a rate no surer than that of
studies. Those that say no difference could be detected are left out.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from bench.calibration.answers import Kind, answers, changes
from bench.calibration.rule import of_a_group, of_one_language
from bench.calibration.table import Row

from polyroute.interventions.verdicts import largest_p
from polyroute.stats.simulated_power import StudiedItems, detectable

OUTSIDE = """\
The unit is the study that says what it could detect, of which 400, 200 or 60 were simulated for a rate; where 40
studies stand, they are new ones of two that said so, and tell little. Outside the target: with 20 items and 11 other
plans, for which q adjusts, 69% of new studies find what was said of 80%; with 60 items and one in ten answers that
change, 72%. Why was not looked into."""
SAID, CONFIDENCE, SIMULATED, NEW = 0.8, 0.95, 400, 20
"""Power that is said, coverage, studies that a study simulates, and new studies for each."""
POPULATIONS: tuple[tuple[int, int, float, float, Kind], ...] = (
    (250, 10, 0.10, 0.05, "threshold"), (250, 10, 0.10, 0.05, "whole"), (250, 1, 0.10, 0.0, "whole"),
    (120, 4, 0.20, 0.30, "threshold"), (60, 5, 0.10, 0.20, "threshold"), (50, 10, 0.20, 0.30, "threshold"),
    (20, 17, 0.20, 0.05, "threshold"),
)  # fmt: skip
"""Items, languages, psi, rho, and how changes go together."""
OTHERS = (0, 11)
"""Other plans of a board, without a difference, for which q adjusts."""


def simulate(studies: int) -> Iterator[Row]:
    """How many new studies find what a study says that four in five would.

    Args:
        studies: that say which difference they could detect, for each population.
    """
    for items, languages, psi, rho, kind in POPULATIONS:
        for others in OTHERS:
            limit = largest_p(np.linspace(0.3, 1.0, others).tolist())
            found = []
            for pilot in range(studies):
                rng = np.random.default_rng([items, languages, others, pilot])
                studied = answers(changes(rng, (1, items, languages), psi, 0.0, rho, kind)[0], rng)
                least = detectable(
                    StudiedItems.of(studied), limit=limit, confidence=CONFIDENCE, studies=SIMULATED, seed=pilot
                )
                if least is None or least > psi:
                    continue
                # To three decimals, so that few latent correlations are computed.
                change_SNV = changes(rng, (NEW, items, languages), psi, min(round(least, 3), psi), rho, kind)
                rule = of_one_language if languages == 1 else of_a_group
                low_S, _, p_S = rule(change_SNV.mean(axis=2), CONFIDENCE)
                found.append(float(((low_S > 0) & (p_S <= limit)).mean()))
            population = f"{languages} languages, psi {psi:g}, rho {rho:g} ({kind}), {others} other plans"
            if found:
                yield Row("power", "power", population, items, SAID, float(np.mean(found)), len(found))
