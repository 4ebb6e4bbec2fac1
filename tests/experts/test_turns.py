"""Task experts or experts of the assistant's turn: statistics by hand, and planted worlds of either kind."""

import numpy as np
import pytest

from experts.made import make_trace
from polyroute.experts.specialised import ExpertsError
from polyroute.experts.turn_cells import CELLS, cells_of
from polyroute.experts.turns import (
    Differences,
    decide,
    largest_by_layer,
    null_of_turn_share,
    of_every_task,
    part,
    statistics,
)
from polyroute.measures.specialisation import SpecialisationError
from polyroute.results.turns import Part, TurnNull

TAU = 0.3
PLANTED = 6
"""Task experts of each layer, the first of 24."""


def planted(turn: float, task: float, *, items: int = 40, seed: int = 0, base: float = 0.1) -> Differences:
    """Task experts that are chosen more often by turn and by task, with a little noise a sequence."""
    rng = np.random.default_rng(seed)
    by_turn = {"passage_assistant", "item_both", "item_assistant", "solution_assistant"}
    frequency = {}
    for cell, (text, _, _) in CELLS.items():
        values_NLE = base + 0.02 * rng.normal(size=(items, 2, 24))
        values_NLE[:, :, :PLANTED] += turn * (cell in by_turn) + task * (text == "item")
        frequency[cell] = values_NLE
    return Differences.of_frequencies(frequency, (3, 4), items="sums", resamples=99, confidence=0.95, seed=1)


def by_hand(**delta) -> dict[str, np.ndarray]:
    return {name: np.array([values]) for name, values in delta.items()}


DELTA = by_hand(
    published=[0.5, 0.4, 0.6, 0.1], turn=[0.4, 0.1, 0.0, 0.9], task_user=[0.1, 0.4, 0.5, 0.0],
    task_assistant=[0.2, 0.2, 0.7, 0.0], solution=[0.4, 0.4, 0.4, 0.4],
)  # fmt: skip


def test_shares_and_ratios_by_hand() -> None:
    # Published: the first three, .5 + .4 + .6 = 1.5. By turn the first alone; in either turn the third alone.
    found = statistics(DELTA, TAU)
    assert found["turn_share"] == pytest.approx(1 / 3)
    assert found["task_share"] == pytest.approx(1 / 3)
    assert found["r_turn"] == pytest.approx((0.4 + 0.1 + 0.0) / 1.5)
    assert found["r_task"] == pytest.approx((0.15 + 0.3 + 0.6) / 1.5)
    assert found["interaction"] == pytest.approx(1 - 0.5 / 1.5 - 1.05 / 1.5)


def test_resamples_are_computed_as_one_is() -> None:
    rng = np.random.default_rng(0)
    draws = {name: rng.uniform(-1, 1, size=(5, 2, 7)) for name in DELTA}
    together = statistics(draws, TAU)
    for number in range(5):
        alone = statistics({name: values[number] for name, values in draws.items()}, TAU)
        for name, value in alone.items():
            assert together[name][number] == pytest.approx(float(value), nan_ok=True)


def test_where_turn_and_task_add_up_there_is_no_interaction() -> None:
    found = planted(0.25, 0.5).estimates(TAU, 0.95)
    assert found["r_turn"].value == pytest.approx(1 / 3, abs=0.02)
    assert found["r_task"].value == pytest.approx(2 / 3, abs=0.02)
    assert found["interaction"].value == pytest.approx(0, abs=0.02)


def test_no_expert_above_tau_is_unknown_and_not_zero() -> None:
    found = planted(0.0, 0.1)
    estimates = found.estimates(TAU, 0.95)
    assert estimates["turn_share"] == Part(value=None, low=None, high=None)
    assert null_of_turn_share(found, TAU, sets=9, seed=0) is None
    assert decide(estimates["turn_share"], estimates["r_task"], None) is None


