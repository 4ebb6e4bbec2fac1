"""Stages on files that are damaged or in another's place: what was made here is made anew, the rest is refused."""

import shutil
from pathlib import Path

import pyarrow.parquet
import pytest
import yaml

from pipeline.test_end_to_end import stage
from polyroute.artifacts.trace import read_header
from polyroute.ground.paths import Paths
from tiny import ROOT, raw_params

MODEL, CORPUS = "qwen3-30b-a3b-counts", "mgsm"
TRACE_AGAIN = f"`dvc checkout --force data/traces/{MODEL}`"
FETCH_AGAIN = f"`dvc checkout --force data/inputs/{MODEL}/corpora`"


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recorded counts, fetched and traced: the stages need no model."""
    folder = tmp_path_factory.mktemp("traced")
    raw = raw_params()
    raw["study"] |= {"models": [MODEL], "extra": []}
    (folder / "params.yaml").write_text(yaml.safe_dump(raw))
    (folder / "claims").symlink_to(ROOT / "claims")
    (folder / "recorded").symlink_to(ROOT / "recorded")
    stage(folder, "resolve")
    for name in ("fetch", "trace"):
        stage(folder, name, "--model", MODEL)
    return folder


@pytest.fixture
def study(traced: Path, tmp_path: Path) -> Path:
    shutil.copytree(traced, tmp_path / "study", symlinks=True)
    return tmp_path / "study"


def refused(study: Path, name: str, *said: str) -> None:
    done = stage(study, name, "--model", MODEL, check=False)
    told = done.stdout + done.stderr
    assert done.returncode == 1
    assert "Traceback" not in told
    for words in said:
        assert words in told


def test_align_refuses_a_trace_of_another_language(study: Path) -> None:
    german, french = (Paths(study).trace(MODEL, CORPUS, code) for code in ("deu_Latn", "fra_Latn"))
    german.unlink()
    shutil.copyfile(french, german)
    refused(study, "align", "deu_Latn.safetensors is of traces/", "fra_Latn", TRACE_AGAIN)
    assert not (Paths(study).metrics(MODEL) / "align.json").exists()
    stage(study, "trace", "--model", MODEL)
    stage(study, "align", "--model", MODEL)


def test_a_finished_trace_under_another_key_is_made_anew(study: Path) -> None:
    parts = {read_header(path).language: path for path in (Paths(study).parts / "traces").glob("*.safetensors")}
    parts["deu_Latn"].unlink()
    shutil.copyfile(parts["fra_Latn"], parts["deu_Latn"])
    assert "7 were finished before" in stage(study, "trace", "--model", MODEL).stdout
    assert read_header(Paths(study).trace(MODEL, CORPUS, "deu_Latn")).language == "deu_Latn"


def test_counts_that_were_changed_after_fetch_are_refused(study: Path) -> None:
    fetched = Paths(study).recorded_counts(MODEL, CORPUS)
    table = pyarrow.parquet.read_table(fetched)
    pyarrow.parquet.write_table(table.set_column(3, "count", table["count"].combine_chunks()[::-1]), fetched)
    refused(study, "trace", f"{CORPUS}.parquet carries no checksum: it is damaged", FETCH_AGAIN)
    shutil.copyfile(ROOT / "recorded" / "qwen3-30b-a3b-mgsm.parquet", fetched)
    refused(study, "trace", f"{CORPUS}.parquet was written elsewhere", FETCH_AGAIN)
