"""The stage `resolve`: what is written, what is left alone, and what goes."""

import json

import pytest
import yaml
from click.testing import CliRunner

from pipeline.test_stages import load_script
from polyroute.ground.paths import Paths
from polyroute.measures.settings import AlignSettings
from tiny import ROOT


@pytest.fixture
def study(tmp_path, monkeypatch):
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    (tmp_path / "models").symlink_to(ROOT / "models")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(expect: int = 0) -> str:
    done = CliRunner().invoke(load_script(ROOT / "pipeline" / "resolve.py").main, [], catch_exceptions=False)
    assert done.exit_code == expect, done.output
    return done.output


def change(folder, /, **section) -> None:
    raw = yaml.safe_load((folder / "params.yaml").read_text())
    for name, keys in section.items():
        raw[name] |= keys
    (folder / "params.yaml").write_text(yaml.safe_dump(raw, sort_keys=False))


def written(study) -> dict[str, int]:
    return {path.relative_to(study).as_posix(): path.stat().st_mtime_ns for path in (study / "settings").rglob("*.*")}


def test_only_what_comes_out_otherwise_is_written(study) -> None:
    assert "147 of 147 files are new or other" in run()
    before = written(study)
    assert "0 of 147 files" in run()
    change(study, align={"nearest": 9})
    assert "19 of 147 files" in run(), "align, draw and nulls of six models, and what track shows"
    after = written(study)
    changed = {name for name in before if before[name] != after[name]}
    of_models = {f"settings/{model}/{stage}.json" for model in models(study) for stage in ("align", "draw", "nulls")}
    assert changed == of_models | {"settings/track.json"}


def models(study) -> list[str]:
    return yaml.safe_load((study / "params.yaml").read_text())["study"]["models"]


def test_a_model_that_left_the_study_takes_its_settings_along(study) -> None:
    run()
    change(study, study={"models": ["pocket-plain"], "distances": []})
    run()
    assert {path.name for path in (study / "settings").iterdir()} == {
        "_code",
        "pocket-plain",
        "engine.json",
        "report.json",
        "track.json",
    }


def test_a_mistake_takes_nothing_away(study) -> None:
    run()
    before = written(study)
    change(study, align={"nearst": 1})
    assert "align.nearst: unknown key; did you mean nearest?" in run(expect=1)
    assert written(study) == before


def test_the_settings_in_git_are_those_of_params_yaml(study) -> None:
    run()
    for path in (study / "settings").rglob("*.*"):
        assert path.read_bytes() == (ROOT / path.relative_to(study)).read_bytes(), "run `dvc repro resolve`"


def test_a_checkpoint_that_is_elsewhere_is_the_one_that_settings_were_made_of(study) -> None:
    (study / "models").unlink()
    assert "models.pocket-plain: models/pocket-plain holds no checkpoint" in run(expect=1)
    (study / "models").symlink_to(ROOT / "models")
    run()
    (study / "models").unlink()
    change(study, align={"nearest": 9})
    assert "19 of 147 files" in run(), "no stage that runs a model is other than before"


def test_a_stage_reads_them_back(study) -> None:
    run()
    path = Paths().stage_settings("pocket-plain", "align")
    settings = AlignSettings.model_validate_json(path.read_bytes())
    assert settings.intervals.resamples == 1000
    assert json.loads(path.read_text()) == settings.model_dump(mode="json")
