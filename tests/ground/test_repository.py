"""A copy without git is told in one sentence what to do, before anything is installed."""

import shutil
import subprocess

import pytest

from polyroute.ground import repository
from polyroute.ground.repository import RepositoryError
from tiny import ROOT


def test_a_folder_of_a_repository_with_stages_will_do_and_no_other(tmp_path) -> None:
    with pytest.raises(RepositoryError, match=r"dvc\.yaml, .* is absent: run this in the root of a clone of polyroute"):
        repository.check(tmp_path)
    (tmp_path / "dvc.yaml").touch()
    with pytest.raises(RepositoryError, match=r"in no git repository, which DVC needs: call `git init && git add \."):
        repository.check(tmp_path)
    (tmp_path / ".git").mkdir()
    repository.check(tmp_path)
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "dvc.yaml").touch()
    repository.check(tmp_path / "study")


def test_make_says_so_before_it_installs(tmp_path, monkeypatch) -> None:
    for inherited in ("MAKELEVEL", "MAKEFLAGS"):  # a make that another called, as `make test` does here, says more
        monkeypatch.delenv(inherited, raising=False)
    shutil.copyfile(ROOT / "Makefile", tmp_path / "Makefile")
    done = subprocess.run(["make", "study"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode
    assert done.stdout.startswith("this copy is in no git repository, which DVC needs: call `git init && git add .")
    assert done.stdout.count("\n") == 1
    assert not (tmp_path / ".venv").exists()


def test_what_git_says_is_none_where_it_says_nothing(tmp_path, monkeypatch) -> None:
    assert repository.git(tmp_path, "rev-parse", "HEAD") is None
    assert repository.git(tmp_path / "absent", "--version") is None
    assert repository.git(tmp_path, "--version").startswith("git version")
    monkeypatch.setenv("PATH", "")
    assert repository.git(tmp_path, "--version") is None
