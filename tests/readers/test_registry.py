"""The list of readers, and the languages of each data set."""

from typing import get_args

from polyroute.languages import table as languages
from polyroute.readers import belebele, flores_plus
from polyroute.readers.registry import READERS
from polyroute.readers.sib200 import ABSENT
from polyroute.readers.translation import TranslationTask


def spec(reader: str, corpus: bool = True):
    """An entry of a hub reader, unread."""
    (kind,) = (
        one for one in READERS
        if get_args(one.model_fields["reader"].annotation) == (reader,) and one.__name__.endswith("Task") != corpus
    )  # fmt: skip
    return kind.model_construct(reader=reader)


def test_each_data_set_holds_as_many_languages_as_its_paper_says():
    assert len(spec("sib200").covered()) == 205
    assert len(spec("belebele").covered()) == len(spec("belebele", corpus=False).covered()) == 122
    assert len(spec("flores_plus").covered()) == 205
    assert spec("medinstruct").covered() == ["eng_Latn"]
    assert len(spec("mgsm", corpus=False).covered()) == 11


def test_the_languages_of_a_data_set_are_in_the_table():
    held = {*belebele.LANGUAGES, *flores_plus.FILES, *ABSENT}
    held |= {
        code for reader in READERS if reader is not TranslationTask for code in reader.model_construct().covered() or ()
    }
    assert held <= set(languages.codes())


def test_renamed_files_of_flores_plus_are_known():
    plus = spec("flores_plus")
    assert plus.written("zho_Hans") == "cmn_Hans"
    assert plus.written("apc_Arab") == "apc_Arab_nort3139"
    assert plus.written("deu_Latn") == "deu_Latn"
    files = [plus.written(code) for code in plus.covered()]
    assert len(set(files)) == len(files)
