import pytest
import torch

from polyroute.measures.consistency import routing_consistency


def test_by_hand() -> None:
    ids_TK = torch.tensor([[0, 1], [1, 2], [0, 1]])
    # {0,1}|{1,2}: 1/3, {0,1}|{0,1}: 1, {1,2}|{0,1}: 1/3
    assert routing_consistency(ids_TK, torch.tensor([[0, 1], [0, 2], [1, 2]])) == pytest.approx(5 / 9)


def test_limits() -> None:
    pairs_P2 = torch.tensor([[0, 1]])
    assert routing_consistency(torch.tensor([[3, 1], [1, 3]]), pairs_P2) == 1
    assert routing_consistency(torch.tensor([[0, 1], [2, 3]]), pairs_P2) == 0
    assert torch.isnan(routing_consistency(torch.tensor([[0, 1]]), torch.zeros(0, 2, dtype=torch.long)))
