"""Every committed file of results is declared, and comes back as it was."""

import shutil
from pathlib import Path

import pytest
import yaml

from polyroute.results.reference import ALL
from polyroute.results.table import Row
from tiny import ROOT

BY_NAME = {one.file: one for one in ALL}
COMMITTED = sorted(path for path in (ROOT / "metrics").rglob("*") if path.is_file())
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]


def test_no_file_is_declared_twice() -> None:
    assert len(BY_NAME) == len(ALL)


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.relative_to(ROOT / "metrics").as_posix())
def test_a_committed_file_is_declared_and_written_back_byte_by_byte(path: Path, tmp_path: Path) -> None:
    model, *inside = path.relative_to(ROOT / "metrics").parts
    name = "/".join(inside)
    assert name in BY_NAME, f"{path} is not declared in src/polyroute/results"
    declared = BY_NAME[name]
    declared.write(tmp_path, declared.read(ROOT / "metrics" / model))
    assert (tmp_path / name).read_bytes() == path.read_bytes()


def outs(stage: str) -> set[str]:
    every = [entry for kind in ("outs", "metrics", "plots") for entry in STAGES[stage].get(kind, [])]
    paths = (entry if isinstance(entry, str) else next(iter(entry)) for entry in every)
    return {path.removeprefix("metrics/${item.model}/") for path in paths if path.startswith("metrics/")}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_writes_the_files_that_say_so(stage: str) -> None:
    assert {one.file for one in ALL if one.stage == stage} == outs(stage)


@pytest.mark.parametrize("stage", [name for name in STAGES if name not in ("figures", "track")])
def test_a_stage_reads_the_files_that_say_so(stage: str) -> None:
    deps = {Path(dep).name for dep in STAGES[stage]["deps"] if dep.startswith("metrics/")}
    assert {one.file for one in ALL if f"stage {stage}" in one.readers} == deps


@pytest.mark.parametrize("declared", ALL, ids=lambda one: one.file)
def test_everything_declared_says_what_it_means(declared) -> None:
    assert declared.__doc__
    for name, info in declared.model_fields.items():
        assert name == "root" or info.description, f"{name} of {declared.file} has no docstring"


@pytest.mark.parametrize("declared", [one for one in ALL if issubclass(one, Row)], ids=lambda one: one.file)
def test_a_table_without_rows_is_its_head(declared, tmp_path: Path) -> None:
    declared.write(tmp_path, [])
    assert (tmp_path / declared.file).read_text() == ",".join(declared.columns()) + "\n"
    read = declared.read(tmp_path)
    assert read.empty
    assert list(read.columns) == declared.columns()


def test_text_is_never_missing_and_draws_are_whole(tmp_path: Path) -> None:
    metrics = tmp_path / "pocket-planted"
    shutil.copytree(ROOT / "metrics" / "pocket-planted", metrics)
    shared, masks = BY_NAME["shared.csv"].read(metrics), BY_NAME["mask.csv"].read(metrics)
    assert set(shared.loc[shared["language"] == "", "family"]) == {""}
    assert str(masks["draw"].dtype) == "Int64"
    assert masks.loc[masks["kind"] == "exclusive", "draw"].isna().all()
