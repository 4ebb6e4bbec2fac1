"""Text as it comes: line ends, marks, encodings, quotes over lines, names that are there twice."""

import contextlib
import json

import pyarrow
import pyarrow.parquet
import pytest

from polyroute.artifacts.corpus import CorpusError
from polyroute.ground.hub import HubSource
from polyroute.readers.fetch import fetch_corpus
from polyroute.readers.local import LocalCorpus
from polyroute.readers.tables import columns, lines

TEXTS = ["One.", "Two.", "Three."]


def rows(path):
    return [(row["item_id"], row["text"]) for row in columns(path, ("item_id", "text"))]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r\r\n", "\r"])
def test_every_line_end_ends_a_line_and_is_no_text(file, end) -> None:
    assert lines(file("a.txt", end.join(TEXTS) + end)) == TEXTS
    assert lines(file("a.txt", end.join(TEXTS))) == TEXTS
    for name, cell in (("a.tsv", "\t"), ("a.csv", ",")):
        table = end.join([f"item_id{cell}text", *(f"{n}{cell}{text}" for n, text in enumerate(TEXTS))]) + end
        assert rows(file(name, table)) == [(str(n), text) for n, text in enumerate(TEXTS)]


@pytest.mark.parametrize("end", ["\x85", "\u2028", "\u2029", "\x0b", "\x0c"])
def test_a_file_of_one_line_that_another_line_end_divides_is_refused(file, end) -> None:
    with pytest.raises(CorpusError, match=f"a.txt: has no line end but U\\+{ord(end):04X}"):
        lines(file("a.txt", end.join(TEXTS) + end))
    assert lines(file("a.txt", f"One{end} and a half.\nTwo.\n")) == [f"One{end} and a half.", "Two."]


@pytest.mark.parametrize(
    ("beginning", "told"),
    [
        ("version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 12\n", "is a Git LFS pointer"),
        ("<!DOCTYPE html>\n<html>\n</html>\n", "is a web page"),
        ("\ufeff\n<HTML>\n</html>\n", "is a web page"),
        ("PK\x03\x04 and more\n", "is a ZIP archive"),
    ],
)
def test_what_stands_in_for_a_file_is_no_text(file, beginning, told) -> None:
    for name in ("a.txt", "a.tsv", "a.csv", "a.jsonl"):
        with pytest.raises(CorpusError, match=rf"{name}: {told}"):
            lines(file(name, beginning)) if name == "a.txt" else columns(file(name, beginning), ("text",))


def test_line_ends_of_two_kinds_are_read_and_a_stray_cr_is_refused(file) -> None:
    assert lines(file("a.txt", "One.\r\nTwo.\nThree.\r\r\n")) == TEXTS
    with pytest.raises(CorpusError, match=r"a.txt, line 2: a CR inside the line"):
        lines(file("a.txt", "One.\nTwo.\rThree.\n"))
    with pytest.raises(CorpusError, match=r"a.tsv, line 1: a CR inside the line"):
        columns(file("a.tsv", "item_id\ttext\r1\tx\n"), ("text",))


@pytest.mark.parametrize(
    ("encoding", "match"),
    [
        ("utf-16", "is UTF-16, as its byte order mark says: save it as UTF-8"),
        ("utf-32", "is UTF-32, as its byte order mark"),
        ("utf-16-le", "line 1: holds a NUL character"),
        ("utf-16-be", "line 1: holds a NUL character"),
        ("utf-32-le", "line 1: holds a NUL character"),
    ],
)
@pytest.mark.parametrize("name", ["a.txt", "a.tsv", "a.csv", "a.jsonl"])
def test_what_is_not_utf8_is_named(file, encoding, match, name) -> None:
    path = file(name, "text\nOne.\n".encode(encoding))
    with pytest.raises(CorpusError, match=rf"{name}.*{match}"):
        lines(path) if name == "a.txt" else columns(path, ("text",))


def test_a_byte_order_mark_goes_at_the_start_of_a_line_and_is_refused_inside(file) -> None:
    assert lines(file("a.txt", "\ufeffOne.\n\ufeff\ufeffTwo.\r\n\ufeffThree.\n")) == TEXTS
    with pytest.raises(CorpusError, match=r"a.txt, line 2: a byte order mark \(U\+FEFF\) inside the line"):
        lines(file("a.txt", "One.\nTwo.\ufeffThree.\n"))


def test_a_quoted_table_is_read_as_csv_readers_do(file) -> None:
    whole = '"item_id"\t"text"\n"a"\t"One\n""more""\there."\n"b"\t"Two."\n'
    wanted = [("a", 'One\n"more"\there.'), ("b", "Two.")]
    assert rows(file("a.tsv", whole)) == wanted
    assert rows(file("a.tsv", whole.replace('"item_id"\t"text"', "item_id\ttext"))) == wanted
    # Read as plain text the row is broken, so that only a quoted table is left.
    assert rows(file("a.tsv", 'item_id\ttext\na\t"One\nmore here."\nb\tTwo.\n')) == [
        ("a", "One\nmore here."),
        ("b", "Two."),
    ]
    assert rows(file("a.csv", '"item_id","text"\r\n"a","One\r\nmore"\r\n')) == [("a", "One\nmore")]


