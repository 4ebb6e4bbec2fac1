"""The checksum inside stored files: what it proves, and what it says where it does not."""

import hashlib
import io
from pathlib import Path

import pytest

from polyroute.ground import checksum
from polyroute.ground.checksum import ChecksumError, blank, filled, named, place, prove
from polyroute.ground.errors import AnswerError
from polyroute.ground.files import (
    read_checked_json,
    read_checked_table,
    write_checked_json,
    write_checked_table,
)
from polyroute.ground.paths import Paths


def test_the_digits_are_of_the_file_with_zeros_in_their_place() -> None:
    content = b"before " + blank("a/b").encode() + b" after"
    assert content == b"before polyroute-sha256-" + b"0" * 64 + b" of a/b; after"
    digits = hashlib.sha256(content).hexdigest().encode()
    assert filled(content) == content.replace(b"0" * 64, digits)


@pytest.mark.parametrize("before", [0, 1, 50, 2100, 1 << 16, (1 << 16) - 40, (1 << 16) + 1, 3 << 16])
def test_a_stamp_is_found_wherever_it_lies(tmp_path, before) -> None:
    path = tmp_path / "file"
    whole = filled(b"x" * before + blank("of it").replace(" it", "_it").encode() + b"y" * 70_000)
    path.write_bytes(whole)
    prove(path)
    assert (
        checksum._digest(io.BytesIO(whole))[0] == hashlib.sha256(whole.replace(_digits(whole), b"0" * 64)).hexdigest()
    )
    for at in (0, before + 3, before + 20, len(whole) - 1):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(ChecksumError, match=r"file (is damaged|carries no checksum)"):
            prove(path)


def _digits(whole: bytes) -> bytes:
    start = whole.index(b"sha256-") + 7
    return whole[start : start + 64]


def test_what_looks_like_a_stamp_is_not_written(tmp_path) -> None:
    with pytest.raises(ChecksumError, match="holds 2 times what marks a checksum"):
        write_checked_json(tmp_path / "a.json", {"text": blank()})
    with pytest.raises(ChecksumError, match="holds 0 times"):
        filled(b"nothing")


def test_names_are_kept_apart_whatever_is_in_them() -> None:
    assert named("a/b", "c;d é") == "a%2Fb/c%3Bd%20%C3%A9"


@pytest.mark.parametrize(
    ("path", "of"),
    [
        (Paths(Path("root")).trace("m", "c", "deu_Latn"), "traces/m/c/deu_Latn.safetensors"),
        (Paths().vocabulary("m"), "traces/m/vocabulary.parquet"),
        (Paths().answers("m", "tune") / "t" / "select" / "one.parquet", "answers/m/tune/t/select/one.parquet"),
        (Paths().conditions("m", "mask") / "t.json", "plans/m/mask/t.json"),
        (Paths().chosen("m") / "t" / "all.json", "chosen/m/t/all.json"),
        (Paths().corpus("m", "c"), "inputs/m/corpora/c.parquet"),
        (Paths(Path("/a/data/traces/x/data")).recorded_counts("m", "c"), "inputs/m/corpora/recorded/c.parquet"),
        (Paths().plan("m", "t"), ""),
        (Path("data/traces/mine.safetensors"), ""),
        (Path("elsewhere/deu_Latn.safetensors"), ""),
    ],
)
def test_a_place_says_what_a_file_must_be_of(path, of) -> None:
    assert place(path) == of


def test_a_file_in_anothers_place_is_named_with_the_remedy(tmp_path) -> None:
    german, french = (Paths(tmp_path).answers("m", "steer") / "t" / "report" / f"{name}.parquet" for name in "gf")
    for path in (german, french):
        write_checked_json(path, {"of": path.stem})
    assert read_checked_json(german, error=AnswerError) == {"of": "g"}
    german.write_bytes(french.read_bytes())
    told = (
        r"g.parquet is of answers/m/steer/t/report/f.parquet, not of answers/m/steer/t/report/g.parquet: it is in "
        r"another's place; `dvc checkout --force .*data/answers/m/steer` puts back what was computed"
    )
    with pytest.raises(AnswerError, match=told):
        read_checked_json(german, error=AnswerError)
    write_checked_json(tmp_path / "own.json", {})
    german.write_bytes((tmp_path / "own.json").read_bytes())
    with pytest.raises(AnswerError, match=r"g.parquet was written elsewhere, not of answers"):
        read_checked_json(german, error=AnswerError)


@pytest.mark.parametrize(
    ("path", "output"),
    [
        ("traces/m/c/deu_Latn.safetensors", "traces/m"), ("traces/m/vocabulary.parquet", "traces/m"),
        ("answers/m/evaluate/t/frequency.csv", "answers/m/evaluate"), ("chosen/m/t/all.json", "chosen/m"),
        ("plans/m/tune/t.json", "plans/m/tune"), ("inputs/m/keys/t.parquet", "inputs/m/keys"),
        ("draws/m.json", "draws/m.json"), ("scored/m/interventions/mask/t/x.parquet", "scored/m/interventions"),
    ],
)  # fmt: skip
def test_the_remedy_names_the_output_that_the_file_is_part_of(tmp_path, path, output) -> None:
    file = tmp_path / "data" / path
    file.parent.mkdir(parents=True)
    file.write_bytes(b"older")
    with pytest.raises(
        ChecksumError,
        match=rf"carries no checksum: .* older than checksums; `dvc checkout --force .*/data/{output}` puts",
    ):
        prove(file)


def test_a_table_comes_back_below_its_checksum(tmp_path) -> None:
    import pandas as pd

    path, table = tmp_path / "a.csv", pd.DataFrame({"b": [1, 2], "a": ["#x", "y"]})
    write_checked_table(path, [table], ["a", "b"])
    assert path.read_text().splitlines()[1:] == ["a,b", "#x,1", "y,2"]
    pd.testing.assert_frame_equal(read_checked_table(path), table[["a", "b"]])
    path.write_text(path.read_text().replace("y,2", "y,3"))
    with pytest.raises(AnswerError, match=r"a.csv is damaged"):
        read_checked_table(path, AnswerError)
