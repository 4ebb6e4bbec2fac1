"""Languages that a study brings, and languages written in other standards."""

import pytest

from polyroute.languages import table as languages
from polyroute.languages.own import OwnLanguage
from polyroute.languages.table import LanguageError, recognise, register


@pytest.fixture(autouse=True)
def _none_left():
    yield
    register([])


@pytest.mark.parametrize(
    ("tag", "meant"),
    [
        ("deu_Latn", "deu_Latn"), ("de", "deu_Latn"), ("deu", "deu_Latn"), ("pt-BR", "por_Latn"), ("en_US", "eng_Latn"),
        ("zh", "zho_Hans"), ("zh-TW", "zho_Hant"), ("zh_Hant", "zho_Hant"), ("cmn", "zho_Hans"), ("swa", "swh_Latn"),
        ("ar", "arb_Arab"), ("ace", "ace_Latn"), ("fil", "tgl_Latn"), ("fa-AF", "prs_Arab"), ("DE", "deu_Latn"),
        ("tlh", None), ("sr-Latn", None), ("readme", None), ("problems", None), ("", None),
    ],
)  # fmt: skip
def test_a_language_is_recognised_in_any_standard(tag, meant):
    assert recognise(tag) == meant


def test_every_language_is_recognised_by_its_own_codes():
    for code in languages.codes():
        assert recognise(code) == recognise(languages.get(code).bcp47) == code


def test_a_language_of_the_study_is_known_like_those_of_the_table():
    toki, bern = OwnLanguage(name="Toki Pona"), OwnLanguage(
        name="Bernese German", family="Indo-European", branch="Germanic", region="Western Europe", resource=0,
        detector="de", bcp47="gsw-BE",
    )  # fmt: skip
    register([toki.row("qaa_Latn"), bern.row("gsw_Latn")])
    assert {"qaa_Latn", "gsw_Latn", "deu_Latn"} <= set(languages.codes())
    assert "qaa_Latn" not in languages.released_codes()
    found = languages.get("qaa_Latn")
    assert (found.family, found.script, found.resource, found.detector) == ("Toki Pona", "Latn", None, "")
    assert found.unknown == ("family", "branch", "region", "resource", "detector")
    assert languages.get("gsw_Latn").unknown == ()
    assert (recognise("gsw-BE"), recognise("gsw"), recognise("qaa")) == ("gsw_Latn", "gsw_Latn", "qaa_Latn")
    register([])
    assert recognise("qaa") is None
    with pytest.raises(LanguageError, match="`qaa_Latn` is not a FLORES code"):
        languages.get("qaa_Latn")


def test_the_table_is_not_overruled():
    with pytest.raises(LanguageError, match=r"`deu_Latn` is in the table of languages already \(German\)"):
        register([OwnLanguage(name="Mine").row("deu_Latn")])
