r"""MGSM: 250 word problems of GSM8K, translated by people into ten languages; the answer is a whole number.

Hub: `juletxara/mgsm`, files `mgsm_{language}.tsv`, 250 rows. Languages are the release's codes: bn de en es fr ja ru sw
te th zh.
Schema: two columns without a header or quotes: question, and answer, with a comma between thousands in four of them
(`2,125`), which is left out here. An item's id is the number of its row, counted from 0, the same in every language.
Licence: CC BY 4.0.
Source: Shi et al., "Language Models are Multilingual Chain-of-Thought Reasoners", ICLR 2023, arXiv:2210.03057.

Prompts are in the language of the question, without examples, and were written for this project. `direct`, the shape
of the paper's (and of lm-evaluation-harness's `mgsm_direct`, whose word for "answer" is English in seven languages):

    Question: {question}
    Answer:

`cot` says first what is wanted, and ends in the words of a worked answer:

    Solve the problem step by step. On the last line write "Answer:" and after it only the result as a number.

    Question: {question}
    Step-by-step answer:

An answer ends where the model would go on with a next question.

`harness` asks as lm-evaluation-harness's `mgsm_direct` 4.0 does, which the base accuracies that paper 1's authors
published were measured with: its words (`harness_words`), its stops, no chat template, 256 new tokens, greedy, scored
by `flexible_extract`. Each of these keys may say otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import model_validator

from polyroute.artifacts.kinds import TaskKind
from polyroute.artifacts.questions import TaskError
from polyroute.ground.hub import HubSource
from polyroute.languages import table as languages
from polyroute.readers import harness_words
from polyroute.readers.halves import MGSM
from polyroute.readers.spec import HubTask, Item, numbered
from polyroute.readers.tables import lines
from polyroute.scoring.settings import NumberScore

_AS_THE_HARNESS = {
    "chat": False, "max_new_tokens": harness_words.MGSM_NEW_TOKENS, "temperature": 0, "score": "flexible_extract",
}  # fmt: skip
"""What a task with the harness's prompts is set to where it does not say otherwise."""


@dataclass(frozen=True)
class Words:
    """What the prompts say in one language."""

    question: str
    answer: str
    steps: str
    """Before a worked answer."""
    task: str
    """What a worked answer should be like."""


WORDS = {
    "ben_Beng": Words(
        "প্রশ্ন:", "উত্তর:", "ধাপে ধাপে উত্তর:",
        "সমস্যাটি ধাপে ধাপে সমাধান করুন। শেষ লাইনে \"উত্তর:\" লিখুন এবং তার পরে শুধু ফলাফলটি সংখ্যায় লিখুন।",
    ),
    "deu_Latn": Words(
        "Frage:", "Antwort:", "Schritt-für-Schritt-Antwort:",
        "Löse die Aufgabe Schritt für Schritt. Schreibe in die letzte Zeile „Antwort:“ und dahinter nur das Ergebnis "
        "als Zahl.",
    ),
    "eng_Latn": Words(
        "Question:", "Answer:", "Step-by-step answer:",
        "Solve the problem step by step. On the last line write \"Answer:\" and after it only the result as a number.",
    ),
    "fra_Latn": Words(
        "Question :", "Réponse :", "Réponse étape par étape :",
        "Résous le problème étape par étape. Sur la dernière ligne, écris « Réponse : » suivi uniquement du résultat "
        "sous forme de nombre.",
    ),
    "jpn_Jpan": Words(
        "問題：", "答え：", "ステップごとの答え：",
        "問題を順を追って解いてください。最後の行に「答え：」と書き、その後に結果の数字だけを書いてください。",
    ),
    "rus_Cyrl": Words(
        "Задача:", "Ответ:", "Пошаговое решение:",
        "Реши задачу шаг за шагом. В последней строке напиши «Ответ:» и после него только результат в виде числа.",
    ),
    "spa_Latn": Words(
        "Pregunta:", "Respuesta:", "Respuesta paso a paso:",
        "Resuelve el problema paso a paso. En la última línea escribe «Respuesta:» y después solo el resultado como "
        "número.",
    ),
    "swh_Latn": Words(
        "Swali:", "Jibu:", "Jibu la hatua kwa hatua:",
        "Tatua swali hatua kwa hatua. Kwenye mstari wa mwisho andika \"Jibu:\" na baada yake matokeo pekee kama "
        "nambari.",
    ),
    "tel_Telu": Words(
        "ప్రశ్న:", "సమాధానం:", "దశలవారీ సమాధానం:",
        "సమస్యను దశలవారీగా పరిష్కరించండి. చివరి వరుసలో \"సమాధానం:\" అని రాసి, దాని తర్వాత ఫలితాన్ని సంఖ్యగా మాత్రమే "
        "రాయండి.",
    ),
    "tha_Thai": Words(
        "โจทย์:", "คำตอบ:", "คำตอบทีละขั้นตอน:",
        "จงแก้โจทย์ทีละขั้นตอน ในบรรทัดสุดท้ายให้เขียนว่า \"คำตอบ:\" แล้วตามด้วยผลลัพธ์เป็นตัวเลขเท่านั้น",
    ),
    "zho_Hans": Words(
        "问题：", "答案：", "逐步解答：",
        "请逐步解答这道题。在最后一行写“答案：”，后面只写用数字表示的结果。",
    ),
}  # fmt: skip
"""FLORES code -> words of the prompts."""