def test_a_world_where_the_rival_holds_and_one_where_it_is_rejected() -> None:
    for turn, task, expected in ((0.5, 0.05, "holds"), (0.02, 0.5, "rejected"), (0.45, 0.45, "holds")):
        found = planted(turn, task)
        null = null_of_turn_share(found, TAU, sets=99, seed=0)
        assert null is not None
        estimates = found.estimates(TAU, 0.95)
        assert decide(estimates["turn_share"], estimates["r_task"], null) == expected, (turn, task)
        # No other expert is of the turn: random sets hold none.
        assert (null.mean, null.high) == (0, 0)
        assert null.p == (0.01 if turn > TAU else 1)


def test_turn_experts_that_are_as_common_among_matched_experts_are_no_rival() -> None:
    rng = np.random.default_rng(0)
    frequency = {cell: 0.1 + 0.01 * rng.normal(size=(30, 2, 24)) for cell in CELLS}
    for cell in ("item_both", "item_user", "item_assistant", "solution_assistant"):
        frequency[cell][:, :, :4] += 0.5
    for cell in ("passage_assistant", "item_assistant", "solution_assistant"):
        frequency[cell][:, :, ::2] += 0.4  # every other expert, of the task or not
    found = Differences.of_frequencies(frequency, (0, 1), items="x", resamples=99, confidence=0.95, seed=0)
    estimates, null = found.estimates(TAU, 0.95), null_of_turn_share(found, TAU, sets=199, seed=0)
    assert estimates["turn_share"].value == 0.5
    # Half of the other experts of a layer are of the turn, so half of a random set is.
    assert null is not None
    assert null.mean == pytest.approx(0.5, abs=0.05)
    assert null.high > 0.5
    assert decide(estimates["turn_share"], estimates["r_task"], null) == "open"


def some(value, low, high) -> Part:
    return Part(value=value, low=low, high=high)


@pytest.mark.parametrize(
    ("turn", "task", "high", "equivalent", "expected"),
    [
        (some(0.5, 0.31, 0.7), some(0.5, 0.4, 0.6), 0.3, None, "holds"),
        (some(0.49, 0.31, 0.7), some(0.5, 0.4, 0.6), 0.3, None, "open"),
        (some(0.5, 0.3, 0.7), some(0.5, 0.4, 0.6), 0.3, None, "open"),  # not above the null
        (some(0.1, 0.0, 0.19), some(0.9, 0.7, 1.0), 0.3, None, "rejected"),
        (some(0.1, 0.0, 0.2), some(0.9, 0.7, 1.0), 0.3, None, "open"),
        (some(0.1, 0.0, 0.19), some(0.9, 0.69, 1.0), 0.3, None, "open"),
        (some(0.1, 0.0, 0.19), some(0.9, 0.7, 1.0), 0.3, True, "holds"),  # it steers as well
        (some(0.1, 0.0, 0.19), some(0.9, 0.7, 1.0), 0.3, False, "rejected"),
    ],
)
def test_the_decision_is_the_one_that_was_written_down(turn, task, high, equivalent, expected) -> None:
    null = TurnNull(sets=999, mean=0.1, high=high, p=0.5, unmatched=[])
    assert decide(turn, task, null, equivalent=equivalent) == expected


def test_without_a_null_the_share_alone_cannot_bear_the_rival_out() -> None:
    assert decide(some(0.9, 0.8, 1.0), some(0.1, 0.0, 0.2), None) == "open"


def test_the_solution_alone_takes_the_place_of_question_and_solution() -> None:
    found = planted(0.0, 0.5)
    found.delta["solution"][:] = 0.0
    alone = found.solution_alone()
    assert found.estimates(TAU, 0.95)["task_share"].value == 1
    assert alone.estimates(TAU, 0.95)["task_share"].value == 0
    assert alone.estimates(TAU, 0.95)["turn_share"] == found.estimates(TAU, 0.95)["turn_share"]


