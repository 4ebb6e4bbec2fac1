"""Short answers: what is normalised away, and the three scores by hand."""

import json
from pathlib import Path

import pytest

from polyroute.readers.xquad import LANGUAGES
from polyroute.scoring import spans


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("eng_Latn", " The  Carolina\tPanthers, a team! ", "carolina panthers team"),
        ("eng_Latn", "$2.5 million", "25 million"),  # MLQA takes points out of numbers too
        ("deu_Latn", "Die Größe des „Hauses“", "grösse hauses"),
        ("spa_Latn", "¿Los años?", "años"),
        ("fra_Latn", "Le chat", "le chat"),  # no articles in MLQA
        ("vie_Latn", "Những con của Huế", "con huế"),
        ("arb_Arab", "القاهرة، مصر.", "قاهرة مصر"),
        ("arb_Arab", "العالم", "ع م"),  # MLQA's rule takes the letters of the article from inside words too
        ("hin_Deva", "दिल्ली।", "दिल्ली"),
        ("hin_Deva", "\u0958लम", "\u0915\u093cलम"),  # NFC of one letter with a dot below is two characters
        ("zho_Hans", "黑豹队，2015年", "黑 豹 队 2015 年"),
        ("zho_Hans", "《Wall》 E", "wall e"),
        ("jpn_Jpan", "東京タワー。", "東 京 タ ワ ー"),
        ("tha_Thai", "กทม 10", "ก ท ม 10"),
        ("eng_Latn", "A", "a"),  # nothing else is left of it
        ("eng_Latn", "%", "%"),
        ("eng_Latn", " \n", ""),
    ],
)
def test_what_is_normalised_away(language, text, expected) -> None:
    assert spans.normalised(text, language) == expected


@pytest.mark.parametrize(
    ("output", "answer", "language", "included", "as_released", "exact", "f1"),
    [
        ("308", "308", "eng_Latn", True, True, True, 1),
        ("They gave up 308 points", "308", "eng_Latn", True, True, False, 2 / 6),
        ("the broncos", "Broncos", "eng_Latn", True, False, True, 1),
        ("Denver", "Denver Broncos", "eng_Latn", True, True, False, 2 / 3),
        ("New York", "Denver Broncos", "eng_Latn", False, False, False, 0),
        ("", "308", "eng_Latn", False, True, False, 0),
        (" \n ", "308", "eng_Latn", False, True, False, 0),
        (".", "U.S.", "eng_Latn", False, True, False, 0),
        ("是黑豹队。", "黑豹队", "zho_Hans", True, True, False, 2 * 3 / 7),
        ("豹黑", "黑豹队", "zho_Hans", False, False, False, 2 * 2 / 5),
        ("في القاهرة.", "القاهرة", "arb_Arab", True, True, False, 2 / 3),
        ("दिल्ली।", "दिल्ली", "hin_Deva", True, True, True, 1),
        ("\u0915\u093cलम", "\u0958लम", "hin_Deva", True, False, True, 1),
        # A token counts as often as both have it.
        ("no no no", "no no", "eng_Latn", True, True, False, 2 * 2 / 5),
        ("the", "A", "eng_Latn", False, False, False, 0),
    ],
)
def test_scores_by_hand(output, answer, language, included, as_released, exact, f1) -> None:
    assert spans.includes(output, answer, language) is included
    assert spans.includes_as_released(output, answer) is as_released
    assert spans.exact_match(output, answer, language) is exact
    assert spans.f1(output, answer, language) == pytest.approx(f1)


@pytest.mark.parametrize(
    ("output", "answer", "language", "included"),
    [
        ("Answer: C, because the others are wrong", "B", "eng_Latn", False),
        ("Ｂ", "B", "eng_Latn", True),
        ("İSTANBUL", "istanbul", "tur_Latn", True),
        ("IŞIK", "ışık", "tur_Latn", True),
        ("بِرْلِين", "برلين", "arb_Arab", True),
        ("برلـين", "برلين", "arb_Arab", True),
        ("ΑΘΗΝΑ", "Αθήνα", "ell_Grek", True),
        ("في عام ١٨٩٥", "1895", "arb_Arab", True),
        ("1895 में", "१८९५", "hin_Deva", True),
        ("STRASSE", "Straße", "deu_Latn", True),
        ("Ber\u00adlin", "Berlin", "deu_Latn", True),
        ("Ber\u200blin", "Berlin", "deu_Latn", True),
        ("The answer is B.", "B", "eng_Latn", True),
        ("e", "Denver Broncos", "eng_Latn", False),
        ("in 1308", "308", "eng_Latn", False),
        ("in 3085", "308", "eng_Latn", False),
        ("Maç Denver'de oynandı.", "Denver", "tur_Latn", True),
        ("Oz'da oynandı.", "Oz", "tur_Latn", True),
        ("в Денвере", "Денвер", "rus_Cyrl", True),
        ("denverish or undenver", "enver", "eng_Latn", False),
        ("وباريس", "باريس", "arb_Arab", True),
        ("บรองโกส์ชนะ", "บรองโกส์", "tha_Thai", True),
        ("日本の東京", "東京", "jpn_Jpan", True),
    ],
)
def test_inclusion_is_by_words(output, answer, language, included) -> None:
    assert spans.includes(output, answer, language) is included


def test_the_releases_rule_makes_every_empty_answer_right_and_ours_none(real_data: Path) -> None:
    folder = real_data / "hub" / "google" / "xquad"
    held = {code: language.code for code, language in LANGUAGES.items()}
    for code, name in held.items():
        file = folder / f"xquad.{name}.json"
        if not file.is_file():  # ro and th are not at hand
            continue
        paragraphs = [one for article in json.loads(file.read_text())["data"] for one in article["paragraphs"]]
        answers = [asked["answers"][0]["text"] for one in paragraphs for asked in one["qas"]]
        assert len(answers) == 1190
        answers = answers[::7]
        assert all(spans.includes_as_released("", answer) for answer in answers)
        assert not any(spans.includes("", answer, code) or spans.f1("", answer, code) for answer in answers)
        # Nothing that is right is lost by what is normalised away.
        assert all(spans.normalised(answer, code) for answer in answers)
        assert all(
            spans.exact_match(answer, answer, code) and spans.f1(answer, answer, code) == 1 for answer in answers
        )
