import pytest

from polyroute.experts.released_settings import kept, ranges


@pytest.mark.parametrize("k", [1, 15, 20, 32, 128])
def test_a_layer_of_128_keeps_what_is_said(k) -> None:
    assert kept(k, 128) == k


@pytest.mark.parametrize(
    ("k", "experts", "expected"),
    [
        (15, 32, 4), (20, 32, 5), (32, 32, 8),  # 3.75, 5, 8
        (15, 16, 2), (32, 16, 4),  # 1.875, 4
        (15, 256, 30), (128, 16, 16),
        (15, 8, 1), (15, 4, 1), (1, 8, 1), (1, 2, 1),  # 0.94, 0.47, 0.06, 0.02: one at least
    ],
)  # fmt: skip
def test_another_layer_keeps_the_same_share(k, experts, expected) -> None:
    assert kept(k, experts) == expected


@pytest.mark.parametrize(
    ("layers", "width", "expected"),
    [
        (48, 5, [(0, 4), (22, 26), (43, 47)]),
        (48, 10, [(0, 9), (19, 28), (38, 47)]),
        (48, 48, [(0, 47), (0, 47), (0, 47)]),
        (24, 5, [(0, 1), (11, 12), (22, 23)]),
        (8, 5, [(0, 0), (4, 4), (7, 7)]),
        (3, 5, [(0, 0), (1, 1), (2, 2)]),
        (2, 5, [(0, 0), (1, 1), (1, 1)]),
        (1, 5, [(0, 0), (0, 0), (0, 0)]),
    ],
)
def test_ranges_lie_at_the_start_the_centre_and_the_end(layers, width, expected) -> None:
    found = ranges(range(layers), width)
    assert [found.early, found.middle, found.late] == expected


def test_ranges_name_layers_as_the_model_does() -> None:
    found = ranges(range(3, 11), 5)  # the first three have no router
    assert (found.early, found.middle, found.late) == ((3, 3), (7, 7), (10, 10))
    found = ranges([1, 3, 5, 7, 9, 11], 20)  # every other layer has one
    assert (found.early, found.middle, found.late) == ((1, 3), (5, 7), (9, 11))
