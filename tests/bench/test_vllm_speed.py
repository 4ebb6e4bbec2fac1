import pytest
from bench.vllm_speed import of_median


@pytest.mark.parametrize(
    ("pairs", "ranks"),
    # of 20 fair coins at most 5 fall one way with p .021, at most 6 with .058; of 5 none with .031
    [(20, (6, 15)), (10, (2, 9)), (5, (1, 5)), (1, (1, 1))],
)
def test_the_median_lies_between_ranks_of_the_sign_test(pairs: int, ranks: tuple[int, int]) -> None:
    shuffled = [float(pairs + 1 - pair) for pair in range(1, pairs + 1)]
    assert of_median(shuffled) == tuple(map(float, ranks))


def test_one_pair_that_was_disturbed_moves_no_bound() -> None:
    calm = [1 + pair / 1000 for pair in range(20)]
    assert of_median([*calm[:-1], 50.0]) == of_median(calm)
