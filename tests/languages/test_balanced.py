"""Balanced subsets of many languages, worked out by hand."""

from collections import Counter

from polyroute.languages import table
from polyroute.languages.balanced import balanced
from polyroute.languages.table import Language
from polyroute.readers.sib200 import ABSENT

SIB = [table.get(code) for code in table.released_codes() if code not in ABSENT]


def language(code: str, family: str, resource: int | None, bcp47: str | None = None) -> Language:
    return Language(code, bcp47 or code[:3], code, family, family, code[-4:], "here", resource)


def test_families_take_turns_of_two_and_classes_take_turns_within_them() -> None:
    held = [
        language("aaa_Latn", "Large", 0), language("aab_Latn", "Large", 0), language("aac_Latn", "Large", 3),
        language("aad_Latn", "Large", 1), language("baa_Latn", "Small", 1), language("bab_Latn", "Small", 0),
        language("caa_Latn", "Lone", None),
    ]  # fmt: skip
    # Large: aaa (no class has any; by code), then aac or aad of a class without one: aac. Small: baa of class 1.
    assert balanced(held, 2, "") == ["aaa_Latn", "aac_Latn"]
    assert balanced(held, 3, "") == ["aaa_Latn", "aac_Latn", "baa_Latn"]
    assert balanced(held, 5, "") == ["aaa_Latn", "aac_Latn", "baa_Latn", "bab_Latn", "caa_Latn"]
    # The second turn of Large: class 3 and 1 have one each, 0 has two.
    assert balanced(held, 6, "") == ["aaa_Latn", "aac_Latn", "aad_Latn", "baa_Latn", "bab_Latn", "caa_Latn"]
    assert balanced(held, 7, "") == sorted(one.flores for one in held)


def test_the_first_comes_first_as_part_of_its_familys_turn() -> None:
    held = [language(f"aa{letter}_Latn", "Large", 2) for letter in "abc"] + [language("baa_Latn", "Lone", 2)]
    assert balanced(held, 3, "aac_Latn") == ["aac_Latn", "aaa_Latn", "baa_Latn"]
    assert balanced(held, 2, "zzz_Latn") == ["aaa_Latn", "aab_Latn"], "not held: passed over"


def test_an_unknown_class_comes_last_and_a_second_script_after_every_language() -> None:
    held = [
        language("aaa_Arab", "One", 1, "aa-Arab"), language("aaa_Latn", "One", 1, "aa"),
        language("aab_Latn", "One", None), language("aac_Latn", "One", 1),
    ]  # fmt: skip
    assert balanced(held, 2, "") == ["aaa_Latn", "aac_Latn"]
    assert balanced(held, 3, "") == ["aaa_Latn", "aab_Latn", "aac_Latn"]
    assert balanced(held, 4, "") == ["aaa_Arab", "aaa_Latn", "aab_Latn", "aac_Latn"]


def test_constructed_languages_are_no_family() -> None:
    held = [language("aaa_Latn", "Artificial Language", 1), language("aab_Latn", "Artificial Language", 1)]
    assert balanced([*held, language("zaa_Latn", "Lone", 1)], 1, "") == ["zaa_Latn"]


def test_24_of_205_are_twelve_pairs_of_relatives_in_every_class() -> None:
    chosen = [table.get(code) for code in balanced(SIB, 24, "eng_Latn")]
    assert chosen[0].flores == "eng_Latn"
    assert set(Counter(one.family for one in chosen).values()) == {2}
    assert {one.resource for one in chosen} == {0, 1, 2, 3, 4, 5}
    assert balanced(SIB[::-1], 24, "eng_Latn") == [one.flores for one in chosen], "whatever the order"


def test_50_of_205_hold_every_family_and_no_language_twice() -> None:
    chosen = balanced(SIB, 50, "eng_Latn")
    families = Counter(table.get(code).family for code in chosen)
    assert set(families) == {one.family for one in SIB}
    assert max(families.values()) == 4, "of 79 Indo-European ones four"
    assert len({code[:3] for code in chosen}) == 50
