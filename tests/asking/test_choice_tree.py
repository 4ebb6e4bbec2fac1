"""Choices as one text: which beginnings there are, and what each of them sees."""

import torch

from polyroute.asking.choice_tree import pack, tree_of

CHOICES = [[5, 6, 7], [5, 6, 8, 9], [5], [4, 6]]


def test_a_beginning_that_choices_share_stands_once() -> None:
    tree = tree_of(CHOICES)
    # 5, 5 6, 5 6 8 and 4: the last tokens of choices need not be read.
    assert tree.tokens == (5, 6, 8, 4)
    assert tree.parents == (None, 0, 1, None)
    assert tree.depths == (0, 1, 2, 0)
    assert tree.nodes == ((0, 1), (0, 1, 2), (), (3,))


def test_choices_of_one_token_need_no_tree() -> None:
    assert tree_of([[1], [2]]).tokens == ()


def test_a_node_sees_its_prompt_and_its_own_beginning() -> None:
    real_BP = torch.tensor([[0, 1, 1], [1, 1, 1]]).bool()
    packed = pack([tree_of(CHOICES), tree_of([[1, 2], [1, 3], [1], [1]])], real_BP, 4, torch.float32)
    assert packed.ids_BQ.tolist() == [[5, 6, 8, 4], [1, 0, 0, 0]]
    assert packed.real_BQ.tolist() == [[True] * 4, [True, False, False, False]]
    assert packed.positions_BQ.tolist() == [[2, 3, 4, 2], [3, 3, 3, 3]]
    assert (packed.mask_B1QS[:, 0] == 0).int().tolist() == [
        [[0, 1, 1, 1, 0, 0, 0], [0, 1, 1, 1, 1, 0, 0], [0, 1, 1, 1, 1, 1, 0], [0, 1, 1, 0, 0, 0, 1]],
        [[1, 1, 1, 1, 0, 0, 0], [1, 1, 1, 0, 1, 0, 0], [1, 1, 1, 0, 0, 1, 0], [1, 1, 1, 0, 0, 0, 1]],
    ]
    assert packed.node_BKW.tolist() == [
        [[0, 1, 0], [0, 1, 2], [0, 0, 0], [3, 0, 0]],
        [[0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]],
    ]
