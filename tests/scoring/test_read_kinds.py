"""Numbers in answers, kind by kind, and numbers as CLDR writes them in every language of MGSM and PolyMath."""

from decimal import Decimal

import babel
import pytest
from babel import numbers as cldr

from polyroute.languages import table
from polyroute.scoring.numbers import canonical, extract, first_boxed

CASES: dict[str, list[tuple[str, str, str]]] = {
    "latex": [
        ("eng_Latn", r"\boxed{\dfrac{7}{-2}}", "-3.5"),
        ("eng_Latn", r"\boxed{-\frac{7}{-2}}", "3.5"),
        ("eng_Latn", r"\boxed{\cfrac{1}{4}}", "0.25"),
        ("eng_Latn", r"\boxed{1 \over 4}", "0.25"),
        ("eng_Latn", r"so $\frac{-3}{4}$ it is", "-0.75"),
        ("eng_Latn", r"\boxed{\frac{12{,}000}{4}}", "3000"),
        ("eng_Latn", r"\boxed{\frac{1.5}{2}}", "0.75"),
        ("eng_Latn", r"\boxed{-2\frac{1}{3}}", "-2.333333333333"),
        ("eng_Latn", r"\boxed{\textbf{18}}", "18"),
        ("eng_Latn", r"\boxed{\text{18 dollars in 7 days}}", "18"),
        ("eng_Latn", r"\boxed{\text{The answer is } 18}", "18"),
        ("eng_Latn", r"\boxed{x = 18}", "18"),
        ("eng_Latn", r"\boxed{9 \times 2 = 18}", "18"),
        ("eng_Latn", r"\boxed{9 \times 2}", "18"),
        ("eng_Latn", r"\boxed{\mathrm{18\ kg}}", "18"),
        ("eng_Latn", r"\boxed{18 \text{ m}^2}", "18"),
        ("eng_Latn", r"\boxed{18\ \mathrm{cm}^{2}}", "18"),
        ("eng_Latn", r"\boxed{\$18.00}", "18"),
        ("eng_Latn", r"\boxed{\boxed{18}}", "18"),
        ("eng_Latn", r"\boxed{{18}}", "18"),
        ("eng_Latn", r"\boxed{\left( 18 \right)}", "18"),
        ("eng_Latn", r"\boxed{18\%}", "18"),
        ("eng_Latn", r"\boxed{\sqrt{16}}", "4"),
        ("eng_Latn", r"\boxed{1{,}234{,}567}", "1234567"),
        ("eng_Latn", r"\boxed{80\,000}", "80000"),
        ("deu_Latn", r"\boxed{1.234{,}5}", "1234.5"),
        ("fra_Latn", r"\boxed{12{,}50 \text{ €}}", "12.5"),
        ("eng_Latn", r"\boxed{12} is wrong. The answer is 18.", "18"),
        ("eng_Latn", r"The answer is \boxed{18} in 7 days", "18"),
        ("eng_Latn", r"Answer: 12? No: \boxed{18}", "18"),
        ("eng_Latn", r"\boxed{18, \text{for 7 days}}", "18"),
        ("eng_Latn", r"The answer is \(18\) for 7 days", "18"),
        ("eng_Latn", r"The answer is \[18\] for 7 days", "18"),
        ("eng_Latn", r"\boxed{\approx 18}", "18"),
        ("eng_Latn", r"\boxed{18 \approx 17.6}", "17.6"),
        ("eng_Latn", r"\boxed{-\frac12}", "-0.5"),
        ("eng_Latn", r"\boxed{\tfrac{3}{4}}", "0.75"),
        ("eng_Latn", r"\boxed{\frac 1 2}", "0.5"),
        ("eng_Latn", r"\boxed{\frac{1}{2}\text{ hours}}", "0.5"),
        ("eng_Latn", r"\boxed{\frac{3}{4} + \frac{1}{4}}", "1"),
        ("eng_Latn", r"\fbox{18} in 7 days", "18"),
        ("eng_Latn", r"\boxed 18 in 7 days", "18"),
        ("eng_Latn", r"\boxed{\text{None}} 5", "5"),
        ("deu_Latn", r"Zusammen sind das \boxed{12{,}5} Liter.", "12.5"),
        ("eng_Latn", r"So the slope is \boxed{\frac{-3}{4}}.", "-0.75"),
        ("eng_Latn", r"\boxed{\frac12}", "0.5"),
        ("eng_Latn", r"She needs \boxed{2\frac{1}{2}} cups.", "2.5"),
        ("eng_Latn", r"\boxed{18 \text{ dollars in 7 days}}", "18"),
        ("eng_Latn", r"9 eggs at 2 dollars: \boxed{\mathbf{18\text{ dollars}}} for the 7 days", "18"),
        ("eng_Latn", r"\boxed{18 = 9 \times 2}", "18"),
    ],
    "powers of ten": [
        ("eng_Latn", r"\boxed{10^4}", "10000"),
        ("eng_Latn", r"\boxed{2.5 \cdot 10^{-3}}", "0.0025"),
        ("eng_Latn", "It is 6 x 10^3 eggs", "6000"),
        ("eng_Latn", "It is 6 × 10⁴ eggs", "60000"),
        ("eng_Latn", "It is 3*10^4.", "30000"),
        ("eng_Latn", "1.5E-3", "0.0015"),
        ("eng_Latn", r"\boxed{1.2e6}", "1200000"),
        ("eng_Latn", r"\boxed{1.2 \times 10^6 \text{ dollars}}", "1200000"),
        ("eng_Latn", r"\boxed{3\times 10^{4}}", "30000"),
        ("eng_Latn", "So the total is 1.2e6 dollars.", "1200000"),
    ],
    "sign": [
        ("eng_Latn", "The answer is -$5.", "-5"),
        ("eng_Latn", "The answer is minus 5.", "-5"),
        ("eng_Latn", "The answer is negative 5.", "-5"),
        ("eng_Latn", "10 minus 5", "5"),
        ("eng_Latn", "plus or minus 5", "5"),
        ("spa_Latn", "La respuesta es menos 5", "-5"),
        ("spa_Latn", "al menos 5 huevos", "5"),
        ("zho_Hans", "答案是负5", "-5"),
        ("jpn_Jpan", "答えはマイナス5です", "-5"),
        ("rus_Cyrl", "Ответ: минус 5", "-5"),
        ("eng_Latn", "16 – 3 – 4 = 9", "9"),
        ("eng_Latn", "pages 10-15", "15"),
        ("eng_Latn", "(–5)", "-5"),
        ("eng_Latn", "x = - 5", "-5"),
        ("eng_Latn", "-1 3/4", "-1.75"),
        ("eng_Latn", "The answer is –5 degrees.", "-5"),
        ("eng_Latn", r"\boxed{- 5}", "-5"),
        ("arb_Arab", "الجواب: -\u200f٥", "-5"),
    ],
    "fraction": [
        ("eng_Latn", "Answer: ½", "0.5"),
        ("eng_Latn", "Answer: 1 ½ cups", "1.5"),
        ("eng_Latn", "It takes 2½ hours", "2.5"),
        ("eng_Latn", "The answer is 1 3/4.", "1.75"),
        ("eng_Latn", "The answer is 2 1/2 hours.", "2.5"),
        ("eng_Latn", "The answer is 3¼ hours.", "3.25"),
    ],
    "a digit that ends a word": [
        ("eng_Latn", "H2O and 18", "18"),
        ("eng_Latn", "18 g of H₂SO₄", "18"),
        ("eng_Latn", "18 m2 of tiles", "18"),
        ("eng_Latn", "18 m² of tiles", "18"),
        ("eng_Latn", "18 kg of CO$_2$", "18"),
        ("eng_Latn", r"18 kg of \text{CO}_2", "18"),
        ("eng_Latn", "x_1 = 18, so x_2", "18"),
        ("eng_Latn", "18 units of vitamin B12", "18"),
        ("eng_Latn", "So she emits 18 kg of CO2.", "18"),
    ],
    "not announced": [
        ("eng_Latn", "She answered 20 questions and scores 40.", "40"),
        ("eng_Latn", "They answer 20 questions and score 40.", "40"),
        ("eng_Latn", "Each correct answer is 4 points. She has 20 points.", "20"),
        ("eng_Latn", "Each answer is worth 4 points, so she has 20", "20"),
        ("deu_Latn", "Er antwortet auf 20 Fragen und hat 40 Punkte", "40"),
        ("deu_Latn", "Jede richtige Antwort ist 4 Punkte wert, also hat sie 20", "20"),
        ("vie_Latn", "Tom trả lời 20 câu hỏi, được 40 điểm", "40"),
        ("tha_Thai", "ทอมตอบ 20 ข้อ ได้ 40 คะแนน", "40"),
        ("zho_Hans", "每个正确答案是4分，她有20分。", "20"),
        ("zho_Hans", "她5个正确答案是4分，得20分。", "20"),
        ("jpn_Jpan", "20問に回答し、40点です", "40"),
        ("rus_Cyrl", "Он ответил на 20 вопросов и получил 40", "40"),
        ("spa_Latn", "Tiene 5 respuestas correctas y 20 puntos", "20"),
        ("spa_Latn", "Cada respuesta correcta es 4 puntos; tiene 20", "20"),
        ("eng_Latn", "Tom answers 20 questions and gets 2 points for each, so he scores 40 points.", "40"),
        ("eng_Latn", "Each of her 5 correct answers is 4 points. She has 20 points.", "20"),
    ],
    "announced": [
        ("eng_Latn", "The final answer is 18 in 7 days", "18"),
        ("eng_Latn", "So, the answer: 18 in 7 days", "18"),
        ("eng_Latn", "Answer 18 in 7 days", "18"),
        ("eng_Latn", "The answer to question 5 is 18 for 7 days", "18"),
        ("eng_Latn", "Answer: USD 500 for 7 days", "500"),
        ("eng_Latn", "Answer: Rs. 500 for 7 days", "500"),
        ("eng_Latn", "Answer: Rs.500 for 7 days", "500"),
        ("eng_Latn", "Rs500", "500"),
        ("eng_Latn", "70 m", "70"),
        ("eng_Latn", "70 K", "70"),
        ("ita_Latn", "La risposta è 18 in 7 giorni", "18"),
        ("por_Latn", "A resposta é 18 em 7 dias", "18"),
        ("vie_Latn", "Câu trả lời là 18 trong 7 ngày", "18"),
        ("ind_Latn", "Jawaban: Rp1.500.000 untuk 7 hari", "1500000"),
        ("zsm_Latn", "Jawapan: RM 18 untuk 7 hari", "18"),
        ("kor_Hang", "정답은 18달러입니다. 7일 동안", "18"),
        ("kor_Hang", "답은 18입니다, 7일", "18"),
        ("arb_Arab", "الإجابة النهائية هي 18 دولارا في 7 أيام", "18"),
        ("arb_Arab", "الجواب: ١٢٫٥", "12.5"),
        ("jpn_Jpan", "答え：５００グラム", "500"),
        ("eng_Latn", "The answer is $18$ for 7 days", "18"),
        ("eng_Latn", "**Final Answer:** 18 for 7 days", "18"),
        ("eng_Latn", "Answer: **18** for 7 days", "18"),
        ("ind_Latn", "Jawaban: Rp 1.500.000 untuk 7 hari", "1500000"),
        ("arb_Arab", "الإجابة: ١٨ دولارا في ٧ أيام", "18"),
        ("eng_Latn", "A first try gives \\boxed{12}, but that leaves out 6 eggs.\nAnswer: 18", "18"),
    ],
    "scale": [
        ("eng_Latn", "Answer: £5 million", "5000000"),
        ("eng_Latn", "1.2 million dollars", "1200000"),
        ("eng_Latn", "2 million 500 thousand", "2500000"),
        ("eng_Latn", "2 million and 500 thousand", "2500000"),
        ("eng_Latn", "5 billion", "5000000000"),
        ("eng_Latn", "3 hundred", "300"),
        ("eng_Latn", "5 lakh rupees", "500000"),
        ("deu_Latn", "Antwort: 2,5 Mio. Euro", "2500000"),
        ("deu_Latn", "70 Tausend", "70000"),
        ("deu_Latn", "2 Mrd. Euro", "2000000000"),
        ("fra_Latn", "Réponse : 5 milliards", "5000000000"),
        ("fra_Latn", "2 millions 500 mille", "2500000"),
        ("ita_Latn", "Risposta: 5 mila euro", "5000"),
        ("ita_Latn", "Risposta: 2,5 milioni", "2500000"),
        ("por_Latn", "Resposta: 2 milhões e 500 mil", "2500000"),
        ("vie_Latn", "Đáp án: 5 triệu đồng", "5000000"),
        ("vie_Latn", "Đáp số: 2 triệu 500 nghìn", "2500000"),
        ("ind_Latn", "Jawaban: 5 juta rupiah", "5000000"),
        ("ind_Latn", "2 juta 500 ribu", "2500000"),
        ("zsm_Latn", "Jawapan: 5 juta", "5000000"),
        ("kor_Hang", "답: 2억 5천만 원", "250000000"),
        ("kor_Hang", "5천 원", "5000"),
        ("kor_Hang", "3만 5천 원", "35000"),
        ("arb_Arab", "الجواب هو ٥ ملايين", "5000000"),
        ("arb_Arab", "٢ مليون و٥٠٠ ألف", "2500000"),
        ("hin_Deva", "उत्तर: ५ लाख २० हज़ार रुपये", "520000"),
        ("hin_Deva", "उत्तर: 5 करोड़", "50000000"),
        ("hin_Deva", "70 हजार", "70000"),
        ("ben_Beng", "উত্তর: ৩ কোটি", "30000000"),
        ("ben_Beng", "উত্তর: ৫ লক্ষ", "500000"),
        ("tel_Telu", "సమాధానం: 5 లక్షల 20 వేల", "520000"),
        ("tha_Thai", "คำตอบ: 5 ล้านบาท", "5000000"),
        ("tha_Thai", "2 แสน 5 หมื่น", "250000"),
        ("swh_Latn", "Jibu: milioni 2 na elfu 500", "2500000"),
        ("swh_Latn", "Jibu: dola elfu 70 kwa siku 7", "70000"),
        ("swh_Latn", "Jibu ni shilingi milioni 3", "3000000"),
        ("swh_Latn", "Jibu: 70 elfu", "70000"),
        ("zho_Hans", "答案：3千米", "3"),
        ("zho_Hans", "答案：5千瓦", "5"),
        ("zho_Hans", "答案：2亿5千万", "250000000"),
        ("zho_Hans", "答案：3千5百万", "35000000"),
        ("zho_Hans", "答案：5万亿", "5000000000000"),
        ("jpn_Jpan", "答え：3兆円", "3000000000000"),
        ("rus_Cyrl", "Ответ: 2 миллиона 500 тысяч", "2500000"),
        ("rus_Cyrl", "Ответ: 5 млрд", "5000000000"),
        ("rus_Cyrl", "Ответ: 2,5 млн рублей", "2500000"),
        ("spa_Latn", "2 mil millones", "2000000000"),
        ("zho_Hans", "答案：5千克", "5"),
        ("zho_Hans", "答案：5千万元", "50000000"),
        ("jpn_Jpan", "答え：2億5千万円", "250000000"),
        ("kor_Hang", "답: 7만 원", "70000"),
        ("deu_Latn", "Antwort: 2 Milliarden Euro", "2000000000"),
        ("spa_Latn", "Respuesta: 2 millones 500 mil pesos", "2500000"),
        ("ben_Beng", "উত্তর: ৫ লাখ ২০ হাজার টাকা", "520000"),
        ("hin_Deva", "उत्तर: 5 लाख रुपये", "500000"),
        ("swh_Latn", "Jibu: elfu 70", "70000"),
        ("eng_Latn", r"\boxed{1.5 \text{ million}}", "1500000"),
    ],
    "a word that only begins like one for a large number": [
        ("kor_Hang", "답: 3조각", "3"),
        ("kor_Hang", "답: 3 조각", "3"),
        ("kor_Hang", "답은 5만큼입니다", "5"),
        ("kor_Hang", "답: 5경기", "5"),
        ("kor_Hang", "답: 3조원", "3000000000000"),
        ("kor_Hang", "답: 10만 명", "100000"),
        ("tha_Thai", "คำตอบคือ 5 พันธุ์", "5"),
        ("tel_Telu", "సమాధానం: 5 లక్ష్యాలు", "5"),
        ("ben_Beng", "উত্তর: ২০ শতাংশ", "20"),
        ("ben_Beng", "উত্তর: ৫ লক্ষ্য", "5"),
        ("ben_Beng", "উত্তর: ৫ লাখের", "500000"),
        ("zho_Hans", "答案：5兆字节", "5"),
        ("zho_Hans", "答案：5千比特", "5"),
        ("zho_Hans", "答案：5兆", "5000000000000"),
        ("deu_Latn", "Antwort: 5 Tsd. Euro", "5000"),
        ("arb_Arab", "الإجابة: 5 مئات", "500"),
    ],
    "fractions as languages say them": [
        ("zho_Hans", "答案：百分之二十", "20"),
        ("zho_Hans", "答案：百分之20", "20"),
        ("zho_Hans", "答案：四分之三", "0.75"),
        ("zho_Hans", "答案：三点五", "3.5"),
        ("jpn_Jpan", "答え：4分の3", "0.75"),
        ("jpn_Jpan", "答え：2と1/2", "2.5"),
        ("kor_Hang", "답: 4분의 3", "0.75"),
        ("ita_Latn", "Risposta: 2 e 1/2", "2.5"),
        ("swh_Latn", "Jibu: 2 na 1/2", "2.5"),
        ("swh_Latn", "Jibu: asilimia 20 ya 100", "20"),
        ("tha_Thai", "คำตอบคือร้อยละ 20 จาก 50", "20"),
        ("eng_Latn", r"\boxed{0.\overline{3}}", "0.333333333333"),
        ("rus_Cyrl", "Ответ: 0,(3)", "0.333333333333"),
        ("eng_Latn", "2.5(4) = 10", "10"),
    ],
    "announced in other words": [
        ("rus_Cyrl", "Ответом является 18 за 7 дней", "18"),
        ("jpn_Jpan", "正解は18です。7日", "18"),
        ("tel_Telu", "సమాధానం ఏమిటంటే 18, 7 రోజుల్లో", "18"),
        ("arb_Arab", "الناتج هو 18 في 7", "18"),
        ("ita_Latn", "Il risultato è pari a 18 in 7", "18"),
        ("eng_Latn", "Answer: 18 = 9*2", "18"),
        ("eng_Latn", "Answer: 9*2 = 18 for 7", "18"),
        ("swh_Latn", "Jibu: TSh 5,000/= kwa 3", "5000"),
        ("eng_Latn", "Answer: Rs. 5,000/- for 3", "5000"),
        ("eng_Latn", "Answer: 10_000", "10000"),
    ],
    "LaTeX of other forms": [
        ("eng_Latn", r"\boxed{10,\!080}", "10080"),
        ("eng_Latn", r"\boxed{10{,}\!080}", "10080"),
        ("eng_Latn", r"\boxed{\phantom{0}18}", "18"),
        ("eng_Latn", r"\boxed{\hspace{2mm}18}", "18"),
        ("eng_Latn", r"\boxed{\frac{\text{1}}{\text{2}}}", "0.5"),
        ("eng_Latn", r"\boxed{\frac{18\text{ dollars}}{4}}", "4.5"),
        ("eng_Latn", r"\boxed{3!}", "6"),
    ],
    "guard": [
        ("eng_Latn", r"So the answer is \boxed{\frac{1}{2}}.", "0.5"),
        ("ben_Beng", "উত্তর: ১,১৪,২০০ টাকা", "114200"),
        ("eng_Latn", "The answer is −5.", "-5"),
        ("eng_Latn", "- 5 eggs", "5"),
        ("eng_Latn", "It is on pages 10–15", "15"),
        ("eng_Latn", "The answer is 70 m.", "70"),
        ("zho_Hans", "答案：8万5千", "85000"),
    ],
}
"""Kind -> language, what a model wrote and the number that it gives."""
LANGUAGES = [
    "eng_Latn", "deu_Latn", "spa_Latn", "fra_Latn", "rus_Cyrl", "zho_Hans", "jpn_Jpan", "swh_Latn", "tha_Thai",
    "ben_Beng", "tel_Telu", "arb_Arab", "ind_Latn", "ita_Latn", "kor_Hang", "zsm_Latn", "por_Latn",
    "vie_Latn", "hin_Deva",
]  # fmt: skip
"""Of MGSM and PolyMath, and Hindi."""
VALUES = ["0", "7", "18", "-5", "125", "2125", "5600", "114200", "1234567", "-2125", "0.5", "12.5", "1234.5", "-3.75"]


