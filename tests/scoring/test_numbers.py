"""The number that an answer gives, language by language."""

import re
from random import Random

import pytest

from polyroute.scoring.numbers import canonical, extract

ANSWERS = {
    "eng_Latn": [
        ("18", "18"),
        ("Answer: $18.00", "18"),
        ("The answer is 114,200.", "114200"),
        ("The final answer is **$1,234.50**.", "1234.5"),
        ("1.234", "1.234"),
        ("She makes 9 * 2 = $18 every day.", "18"),
        ("Answer: 9 eggs * $2 = $18 every day for 7 days", "18"),
        ("Answer: 18 (16 - 3 - 4 = 9, 9 * 2 = 18, in 3 steps)", "18"),
        ("Answer: 1.5 million dollars", "1500000"),
        ("The answer is 18 dollars. I hope that helps with all 3 steps!", "18"),
        ("I hope this answer helps! She makes 18", "18"),
        ("**Answer:**\n\n$18$ dollars for 7 days", "18"),
        ("Answer:\n1. She has 16 eggs.\n2. She sells 9 for $2, so she makes $18.", "18"),
        ("Work.\n#### 18\n", "18"),
        ("#### 3. Result\nShe makes 18 dollars", "18"),
        (r"so \boxed{80{,}000} dollars in 2 years", "80000"),
        (r"\boxed{\$18} and again \boxed{x}", "18"),
        (r"\(\frac{1}{4}\)", "0.25"),
        ("1/3", "0.333333333333"),
        ("150%", "150"),
        ("$.50", "0.5"),
        ("80 000", "80000"),
        ("80'000", "80000"),
        ("on 12.5.2024", "2024"),
        ("1,2,3", "3"),
        ("10^4", "10000"),
    ],
    "deu_Latn": [
        ("Antwort: 18", "18"),
        ("Die Antwort lautet 80.000 €.", "80000"),
        ("Das Ergebnis ist also 1.234,5 kg.", "1234.5"),
        ("1.234", "1234"),
        ("12,50 Euro", "12.5"),
        ("80,000 Dollar", "80000"),
        ("2,125", "2.125"),
        ("Das kostet 12.50 Dollar, zusammen 2,125 Dollar", "2125"),
        ("Antwort: 2 Millionen Euro", "2000000"),
        ("-5 Grad", "-5"),
        ("The answer is 2,125 dollars", "2125"),
        ("The answer is 1.5", "1.5"),
    ],
    "spa_Latn": [
        ("La respuesta es 18 dólares", "18"),
        ("Respuesta: $70,000", "70000"),
        ("Respuesta: 70.000 $", "70000"),
        ("Respuesta: 70 000", "70000"),
        ("La respuesta final es 70 mil dólares", "70000"),
        ("12,5", "12.5"),
    ],
    "fra_Latn": [
        ("La réponse est donc 1 234,5 €.", "1234.5"),
        ("Réponse : 80\u202f000 $", "80000"),
        ("Réponse : 80 000 $", "80000"),
        ("le bénéfice est de 70 000 $", "70000"),
    ],
    "rus_Cyrl": [
        ("Ответ: 70 000 долларов", "70000"),
        ("Ответ — 18.", "18"),
        ("Ответ: 70 тыс. долларов", "70000"),
        ("Итого: 12,5", "12.5"),
        ("Ответ будет равен −3", "-3"),
    ],
    "zho_Hans": [
        ("答案是70,000美元。", "70000"),
        ("答案：18", "18"),
        ("答案是７０，０００美元", "70000"),
        ("所以利润是7万美元", "70000"),
        ("答案是十八美元", "18"),
        ("答案：二十七万六千", "276000"),
        ("她每天赚18美元，这是唯一的答案。", "18"),
    ],
    "jpn_Jpan": [
        ("答えは18ドルです。", "18"),
        ("答え：７０，０００ドル", "70000"),
        ("答えは27万6000円です。", "276000"),
        ("答えは8万5千円です。一日あたり2個。", "85000"),
        ("一日に18ドル稼ぎます。", "18"),
        ("答えは百二十です", "120"),
    ],
    "swh_Latn": [
        ("Jibu ni 18.", "18"),
        ("Jibu la mwisho ni $70,000. Asante kwa swali 1", "70000"),
        ("anapata dola 18 kila siku", "18"),
    ],
    "tha_Thai": [
        ("คำตอบคือ ๑๘ ดอลลาร์ใน 7 วัน", "18"),
        ("คำตอบ: 70,000", "70000"),
        ("เธอได้ 7 หมื่นดอลลาร์", "70000"),
    ],
    "ben_Beng": [
        ("উত্তর: ১,১৪,২০০ টাকা", "114200"),
        ("উত্তর হল ১৮ ডলার", "18"),
        ("উত্তরটি হল 70,000। ধন্যবাদ ১", "70000"),
        ("৭০ হাজার", "70000"),
        ("উত্তর দিকে 5 কিমি, মোট ১৮.৫", "18.5"),
    ],
    "tel_Telu": [
        ("సమాధానం: ౧౮", "18"),
        ("సమాధానం 2,76,000 డాలర్లు", "276000"),
        ("ఆమె 70 వేల డాలర్లు సంపాదిస్తుంది", "70000"),
    ],
    "hin_Deva": [("९०", "90"), ("Answer: ७०,०००", "70000")],
    "arb_Arab": [("١٬٢٣٤٫٥", "1234.5"), ("۱۸", "18")],
    "ita_Latn": [("1.234", "1234"), ("12,5", "12.5")],
}


