"""A corpus from its files to its Parquet file, and every breach on the way."""

import unicodedata

import pytest

from polyroute.artifacts.corpus import CorpusError
from polyroute.ground.hub import HubSource
from polyroute.readers.belebele import Belebele
from polyroute.readers.checks import repeats
from polyroute.readers.datasets import DatasetCorpus
from polyroute.readers.fetch import fetch_corpus
from polyroute.readers.flores_plus import FloresPlus
from polyroute.readers.local import LocalCorpus
from polyroute.readers.medinstruct import MedInstruct
from polyroute.readers.miniworld import MiniworldCorpus
from readers.corpus_files import jsonl, put_sib200, sib200, tsv

NO_SOURCE = HubSource(fetch=lambda *_: pytest.fail("went to the network"))


def test_splits_and_languages_become_one_sorted_corpus(mirror, put):
    put_sib200(put, eng_Latn=[(10, "ten"), (9, "nine")], deu_Latn=[(9, "neun"), (10, "zehn")])
    frame = fetch_corpus("sib", sib200(3), ["eng_Latn", "deu_Latn"], mirror)
    assert frame.to_numpy().tolist() == [
        ["0007", "eng_Latn", "seven eng_Latn"],
        ["0007", "deu_Latn", "seven deu_Latn"],
        ["0009", "eng_Latn", "nine"],
        ["0009", "deu_Latn", "neun"],
        ["0010", "eng_Latn", "ten"],
        ["0010", "deu_Latn", "zehn"],
    ]


def test_take_keeps_the_first_items_after_the_whole_was_checked(mirror, put):
    put_sib200(put, eng_Latn=[(10, "ten"), (9, "nine")], deu_Latn=[(9, "neun"), (10, "zehn")])
    frame = fetch_corpus("sib", sib200(3, take=2), ["eng_Latn", "deu_Latn"], mirror)
    assert frame["item_id"].tolist() == ["0007", "0007", "0009", "0009"]
    with pytest.raises(CorpusError, match="3 items where 2 are expected"):
        fetch_corpus("sib", sib200(2, take=2), ["eng_Latn"], mirror)


@pytest.mark.parametrize(
    ("german", "items", "breach"),
    [
        ([(1, "eins")], 3, "2 items where 3 are expected"),
        ([(1, "eins")], 3, "missing, though in another language: 0002"),
        ([(1, "eins"), (3, "drei")], 3, "missing, though in another language: 0002"),
        ([(1, "eins"), (2, "zwei"), (2, "noch zwei")], 3, "there twice: 0002"),
        ([(1, "eins"), (2, "  ")], 3, "empty text: 0002"),
        ([(1, "eins"), (2, "eins")], 3, "text that another item has too, in more than 1%: 0001, 0002"),
    ],
)
def test_a_breach_names_corpus_language_file_and_item(mirror, put, german, items, breach):
    put_sib200(put, eng_Latn=[(1, "one"), (2, "two")], deu_Latn=german)
    with pytest.raises(CorpusError) as error:
        fetch_corpus("sib", sib200(items), ["eng_Latn", "deu_Latn"], mirror)
    first, *breaches = str(error.value).splitlines()
    assert first == "corpus `sib` cannot be used:"
    assert f"  deu_Latn (data/deu_Latn/train.tsv, data/deu_Latn/test.tsv): {breach}" in breaches


def test_every_breach_is_told_at_once_and_long_lists_are_cut(mirror, put):
    put_sib200(put, eng_Latn=[(n, f"n{n}") for n in range(20, 30)], deu_Latn=[(1, "")])
    with pytest.raises(CorpusError) as error:
        fetch_corpus("sib", sib200(11), ["eng_Latn", "deu_Latn"], mirror)
    told = str(error.value)
    assert (
        "eng_Latn (data/eng_Latn/train.tsv, data/eng_Latn/test.tsv): missing, though in another language: 0001" in told
    )
    assert "2 items where 11 are expected" in told
    assert "missing, though in another language: 0020, 0021, 0022 and 7 more" in told
    assert "empty text: 0001" in told


def test_a_language_without_rows_is_an_error(mirror, put):
    put("D/sib/eng_Latn.tsv", tsv())
    with pytest.raises(CorpusError, match=r"  eng_Latn \(eng_Latn.tsv\): no items"):
        fetch_corpus("sib", sib200(2, files="{language}.tsv", splits=[""]), ["eng_Latn"], mirror)


def test_a_few_repeated_texts_are_kept_and_told(mirror, put, caplog):
    put_sib200(put, eng_Latn=[(n, f"text {n}") for n in range(100, 498)] + [(1, "same"), (2, "same")])
    frame = fetch_corpus("sib", sib200(401), ["eng_Latn"], mirror)
    assert repeats(frame)["item_id"].tolist() == ["0001", "0002"]
    assert "sib: items of equal text in eng_Latn, kept as they are: 0001, 0002" in caplog.text