@pytest.mark.parametrize(
    ("language", "text", "number"),
    [pytest.param(*case, id=f"{kind}-{place}") for kind, cases in CASES.items() for place, case in enumerate(cases)],
)
def test_a_number_is_read(language: str, text: str, number: str) -> None:
    assert extract(text, language) == number


def locale_of(language: str) -> babel.Locale:
    return babel.Locale.parse(table.get(language).bcp47, sep="-")


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_cldr_writes_is_read_back(language: str) -> None:
    locale = locale_of(language)
    native = locale.other_numbering_systems.get("native", "latn")
    for system in {"latn", locale.default_numbering_system, native}:
        for value in VALUES:
            written = cldr.format_decimal(Decimal(value), locale=locale, numbering_system=system)
            for text in (written, f"**{written}**", rf"\boxed{{{written}}}", f"Answer: {written}"):
                if text.startswith("Answer") and locale.number_symbols["latn"]["decimal"] == ",":
                    continue  # after an English word numbers are English
                assert extract(text, language) == canonical(value), text


@pytest.mark.parametrize("language", [code for code in LANGUAGES if code != "swh_Latn"])
@pytest.mark.parametrize("value", [7000, 70000, 500000, 2000000, 20000000, 3000000000])
def test_the_words_for_large_numbers_that_cldr_has_are_read(language: str, value: int) -> None:
    written = cldr.format_compact_decimal(value, format_type="long", locale=locale_of(language))
    assert extract(written, language) == str(value)
    assert extract(rf"\boxed{{{written}}}", language) == str(value)


