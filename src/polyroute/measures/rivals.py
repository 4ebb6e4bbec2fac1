"""Rival explanations of routing distances between languages: family, script, tokens per sentence, vocabulary.

Languages of one family often share a script, words and therefore tokens, and a tokenizer cuts them into pieces of like
size. So each rival is a matrix of distances of its own, and its correlation with the routing distances is given alone
(Mantel) and with all other rivals held fixed (MRQAP with double semi-partialling; see `stats.mantel`):

    family, script  0 where two languages share it, else 1
    fertility       |ln(t_a / t_b)|, t the mean tokens of a sentence
    vocabulary      1 - overlap of tokens (`measures.vocabulary`)

Unit of permutation: the language. p is one-sided: more distant in the rival, more distant in routing. It is not
adjusted for the number of rivals and zones. It is too small where both distances follow families, since languages of
two families are then no exchange for one another; beside it stands p by permutation within families, which says
whether a rival goes with routing among relatives. `family` itself has none: relatives share it. Arxiv 2605.29714 found
a rho of .72 with fertility on Indian languages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import distance

from polyroute.artifacts.trace import Trace
from polyroute.measures.families import label_distance, label_values
from polyroute.results.quantities import rounded
from polyroute.stats.mantel import matrix_correlation
from polyroute.stats.signs import FEWEST


def fertility_distance(traces: Sequence[Trace]) -> NDArray[np.float64]:
    """|ln| of the ratio of tokens of all pairs of languages, over the same sentences.

    Args:
        traces: one a language; of counts recorded elsewhere, whose sentences are not known but are as many in every
            language of a parallel corpus, totals have the same ratio.

    Returns:
        (P), condensed as scipy does.
    """
    log_V1 = np.log([[trace.tokens.sum()] for trace in traces])
    return np.asarray(distance.pdist(log_V1, "cityblock"), dtype=np.float64)


def rival_distances(
    traces: Sequence[Trace], vocabulary_P: NDArray[np.float64] | None
) -> dict[str, NDArray[np.float64] | None]:
    """Every rival's distances: rival -> (P), or None where it is not known.

    Args:
        traces: one a language.
        vocabulary_P: from `vocabulary_distance`; None where the text is not at hand.
    """
    labels = label_values([trace.header.language for trace in traces])
    return {
        "family": label_distance(labels["family"]),
        "script": label_distance(labels["script"]),
        "fertility": fertility_distance(traces),
        "vocabulary": vocabulary_P,
    }


def explain(
    routing_P: NDArray[np.float64], rivals: Mapping[str, NDArray[np.float64] | None], *, families: Sequence[str],
    shuffles: int, seed: int,
) -> dict[str, dict[str, Any]]:  # fmt: skip
    """Correlate routing distances with each rival, alone and given the others.

    Args:
        routing_P: routing distances of all pairs of V languages.
        rivals: from `rival_distances`.
        families: of each language.
        shuffles: permutations of languages.
        seed: of the permutations.

    Returns:
        Rival -> `mantel` and its `p` and `within_families_p` (null of `family`, and where families leave too few orders
        of languages), `partial` and `partial_p`, `controlled_for` (the rivals held fixed); null with a
        `note` where a rival is not known, does not vary, or is fully explained by the others, or where there are fewer
        than `FEWEST` languages.
    """
    varying = {name: values_P for name, values_P in rivals.items() if values_P is not None and np.ptp(values_P) > 0}
    languages = distance.num_obs_y(routing_P)
    found = {}
    for name, rival_P in rivals.items():
        others = [other for other in varying if other != name]
        row: dict[str, Any] = dict.fromkeys(("mantel", "p", "within_families_p", "partial", "partial_p"))
        found[name] = row | {"controlled_for": others}
        if languages < FEWEST:
            found[name]["note"] = f"a permutation test needs at least {FEWEST} languages; there are {languages}"
        elif rival_P is None:
            found[name]["note"] = "not known: the text of the corpus is not at hand"
        elif name not in varying:
            found[name]["note"] = "the same for every pair of languages: it explains no difference"
        elif np.ptp(routing_P) == 0:
            found[name]["note"] = "routing distances are the same for every pair of languages"
        else:
            alone = matrix_correlation(routing_P, rival_P, shuffles=shuffles, seed=seed)
            left = matrix_correlation(
                routing_P, rival_P, [varying[other] for other in others], shuffles=shuffles, seed=seed
            )
            found[name] |= {"mantel": rounded(alone.r), "p": rounded(alone.p)}
            if name != "family":
                within = matrix_correlation(routing_P, rival_P, shuffles=shuffles, seed=seed, within=families)
                found[name]["within_families_p"] = None if np.isnan(within.p) else rounded(within.p)
            if np.isnan(left.r):
                found[name]["note"] = f"nothing of it, or of routing, is left given {', '.join(others)}"
            else:
                found[name] |= {"partial": rounded(left.r), "partial_p": rounded(left.p)}
    return found