@pytest.mark.parametrize(
    ("language", "text", "number"),
    [(language, text, number) for language, cases in ANSWERS.items() for text, number in cases],
)
def test_the_number_of_an_answer(language: str, text: str, number: str) -> None:
    assert extract(text, language) == number


@pytest.mark.parametrize("text", ["", " \n", "I do not know.", "Answer:"])
def test_a_text_without_a_number_has_none(text: str) -> None:
    assert extract(text, "eng_Latn") is None


@pytest.mark.parametrize(
    ("text", "number"),
    [("x = -5", "-5"), ("16 -3", "3"), ("16-3", "3"), ("(a) -3", "3"), ("it is -$5.00", "-5"), ("- 5 eggs", "5"),
     ("COVID-19", "19"), ("-0.0", "0")],
)  # fmt: skip
def test_a_minus_sign_belongs_to_a_number_from_which_nothing_is_taken(text: str, number: str) -> None:
    assert extract(text, "eng_Latn") == number


@pytest.mark.parametrize("language", sorted(ANSWERS))
@pytest.mark.parametrize("value", [0, 3, 18, 2125, 5600, 114200, 276000])
def test_every_whole_number_is_read_as_its_language_writes_it(language: str, value: int) -> None:
    mark = {"deu_Latn": ".", "ita_Latn": ".", "spa_Latn": ".", "fra_Latn": "\u202f", "rus_Cyrl": "\u00a0"}
    written = f"{value:,}".replace(",", mark.get(language, ","))
    zero = {"ben_Beng": "০", "tel_Telu": "౦", "tha_Thai": "๐", "hin_Deva": "०", "arb_Arab": "٠"}.get(language, "0")
    native = written.translate({ord("0") + digit: chr(ord(zero) + digit) for digit in range(10)})
    for text in (written, native, str(value), f"$ {written} .", f"**{native}**"):
        assert extract(text, language) == str(value)


@pytest.mark.parametrize(
    ("given", "told"),
    [("18", "18"), ("18.00", "18"), ("018", "18"), ("-18.50", "-18.5"), ("0.0", "0"), ("-0", "0"), ("100", "100")],
)
def test_equal_numbers_are_written_alike(given: str, told: str) -> None:
    assert canonical(given) == told


@pytest.mark.parametrize("text", ["1e3", "18,0", "", "NaN", "eighteen"])
def test_what_is_no_plain_decimal_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="plain decimal"):
        canonical(text)


@pytest.mark.parametrize("language", ["eng_Latn", "jpn_Jpan", "fra_Latn"])
def test_whatever_a_model_writes_is_read_without_failing(language) -> None:
    random = Random(0)
    signs = re.findall(
        r"\S+",
        r"1 9 0 00 000 . , / - = 万 千 億 十 answer 答え : $ \boxed{ } {,} \, #### ^ mille ９ ১ ' ( ) \frac{1}{0} é",
    )
    signs += [" ", "\n"]
    for _ in range(3000):
        found = extract("".join(random.choices(signs, k=random.randint(1, 30))), language)
        assert found is None or canonical(found) == found
    for text in (
        "1" * 5000,
        "1" * 40 + "/3",
        "9" * 40 + "万",
        "1/" * 500 + "7",
        "," * 999 + "5",
        "1,000" * 999,
        "- " * 999,
    ):
        assert extract(text, language) is None or canonical(str(extract(text, language)))


def test_a_long_text_is_read_in_no_time() -> None:
    assert extract("16 - 3 = 13, so the answer to that \n" * 5000 + "18", "deu_Latn") == "18"
