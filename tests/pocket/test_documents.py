from collections import Counter
from itertools import islice

import pytest

from polyroute.miniworld import corpus, items, names, realise, world
from polyroute.pocket import documents

LANGUAGES = ["eng_Latn", "deu_Latn", "hin_Deva", "zho_Hans"]


@pytest.fixture(scope="module")
def some(recipe) -> list[documents.Document]:
    return list(islice(documents.stream(recipe, "test"), 8000))


def test_the_stream_depends_on_recipe_and_key(recipe, some) -> None:
    assert list(islice(documents.stream(recipe, "test"), 50)) == some[:50]
    assert list(islice(documents.stream(recipe, "other"), 50)) != some[:50]
    reseeded = recipe.model_copy(update={"seed": 4})
    assert list(islice(documents.stream(reseeded, "test"), 50)) != some[:50]


def test_languages_and_kinds_have_their_shares(recipe, some) -> None:
    shares = documents.language_shares(recipe)
    assert shares == pytest.approx({"eng_Latn": 1 / 2, "deu_Latn": 2 / 7, "hin_Deva": 1 / 7, "zho_Hans": 1 / 14})
    counts = Counter(document.language for document in some)
    for language, share in shares.items():
        assert counts[language] / len(some) == pytest.approx(share, abs=0.02)
    kinds = Counter(document.kind for document in some if document.language == "eng_Latn")
    assert kinds["generic"] / counts["eng_Latn"] == pytest.approx(0.5, abs=0.03)
    assert {document.kind for document in some if document.language == "deu_Latn"} == set(documents._WRITERS)


def test_english_alone_gets_everything(recipe) -> None:
    assert documents.language_shares(recipe.model_copy(update={"languages": ["eng_Latn"]})) == {"eng_Latn": 1.0}


def test_answers_are_marked(some) -> None:
    marked = [piece for d in some if d.kind == "arithmetic" for piece in d.pieces if piece.answer]
    assert marked
    assert all(piece.text.strip().isdigit() for piece in marked)
    assert not any(piece.answer for d in some if d.kind == "generic" for piece in d.pieces)


def test_no_held_out_text_is_in_the_training_text(some) -> None:
    trained = "\n".join(document.text for document in some)
    for split in ("select", "report"):
        frame = corpus.parallel_corpus(split, 100, LANGUAGES, 0)
        assert not [text for text in frame.text if text in trained]
        for task in ("arithmetic", "knowledge"):
            assert not [text for text in corpus.in_task_corpus(task, split, 100).text if text in trained]
        asked = [items.arithmetic(split, 50, LANGUAGES, 0), items.knowledge(split, LANGUAGES)]
        assert not [prompt for frame in asked for prompt in frame.prompt if prompt in trained]


def test_no_held_out_sentence_is_in_the_training_text(some) -> None:
    trained = "\n".join(document.text for document in some if document.kind in ("generic", "translation"))
    frame = corpus.parallel_corpus("report", 200, ["eng_Latn"], 0)
    sentences = {sentence for text in frame.text for sentence in text.removesuffix(".").split(". ")}
    assert len(sentences) > 200
    assert not [sentence for sentence in sentences if sentence in trained]


def test_other_languages_tell_only_the_facts_they_know(some) -> None:
    hindi = "\n".join(d.text for d in some if d.language == "hin_Deva" and d.kind == "knowledge")
    told = [fact for fact in world.facts() if names.write(fact.entity, "hin_Deva") in hindi]
    assert told
    assert all(fact.known("hin_Deva") for fact in told)


def test_dictionary_holds_every_concept_and_foreign_spellings() -> None:
    german, hindi = (documents._vocabulary(code) for code in ("deu_Latn", "hin_Deva"))
    assert ("den Baum", "the tree") in german
    assert len(hindi) - len(german) == len(world.facts())
    assert (names.write(world.facts()[0].entity, "hin_Deva"), world.facts()[0].entity.capitalize()) in hindi


def test_translations_pair_the_same_meaning(some, trained_events) -> None:
    translated = [document for document in some if document.kind == "translation"][:50]
    assert translated
    for document in translated:
        sides = document.text.split(" = ")
        english = next(side for side in sides if side.split(". ")[0].rstrip(".") + "." in trained_events)
        meanings = [trained_events[f"{sentence}."] for sentence in english.removesuffix(".").split(". ")]
        sides.remove(english)
        assert sides == [realise.events(meanings, document.language)]
