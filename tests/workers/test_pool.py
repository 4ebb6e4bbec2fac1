"""Every part is finished or fails by name, whatever becomes of workers; here Ray is played."""

import logging
from functools import partial

import pytest

from polyroute.ground.errors import PolyrouteError
from polyroute.workers import pool as module
from polyroute.workers.cluster import Share
from polyroute.workers.errors import EngineError, PartsError
from polyroute.workers.pool import DEATHS, TRIES, Pool
from polyroute.workers.settings import Engine
from workers.played_ray import PlayedRay


@pytest.fixture(autouse=True)
def threads(monkeypatch):
    monkeypatch.setattr("torch.set_num_threads", lambda _threads: None)


def pool(ray, *, workers=2, load=lambda: 100, patience=3600.0) -> Pool:
    made = Pool(ray, Engine(workers=workers, ray={"patience": patience}), Share(1, 0, 1), load)
    made.start()
    return made


def add(loaded, part, advance):
    advance(part)
    return loaded + part


PARTS = {f"part {n}": n for n in range(7)}


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_parts_come_back_in_their_order_with_all_their_progress(workers) -> None:
    told: list[int] = []
    done = pool(PlayedRay(), workers=workers).run(add, PARTS, told.append)
    assert list(done.values.items()) == [(name, 100 + part) for name, part in PARTS.items()]
    assert done.failed == {}
    assert sum(told) == sum(PARTS.values())


def test_a_model_is_loaded_once_in_each_worker_however_often_parts_are_run() -> None:
    loads: list[int] = []
    made = pool(PlayedRay(), load=partial(loads.append, 1))
    for _ in range(3):
        made.run(lambda _loaded, part, _advance: part, PARTS)
    assert len(loads) == 2


def test_a_lost_worker_is_replaced_and_costs_its_part_alone(caplog) -> None:
    begun: list[str] = []
    ray = PlayedRay(lambda name, args: name == "do" and args[1] == 3 and begun.count(3) == 1)

    def act(loaded, part, advance):
        return add(loaded, part, advance)

    lost = ray.lost
    ray.lost = lambda name, args: (begun.append(args[1]) if name == "do" else None, lost(name, args))[1]
    with caplog.at_level(logging.WARNING):
        done = pool(ray).run(act, PARTS)
    assert done.values == {name: 100 + part for name, part in PARTS.items()}
    assert sorted(begun) == [0, 1, 2, 3, 3, 4, 5, 6]
    assert (ray.made, ray.killed) == (3, 1)
    assert "a worker was lost, and is replaced: The node is gone." in caplog.text


def test_a_part_that_loses_every_worker_fails_by_name() -> None:
    ray = PlayedRay(lambda name, args: name == "do" and args[1] == 3)
    done = pool(ray).run(add, PARTS)
    assert done.failed == {"part 3": f"{DEATHS} workers were lost on it: The node is gone."}
    assert len(done.values) == len(PARTS) - 1


def test_what_is_nobodys_fault_is_tried_again_and_a_mistake_of_the_input_is_not() -> None:
    begun: list[int] = []

    def act(_loaded, part, _advance):
        begun.append(part)
        if part == 2:
            raise ZeroDivisionError("by chance\nand more")
        if part == 4:
            raise PolyrouteError("item 4 is too long")

    done = pool(PlayedRay()).run(act, PARTS)
    assert done.failed == {"part 2": f"{TRIES} times ZeroDivisionError: by chance", "part 4": "item 4 is too long"}
    assert begun.count(2) == TRIES
    assert begun.count(4) == 1
    assert str(PartsError("trace tiny", done.failed, len(PARTS))) == (
        "trace tiny: 2 of 7 parts failed: part 2 (3 times ZeroDivisionError: by chance); part 4 (item 4 is too long); "
        "the other 5 are finished and kept"
    )


def test_warnings_of_workers_are_told_here(caplog) -> None:
    def act(_loaded, part, _advance):
        logging.getLogger("polyroute.somewhere").warning("part %d is odd", part)

    pool(PlayedRay()).run(act, {"one": 1})
    assert [record.message for record in caplog.records if record.name == module.__name__] == ["part 1 is odd"]


def test_a_model_that_cannot_be_loaded_ends_it_with_its_own_sentence() -> None:
    def load():
        raise PolyrouteError("models.tiny: no weights")

    with pytest.raises(EngineError, match=r"^models\.tiny: no weights$"):
        pool(PlayedRay(), load=load).run(add, PARTS)


def test_silence_ends_with_a_sentence(monkeypatch) -> None:
    monkeypatch.setattr(module, "LOOK", 0.0)
    with pytest.raises(EngineError, match=r"nothing moved for 0 s \(engine\.ray\.patience\), with 2 workers"):
        pool(PlayedRay(silent=lambda name, _args: name in ("do", "told")), patience=1e-3).run(add, PARTS)


def test_workers_that_never_begin_end_with_a_sentence() -> None:
    with pytest.raises(EngineError, match="workers are lost as soon as they begin: The node is gone"):
        pool(PlayedRay(lambda name, _args: name == "begin"))


def test_no_node_left_ends_with_a_sentence(monkeypatch) -> None:
    clock = iter(range(0, 10_000, 31))
    monkeypatch.setattr(module.time, "monotonic", lambda: next(clock))
    ray = PlayedRay(silent=lambda name, _args: name == "begin", cpus=0)
    with pytest.raises(EngineError, match="no node is left with 1 CPUs and 0 GPUs for a worker: start nodes"):
        pool(ray)


def test_workers_that_differ_are_refused(monkeypatch) -> None:
    devices = iter(["NVIDIA A", "NVIDIA B"])
    told = module.machine()
    monkeypatch.setattr("polyroute.workers.worker.machine", lambda: told | {"device": next(devices)})
    with pytest.raises(EngineError, match=r"differ in device NVIDIA . and NVIDIA .: results would depend on which"):
        pool(PlayedRay()).run(add, PARTS)


def test_a_worker_of_another_version_is_refused(monkeypatch) -> None:
    told = module.machine()
    monkeypatch.setattr("polyroute.workers.worker.machine", lambda: told | {"torch": "1.0"})
    with pytest.raises(EngineError, match=r"differ in torch 1\.0 and "):
        pool(PlayedRay())


def test_a_folder_that_a_node_does_not_see_is_named(monkeypatch) -> None:
    monkeypatch.setattr(module.Path, "cwd", classmethod(lambda _cls: "/nowhere/study"))
    with pytest.raises(EngineError, match=r"does not see /nowhere/study .*keep the study in a folder that every node"):
        pool(PlayedRay())
