"""The table of languages against its own rules, langcodes, and the data sets it describes."""

import re

import langcodes
import pytest

from polyroute.languages import table as languages
from polyroute.languages.table import LanguageError


def test_codes_are_unique_sorted_and_end_in_their_script():
    codes = languages.codes()
    assert codes == sorted(set(codes))
    for code in codes:
        assert re.fullmatch(r"[a-z]{3}_[A-Z][a-z]{3}", code)
        assert languages.get(code).script == code.removeprefix(code[:4])


def test_bcp47_tags_are_valid_unique_and_of_the_same_language():
    tags = [languages.code_in(code, "bcp47") for code in languages.codes()]
    assert len(set(tags)) == len(tags)
    # ISO 639-3 members of these macrolanguages that langcodes does not fold by itself.
    members = {"fuv": "ff", "pbt": "ps", "quy": "qu"}
    for code, tag in zip(languages.codes(), tags, strict=True):
        assert langcodes.tag_is_valid(tag), code
        # Individual languages are written with their macrolanguage's tag (swh -> sw), so compare both as macro.
        own = langcodes.standardize_tag(members.get(code[:3], code[:3]), macro=True).split("-")[0]
        assert langcodes.standardize_tag(tag, macro=True).split("-")[0] == own, code


def test_every_row_has_a_name_a_family_and_a_branch():
    for code in languages.codes():
        row = languages.get(code)
        assert row.name
        assert row.family
        assert row.branch
        assert row.resource in (None, 0, 1, 2, 3, 4, 5)
    assert len({languages.get(code).name for code in languages.codes()}) == len(languages.codes())


def test_regions_are_those_of_the_standard():
    # UN M49: sub-regions, intermediate ones in sub-Saharan Africa and the Americas.
    standard = {
        "Northern Africa", "Eastern Africa", "Middle Africa", "Southern Africa", "Western Africa", "Caribbean",
        "Central America", "South America", "Northern America", "Central Asia", "Eastern Asia", "South-eastern Asia",
        "Southern Asia", "Western Asia", "Eastern Europe", "Northern Europe", "Southern Europe", "Western Europe",
        "Australia and New Zealand", "Melanesia", "Micronesia", "Polynesia",
    }  # fmt: skip
    assert {languages.get(code).region for code in languages.codes()} <= standard
    at_home = {"por_Latn": "Southern Europe", "azb_Arab": "Southern Asia", "azj_Latn": "Western Asia",
               "hat_Latn": "Caribbean", "swh_Latn": "Eastern Africa", "quy_Latn": "South America"}  # fmt: skip
    assert {code: languages.get(code).region for code in at_home} == at_home


def test_one_iso_code_has_one_family_one_region_and_one_class():
    by_iso: dict[str, set[tuple[object, ...]]] = {}
    for code in languages.codes():
        row = languages.get(code)
        by_iso.setdefault(code[:3], set()).add((row.family, row.branch, row.region, row.resource))
    assert all(len(values) == 1 for values in by_iso.values())


def test_two_letters_are_of_the_language_whatever_its_script():
    assert languages.code_in("zho_Hant", "iso639-1") == languages.code_in("zho_Hans", "iso639-1") == "zh"
    assert languages.code_in("swh_Latn", "iso639-1") == "sw"
    assert languages.code_in("swh_Latn", "iso639-3") == "swh"
    assert languages.code_in("swh_Latn", "flores") == "swh_Latn"


def test_classes_that_the_paper_prints():
    # Joshi et al. 2020, Table 1: the examples it gives of each class, as far as the table holds them.
    examples = {
        1: ["fij_Latn", "bho_Deva"],
        2: ["zul_Latn", "lao_Laoo", "mlt_Latn", "gle_Latn"],
        3: ["ind_Latn", "ukr_Cyrl", "ceb_Latn", "afr_Latn", "heb_Hebr"],
        4: ["rus_Cyrl", "hun_Latn", "vie_Latn", "nld_Latn", "kor_Hang"],
        5: ["eng_Latn", "spa_Latn", "deu_Latn", "jpn_Jpan", "fra_Latn"],
    }
    for expected, group in examples.items():
        assert {languages.get(code).resource for code in group} == {expected}


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("deu-Latn", "deu_Latn"),
        ("de", "deu_Latn"),
        ("deu", "deu_Latn"),
        ("Swahili", "swh_Latn"),
        ("sr-Latn", "srp_Cyrl"),
        ("hbs", "hrv_Latn"),
        ("Deutsch", "deu_Latn"),
        ("日本語", "jpn_Jpan"),
        ("dk", "dan_Latn"),
        ("jp", "jpn_Jpan"),
    ],
)
def test_an_unknown_code_is_an_error_that_suggests(wrong, meant):
    with pytest.raises(LanguageError, match=rf"`{wrong}` is not a FLORES code .* did you mean .*{meant}"):
        languages.get(wrong)


def test_a_scheme_that_lacks_the_language_says_so():
    with pytest.raises(LanguageError, match=r"ceb_Latn \(Cebuano\) has no code of two letters in ISO 639-1"):
        languages.code_in("ceb_Latn", "iso639-1")
