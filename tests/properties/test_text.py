"""Text and tasks of the user's own, as any bytes: read as they were written, or refused by the name of the file."""

from __future__ import annotations

import csv
import io
import json

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from polyroute.ground.hub import HubSource
from polyroute.ground.visible import is_blank
from polyroute.readers import tables
from polyroute.readers.fetch import fetch_corpus, fetch_task
from polyroute.readers.local import LocalCorpus, LocalTask
from properties.made import few, told, values

CODES = ["eng_Latn", "deu_Latn"]
cells = st.text(st.characters(exclude_characters="\r\ufeff\0", exclude_categories=["Cs"]), min_size=1, max_size=12)
sentences = cells.filter(lambda text: not is_blank(text))
ENDINGS = st.sampled_from(["txt", "tsv", "csv", "jsonl", "parquet"])


@few
@given(rows=st.lists(st.tuples(sentences, sentences), min_size=1, max_size=4))
def test_csv_json_lines_and_parquet_give_back_what_was_written(tmp_path, rows) -> None:
    wanted = [{"item_id": one, "text": other} for one, other in rows if (one, other) != ("item_id", "text")]
    frame = pd.DataFrame(wanted, columns=["item_id", "text"])
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerows([["item_id", "text"], *([row["item_id"], row["text"]] for row in wanted)])
    (tmp_path / "a.csv").write_bytes(out.getvalue().encode())
    (tmp_path / "a.jsonl").write_bytes("".join(json.dumps(row) + "\n" for row in wanted).encode())
    frame.to_parquet(tmp_path / "a.parquet")
    for ending in ("csv", "jsonl", "parquet"):
        assert tables.columns(tmp_path / f"a.{ending}", ("item_id", "text")) == wanted


@few
@given(rows=st.lists(st.tuples(sentences, sentences), min_size=2, max_size=4))
def test_quoted_tsv_gives_back_what_was_written_or_is_refused(tmp_path, rows) -> None:
    wanted = [{"item_id": one, "text": other} for one, other in rows]
    out = io.StringIO()
    csv.writer(out, delimiter="\t", quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([["item_id", "text"], *rows])
    path = tmp_path / "a.tsv"
    path.write_bytes(out.getvalue().encode())
    found = told(lambda: tables.columns(path, ("item_id", "text")), "a.tsv")
    assert found in (None, wanted)


@few
@given(ending=ENDINGS, content=st.binary(max_size=60), text=st.text(max_size=60), as_text=st.booleans())
def test_any_bytes_are_a_corpus_or_a_sentence(tmp_path, ending, content, text, as_text) -> None:
    raw = text.encode(errors="replace") if as_text else content
    for code in CODES:
        (tmp_path / f"{code}.{ending}").write_bytes(raw)
    spec = LocalCorpus(reader="local", files=str(tmp_path / f"{{language}}.{ending}"))
    frame = told(lambda: fetch_corpus("mine", spec, CODES, HubSource()), *CODES)
    if frame is not None:
        assert not frame["text"].map(is_blank).any()
        assert set(frame["language"]) == set(CODES)


@few
@given(
    kind=st.sampled_from(["choice", "number", "span", "translation"]),
    rows=st.lists(
        st.dictionaries(st.sampled_from(["item_id", "prompt", "answer", "choice_1", "choice_2", "split"]), values),
        max_size=4,
    ),
)
def test_any_rows_are_a_task_or_a_sentence(tmp_path, kind, rows) -> None:
    (tmp_path / "q.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    spec = LocalTask(reader="local", files=str(tmp_path / "q.jsonl"), kind=kind)
    made = told(lambda: fetch_task("mine", spec, CODES[:1], HubSource()), "q.jsonl", "`mine`")
    if made is not None:
        assert len(made[0].frame) == len(rows)