def test_speech_over_two_rows_that_may_be_one_quoted_cell_is_refused(file) -> None:
    with pytest.raises(CorpusError, match=r"a.tsv, line 2: a quote that is closed in another cell"):
        columns(file("a.tsv", 'item_id\ttext\n1\t"Come,\n2\tsaid he."\n3\t"Yes."\n'), ("text",))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.tsv", "item_id\ttext\ttext\na\tOne.\tTwo.\n"),
        ("a.csv", "item_id,text,text\na,One.,Two.\n"),
        ("a.jsonl", '{"item_id": "a", "text": "One.", "text": "Two."}\n'),
        ("a.jsonl", '{"text": "One.", "more": {"text": 1, "text": 2}}\n'),
        ("a.parquet", None),
    ],
)
def test_a_column_or_key_that_is_there_twice_is_named(file, name, content) -> None:
    path = file(name, content or "")
    if content is None:
        table = pyarrow.table(
            [pyarrow.array([text]) for text in ("a", "One.", "Two.")], names=["item_id", "text", "text"]
        )
        pyarrow.parquet.write_table(table, path)
    with pytest.raises(CorpusError, match=rf"{name}.*`text` is there twice"):
        columns(path, ("text",))


def test_columns_without_a_name_may_be_many(file) -> None:
    assert columns(file("a.csv", ",,text\n0,1,One.\n"), ("text",)) == [{"text": "One."}]


def test_a_header_in_the_middle_is_no_item(file) -> None:
    with pytest.raises(CorpusError, match=r"a.tsv, line 3: the header again"):
        columns(file("a.tsv", "item_id\ttext\na\tOne.\nitem_id\ttext\nb\tTwo.\n"), ("text",))


def test_empty_lines_are_no_rows_of_json_and_no_items_of_csv_unless_it_has_one_column(file) -> None:
    path = file("a.jsonl", '\n{"text": "One."}\n  \n{"text": "Two."}\n\n')
    assert [row["text"] for row in columns(path, ("text",))] == ["One.", "Two."]
    with pytest.raises(CorpusError, match=r"a.jsonl, line 3: not valid JSON"):
        columns(file("a.jsonl", '{"text": "One."}\n\n{"text": \n'), ("text",))
    assert rows(file("a.csv", "item_id,text\n\na,One.\n\n")) == [("a", "One.")]
    assert columns(file("a.csv", "text\nOne.\n\nTwo.\n\n"), ("text",)) == [{"text": t} for t in ("One.", "", "Two.")]


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ('{"item_id": ' + "9" * 5000 + "}\n", "line 1: not valid JSON"),
        ('{"text": ' + "[" * 100_000 + "\n", "line 1: nested too deeply"),
    ],
)
def test_absurd_json_names_its_line(file, content, match) -> None:
    with pytest.raises(CorpusError, match=match):
        columns(file("a.jsonl", content), ("text",))


def test_every_flipped_bit_of_parquet_is_text_or_a_sentence(file, tmp_path) -> None:
    path = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"text": ["One."] * 3}), path, write_page_checksum=True)
    whole = path.read_bytes()
    for place in range(0, len(whole), 3):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << place % 8)]) + whole[place + 1 :])
        with contextlib.suppress(CorpusError):
            columns(path, ("text",))


def fetched(tmp_path, ending, english, german):
    for code, content in (("eng_Latn", english), ("deu_Latn", german)):
        (tmp_path / f"{code}.{ending}").write_text(content)
    spec = LocalCorpus(reader="local", files=str(tmp_path / f"{{language}}.{ending}"))
    return fetch_corpus("mine", spec, ["eng_Latn", "deu_Latn"], HubSource())


@pytest.mark.parametrize("line", ["\u200b\u200d\u2060", "\u00ad", "\u3164", " \u2800\t", "\ufe0f", "\x07"])
def test_a_line_that_shows_nothing_is_empty_text(tmp_path, line) -> None:
    with pytest.raises(CorpusError, match=r"eng_Latn.*empty text: 0000002"):
        fetched(tmp_path, "txt", f"One.\n{line}\nThree.\n", "Eins.\nZwei.\nDrei.\n")


def test_a_language_that_is_a_copy_of_another_is_named(tmp_path, caplog) -> None:
    fetched(tmp_path, "txt", "One.\nTwo.\nThree.\n", "One.\nTwo. \nDrei.\n")
    assert "mine: deu_Latn" in caplog.text
    assert "has the text of eng_Latn" in caplog.text
    assert "in 2 items" in caplog.text
    caplog.clear()
    fetched(tmp_path, "txt", "One.\nTwo.\nThree.\nFour.\n", "One.\nTwo.\nDrei.\nVier.\n")
    assert not caplog.text


@pytest.mark.parametrize(
    ("ids", "match"),
    [
        ((None, "b"), "row 2 has an `item_id`, unlike those before it"),
        (("b", None), "row 2 has no `item_id`, unlike those before it"),
        (("a", "\u200b"), "1 items without an id"),
    ],
)
def test_an_item_without_an_id_among_others_with_one_is_refused(tmp_path, ids, match) -> None:
    def table(texts):
        return "".join(json.dumps({"item_id": n, "text": text}) + "\n" for n, text in zip(ids, texts, strict=True))

    with pytest.raises(CorpusError, match=match):
        fetched(tmp_path, "jsonl", table(["One.", "Two."]), table(["Eins.", "Zwei."]))
