"""Stages that run a model in workers write the same bytes as in one process; here Ray is played."""

from contextlib import contextmanager
from functools import partial

import pytest

from polyroute.asking import spread
from polyroute.ground.errors import AnswerError
from polyroute.tracing.collect import TraceSettings
from polyroute.tracing.draws import Material, read_random
from polyroute.tracing.random_init import RandomSettings
from polyroute.workers import pool
from polyroute.workers.cluster import Share
from polyroute.workers.settings import Engine
from workers.played_ray import PlayedRay
from workers.small import LANGUAGES, TEXTS, asked, checkpoint, traced, written


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """What one process makes of the study."""
    root = tmp_path_factory.mktemp("here")
    model = checkpoint(root)
    lines = {purpose: asked(root / "study", model, purpose) for purpose in ("evaluate", "mask")}
    return model, traced(root / "study", model), lines, written(root / "study")


@pytest.fixture
def play(monkeypatch):
    """Put a played Ray in the place of the real one."""

    def played(**how) -> PlayedRay:
        ray = PlayedRay(**how)
        connected = contextmanager(lambda _engine: iter([(ray, Share(1, 0, 1))]))
        monkeypatch.setattr(pool, "connected", connected)
        monkeypatch.setattr("torch.set_num_threads", lambda _threads: None)
        return ray

    return played


def test_bytes_and_lines_are_those_of_one_process(here, play, tmp_path) -> None:
    model, digests, lines, files = here
    calls: list[str] = []

    def lost(name, _args) -> bool:
        calls.append(name)
        return name == "do" and calls.count("do") % 7 == 3

    ray = play(lost=lost, pickled=True)
    assert traced(tmp_path, model, Engine(workers=3)) == digests
    for purpose, shown in lines.items():
        assert asked(tmp_path, model, purpose, Engine(workers=3)) == shown
    assert written(tmp_path) == files
    assert ray.killed > 3


def test_random_initialisations_are_those_of_one_process(here, play, tmp_path) -> None:
    model, *_ = here
    texts = {language: TEXTS["own", language] for language in LANGUAGES}
    how = RandomSettings(draws=4, most_weights=10**7, nearest=5, seed=0, trace=TraceSettings(batch_tokens=200))
    material = Material.load("tiny", model)
    alone = read_random(material, texts, how, tmp_path / "here")
    calls: list[str] = []

    def lost(name, _args) -> bool:
        calls.append(name)
        return name == "do" and calls.count("do") == 2

    play(lost=lost, pickled=True)
    told: list[int] = []
    with pool.workers(Engine(workers=2), partial(Material.load, "tiny", model)) as there:
        assert read_random(material, texts, how, tmp_path / "there", advance=told.append, pool=there) == alone
    assert sum(told) == 4
    assert written(tmp_path / "there") == written(tmp_path / "here")
    # what is finished is taken up, wherever it was computed
    assert read_random(material, texts, how, tmp_path / "there") == alone


def test_what_was_answered_before_is_counted_and_not_asked_again(here, play, tmp_path) -> None:
    model, _, lines, _ = here
    play(pickled=True)
    asked(tmp_path, model, "mask")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / ".polyroute").rglob("*.parquet")}
    again = asked(tmp_path, model, "mask", Engine(workers=2))
    assert again == [f"{line}; 108 of 108 answered before" for line in lines["mask"]]
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / ".polyroute").rglob("*.parquet")}


def test_a_sitting_that_cannot_be_fails_by_name_and_the_rest_is_kept(here, play, monkeypatch, tmp_path) -> None:
    model, _, lines, files = here
    sit = spread._sit

    def poisonous(loaded, sitting, advance):
        if sitting.asker.task == "choices" and sitting.language == "deu_Latn":
            raise ZeroDivisionError("by chance")
        sit(loaded, sitting, advance)

    monkeypatch.setattr(spread, "_sit", poisonous)
    play()
    with pytest.raises(AnswerError) as refused:
        asked(tmp_path, model, "evaluate", Engine(workers=2))
    first, second = str(refused.value).split("\n")
    assert first == (
        "choices: evaluate tiny, select: 1 of 3 parts failed: choices in deu_Latn, half select, sitting 1 (3 times "
        "ZeroDivisionError: by chance); the other 2 are finished and kept"
    )
    assert second == "what the other tasks answered is kept, and is not asked again"
    monkeypatch.setattr(spread, "_sit", sit)
    (choices, _) = asked(tmp_path, model, "evaluate", Engine(workers=2))
    assert choices == f"{lines['evaluate'][0]}; 12 of 36 answered before"
    mine = {name: digest for name, digest in files.items() if "/evaluate/" in name}
    assert {name: digest for name, digest in written(tmp_path).items() if "/evaluate/" in name} == mine


def test_a_worker_that_writes_elsewhere_is_found_out(here, play, monkeypatch, tmp_path) -> None:
    model, _, _, _ = here
    play()
    monkeypatch.setattr(spread, "_sit", lambda _loaded, _sitting, _advance: None)
    monkeypatch.setattr(spread, "SECONDS", 0.0)
    with pytest.raises(AnswerError, match="was answered by a worker, but its file is not seen here: the study must"):
        asked(tmp_path, model, "evaluate", Engine(workers=2))