def test_experts_of_every_task() -> None:
    maths, medicine = planted(0.5, 0.1), planted(0.5, 0.2, seed=5)
    assert of_every_task([(maths, TAU), (medicine, TAU)], 0.95) == (12, 12, some(1.0, 1.0, 1.0))
    # At a higher tau of one of them fewer are of the turn.
    assert of_every_task([(maths, TAU), (planted(0.2, 0.5), TAU)], 0.95) == (12, 0, some(0.0, 0.0, 0.0))
    assert of_every_task([(maths, TAU), (planted(0, 0), TAU)], 0.95) == (0, 0, some(None, None, None))


def test_percentile_bounds_leave_out_resamples_without_an_expert() -> None:
    drawn = np.array([np.nan, 0.0, 0.5, 1.0])
    assert part(0.5, drawn, 0.5) == some(0.5, 0.25, 0.75)
    assert part(0.5, np.full(4, np.nan), 0.5) == some(0.5, None, None)


def test_as_many_experts_of_each_layer_by_rank() -> None:
    delta = np.array([[0.1, 0.5, 0.4, 0.5], [0.0, -0.2, 0.3, 0.2]])
    assert largest_by_layer(delta, (7, 9), {7: 2, 9: 1}) == {7: (1, 3), 9: (2,)}
    assert largest_by_layer(delta, (7, 9), {9: 3, 7: 0}) == {9: (0, 2, 3)}
    with pytest.raises(ExpertsError, match=r"layer 8 is not among layers \[7, 9\]"):
        largest_by_layer(delta, (7, 9), {8: 1})


def traces(counted: str = "rendered") -> dict:
    rng = np.random.default_rng(3)
    made = {}
    for text, items in (("passage", 4), ("item", 3)):
        for cell in cells_of(text):
            counts_NLE = rng.integers(0, 6, size=(items, 3, 8))
            made[cell] = make_trace(counts_NLE, np.full(items, 6), corpus=text, settings={"counted": counted})
    return made


def test_traces_of_all_cells_give_every_difference() -> None:
    made = traces()
    found = Differences.of(made, items="sums", resamples=19, confidence=0.95, seed=0, layers=(1, 2))
    assert found.layers == (1, 2)
    means = {cell: (one.topk_count / 6).mean(axis=0)[1:] for cell, one in made.items()}
    assert found.delta["turn"] == pytest.approx(means["passage_assistant"] - means["passage_user"], abs=5e-5)
    assert found.delta["solution"] == pytest.approx(means["solution_assistant"] - means["passage_assistant"], abs=5e-5)
    assert found.draws["published"].shape == (19, 2, 8)
    again = Differences.of(made, items="sums", resamples=19, confidence=0.95, seed=0, layers=(1, 2))
    assert (found.draws["published"] == again.draws["published"]).all()
    other = Differences.of(made, items="cures", resamples=19, confidence=0.95, seed=0, layers=(1, 2))
    assert (found.draws["turn"] == other.draws["turn"]).all()  # the same passages
    assert (found.draws["published"] != other.draws["published"]).any()


def test_cells_that_were_traced_otherwise_are_refused() -> None:
    made = traces() | {"item_user": traces("content")["item_user"]}
    with pytest.raises(SpecialisationError, match=r"has settings \{'counted': 'content'\}"):
        Differences.of(made, items="sums", resamples=19, confidence=0.95, seed=0, layers=(0, 2))
    made = traces()
    made["item_user"] = made["item_user"].select(np.array([0, 1]))
    with pytest.raises(SpecialisationError, match="does not hold the sequences of"):
        Differences.of(made, items="sums", resamples=19, confidence=0.95, seed=0, layers=(0, 2))
    with pytest.raises(ExpertsError, match="hold none of 0 to 2"):
        Differences.of(traces(), items="sums", resamples=19, confidence=0.95, seed=0, layers=(5, 9))
