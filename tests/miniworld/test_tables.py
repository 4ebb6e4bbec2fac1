import copy
import tomllib

import pytest

from polyroute.languages import table as languages
from polyroute.miniworld import tables
from polyroute.miniworld.tables import TableError


def raw_table(language: str) -> dict:
    return copy.deepcopy(tables._read(language))


@pytest.mark.parametrize("language", tables.available())
def test_every_table_is_whole(language) -> None:
    table = tables.load(language)
    assert languages.get(language).name
    for slot in tables.SLOTS:
        phrases = list(table.slots[slot].values())
        # Two meanings of one text could carry a report item into the training text.
        assert len(set(phrases)) == len(phrases), f"{language} {slot}"
    assert len(set(table.item.values())) == len(table.item)
    for relation in table.facts.values():
        assert len(set(relation.values.values())) == len(relation.values)
    for phrase in [p for phrases in table.slots.values() for p in phrases.values()]:
        assert phrase == phrase.strip()
        assert phrase


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda raw: raw["verb"].pop("cut"), "phrase table `deu_Latn`, `verb`: lacks cut"),
        (lambda raw: raw["place"].update(moon="auf dem Mond"), "`deu_Latn`, `place`: unknown moon"),
        (lambda raw: raw["item"].update(apple=["Äpfel"]), "`deu_Latn`, `item.apple`: is not shaped"),
        (lambda raw: raw["time"].update(noon=12), "`deu_Latn`, `time.noon`: is not shaped"),
        (lambda raw: raw["arithmetic"].update(have="{n} hat {item}."), "`deu_Latn`, `arithmetic.have`: has"),
        (lambda raw: raw.update(sentence="{time} {verb}."), "`deu_Latn`, `sentence`: has"),
        (lambda raw: raw["fact"]["works"].update(ask="Was?"), "`deu_Latn`, `fact.works.ask`: has"),
    ],
)
def test_a_broken_table_is_named(monkeypatch, spoil, message) -> None:
    raw = raw_table("deu_Latn")
    spoil(raw)
    english = raw_table("eng_Latn")
    monkeypatch.setattr(tables, "_read", lambda language: english if language == "eng_Latn" else raw)
    with pytest.raises(TableError, match=message.replace(".", r"\.")):
        tables.load.__wrapped__("deu_Latn")


def test_a_table_that_is_no_toml_is_named(monkeypatch) -> None:
    def fail(_text: str) -> None:
        raise tomllib.TOMLDecodeError("line 3")

    monkeypatch.setattr(tables.tomllib, "loads", fail)
    with pytest.raises(TableError, match="phrase table `deu_Latn`: line 3"):
        tables._read("deu_Latn")


def test_an_unknown_language_is_named() -> None:
    with pytest.raises(TableError, match="no phrase table for `bam_Latn`; there is deu_Latn"):
        tables.load("bam_Latn")
