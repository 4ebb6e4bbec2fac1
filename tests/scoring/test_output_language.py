"""The language of answers."""

import sys

import pytest

from polyroute.ground.errors import AnswerError
from polyroute.languages.table import LanguageError
from polyroute.scoring.output_language import MIXED, UNDETERMINED, OutputLanguages

CODES = [
    "eng_Latn", "deu_Latn", "spa_Latn", "fra_Latn", "rus_Cyrl", "zho_Hans", "jpn_Jpan", "swh_Latn", "tha_Thai",
    "ben_Beng", "tel_Telu",
]  # fmt: skip
SENTENCES = {
    "eng_Latn": "She eats three eggs for breakfast and sells the rest for 2 dollars each.",
    "deu_Latn": "Sie isst drei Eier zum Frühstück und verkauft den Rest für je 2 Dollar.",
    "spa_Latn": "Come tres huevos en el desayuno y vende el resto a 2 dólares cada uno.",
    "fra_Latn": "Elle mange trois œufs au petit déjeuner et vend le reste à 2 dollars pièce.",
    "rus_Cyrl": "Она съедает три яйца на завтрак, а остальные продаёт по 2 доллара.",
    "zho_Hans": "她早餐吃三个鸡蛋，其余的每个卖两美元。",
    "jpn_Jpan": "朝食に卵を三つ食べ、残りを一つ2ドルで売ります。",
    "swh_Latn": "Anakula mayai matatu wakati wa kiamsha kinywa na kuuza yaliyobaki kwa dola 2.",
    "tha_Thai": "เธอกินไข่สามฟองเป็นอาหารเช้าและขายส่วนที่เหลือฟองละ 2 ดอลลาร์",
    "ben_Beng": "তিনি সকালের নাস্তায় তিনটি ডিম খান এবং বাকিগুলি ২ ডলারে বিক্রি করেন।",
    "tel_Telu": "ఆమె అల్పాహారంగా మూడు గుడ్లు తిని మిగిలినవి 2 డాలర్లకు అమ్ముతుంది.",
}

pytest.importorskip("lingua", reason="lingua-language-detector is not installed")


@pytest.fixture(scope="module")
def recogniser() -> OutputLanguages:
    return OutputLanguages(CODES)


@pytest.mark.parametrize("code", CODES)
def test_a_sentence_is_in_its_language(recogniser, code) -> None:
    assert recogniser.of(SENTENCES[code]) == code
    assert recogniser.of(f"{SENTENCES[code]}\n\n$$\\frac{{16}}{{2}} \\times 9 = \\boxed{{18}}$$") == code


@pytest.mark.parametrize(
    ("text", "code"),
    [("Antwort: 18", "deu_Latn"), ("Jibu ni 18.", "swh_Latn"), ("答案是18美元", "zho_Hans"),
     ("答えは18です。", "jpn_Jpan"), ("La respuesta es 18 dólares", "spa_Latn"), ("คำตอบคือ 18", "tha_Thai")],
)  # fmt: skip
def test_short_answers_are_told_where_they_can_be(recogniser, text, code) -> None:
    assert recogniser.of(text) == code


@pytest.mark.parametrize(
    "text", ["", "18", "$18.00", "OK", "x = 9 * 2 = 18", "১৮", "\\boxed{18}", "<think></think> 18"]
)
def test_digits_formulas_and_a_few_letters_are_undetermined(recogniser, text) -> None:
    assert recogniser.of(text) == UNDETERMINED


@pytest.mark.parametrize(
    ("first", "second"), [("eng_Latn", "deu_Latn"), ("zho_Hans", "eng_Latn"), ("swh_Latn", "fra_Latn")]
)
def test_half_and_half_is_mixed(recogniser, first, second) -> None:
    assert recogniser.of(f"{SENTENCES[first]} {SENTENCES[second]}") == MIXED


def test_one_foreign_sentence_among_many_changes_nothing(recogniser) -> None:
    assert recogniser.of(" ".join([SENTENCES["deu_Latn"]] * 6 + [SENTENCES["eng_Latn"]])) == "deu_Latn"


def test_what_lingua_cannot_tell_apart_is_listed_and_told(caplog) -> None:
    found = OutputLanguages(["eng_Latn", "zho_Hans", "zho_Hant", "bam_Latn", "arb_Latn", "tgl_Latn"])
    assert found.unknown == ("zho_Hant", "bam_Latn", "arb_Latn")
    assert "zho_Hant, bam_Latn, arb_Latn" in caplog.text


def test_two_languages_are_needed_and_known() -> None:
    with pytest.raises(AnswerError, match="tells apart 1 of eng_Latn, bam_Latn"):
        OutputLanguages(["eng_Latn", "bam_Latn"])
    with pytest.raises(LanguageError, match="`german`"):
        OutputLanguages(["eng_Latn", "german"])


def test_without_lingua_the_message_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "lingua", None)
    with pytest.raises(AnswerError, match="lingua-language-detector"):
        OutputLanguages(CODES)
