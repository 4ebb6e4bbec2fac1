import itertools

import numpy as np
import pytest
from scipy.cluster import hierarchy
from scipy.spatial.distance import pdist, squareform

from polyroute.measures import families
from polyroute.measures.families import (
    agreement,
    cut,
    label_distance,
    label_values,
    resampled_joins,
    sensitivity,
    tree,
)

TEST = {"shuffles": 400, "confidence": 0.9, "seed": 2}
PLACES = np.array([[0.0], [0.1], [0.2], [5.0], [5.1], [5.3], [9.0], [9.2]])
FAMILIES = ["a", "a", "a", "b", "b", "b", "c", "c"]


def plain_average_linkage(matrix) -> set[frozenset]:
    """Every cluster that joining the nearest by mean distance makes."""
    clusters, made = [frozenset([i]) for i in range(len(matrix))], set()
    while len(clusters) > 1:
        nearest = min(
            itertools.combinations(clusters, 2), key=lambda two: np.mean([matrix[i, j] for i in two[0] for j in two[1]])
        )
        clusters = [one for one in clusters if one not in nearest] + [nearest[0] | nearest[1]]
        made.add(clusters[-1])
    return made


def test_the_tree_joins_the_nearest_by_mean_distance() -> None:
    distance_P = pdist(np.random.default_rng(0).normal(size=(9, 3)))
    found = tree(distance_P)
    leaves = [frozenset([i]) for i in range(9)]
    for a, b, _, _ in found.joins:
        leaves.append(leaves[int(a)] | leaves[int(b)])
    assert set(leaves[9:]) == plain_average_linkage(squareform(distance_P))
    assert found.cophenetic == pytest.approx(np.corrcoef(distance_P, found.heights_P)[0, 1], abs=5e-5)


def test_a_tree_that_follows_families_is_found_to() -> None:
    distance_P = pdist(PLACES)
    draws_RP = np.stack([pdist(PLACES + noise) for noise in np.random.default_rng(1).normal(0, 0.05, size=(30, 8, 1))])
    found = agreement(tree(distance_P), resampled_joins(draws_RP), FAMILIES, **TEST)
    assert (found["groups"], found["clusters"]) == (3, 3)
    assert (found["rand"], found["low"], found["high"]) == (1, 1, 1)
    assert found["p"] < 0.02
    assert found["cophenetic"] > 0.7
    assert found["cophenetic_p"] < 0.02
    assert "note" not in found


def test_p_is_the_share_of_relabellings_that_agree_as_well() -> None:
    values = ["a", "a", "b", "b", "b"]
    joins = hierarchy.linkage(pdist(np.array([[0.0], [0.1], [5.0], [5.1], [5.3]])), "average")
    exact = np.mean([families.rand_index(joins, order) >= 1 for order in itertools.permutations(values)])
    assert exact == 0.1
    found = agreement(tree(pdist(np.array([[0.0], [0.1], [5.0], [5.1], [5.3]]))), None, values, **TEST)
    assert found["p"] == pytest.approx(exact, abs=0.05)
    assert found["low"] is found["high"] is None


def test_labels_at_random_are_not_found() -> None:
    rng = np.random.default_rng(4)
    trees = (tree(pdist(rng.normal(size=(10, 3)))) for _ in range(60))
    p = [agreement(found, None, list("aaaabbbccc"), **TEST | {"shuffles": 99})["p"] for found in trees]
    assert np.mean(np.array(p) <= 0.1) < 0.25
    assert np.mean(p) > 0.35


@pytest.mark.parametrize(
    ("places", "values", "reason"),
    [
        (PLACES, ["a"] * 8, "all languages are a: there are no groups"),
        (PLACES, list("abcdefgh"), "every language is a group of its own"),
        (np.zeros((8, 1)), FAMILIES, "the tree joins all languages at one height"),
        (PLACES[:2], ["a", "b"], "every language is a group of its own"),
        (PLACES[:2], ["a", "a"], "all languages are a"),
    ],
)
def test_labels_that_say_nothing_say_why(places, values, reason) -> None:
    found = agreement(tree(pdist(places)), resampled_joins(pdist(places)[None]), values, **TEST)
    assert reason in found["note"]
    assert found["rand"] is found["p"] is found["cophenetic"] is None
    if len(places) == 2 or not np.ptp(places):
        assert tree(pdist(places)).cophenetic is None


def test_a_tie_is_no_ground_to_part_languages() -> None:
    joins = hierarchy.linkage(pdist(np.eye(4)), "average")
    assert cut(joins, 3).tolist() == [1, 1, 1, 1]


def test_another_measure_is_set_beside_the_headline() -> None:
    headline = pdist(PLACES)
    found = sensitivity(headline, 2 * headline, {"family": FAMILIES, "script": ["x"] * 8})
    assert found == {"correlation": 1.0, "rand": {"family": 1.0, "script": None}}
    assert sensitivity(headline, np.zeros_like(headline), {})["correlation"] is None


def test_labels_come_from_the_table_of_languages() -> None:
    found = label_values(["deu_Latn", "nld_Latn", "rus_Cyrl"])
    assert found["family"] == ["Indo-European"] * 3
    assert found["branch"] == ["Germanic", "Germanic", "Slavic"]
    assert found["region"][0] == "Western Europe"
    assert label_distance(found["branch"]).tolist() == [0, 1, 1]