def test_a_number_that_is_none_names_the_file(mirror, put):
    put_sib200(put, eng_Latn=[("x1", "one")])
    with pytest.raises(CorpusError, match=r"train.tsv: index_id `x1` is not a number"):
        fetch_corpus("sib", sib200(2), ["eng_Latn"], mirror)


def test_a_language_that_the_data_set_lacks_is_an_error(mirror):
    with pytest.raises(CorpusError, match=r"D/sib does not hold hin_Latn; it holds ace_Arab, "):
        fetch_corpus("sib", sib200(2), ["hin_Latn"], mirror)


def test_text_stays_as_released_unless_nfc_is_asked_for(mirror, put):
    put_sib200(put, eng_Latn=[(1, " cafe\u0301")])
    as_is = fetch_corpus("sib", sib200(2), ["eng_Latn"], mirror)
    nfc = fetch_corpus("sib", sib200(2, unicode="NFC"), ["eng_Latn"], mirror)
    assert as_is["text"][0] == " cafe\u0301"
    assert nfc["text"][0] == unicodedata.normalize("NFC", " cafe\u0301") == " café"


def flores_row(number, iso, script, text):
    return {"id": number, "iso_639_3": iso, "iso_15924": script, "text": text, "domain": "wikinews"}


def test_flores_plus_names_files_by_individual_language_and_numbers_by_split(mirror, put):
    spec = FloresPlus(
        reader="flores_plus", hub="o/f", revision="main", files="{split}/{language}.jsonl", splits=["dev", "devtest"],
        items=3,
    )  # fmt: skip
    put("o/f/dev/cmn_Hans.jsonl", jsonl(flores_row(1, "cmn", "Hans", "一"), flores_row(0, "cmn", "Hans", "零")))
    put("o/f/devtest/cmn_Hans.jsonl", jsonl(flores_row(0, "cmn", "Hans", "无")))
    frame = fetch_corpus("flores", spec, ["zho_Hans"], mirror)
    assert frame["item_id"].tolist() == ["dev-0000", "dev-0001", "devtest-0000"]
    assert set(frame["language"]) == {"zho_Hans"}
    put("o/f/devtest/cmn_Hans.jsonl", jsonl(flores_row(0, "yue", "Hant", "無")))
    with pytest.raises(CorpusError, match=r"cmn_Hans.jsonl: item 0 is in yue_Hant, not in cmn_Hans \(zho_Hans\)"):
        fetch_corpus("flores", spec, ["zho_Hans"], mirror)


def test_variants_of_a_language_have_files_of_their_own():
    spec = FloresPlus(reader="flores_plus", hub="o/f", revision="main", files="dev/{language}.jsonl", items=1)
    assert spec.paths("ajp_Arab") == ["dev/apc_Arab_sout3123.jsonl"]


def belebele_row(link, question, passage, dialect="deu_Latn"):
    return {"link": link, "question_number": question, "flores_passage": passage, "dialect": dialect}


def test_belebele_has_an_item_a_passage(mirror, put):
    spec = Belebele(reader="belebele", hub="o/b", revision="main", files="data/{language}.jsonl", items=2)
    rows = [belebele_row("b", 1, "Zwei"), belebele_row("a", 1, "Eins"), belebele_row("b", 2, "Zwei")]
    put("o/b/data/deu_Latn.jsonl", jsonl(*rows))
    frame = fetch_corpus("belebele", spec, ["deu_Latn"], mirror)
    assert frame.to_numpy().tolist() == [["a", "deu_Latn", "Eins"], ["b", "deu_Latn", "Zwei"]]
    put("o/b/data/deu_Latn.jsonl", jsonl(*rows, belebele_row("a", 2, "Drei")))
    with pytest.raises(CorpusError, match="deu_Latn has different passages under the questions on a"):
        fetch_corpus("belebele", spec, ["deu_Latn"], mirror)
    put("o/b/data/deu_Latn.jsonl", jsonl(belebele_row("a", 1, "Een", "nld_Latn")))
    with pytest.raises(CorpusError, match="the passage of a is in nld_Latn, not in deu_Latn"):
        fetch_corpus("belebele", spec, ["deu_Latn"], mirror)


def test_gsm8k_is_its_questions(mirror, put):
    spec = DatasetCorpus(
        reader="datasets", hub="o/g", revision="main", files="{split}.jsonl", splits=["train"], items=2,
        text="question", parallel=False, languages=["eng_Latn"],
    )  # fmt: skip
    put("o/g/train.jsonl", jsonl({"question": "1 + 1?", "answer": "2"}, {"question": "2 + 2?", "answer": "4"}))
    frame = fetch_corpus("gsm8k", spec, ["eng_Latn"], mirror)
    assert frame.to_numpy().tolist() == [["train-00000", "eng_Latn", "1 + 1?"], ["train-00001", "eng_Latn", "2 + 2?"]]
    assert not spec.is_parallel()
    with pytest.raises(CorpusError, match="does not hold deu_Latn; it holds eng_Latn"):
        fetch_corpus("gsm8k", spec, ["eng_Latn", "deu_Latn"], mirror)


