"""A corpus as it is kept."""

import pyarrow.parquet
import pytest

from polyroute.artifacts import corpus as corpora
from polyroute.artifacts.corpus import CorpusError
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
    with pytest.raises(CorpusError, match=r"sib.parquet is absent: run `dvc repro fetch`, or `dvc pull` it"):
        corpora.read(tmp_path / "sib.parquet")
    (tmp_path / "sib.parquet").write_bytes(b"half a fi")
    with pytest.raises(CorpusError, match="is not a corpus with the columns item_id, language, text"):
        corpora.read(tmp_path / "sib.parquet")
