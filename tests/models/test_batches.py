from polyroute.models.batches import plan_batches


def test_every_sequence_once_longest_first_within_budget() -> None:
    lengths = [3, 9, 4, 4, 20, 1]
    batches = plan_batches(lengths, budget=12)
    assert sorted(i for batch in batches for i in batch) == list(range(6))
    assert batches[0] == [4]  # longer than the budget: by itself
    assert all(len(batch) * max(lengths[i] for i in batch) <= 12 for batch in batches[1:])
    assert batches == plan_batches(lengths, budget=12)


def test_like_lengths_share_a_batch() -> None:
    assert plan_batches([5, 1, 5, 1], budget=10) == [[0, 2], [1, 3]]
