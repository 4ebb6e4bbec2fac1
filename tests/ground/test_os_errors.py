"""What the machine refuses is a sentence that names the path to mend, in verbs and in stages."""

import errno
import os
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from polyroute.cli.verbs import main
from polyroute.ground import console
from polyroute.ground.files import write_atomically
from polyroute.ground.os_errors import sentence


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tmp_path.chmod(0o777)


@pytest.fixture
def another_user():
    """The rights of nobody in particular, where tests are run by root."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    yield
    if user == 0:
        os.seteuid(0)


def told(call) -> str | None:
    with pytest.raises(OSError) as raised:
        call()
    return sentence(raised.value)


def test_of_a_place_that_may_not_be_written_the_closed_folder_is_named(request) -> None:
    Path("closed").mkdir(mode=0o555)
    request.getfixturevalue("another_user")
    expected = "closed may not be entered or written by this user: change its permissions, or name another"
    assert told(lambda: write_atomically(Path("closed/out/x.csv"), b"")) == expected
    assert told(lambda: write_atomically(Path("closed/x.csv"), b"")) == expected


def test_a_file_that_may_not_be_read(request) -> None:
    Path("secret.json").touch(0o000)
    request.getfixturevalue("another_user")
    assert told(Path("secret.json").read_bytes).startswith("secret.json may not be read or written by this user")


def test_a_folder_where_a_file_should_be_and_a_file_where_a_folder_should_be() -> None:
    Path("params.yaml").mkdir()
    expected = "params.yaml is a folder where a file should be: move it away, or name another"
    assert told(Path("params.yaml").read_bytes) == expected
    assert told(lambda: write_atomically(Path("params.yaml"), b"")) == expected
    Path("data").touch()
    expected = "data is a file where a folder should be: move it away, or name another"
    assert told(lambda: write_atomically(Path("data/inputs/x"), b"")) == expected
    assert told(lambda: Path("data").mkdir(exist_ok=True)) == expected
    assert told(Path("data/x").read_bytes) == expected


def test_absent_links_and_long_names() -> None:
    assert told(Path("none.csv").read_bytes).startswith("none.csv is absent")
    Path("round").symlink_to("round")
    assert "leads back to itself" in told(Path("round").read_bytes)
    assert "too long" in told(Path("x" * 300).read_bytes)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "data/x"), "no space left on the disk of data/x"),
        (OSError(errno.EROFS, "Read-only file system", "/"), "/ is on a disk that may only be read"),
        (OSError(errno.EIO, "Input/output error", "data/x"), "data/x cannot be used (Input/output error)"),
        (PermissionError(errno.EACCES, "Failed to open local file 'x.parquet'"), "(Failed to open local file 'x."),
        (OSError(errno.ENOSPC, "No space left on device"), "(No space left on device)"),
    ],
)
def test_a_disk_that_is_full_or_fails_and_libraries_that_name_the_file_in_words(error, words) -> None:
    assert words in sentence(error)


@pytest.mark.parametrize("error", [BrokenPipeError(errno.EPIPE, "Broken pipe"), ConnectionError("gone"), OSError("?")])
def test_what_is_no_matter_of_files_is_not_explained(error) -> None:
    assert sentence(error) is None


def test_a_verb_ends_with_the_sentence() -> None:
    Path("counts-eng_Latn.json").mkdir()
    words = "import-counts counts-{language}.json --model m --corpus c --layers 1 --experts 2 --top-k 1"
    result = CliRunner().invoke(main, [*words.split(), "--language", "eng_Latn", "--out", "out.parquet"])
    assert (result.exit_code, type(result.exception)) == (1, SystemExit)
    assert "counts-eng_Latn.json" in result.output


def test_a_stage_ends_with_the_sentence() -> None:
    Path("data").touch()

    @click.command(cls=console.Command)
    def fetch() -> None:
        write_atomically(Path("data/inputs/x"), b"")

    result = CliRunner().invoke(fetch, [])
    assert (result.exit_code, result.output) == (
        1, "Error: data is a file where a folder should be: move it away, or name another\n",
    )  # fmt: skip
