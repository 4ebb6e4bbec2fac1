import random
from collections import Counter

import pytest

from polyroute.miniworld import tables, world

SPLITS = ("train", "select", "report")


def test_topics_speak_of_what_the_tables_can_say() -> None:
    english = tables.load("eng_Latn")
    for topic in world.TOPICS.values():
        assert set(topic.subjects) <= english.slots["subject"].keys()
        assert set(topic.places) <= english.slots["place"].keys()
        assert {verb for verb, _ in topic.actions} <= english.slots["verb"].keys()
        assert {thing for _, thing in topic.actions} <= english.slots["object"].keys()
    assert set(world.TIMES) == english.slots["time"].keys()
    assert set(world.ITEMS) == english.item.keys()
    assert {relation: set(values) for relation, values in world.RELATIONS.items()} == {
        relation: set(said.values) for relation, said in english.facts.items()
    }


def test_every_phrase_is_used_by_some_topic() -> None:
    english = tables.load("eng_Latn")
    topics = world.TOPICS.values()
    assert {s for t in topics for s in t.subjects} == english.slots["subject"].keys()
    assert {p for t in topics for p in t.places} == english.slots["place"].keys()
    assert {verb for t in topics for verb, _ in t.actions} == english.slots["verb"].keys()
    assert {thing for t in topics for _, thing in t.actions} == english.slots["object"].keys()


@pytest.mark.parametrize("split", SPLITS)
def test_draws_belong_to_their_split_and_depend_on_the_seed(split) -> None:
    events = [world.draw_events(random.Random(seed), split, 3) for seed in (1, 1, 2)]
    assert events[0] == events[1] != events[2]
    assert all(world.split_of(event) == split for drawn in events for event in drawn)
    problems = [world.draw_problem(random.Random(seed), split) for seed in (1, 1, 2)]
    assert problems[0] == problems[1] != problems[2]
    assert all(world.split_of(problem) == split for problem in problems)


def test_splits_have_their_shares() -> None:
    rng = random.Random(0)
    draws = Counter(
        world.split_of(world.Problem("buy", rng.choice(world.PEOPLE), rng.choice(world.ITEMS), a, b))
        for a in range(5, 105)
        for b in range(5, 105)
    )
    assert draws["train"] / 10_000 == pytest.approx(0.90, abs=0.01)
    assert draws["report"] / 10_000 == pytest.approx(0.05, abs=0.01)


@pytest.mark.parametrize(
    ("clause", "answer"),
    [
        ("buy", 24),
        ("find", 24),
        ("receive", 24),
        ("sell", 12),
        ("lose", 12),
        ("give", 12),
        ("boxes", 108),
        ("share", 3),
    ],
)
def test_answers(clause, answer) -> None:
    problem = world.Problem(clause, "tiko", "apple", 18, 6)
    assert problem.answer == answer
    choices = problem.choices(10)
    assert answer in choices
    assert len(set(choices)) == 10
    assert min(choices) > 0
    assert list(choices) == sorted(choices)


def test_numbers_beside_nouns_take_the_genitive_plural_in_slavic() -> None:
    rng = random.Random(0)
    for _ in range(300):
        problem = world.draw_problem(rng, "train")
        for number in (problem.a, problem.b):
            assert number % 10 in (0, 5, 6, 7, 8, 9) or 11 <= number % 100 <= 14


def test_facts_are_many_and_balanced() -> None:
    facts = world.facts()
    assert len(facts) == 600
    assert len({fact.entity for fact in facts}) == 600
    assert set(Counter((fact.relation, fact.value) for fact in facts).values()) == {12}
    assert Counter(fact.split for fact in facts) == {"train": 240, "select": 120, "report": 240}


@pytest.mark.parametrize("language", tables.available())
def test_languages_know_their_share_of_facts(language) -> None:
    known = sum(fact.known(language) for fact in world.facts())
    if language == "eng_Latn":
        assert known == 600
    else:
        assert 600 * 0.25 < known < 600 * 0.35