def test_medinstruct_is_its_instructions_with_their_input(mirror, put):
    spec = MedInstruct(reader="medinstruct", hub="o/m", revision="main", files="train.jsonl", items=3)
    put(
        "o/m/train.jsonl",
        jsonl(
            {"instruction": "Explain asthma.", "input": "<noinput>", "output": "..."},
            {"instruction": "Summarise.", "input": "The patient coughs.", "output": "..."},
            {"instruction": "What is a stent?", "output": "..."},
        ),
    )
    frame = fetch_corpus("medinstruct", spec, ["eng_Latn"], mirror)
    assert frame["text"].tolist() == ["Explain asthma.", "Summarise.\nThe patient coughs.", "What is a stent?"]
    assert frame["item_id"].tolist() == ["00000", "00001", "00002"]


def test_local_text_in_one_table_of_own_columns(tmp_path):
    path = tmp_path / "mine.tsv"
    path.write_text("nr\tlang\tsentence\nb\teng_Latn\ttwo\na\teng_Latn\tone\na\tdeu_Latn\teins\nb\tdeu_Latn\tzwei\n")
    spec = LocalCorpus(reader="local", files=str(path), id="nr", text="sentence", language="lang", items=2)
    frame = fetch_corpus("mine", spec, ["deu_Latn", "eng_Latn"], NO_SOURCE)
    assert frame["text"].tolist() == ["eins", "one", "zwei", "two"]
    with pytest.raises(CorpusError, match=r"mine.tsv: no rows of fra_Latn; column `lang` holds deu_Latn, eng_Latn"):
        fetch_corpus("mine", spec, ["fra_Latn"], NO_SOURCE)


def test_local_text_in_a_table_a_language(tmp_path):
    (tmp_path / "eng_Latn.jsonl").write_text(jsonl({"item_id": 1, "text": "one"}))
    (tmp_path / "deu_Latn.jsonl").write_text(jsonl({"item_id": 1, "text": "eins"}))
    spec = LocalCorpus(reader="local", files=str(tmp_path / "{language}.jsonl"))
    frame = fetch_corpus("mine", spec, ["eng_Latn", "deu_Latn"], NO_SOURCE)
    assert frame["text"].tolist() == ["one", "eins"]
    with pytest.raises(CorpusError, match=r"fra_Latn.jsonl is absent: `files` in params.yaml counts from the root"):
        fetch_corpus("mine", spec, ["fra_Latn"], NO_SOURCE)


def test_local_lines_are_aligned_by_number(tmp_path):
    (tmp_path / "eng_Latn.txt").write_text("one\ntwo\n")
    (tmp_path / "deu_Latn.txt").write_text("eins\n")
    spec = LocalCorpus(reader="local", files=str(tmp_path / "{language}.txt"))
    with pytest.raises(CorpusError, match=r"deu_Latn \(.*deu_Latn.txt\): missing, though in another language: 0000002"):
        fetch_corpus("mine", spec, ["eng_Latn", "deu_Latn"], NO_SOURCE)
    (tmp_path / "deu_Latn.txt").write_text("eins\nzwei\n")
    frame = fetch_corpus("mine", spec, ["eng_Latn", "deu_Latn"], NO_SOURCE)
    assert frame["text"].tolist() == ["one", "eins", "two", "zwei"]


def test_plain_lines_hold_one_language(tmp_path):
    (tmp_path / "mine.txt").write_text("one\ntwo\n")
    spec = LocalCorpus(reader="local", files=str(tmp_path / "mine.txt"), parallel=False)
    assert fetch_corpus("mine", spec, ["eng_Latn"], NO_SOURCE)["item_id"].tolist() == ["0000001", "0000002"]
    with pytest.raises(
        CorpusError, match=r"mine.txt holds one language: no column `language`, and no `\{language\}` in its path"
    ):
        fetch_corpus("mine", spec, ["eng_Latn", "deu_Latn"], NO_SOURCE)


def test_pocket_text_is_generated_without_a_source():
    spec = MiniworldCorpus(reader="miniworld", content="generic", split="report", items=20, seed=3)
    frame = fetch_corpus("pocket", spec, ["eng_Latn", "deu_Latn"], NO_SOURCE)
    assert len(frame) == 40
    assert spec.is_parallel()
    assert spec.paths("eng_Latn") == []
    in_task = MiniworldCorpus(reader="miniworld", content="arithmetic", split="select", items=20, seed=3)
    assert set(fetch_corpus("pocket", in_task, ["eng_Latn"], NO_SOURCE)["language"]) == {"eng_Latn"}
    assert not in_task.is_parallel()
