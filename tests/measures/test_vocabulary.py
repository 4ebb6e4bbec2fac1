import pytest

from polyroute.measures.vocabulary import token_shares, vocabulary_distance


def test_shares_add_up_to_1() -> None:
    assert token_shares({7: 3, 2: 1}) == {7: 0.75, 2: 0.25}


def test_distance_by_hand() -> None:
    one, other, stranger = {5: 0.5, 7: 0.5}, {5: 0.25, 7: 0.5, 9: 0.25}, {1: 1.0}
    # Overlap of the first two: 0.25 of type 5 and 0.5 of type 7.
    assert vocabulary_distance([one, other, stranger]) == pytest.approx([0.25, 1, 1])
    assert vocabulary_distance([one, dict(reversed(one.items()))]).tolist() == [0]
