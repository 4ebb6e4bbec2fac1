"""What to do about a file that is absent or damaged, with a remote and without."""

from pathlib import Path

import pytest

from polyroute.ground import again

TRACE = Path("data/traces/one/own/deu_Latn.safetensors")


@pytest.fixture(autouse=True)
def study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".dvc").mkdir()
    return tmp_path


def with_remote(study, file: str = "config") -> None:
    (study / ".dvc" / file).write_text("[core]\n    remote = lab\n['remote \"lab\"']\n    url = s3://lab/%store\n")


def test_without_a_remote_it_is_computed(study) -> None:
    assert again.remote() is None
    assert again.absent(TRACE) == "`dvc repro` computes it, and `dvc pull` brings it where somebody shares it"
    assert again.damaged(TRACE).startswith("`dvc checkout --force data/traces/one` puts back what was computed, or ")


@pytest.mark.parametrize("file", ["config", "config.local"])
def test_with_a_remote_it_is_pulled(study, file) -> None:
    with_remote(study, file)
    assert again.absent(TRACE).startswith("`dvc pull data/traces/one` brings it from the remote `lab`")
    assert again.damaged(TRACE) == "`dvc pull --force data/traces/one` brings it whole from the remote `lab`"


def test_a_configuration_that_cannot_be_read_names_no_remote(study) -> None:
    (study / ".dvc" / "config").write_bytes(b"\xff no section")
    assert again.remote() is None


@pytest.mark.parametrize(
    ("file", "output"),
    [
        ("data/draws/one.json", "data/draws/one.json"),
        ("data/chosen/one/task/a.json", "data/chosen/one"),
        ("data/answers/one/tune/task/a.parquet", "data/answers/one/tune"),
        ("data/inputs/one/corpora/own.parquet", "data/inputs/one/corpora"),
        ("/data/lab/study/data/plans/one/mask/task.json", "/data/lab/study/data/plans/one/mask"),
        ("elsewhere/own.parquet", "elsewhere/own.parquet"),
    ],
)
def test_the_output_that_a_file_is_part_of(file, output) -> None:
    assert again.output(Path(file)).as_posix() == output
