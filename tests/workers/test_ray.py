"""On a cluster of two nodes of this machine: the same bytes as in one process, whatever is lost on the way."""

import importlib.util
import os
import sys
import threading
import time
from pathlib import Path

import pytest

from polyroute.ground.errors import PolyrouteError
from polyroute.tracing import study
from polyroute.workers import pool
from polyroute.workers.errors import EngineError, PartsError
from polyroute.workers.settings import Engine
from workers.small import TEXTS, asked, checkpoint, traced, written

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="Ray is not installed: pip install 'polyroute[ray]'"
)
THERE = study._trace_there
# A node that is gone is known to be within 2 s.
HEALTH = {
    "health_check_initial_delay_ms": 0, "health_check_period_ms": 500, "health_check_failure_threshold": 3,
}  # fmt: skip
NODE = {"num_cpus": 1, "object_store_memory": 100 * 2**20}


@pytest.fixture(scope="module")
def cluster():
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    import ray
    from ray import cloudpickle
    from ray.cluster_utils import Cluster

    # Workers cannot import tests.
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    made = Cluster()
    try:
        add(made, num_cpus=2, include_dashboard=False, _system_config=HEALTH)
        yield made
    finally:
        ray.shutdown()
        made.shutdown()


def add(cluster, **how):
    """A node more; Ray gives it 30 s to start, which a busy machine may need twice."""
    try:
        return cluster.add_node(**NODE | how)
    except Exception:  # noqa: BLE001  Ray raises no narrower one
        return cluster.add_node(**NODE | how)


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """What one process makes of the study."""
    root = tmp_path_factory.mktemp("here")
    model = checkpoint(root)
    lines = {purpose: asked(root / "study", model, purpose) for purpose in ("evaluate", "mask")}
    return model, traced(root / "study", model), lines, written(root / "study")


def engine(cluster, workers: int, **of_ray) -> Engine:
    return Engine(workers=workers, ray={"address": cluster.address, "patience": 900, **of_ray})


def test_answers_and_traces_are_those_of_one_process(cluster, here, tmp_path, capfd) -> None:
    model, digests, lines, files = here
    assert traced(tmp_path, model, engine(cluster, 2)) == digests
    for purpose, shown in lines.items():
        assert asked(tmp_path, model, purpose, engine(cluster, 2)) == shown
    assert written(tmp_path) == files
    assert capfd.readouterr().out == ""


def test_one_worker_of_a_cluster_takes_up_what_was_finished(cluster, here, tmp_path) -> None:
    model, digests, _, _ = here
    some = dict(list(TEXTS.items())[:2])
    traced(tmp_path, model, texts=some)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.safetensors")}
    assert traced(tmp_path, model, engine(cluster, 1)) == digests
    assert before == {path: path.stat().st_mtime_ns for path in before}


def slowly(loaded, part, advance) -> None:
    """Trace a part after a while, with a note that it was begun."""
    folder = Path(os.environ["POLYROUTE_TEST_NOTES"])
    with (folder / "begun").open("a") as notes:
        notes.write(" in ".join(part.pair) + "\n")
    time.sleep(1)
    THERE(loaded, part, advance)


def poisonous(loaded, part, advance) -> None:
    """Trace a part, but for three that cannot be."""
    if part.pair == ("own", "deu_Latn"):
        raise ZeroDivisionError("by chance")
    if part.pair == ("own", "swh_Latn"):
        raise PolyrouteError("item 3 is too long")
    if part.pair == ("other", "swh_Latn"):
        os._exit(1)
    THERE(loaded, part, advance)


def test_a_node_that_is_killed_costs_the_part_in_flight_alone(cluster, here, tmp_path, monkeypatch) -> None:
    model, digests, _, _ = here
    second = add(cluster)
    cluster.wait_for_nodes()
    monkeypatch.setenv("POLYROUTE_TEST_NOTES", str(tmp_path))
    monkeypatch.setattr(study, "_trace_there", slowly)

    def kill() -> None:
        notes = tmp_path / "begun"
        while not notes.exists() or len(notes.read_text().splitlines()) < 4:
            time.sleep(0.05)
        cluster.remove_node(second, allow_graceful=False)

    killer = threading.Thread(target=kill)
    killer.start()
    # Three workers fill both nodes: with one node gone there is no room for the third again, and the others go on.
    found = traced(tmp_path / "study", model, engine(cluster, 3))
    killer.join()
    assert found == digests
    begun = (tmp_path / "begun").read_text().splitlines()
    assert len(set(begun)) == 6
    assert len(begun) <= 7


def test_poisoned_parts_fail_by_name_and_the_rest_is_kept(cluster, here, tmp_path, monkeypatch) -> None:
    model, digests, _, _ = here
    monkeypatch.setattr(pool, "DEATHS", 2)
    monkeypatch.setattr(study, "_trace_there", poisonous)
    with pytest.raises(PartsError) as refused:
        traced(tmp_path, model, engine(cluster, 2))
    said = str(refused.value)
    assert said.startswith("trace tiny: 3 of 6 parts failed: own in deu_Latn (3 times ZeroDivisionError: by chance); ")
    assert "own in swh_Latn (item 3 is too long); other in swh_Latn (2 workers were lost on it: " in said
    assert said.endswith("; the other 3 are finished and kept")
    assert "\n" not in said
    monkeypatch.undo()
    assert len(list(tmp_path.rglob("*.safetensors"))) == 3
    assert traced(tmp_path, model) == digests


def test_a_cluster_without_room_is_refused_and_not_waited_for(cluster) -> None:
    with pytest.raises(EngineError, match=r"engine\.workers: 99 workers of 1 CPUs .* the cluster at .* has room for"):
        traced(Path("nowhere"), _unread(), engine(cluster, 99, patience=1))


@pytest.mark.parametrize("address", ["127.0.0.1:9", "auto"])
def test_where_nobody_listens_it_is_said(address, monkeypatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:9")
    with pytest.raises(EngineError, match=r"engine\.ray\.address: nothing answers at 127\.0\.0\.1:9 "):
        traced(Path("nowhere"), _unread(), Engine(ray={"address": address, "patience": 0.1}))


def _unread():
    from polyroute.models.settings import ModelSettings

    return ModelSettings(folder=Path("nowhere"), dtype="float32", digest="d", batch_tokens=1, max_tokens=2)
