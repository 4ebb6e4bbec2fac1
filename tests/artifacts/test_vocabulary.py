import pytest

from polyroute.artifacts import vocabulary
from polyroute.artifacts.trace import TraceError

COUNTS = {("own", "eng_Latn"): {9: 2, 3: 1}, ("own", "deu_Latn"): {3: 5}}


def test_what_is_written_is_read_and_the_same_counts_give_the_same_bytes(tmp_path) -> None:
    path = tmp_path / "vocabulary.parquet"
    vocabulary.write(path, COUNTS)
    assert vocabulary.read(path, "own", "eng_Latn") == {3: 1, 9: 2}
    assert vocabulary.read(path, "own", "deu_Latn") == {3: 5}
    before = path.read_bytes()
    vocabulary.write(path, {pair: dict(reversed(counts.items())) for pair, counts in COUNTS.items()})
    assert path.read_bytes() == before


def test_traces_of_an_earlier_version_have_none_and_it_is_said(tmp_path) -> None:
    with pytest.raises(TraceError, match=r"is absent: traces made before tokens were counted .* trace@MODEL"):
        vocabulary.read(tmp_path / "vocabulary.parquet", "own", "eng_Latn")
    vocabulary.write(tmp_path / "vocabulary.parquet", COUNTS)
    with pytest.raises(TraceError, match="does not hold fra_Latn of `own`"):
        vocabulary.read(tmp_path / "vocabulary.parquet", "own", "fra_Latn")
