"""Files as they come: quotes, line ends, byte order marks, and what is broken in them."""

import pyarrow
import pyarrow.parquet
import pytest

from polyroute.artifacts.corpus import CorpusError
from polyroute.readers.tables import columns, fields, lines


def texts(path):
    return [row["text"] for row in columns(path, ("text",))]


def test_a_quoted_tsv_loses_its_quotes_as_csv_says(file):
    path = file("a.tsv", 'id\ttext\n1\t"He said ""no""."\n2\t"""Yes."""\n3\tplain\n')
    assert texts(path) == ['He said "no".', '"Yes."', "plain"]


def test_a_plain_tsv_keeps_its_quotes(file):
    path = file("a.tsv", 'id\ttext\n1\t"No," he said.\n2\t"Yes."\n3\tthe "Todo" shop\n')
    assert texts(path) == ['"No," he said.', '"Yes."', 'the "Todo" shop']


def test_a_tsv_quoted_in_two_ways_is_an_error(file):
    path = file("a.tsv", 'id\ttext\n1\t"He said ""no""."\n2\t"No," he said.\n')
    with pytest.raises(CorpusError, match=r"a.tsv: quotes are doubled on line 2, .* alone on line 3"):
        columns(path, ("text",))


@pytest.mark.parametrize("name", ["a.tsv", "a.jsonl", "a.txt"])
def test_crlf_and_byte_order_mark_are_no_text(file, name):
    body = {"a.tsv": "id\ttext\r\n1\tja\r\n", "a.jsonl": '{"id": 1, "text": "ja"}\r\n', "a.txt": "ja\r\n"}[name]
    path = file(name, b"\xef\xbb\xbf" + body.encode())
    assert (lines(path) if name == "a.txt" else texts(path)) == ["ja"]


def test_blanks_and_unicode_line_separators_stay_in_the_text(file):
    assert texts(file("a.tsv", "text\n a\u2028b\x85c \n")) == [" a\u2028b\x85c "]


def test_bad_utf8_names_file_and_line(file):
    with pytest.raises(CorpusError, match=r"a.tsv, line 3: not valid UTF-8 \(invalid start byte at byte 11\)"):
        columns(file("a.tsv", b"text\nfine\n\xa0bad\n".replace(b"fine\n", b"fine!\n")), ("text",))


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.tsv", "id\tsentence\n1\tx\n"), ("a.jsonl", '{"id": 1, "sentence": "x"}\n')],
)
def test_an_absent_column_names_those_there(file, name, content):
    with pytest.raises(CorpusError, match=rf"{name}.*: no column `text`; there are id, sentence"):
        columns(file(name, content), ("text",))


def test_an_optional_column_may_be_absent(file):
    assert columns(file("a.jsonl", '{"text": "x"}\n'), ("text",), optional=("input",)) == [{"text": "x", "input": ""}]


def test_a_line_with_a_tab_too_many_is_an_error(file):
    with pytest.raises(CorpusError, match=r"a.tsv, line 3: 3 cells where the header has 2 columns"):
        columns(file("a.tsv", "id\ttext\n1\tx\n2\ty\tz\n"), ("text",))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"text": "x"}\n{"text": \n', "line 2: not valid JSON"),
        ('["x"]\n', "line 1: a row must be a JSON object"),
        ('{"text": ["x"]}\n', "line 1: column `text` holds list, not text"),
        ('{"text": "\\ud83d half"}\n', "line 1: column `text` is not valid Unicode"),
    ],
)
def test_a_broken_row_of_json_is_an_error(file, content, message):
    with pytest.raises(CorpusError, match=message):
        columns(file("a.jsonl", content), ("text",))


def test_parquet_reads_the_named_columns(tmp_path):
    path = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"id": [1, 2], "text": ["x", None], "more": [0.5, 1.0]}), path)
    assert columns(path, ("id", "text")) == [{"id": "1", "text": "x"}, {"id": "2", "text": ""}]
    with pytest.raises(CorpusError, match=r"no column `question`; there are id, text, more"):
        columns(path, ("question",))
    with pytest.raises(CorpusError, match=r"a.parquet, row 1: column `more` holds float"):
        columns(path, ("more",))


def test_what_is_no_parquet_is_an_error(file):
    with pytest.raises(CorpusError, match=r"a.parquet: not a Parquet file"):
        columns(file("a.parquet", "version https://git-lfs.github.com/spec/v1\n"), ("text",))


def test_an_unknown_ending_is_an_error(file):
    with pytest.raises(CorpusError, match=r"ends in .tsv, .csv, .jsonl or .parquet, not in `.xlsx`"):
        columns(file("a.xlsx", "text\nx\n"), ("text",))


def test_csv_cells_hold_commas_quotes_and_line_breaks(file):
    path = file("a.csv", 'id,text\r\n007,"He said ""no"", twice."\r\n2,"one\ntwo"\r\n')
    assert columns(path, ("id", "text")) == [
        {"id": "007", "text": 'He said "no", twice.'}, {"id": "2", "text": "one\ntwo"}
    ]  # fmt: skip
    with pytest.raises(CorpusError, match=r"b.csv, line 3: 1 cells where the header has 2 columns"):
        columns(file("b.csv", "id,text\n1,x\n2\n"), ("text",))


def test_lists_and_fields_of_records_are_read_where_they_may_be(file):
    path = file("a.jsonl", '{"text": "x", "choices": {"text": ["a", 1], "label": ["A", "B"]}}\n')
    assert columns(path, ("choices.text",), lists=("choices.text",)) == [{"choices.text": ["a", "1"]}]
    with pytest.raises(CorpusError, match=r"column `choices.text` holds list, not text"):
        columns(path, ("choices.text",))
    with pytest.raises(CorpusError, match=r"no column `options.text`; there are text, choices"):
        columns(path, ("options.text",))


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.tsv", "id\ttext\n1\tx\n"), ("a.csv", "id,text\n"), ("a.jsonl", '{"id": 1, "text": "x"}\n')],
)
def test_the_columns_of_a_table_are_known_before_it_is_read(file, name, content):
    assert fields(file(name, content)) == ["id", "text"]


def test_an_empty_file_has_no_lines(file):
    assert lines(file("a.txt", "")) == []
    with pytest.raises(CorpusError, match="no column `text`"):
        columns(file("a.tsv", ""), ("text",))
