"""Section `engine` of params.yaml."""

import re
import sys

import pytest

from polyroute.ground.console import SettingsError
from polyroute.ground.frozen import ParamsError
from polyroute.ground.paths import Paths
from polyroute.params.file import parse_text
from polyroute.workers.cluster import Share, connected, environment
from polyroute.workers.errors import EngineError
from polyroute.workers.settings import Engine, Ray
from tiny import ROOT

PARAMS = (ROOT / "params.yaml").read_text()


def test_one_worker_without_a_cluster_is_this_process() -> None:
    assert not Engine().spread
    assert Engine(workers=2).spread
    assert Engine(ray=Ray(address="head:6379")).spread
    assert parse_text(PARAMS).engine == Engine()


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("workers: 1\n", "workers: 0\n", "engine.workers"),
        ("workers: 1\n", "worker: 1\n", "engine.worker"),
        ("gpus_per_worker: null", "gpus_per_worker: 1.5", "`gpus_per_worker: 1.5`: above 1 it is a whole number"),
        ("gpus_per_worker: null", "gpus_per_worker: -1", "engine.gpus_per_worker"),
        ("address: null", "address: head", "engine.ray.address"),
        ("address: null", "address: 'ray://head:10001'", "engine.ray.address"),
        ("patience: 3600", "patience: 0", "engine.ray.patience"),
    ],
)
def test_what_cannot_be_is_named(before, after, said) -> None:
    head, section = PARAMS.split("\nengine:\n")
    assert before in section
    with pytest.raises(ParamsError, match=re.escape(said)):
        parse_text(f"{head}\nengine:\n{section.replace(before, after)}")


def test_what_resolve_wrote_is_read_and_nothing_is_this_process(tmp_path) -> None:
    paths, path = Paths(tmp_path), tmp_path / "settings" / "engine.json"
    assert Engine.of(paths) == Engine()
    path.parent.mkdir()
    path.write_text(Engine(workers=3, gpus_per_worker=0.5, ray=Ray(address="auto")).model_dump_json())
    assert Engine.of(paths) == Engine(workers=3, gpus_per_worker=0.5, ray=Ray(address="auto"))
    path.write_text('{"hands": 3}')
    with pytest.raises(SettingsError, match=r"engine\.json is of another version .*run `dvc repro resolve`"):
        Engine.of(paths)


@pytest.mark.parametrize(
    ("share", "room"),
    [
        (Share(1, 0, 1), 10),
        (Share(3, 0, 3), 2),  # 2 of 8 CPUs; 0 of 2, which does not lend its own to the other
        (Share(1, 1, 1), 4),
        (Share(1, 4, 1), 1),
        (Share(1, 8, 1), 0),
        (Share(1, 0.5, 1), 8),
        (Share(1, 1 / 3, 1), 8),
    ],
)
def test_room_is_counted_node_by_node(share, room) -> None:
    nodes = [
        {"Alive": True, "Resources": {"CPU": 8.0, "GPU": 4.0}},
        {"Alive": True, "Resources": {"CPU": 2.0}},
        {"Alive": False, "Resources": {"CPU": 64.0, "GPU": 8.0}},
    ]
    assert share.room(nodes) == room


def test_workers_have_as_many_threads_as_this_process_and_where_it_reads_from(monkeypatch) -> None:
    monkeypatch.setenv("POLYROUTE_MIRROR", "/shared/mirror")
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setenv("SECRET", "kept here")
    found = environment(3)
    assert found["OMP_NUM_THREADS"] == "3"
    assert found["POLYROUTE_MIRROR"] == "/shared/mirror"
    assert "SECRET" not in found


def test_without_ray_it_is_said_what_to_install(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with (
        pytest.raises(EngineError, match=r"need Ray, which is not installed: `pip install 'polyroute\[ray\]'`"),
        connected(Engine(workers=2)),
    ):
        pass


def test_one_process_does_not_import_ray(monkeypatch, tmp_path) -> None:
    from workers.small import checkpoint, traced

    monkeypatch.setitem(sys.modules, "ray", None)
    model = checkpoint(tmp_path)
    assert len(traced(tmp_path / "study", model)) == 6