class MGSMTask(HubTask):
    """Word problems."""

    reader: Literal["mgsm"]
    prompt: Literal["direct", "cot", "harness"]
    """Whether the answer is asked for at once, after a chain of thought, or as lm-evaluation-harness does."""
    score: NumberScore | None = None
    """Which score is compared; null: as `score.number` has it."""
    kind: ClassVar[TaskKind] = "number"
    divided_as: ClassVar[str | None] = MGSM

    @model_validator(mode="before")
    @classmethod
    def _as_the_harness(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("prompt") == "harness":
            return _AS_THE_HARNESS | given
        return given

    def covered(self) -> list[str]:
        """The eleven languages of the release."""
        return sorted(WORDS)

    def paths(self, language: str) -> list[str]:
        """The one file of a language."""
        return [self.files.replace("{language}", languages.code_in(language, "iso639-1"))]

    def stops(self, language: str) -> tuple[str, ...]:
        """How a next question would begin; of the harness's prompts, with the other stops of its task."""
        if self.prompt == "harness":
            return (harness_words.MGSM[language][0], *harness_words.MGSM_STOPS)
        return (f"\n{WORDS[language].question}",)

    def own_score(self) -> str | None:
        """The score that is compared, where the task says so."""
        return self.score

    def language_items(self, task: str, code: str, source: HubSource) -> list[Item]:
        """All items of one language."""
        (path,) = self.paths(code)
        file = source.file(self.hub, self.revision, path)
        rows = [line.split("\t") for line in lines(file)]
        self.check_count(task, code, str(file), len(rows))
        items = []
        for number, cells in enumerate(rows):
            if len(cells) != 2:
                raise TaskError(
                    f"task `{task}`: {file}, line {number + 1}, in {code}: {len(cells)} cells where question and "
                    "answer are two"
                )
            question, answer = cells
            prompt = _prompt(question.strip(), code, self.prompt)
            items.append(Item(numbered("", number, 3), code, prompt, answer.strip().replace(",", "")))
        return items


def _prompt(question: str, language: str, style: str) -> str:
    if style == "harness":
        before, after = harness_words.MGSM[language]
        return f"{before} {question}\n{after}"
    words = WORDS[language]
    # Chinese and Japanese colons bring their own space.
    asked = words.question + ("" if words.question.endswith("：") else " ") + question
    if style == "direct":
        return f"{asked}\n{words.answer}"
    return f"{words.task}\n\n{asked}\n{words.steps}"
