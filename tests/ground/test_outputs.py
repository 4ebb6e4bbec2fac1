"""What a stage wrote before is there again when it fails, and nothing of it when it succeeds."""

import click
import pytest
from click.testing import CliRunner

from polyroute.ground import console, times
from polyroute.ground.errors import PolyrouteError
from polyroute.ground.files import write_json
from polyroute.ground.outputs import declared, kept
from polyroute.ground.paths import Paths
from polyroute.languages.own import StudySettings

DVC = """\
stages:
  answer:
    outs:
      - data/answers/${item.model}:
          persist: true
    metrics:
      - metrics/${item.model}/summary.json:
          cache: false
  other:
    outs:
      - data/other
"""


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A study in which the stage has run once."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dvc.yaml").write_text(DVC)
    write("data/answers/one/a", "before")
    write("data/answers/one/b", "before")
    write("metrics/one/summary.json", "before")
    write("metrics/one/of-another-stage.json", "before")
    return tmp_path


def write(name: str, text: str) -> None:
    path = Paths().root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def files(folder) -> dict[str, str]:
    found = (path for path in folder.rglob("*") if path.is_file() and path.name != "dvc.yaml")
    return {path.relative_to(folder).as_posix(): path.read_text() for path in found}


def test_outputs_are_those_of_dvc_yaml(study) -> None:
    paths = Paths()
    assert [path.as_posix() for path in declared(paths.dvc_yaml, "answer", "one")] == [
        "data/answers/one", "metrics/one/summary.json",
    ]  # fmt: skip
    assert [path.as_posix() for path in declared(paths.dvc_yaml, "other", None)] == ["data/other"]
    assert declared(paths.dvc_yaml, "unknown", None) == declared(study / "nowhere.yaml", "answer", "one") == []


def test_a_stage_that_succeeds_leaves_nothing_of_before(study) -> None:
    with kept(Paths(), "answer", "one"):
        write("data/answers/one/a", "after")
        write("metrics/one/summary.json", "after")
    assert files(study) == {
        "data/answers/one/a": "after", "metrics/one/summary.json": "after",
        "metrics/one/of-another-stage.json": "before",
    }  # fmt: skip


@pytest.mark.parametrize("error", [PolyrouteError, KeyboardInterrupt, OSError])
def test_a_stage_that_fails_leaves_what_was_there(study, error) -> None:
    before = files(study)

    @kept(Paths(), "answer", "one")
    def fails() -> None:
        write("data/answers/one/c", "half")
        write("metrics/one/summary.json", "half")
        raise error

    with pytest.raises(error):
        fails()
    assert files(study) == before


def test_a_stage_that_was_killed_is_taken_back_when_it_runs_again(study) -> None:
    before = files(study)
    killed = kept(Paths(), "answer", "one")
    killed.__enter__()
    write("data/answers/one/c", "half")
    with pytest.raises(PolyrouteError), kept(Paths(), "answer", "one"):
        raise PolyrouteError
    assert files(study) == before


def test_a_stage_keeps_its_outputs_and_tells_how_long_it_took(study) -> None:
    write_json(Paths().stage_settings("one", "test_outputs"), {"name": "one"})

    @console.stage(StudySettings)
    def main(settings: StudySettings, paths: Paths):
        """A stage."""
        yield "done"

    assert isinstance(main, click.Command)
    assert CliRunner().invoke(main, ["--model", "one"]).output == "test_outputs@one: done\n"
    assert times.last(Paths().times, "test_outputs@one") == pytest.approx(0, abs=5)
    assert times.last(Paths().times, "test_outputs@two") is None
