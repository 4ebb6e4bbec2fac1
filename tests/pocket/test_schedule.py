import pytest

from polyroute.pocket import schedule


def test_learning_rate(recipe) -> None:
    rates = [schedule.learning_rate(recipe, step) for step in range(24)]
    assert rates[:3] == pytest.approx([0.01 / 3, 0.02 / 3, 0.01])
    assert rates[12] == pytest.approx(0.01)
    assert rates == sorted(rates[:3]) + sorted(rates[3:], reverse=True)
    assert rates[23] == pytest.approx(0.01 * (1 - 0.9 * 11 / 12))


def test_a_last_step_is_whole(recipe) -> None:
    steps = {tokens: schedule.steps(recipe.model_copy(update={"tokens": tokens})) for tokens in (0, 1, 256, 257)}
    assert steps == {0: 0, 1: 1, 256: 1, 257: 2}
    assert schedule.tokens(recipe, 2) == 2 * 8 * 32
