"""`polyroute published --run` through DVC itself, the first stages of a tiny OLMoE: killed, it goes on where it was."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from models.tiny_models import tiny
from pipeline.test_published_preset import WHOLE, put_data, write_params
from polyroute.cli import study
from polyroute.cli.verbs import main
from polyroute.params import file as params
from polyroute.params.published import published
from tiny import ROOT
from tracing.chats import OLMOE, chat_tokenizer

FETCH, TRACE = (f"{name}@{WHOLE}" for name in ("fetch", "trace"))
LOOK = study._resolve_and_look


@pytest.fixture
def folder(tmp_path: Path, monkeypatch) -> Path:
    """A copy of the repository without its data, whose study is one tiny model."""
    # With what Python compiled of it, which DVC does not look at.
    for name in ("src/polyroute", "pipeline"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("claims", "recorded", "text"):
        (tmp_path / name).symlink_to(ROOT / name)
    for name in ("models", "metrics", ".dvc"):
        (tmp_path / name).mkdir()
    (tmp_path / ".dvc" / "config").write_text("[core]\n    no_scm = true\n    analytics = false\n")
    for name in ("dvc.yaml", ".dvcignore"):
        shutil.copy(ROOT / name, tmp_path)
    hub = tmp_path / "mirror" / "hub"
    put_data(hub, published().brings)
    write_params(tmp_path, [WHOLE])
    place = hub / params.read(tmp_path / "params.yaml").models[WHOLE].hub
    tiny("olmoe", vocab_size=300, max_position_embeddings=1024).save_pretrained(place)
    chat_tokenizer(OLMOE).save_pretrained(place)
    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "init", "--quiet"], check=True)
    monkeypatch.setenv("POLYROUTE_MIRROR", str(tmp_path / "mirror"))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "src"))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


def published_run(monkeypatch, *stages: str) -> Result:
    def look_at_these(models: list[str]) -> tuple[list[str], dict[str, bool]]:
        failed, changes = LOOK(models)
        return failed, {name: changes[name] for name in stages}

    monkeypatch.setattr(study, "_resolve_and_look", look_at_these)
    return CliRunner().invoke(main, ["published", "olmoe-1b-7b", "--run", "--jobs", "1"], catch_exceptions=False)


def test_a_run_that_was_stopped_goes_on_where_it_was(folder: Path, monkeypatch) -> None:
    first = published_run(monkeypatch, FETCH)
    assert first.exit_code == 0, first.output
    assert f"{FETCH}: " in first.output
    assert "not run: trace" in first.output
    corpora = folder / "data" / "inputs" / WHOLE / "corpora"
    before = {path: path.stat().st_mtime_ns for path in corpora.rglob("*.*")}
    # What a killed stage leaves: a part of its outputs, which DVC has not recorded.
    (folder / "data" / "traces" / WHOLE).mkdir(parents=True)
    (folder / "data" / "traces" / WHOLE / "left").touch()
    second = published_run(monkeypatch, FETCH, TRACE)
    assert second.exit_code == 0, second.output
    assert f"{FETCH}: " not in second.output, "it is up to date"
    assert f"{TRACE}: " in second.output
    assert {path: path.stat().st_mtime_ns for path in corpora.rglob("*.*")} == before
    assert len(list((folder / "data" / "traces" / WHOLE).rglob("*.safetensors"))) == 5 + 2
    assert "not run: align" in second.output
    assert "Note: A published accuracy is one run" in second.output