@pytest.mark.parametrize(("word", "factor"), [("elfu", 10**3), ("milioni", 10**6), ("bilioni", 10**9)])
def test_swahili_has_them_before_the_number(word: str, factor: int) -> None:
    assert extract(f"Jibu: {word} 7", "swh_Latn") == str(7 * factor)


@pytest.mark.parametrize("language", LANGUAGES)
def test_e_notation_is_read_with_the_decimal_mark_of_the_language(language: str) -> None:
    mark = locale_of(language).number_symbols["latn"]["decimal"]
    assert extract(f"1{mark}2e6", language) == "1200000"
    assert extract(f"1{mark}2 × 10^6", language) == "1200000"


@pytest.mark.parametrize(
    ("text", "number"),
    [(r"\boxed{12}, no: \boxed{18}", "12"), ("18", None), (r"\boxed{x} and \boxed{18}", None),
     ("\\boxed{12}\nAnswer: 18", "12"), (r"\boxed{\sqrt{2}}", None)],
)  # fmt: skip
def test_the_first_box_is_papers_2_rule(text: str, number: str | None) -> None:
    assert first_boxed(text, "eng_Latn") == number


@pytest.mark.parametrize(
    "text", [r"\boxed{\sqrt{2}}", r"It is 5 or so: \boxed{3\pi}", r"\boxed{9^{9^{9^{9}}}\pi}", r"\boxed{\frac{a}{4}}"]
)
def test_a_box_that_holds_no_number_gives_none(text: str) -> None:
    assert extract(text, "eng_Latn") is None
