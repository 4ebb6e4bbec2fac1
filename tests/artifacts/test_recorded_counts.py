"""Files of recorded counts: what comes back, what is refused, and what counts cannot say."""

from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest

from polyroute.artifacts import parquet
from polyroute.artifacts.recorded_counts import Counts, CountsHeader
from polyroute.artifacts.recording import RecordingError
from polyroute.artifacts.trace import TraceError
from polyroute.measures.specialisation import check_comparable
from recorded import ALL, FILE

HEADER = CountsHeader(
    model="a/b", corpus="c", text="", languages=("deu_Latn", "eng_Latn"), layers=(3, 5), source="s", commit="1" * 40,
    licence="MIT", experts=4, top_k=2, tokens={"deu_Latn": 10, "eng_Latn": 2**40},
)  # fmt: skip
# 2^40 tokens: more than 32 bits hold.
COUNTS = np.array(
    [[[10, 5, 5, 0], [5, 5, 5, 5]], [[2**40, 2**39, 2**39, 0], [2**39] * 4]], dtype=np.int64
)  # fmt: skip


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "a.parquet"
    Counts(HEADER, COUNTS).write(path)
    return path


def test_what_is_written_comes_back_in_64_bits_and_the_same_bytes(written: Path) -> None:
    found = Counts.read(written)
    assert found.header == HEADER
    assert found.counts_VLE.dtype == np.int64
    assert np.array_equal(found.counts_VLE, COUNTS)
    before = written.read_bytes()
    found.write(written)
    assert written.read_bytes() == before


def test_a_language_is_a_pooled_trace(written: Path) -> None:
    trace = Counts.read(written).trace("deu_Latn", model="m")
    assert trace.tokens.tolist() == [10]
    assert trace.pooled("topk_count").tolist() == [[0.5, 0.25, 0.25, 0], [0.25] * 4]
    assert (trace.readings, trace.header.layers, trace.header.pooled) == (("topk_count",), (3, 5), True)


def test_languages_of_one_recording_can_be_compared(written: Path) -> None:
    check_comparable(*Counts.read(written).traces(HEADER.languages, model="m"))


def test_measures_that_need_more_refuse_in_a_sentence(written: Path) -> None:
    trace = Counts.read(written).trace("deu_Latn", model="m")
    with pytest.raises(TraceError, match=r"holds expert counts only .*`soft_mass` needs the router's logits"):
        trace.distributions("soft_mass")
    with pytest.raises(TraceError, match="`consistency` needs"):
        trace.token_mean("consistency")


def test_a_language_that_was_not_recorded_is_an_error(written: Path) -> None:
    with pytest.raises(RecordingError, match=r"no counts of fra_Latn .* a/b; there are deu_Latn, eng_Latn"):
        Counts.read(written).trace("fra_Latn", model="m")


def test_a_damaged_file_is_named(written: Path, tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"b.parquet is absent: `polyroute import-counts` makes such files"):
        Counts.read(tmp_path / "b.parquet")
    whole = written.read_bytes()
    written.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RecordingError, match=r"a.parquet is damaged: .*; take it from git again"):
        Counts.read(written)


def test_rows_that_are_lacking_or_out_of_order_are_an_error(written: Path) -> None:
    table = pyarrow.parquet.read_table(written)
    for other in (table.slice(1), table.take(list(range(table.num_rows))[::-1])):
        parquet.write_table(written, other)
        with pytest.raises(RecordingError, match="rows are not one for each of 2 languages, 2 layers and 4 experts"):
            Counts.read(written)


def test_a_table_without_header_or_of_other_columns_is_an_error(written: Path) -> None:
    table = pyarrow.parquet.read_table(written)
    parquet.write_table(written, table.replace_schema_metadata(None))
    with pytest.raises(RecordingError, match="is not a whole recording"):
        Counts.read(written)
    parquet.write_table(written, table.append_column("more", table["count"]))
    with pytest.raises(RecordingError, match=r"its columns are \['language', 'layer', 'expert', 'count', 'more'\]"):
        Counts.read(written)


def test_counts_that_cannot_be_are_an_error(written: Path) -> None:
    broken = COUNTS.copy()
    broken[0, 1, 2] = -1
    Counts(HEADER, broken).write(written)
    with pytest.raises(RecordingError, match=r"a.parquet: deu_Latn, layer 5, expert 2: the count -1 is not"):
        Counts.read(written)


SOFT = np.array([[[0.5, 0.25, 0.25, 0], [0.25] * 4], [[0.5, 0.25, 0.25, 0], [0.25] * 4]])


def test_soft_mass_comes_back_and_is_in_the_trace(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    Counts(HEADER, COUNTS, SOFT).write(path)
    found = Counts.read(path)
    assert np.array_equal(found.soft_VLE, SOFT)
    trace = found.trace("deu_Latn", model="m")
    assert trace.readings == ("soft_mass", "topk_count")
    assert trace.pooled("soft_mass").tolist() == SOFT[0].tolist()
    with pytest.raises(TraceError, match=r"soft mass of the whole corpus .*`topk_mass` needs more of every token; use"):
        trace.pooled("topk_mass")


@pytest.mark.parametrize(("place", "value"), [((0, 1, 2), -0.1), ((1, 0, 0), 0.6), ((1, 1, 1), np.nan)])
def test_soft_mass_that_is_no_distribution_is_an_error(tmp_path: Path, place: tuple, value: float) -> None:
    broken = SOFT.copy()
    broken[place] = value
    Counts(HEADER, COUNTS, broken).write(tmp_path / "a.parquet")
    language, layer = HEADER.languages[place[0]], HEADER.layers[place[1]]
    with pytest.raises(RecordingError, match=rf"a.parquet: {language}, layer {layer}: soft mass is no distribution"):
        Counts.read(tmp_path / "a.parquet")


def test_counts_whose_sum_is_beyond_64_bits_are_an_error(written: Path) -> None:
    broken = COUNTS.copy()
    broken[1] = 2**62
    with pytest.raises(RecordingError, match="eng_Latn, layer 3, expert 0: the count 4611686018427387904 is not"):
        Counts.checked(HEADER, broken, str(written))
    most = HEADER.model_copy(update={"tokens": {"deu_Latn": 10, "eng_Latn": 2**62}})
    with pytest.raises(RecordingError, match="names 4611686018427387904 tokens, more than"):
        Counts.checked(most, broken, str(written))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model": "../a"}, "`model`: '../a' is no name"),
        ({"corpus": "/a"}, "`corpus`: '/a' is no name"),
        ({"languages": ("deu_Latn", "deu_Latn")}, "listed twice: deu_Latn"),
        ({"layers": (3, 3)}, "listed twice: 3"),
    ],
)
def test_a_header_that_names_a_path_or_a_thing_twice_is_refused(tmp_path: Path, change: dict, said: str) -> None:
    Counts(HEADER.model_copy(update=change), COUNTS).write(tmp_path / "a.parquet")
    with pytest.raises(RecordingError, match=said):
        Counts.read(tmp_path / "a.parquet")


def test_what_ships_says_where_it_is_from() -> None:
    header = Counts.read(FILE).header
    assert (header.model, header.corpus, header.licence, header.top_k) == ("Qwen/Qwen3-30B-A3B", "mgsm", "MIT", 8)
    assert header.commit == "a3be2b66a80497edc03836fc26d209492f9fede9"
    assert header.languages == ALL
    assert FILE.stat().st_size < 2**17
