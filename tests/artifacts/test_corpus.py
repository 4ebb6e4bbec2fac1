"""A corpus as it is kept."""

import pyarrow.parquet
import pytest

from polyroute.artifacts import corpus as corpora
from polyroute.artifacts.corpus import CorpusError
from polyroute.artifacts.turns import Turn
from polyroute.readers.fetch import fetch_corpus
from readers.corpus_files import put_sib200, sib200


def test_a_written_corpus_is_read_back_in_the_languages_asked_for(mirror, put, tmp_path):
    put_sib200(put, eng_Latn=[(1, 'one\u2028"')], deu_Latn=[(1, "eins")])
    frame = fetch_corpus("sib", sib200(2), ["eng_Latn", "deu_Latn"], mirror)
    path = tmp_path / "new" / "sib.parquet"
    corpora.write(frame, path)
    assert corpora.read(path).equals(frame)
    assert corpora.read(path, ["deu_Latn"])["text"].tolist() == ["eins", "seven deu_Latn"]
    assert corpora.read(path, ["deu_Latn", "eng_Latn"])["language"].tolist()[:2] == ["deu_Latn", "eng_Latn"]
    assert corpora.texts(path, "eng_Latn") == {"0001": 'one\u2028"', "0007": "seven eng_Latn"}
    with pytest.raises(CorpusError, match=r"sib.parquet does not hold fra_Latn; it holds eng_Latn, deu_Latn"):
        corpora.read(path, ["fra_Latn"])


def test_the_same_corpus_is_written_as_the_same_bytes(mirror, put, tmp_path):
    put_sib200(put, eng_Latn=[(1, "one"), (2, "two")])
    paths = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    for path in paths:
        corpora.write(fetch_corpus("sib", sib200(3), ["eng_Latn"], mirror), path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert pyarrow.parquet.read_schema(paths[0]).metadata is None


def test_what_is_no_corpus_cannot_be_read(tmp_path):
    with pytest.raises(CorpusError, match=r"sib.parquet is absent: `dvc repro` computes it, and `dvc pull` brings it"):
        corpora.read(tmp_path / "sib.parquet")
    (tmp_path / "sib.parquet").write_bytes(b"half a fi")
    with pytest.raises(CorpusError, match=r"sib.parquet carries no checksum: it is damaged"):
        corpora.read(tmp_path / "sib.parquet")


def test_items_may_be_conversations(tmp_path):
    solved = (Turn("user", "2 + 2?"), Turn("assistant", "4"))
    rows = [("b", "eng_Latn", solved), ("a", "eng_Latn", "a passage"), ("c", "eng_Latn", (Turn("user", "alone"),))]
    path = tmp_path / "mixed.parquet"
    corpora.write(corpora.table(rows), path)
    assert corpora.items(path, "eng_Latn") == {"a": "a passage", "b": solved, "c": (Turn("user", "alone"),)}
    assert corpora.texts(path, "eng_Latn") == {"a": "a passage", "b": "2 + 2?\n\n4", "c": "alone"}
    assert list(corpora.read(path).columns) == ["item_id", "language", "text"]
    again = tmp_path / "again.parquet"
    corpora.write(corpora.table(rows), again)
    assert again.read_bytes() == path.read_bytes()


def test_a_corpus_without_conversations_has_no_column_of_turns(tmp_path):
    path = tmp_path / "plain.parquet"
    corpora.write(corpora.table([("a", "eng_Latn", "one"), ("a", "deu_Latn", "eins")]), path)
    assert pyarrow.parquet.read_schema(path).names == ["item_id", "language", "text"]
    assert corpora.items(path, "deu_Latn") == {"a": "eins"}
