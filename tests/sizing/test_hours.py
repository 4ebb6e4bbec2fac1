from dataclasses import replace

import pytest

from polyroute.sizing import speed
from polyroute.sizing.hours import LOADING, Machines, estimate
from polyroute.sizing.memory import CUDA, TRACED, Memory, disk, gpus_needed, memory, share
from polyroute.sizing.shape import SizingError, table
from polyroute.sizing.weights import cache_bytes, weights
from polyroute.sizing.workload import Job, Workload

JOBS = (
    Job("trace", "text", 10, 2, (1, 1), 30),
    Job("evaluate", "sums", 100, 2, (1, 1), 50, written=20, cut=50),
    Job("steer", "sums", 100, 2, (3, 6), 50, written=20, cut=50),
)
WORK = Workload("mine", ("eng_Latn", "deu_Latn"), "bfloat16", 1000, 20, JOBS, draws=19, most_weights=10**9, assumed=())


def at(name: str = "olmoe-1b-7b", device: str = "h100", gpus: int = 1, nodes: int = 1, **speeds):
    return estimate(name, table()[name], WORK, Machines(speed.device(device), gpus, nodes), "bfloat16", **speeds)


def constant(seconds: float):
    return lambda rows, _length: speed.Step(rows, seconds, 0, 0, 0)


def test_hours_by_hand() -> None:
    found = at(reading=lambda _length: 100.0, writing=constant(0.5))
    trace, evaluate, steer = found.stages
    loaded = 2 * weights(table()["olmoe-1b-7b"]).total / LOADING
    assert trace.hours[0] == pytest.approx((10 * 2 * 30 / 100 + loaded) / 3600)
    # 1000 / (50 + 50) = 10 texts beside one another: 20 tokens a second
    written = 100 * 2 * 20
    assert evaluate.written == (written, written)
    assert evaluate.hours[1] == pytest.approx((100 * 2 * 50 / 100 + written / 20 + loaded) / 3600)
    assert steer.hours[1] * 3600 - loaded == pytest.approx(2 * (steer.hours[0] * 3600 - loaded))
    assert found.hours[0] == pytest.approx(sum(stage.hours[0] for stage in found.stages))


def test_two_copies_take_half_the_time_beside_loading() -> None:
    one, two = at(), at(gpus=2)
    assert (one.copies, two.copies) == (1, 2)
    loaded = 2 * one.weights.total / LOADING
    assert two.stages[1].hours[0] * 3600 - loaded == pytest.approx((one.stages[1].hours[0] * 3600 - loaded) / 2)


@pytest.mark.parametrize(
    ("name", "device", "gpus", "nodes", "needed", "copies"),
    [
        ("qwen3-30b-a3b", "h100", 1, 1, 1, 1),
        ("phi35-moe", "h100", 1, 1, 2, 0),
        ("phi35-moe", "h200", 1, 1, 1, 1),
        ("gpt-oss-120b", "h100", 8, 1, 4, 2),
        # 480 billion weights: 13 GPUs of 80 GB, so one model over two nodes of 8
        ("qwen3-coder-480b", "h100", 8, 2, 13, 1),
        # and on each of two nodes of 8 with 141 GB
        ("qwen3-coder-480b", "h200", 8, 2, 8, 2),
    ],
)
def test_models_are_divided_among_as_many_gpus_as_they_need(name, device, gpus, nodes, needed, copies) -> None:
    found = at(name, device, gpus, nodes)
    assert (found.gpus, found.copies) == (needed, copies)


def test_memory_by_hand() -> None:
    shape = table()["granite31-1b"]
    found = memory(shape, "bfloat16", 1000)
    assert found.weights == 2 * weights(shape).total
    assert found.cache == 1000 * cache_bytes(shape, "bfloat16")
    # 6 x 1024 + (16 + 2 x 8) x 64 + 8 x (3 x 512 + 1024) = 28,672 numbers of 2 bytes, and 32 logits of 4
    assert found.activations == 1000 * (2 * 28_672 + 4 * 32)
    assert found.total == found.weights + found.cache + found.activations + CUDA


def test_gpus_are_counted_with_what_cuda_takes_of_each() -> None:
    on = speed.device("rtx4090")
    room = 24e9 * 0.95 - CUDA
    assert gpus_needed(Memory(room, 0, 0), on) == 1
    assert gpus_needed(Memory(room + 1, 0, 0), on) == 2


def test_a_batch_is_halved_until_it_fits() -> None:
    on = speed.device("rtx4090")
    room = 24e9 * 0.95 - CUDA
    # A quarter of the batch has room beside the weights, a half has not.
    tight = Memory(room - 3e9, 6e9, 6e9)
    assert gpus_needed(tight, on) == 1
    assert share(tight, on, 1) == 0.25
    assert share(tight, on, 2) == 1
    assert gpus_needed(Memory(room - 1e9, 6e9, 6e9), on) == 2


def test_olmoe_fits_into_24_gb_with_smaller_batches() -> None:
    work = replace(WORK, batch_tokens=32768)
    found = estimate("it", table()["olmoe-1b-7b"], work, Machines(speed.device("rtx4090")), "bfloat16")
    assert (found.copies, found.batch_tokens) == (1, 16384)


def test_traces_are_as_large_as_those_that_were_written() -> None:
    """400 sentences in 8 layers of 32 experts took 1,780,440 bytes, header and other columns with them."""
    shape = table()["granite31-1b"].model_copy(update={"layers": 8})
    assert disk(shape, "bfloat16", 400).traces == 400 * 8 * 32 * TRACED == pytest.approx(1_780_440, rel=0.03)


def test_random_initialisations_are_drawn_of_small_models_alone() -> None:
    jobs = (*JOBS, replace(JOBS[0], stage="draw", conditions=(19, 19)))
    found = [
        estimate("it", table()["granite31-1b"], replace(WORK, jobs=jobs, most_weights=most),
                 Machines(speed.device("h100")), "bfloat16").stages
        for most in (10**9, 2 * 10**9)
    ]  # fmt: skip
    assert [any(one.stage == "draw" for one in stages) for stages in found] == [False, True]


def test_machines_are_at_least_one() -> None:
    with pytest.raises(SizingError, match="at least one GPU"):
        at(gpus=0)
