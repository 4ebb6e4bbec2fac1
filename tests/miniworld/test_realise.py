"""What is said, language by language; `golden/` holds samples to read.

After a change to a phrase table: `python tests/miniworld/test_realise.py` writes them anew; read the difference.
"""

import random
from pathlib import Path

import pytest

from polyroute.miniworld import realise, tables, world

GOLDEN = Path(__file__).parent / "golden"


def sample(language: str) -> str:
    rng = random.Random(11)
    lines = [realise.events(world.draw_events(rng, "select", 2), language) for _ in range(6)]
    problems: dict[str, world.Problem] = {}
    while len(problems) < 8:
        problem = world.draw_problem(rng, "select")
        problems.setdefault(problem.clause, problem)
    lines += [realise.problem(problems[clause], language).text for clause in sorted(problems)]
    for relation in world.RELATIONS:
        fact = rng.choice([fact for fact in world.facts() if fact.relation == relation])
        lines += [realise.statement(fact, language, form) for form in range(2)]
        lines.append(realise.question(fact, language).text)
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("language", tables.available())
def test_samples_read_as_reviewed(language) -> None:
    assert sample(language) == (GOLDEN / f"{language}.txt").read_text(encoding="utf-8")


EVENT = world.Event("morning", "farmer", "sell", "bread", "market")
PROBLEM = world.Problem("buy", "tiko", "book", 12, 5)


def test_word_order_is_the_languages_own() -> None:
    assert realise.event(EVENT, "eng_Latn") == "In the morning the farmer sells the bread at the market."
    assert realise.event(EVENT, "deu_Latn") == "Am Morgen verkauft der Bauer das Brot auf dem Markt."
    assert realise.event(EVENT, "tur_Latn") == "Sabahleyin çiftçi pazarda ekmeği satıyor."
    assert realise.event(EVENT, "jpn_Jpan") == "朝、農夫は市場でパンを売ります。"


def test_code_switching_keeps_the_frame() -> None:
    switched = realise.event(EVENT, "deu_Latn", "eng_Latn", {"subject", "object"})
    assert switched == "Am Morgen verkauft the farmer the bread auf dem Markt."


def test_a_question_comes_apart_where_its_answer_begins() -> None:
    english = realise.problem(PROBLEM, "eng_Latn")
    assert english.prompt.endswith("How many books does Tiko have now? Answer:")
    assert (english.answer, english.end) == (" 17", ".")
    chinese = realise.problem(PROBLEM, "zho_Hans", answer=3)
    assert chinese.prompt.endswith("答案：")
    assert (chinese.answer, chinese.end) == ("3", "。")


def test_capitals() -> None:
    assert realise.problem(PROBLEM, "spa_Latn").text.count("¿Cuántos") == 1
    assert realise._capitalised("iyi", "tur_Latn") == "İyi"
    assert realise._capitalised("12", "eng_Latn") == "12"


if __name__ == "__main__":
    for code in tables.available():
        (GOLDEN / f"{code}.txt").write_text(sample(code), encoding="utf-8")
