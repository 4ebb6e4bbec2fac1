import pytest

from polyroute.ground.errors import PolyrouteError
from polyroute.miniworld import items, tables, world


def test_arithmetic_items() -> None:
    frame = items.arithmetic("report", 30, ["eng_Latn", "urd_Arab"], 0)
    assert len(frame) == 60
    assert frame.item_id.nunique() == 30
    assert set(frame.choices.map(len)) == {10}
    assert (frame.groupby("item_id").answer.nunique() == 1).all()
    first = frame.iloc[0]
    assert first.choices[first.answer].strip(" .").isdigit()
    assert frame.equals(items.arithmetic("report", 30, ["eng_Latn", "urd_Arab"], 0))


def test_knowledge_items() -> None:
    frame = items.knowledge("report", ["eng_Latn", "deu_Latn"])
    assert frame.item_id.nunique() == 240
    assert frame[frame.language == "eng_Latn"].known.all()
    assert 0.2 < frame[frame.language == "deu_Latn"].known.mean() < 0.4
    fact = next(fact for fact in world.facts() if fact.split == "report")
    german = frame[(frame.item_id == f"knowledge-treats-{fact.entity}") & (frame.language == "deu_Latn")].iloc[0]
    phrase = tables.load("deu_Latn").facts["treats"].values[fact.value]
    assert german.choices[german.answer] == f" {phrase}."


def test_more_problems_than_there_are_are_refused_and_not_waited_for(monkeypatch) -> None:
    monkeypatch.setattr(world, "FRUITLESS", 100)
    monkeypatch.setattr(
        world, "draw_problem", lambda rng, _split: world.Problem("buy", "tiko", "egg", 5, rng.choice([5, 6]))
    )
    with pytest.raises(PolyrouteError, match=r"hardly more than 2 items of arithmetic `select`, not 3"):
        items.arithmetic("select", 3, ["eng_Latn"], 0)


def test_stated_says_of_items_what_the_frame_of_knowledge_says() -> None:
    asked = items.knowledge("report", ["eng_Latn", "deu_Latn", "swh_Latn"])
    known = items.stated(asked["item_id"].tolist(), asked["language"].tolist())
    assert known == asked["known"].tolist()
    assert all(asked[asked["language"] == "eng_Latn"]["known"])
    with pytest.raises(PolyrouteError, match="item arithmetic-1 asks for no fact"):
        items.stated(["arithmetic-1"], ["eng_Latn"])
