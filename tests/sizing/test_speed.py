import pytest

from polyroute.sizing import speed
from polyroute.sizing.shape import SizingError, table
from polyroute.sizing.weights import cache_bytes, weights


def test_the_arithmetic_meets_every_measured_speed_within_a_factor() -> None:
    found = speed.check()
    assert len(found) == 6
    assert max(one.factor for one in found if one.what == "reading") < 1.12
    assert max(one.factor for one in found if one.what == "writing") < 1.48


@pytest.mark.parametrize(("what", "name"), [("reading", "EFFICIENCY"), ("writing", "OVERHEAD")])
def test_each_constant_is_the_best_for_its_three_measurements(monkeypatch, what, name) -> None:
    def worst() -> float:
        return max(one.factor for one in speed.check() if one.what == what)

    best, value = worst(), getattr(speed, name)
    for other in (0.97, 1.03):
        monkeypatch.setattr(speed, name, value * other)
        assert worst() > best


def test_a_token_costs_two_operations_a_weight_and_what_it_attends_to() -> None:
    shape = table()["olmoe-1b-7b"]
    assert speed.flops(shape, 0, head=False) == 2 * weights(shape).backbone_active
    assert speed.flops(shape, 0, head=True) == 2 * (weights(shape).backbone_active + 2048 * 50304)
    assert speed.flops(shape, 10, head=False) - speed.flops(shape, 0, head=False) == 4 * 16 * 16 * 128 * 10


def test_one_text_reads_its_own_experts_and_very_many_read_all() -> None:
    shape, on = table()["olmoe-1b-7b"], speed.device("h200")
    counted = weights(shape)
    one, many = (speed.writing(shape, on, "bfloat16", rows, 0) for rows in (1, 10_000))
    # the embedding is looked up, the output multiplied: once each, so one token reads what is active less the embedding
    assert one.bytes_read == pytest.approx(2 * (counted.active - counted.embedding))
    assert many.bytes_read == pytest.approx(2 * (counted.total - counted.embedding))
    longer = (
        speed.writing(shape, on, "bfloat16", 10, 100).bytes_read
        - speed.writing(shape, on, "bfloat16", 10, 0).bytes_read
    )
    assert longer == pytest.approx(10 * 100 * cache_bytes(shape, "bfloat16"))


def test_a_step_is_the_sum_of_its_parts() -> None:
    step = speed.Step(rows=8, overhead=0.1, memory=0.2, work=0.1, bytes_read=0)
    assert step.seconds == pytest.approx(0.4)
    assert step.tokens == pytest.approx(20)


def test_float32_is_slower_where_the_device_says_so() -> None:
    shape, on = table()["olmoe-1b-7b"], speed.device("a100")
    assert speed.reading(shape, on, "bfloat16") / speed.reading(shape, on, "float32") == pytest.approx(16)


@pytest.mark.parametrize(
    ("driver", "title"),
    [
        ("NVIDIA H200", "H200"),
        ("NVIDIA H100 80GB HBM3", "H100 80 GB"),
        ("NVIDIA A100-SXM4-80GB", "A100 80 GB"),
        ("NVIDIA GeForce RTX 4090", "RTX 4090 24 GB"),
        ("NVIDIA GeForce RTX 3090", None),
        ("cpu", None),
    ],
)
def test_a_gpu_is_known_by_the_name_that_its_driver_gives_it(driver: str, title: str | None) -> None:
    found = speed.of_gpu(driver)
    assert (found and found.title) == title


def test_an_unknown_device_is_named_with_those_there_are() -> None:
    with pytest.raises(SizingError, match="there is no device `b200`; there are h200, h100"):
        speed.device("b200")
