r"""PolyMath: mathematical problems of four levels in 18 languages, 125 a level; the answer is a number or a formula.

Hub: `Qwen/PolyMath`, files `{language}/{level}.parquet`, 125 rows. Levels: low (problems of MGSM), medium, high, top.
Languages are the release's codes: ar bn de en es fr id it ja ko ms pt ru sw te th vi zh. The release's repository
(github.com/QwenLM/PolyMath) has JSON lines with the same columns, which are read too.
Schema: `id` (`{level}-{language}-{number}`), `question`, `answer`: of `low` a whole number; of the others a number, or
LaTeX between dollar signs. An item's id here is its level and number.
Licence: Apache-2.0.
Source: Wang et al., "PolyMath: Evaluating Mathematical Reasoning in Multilingual Contexts", 2025, arXiv:2504.18428.

`low` is the first 125 problems of MGSM, in order: each falls into the half that it has there (`readers.halves`).

Prompt, as released (`instruction.py`) and as in paper 2 (arXiv 2601.14050, `steer/vllm_steer_polymath.py`), which asks
`low` alone; the last line in the language of the problem:

    {question}
    Note: Please put the final answer in the $\boxed\{\}$.

The release takes the first box alone, and a hundredth or a hundredfold of the right number for right. Here the last box
counts, a number without a box is read as everywhere (`numbers`), and numbers must be equal. Formulas are compared by
math-verify (`formulas`); the few that are broken in the release (an unmatched dollar sign) cannot be answered rightly.
"""

from __future__ import annotations

import re
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from polyroute.artifacts.formula import FORMULA_MARK, is_formula
from polyroute.artifacts.kinds import TaskKind
from polyroute.artifacts.questions import TaskError
from polyroute.ground.frozen import check_unique
from polyroute.ground.hub import HubSource
from polyroute.readers.halves import MGSM, MGSM_IN_POLYMATH, mgsm_halves
from polyroute.readers.spec import HubTask, Item, numbered
from polyroute.readers.tables import columns

CODES = {
    "arb_Arab": "ar", "ben_Beng": "bn", "deu_Latn": "de", "eng_Latn": "en", "fra_Latn": "fr", "ind_Latn": "id",
    "ita_Latn": "it", "jpn_Jpan": "ja", "kor_Hang": "ko", "por_Latn": "pt", "rus_Cyrl": "ru", "spa_Latn": "es",
    "swh_Latn": "sw", "tel_Telu": "te", "tha_Thai": "th", "vie_Latn": "vi", "zho_Hans": "zh", "zsm_Latn": "ms",
}  # fmt: skip
"""FLORES code -> folder of the release."""
REQUESTS = {
    "arb_Arab": r"ملاحظة: يُرجى وضع الإجابة النهائية في $\boxed\{\}$.",
    "ben_Beng": r"বিঃদ্রঃ: অনুগ্রহ করে চূড়ান্ত উত্তরটি $\boxed\{\}$ এর মধ্যে রাখুন।",
    "deu_Latn": r"Hinweis: Bitte setzen Sie die endgültige Antwort in $\boxed\{\}$.",
    "eng_Latn": r"Note: Please put the final answer in the $\boxed\{\}$.",
    "fra_Latn": r"Remarque : Veuillez mettre la réponse finale dans le $\boxed\{\}$.",
    "ind_Latn": r"Catatan: Silakan letakkan jawaban akhir di dalam $\boxed\{\}$.",
    "ita_Latn": r"Nota: Per favore, metti la risposta finale nel $\boxed\{\}$.",
    "jpn_Jpan": r"注意：最終的な答えを $\boxed\{\}$ に入れてください。",
    "kor_Hang": r"참고: 최종 답안을 $\boxed\{\}$ 안에 넣어 주세요.",
    "por_Latn": r"Nota: Por favor, coloque a resposta final no $\boxed\{\}$.",
    "rus_Cyrl": r"Примечание: Пожалуйста, поместите окончательный ответ в $\boxed\{\}$.",
    "spa_Latn": r"Nota: Por favor, coloque la respuesta final en el $\boxed\{\}$.",
    "swh_Latn": r"Kumbuka: Tafadhali weka jibu la mwisho katika $\boxed\{\}$.",
    "tel_Telu": r"గమనిక: దయచేసి తుది జవాబును $\boxed\{\}$ లో ఉంచండి.",
    "tha_Thai": r"หมายเหตุ: กรุณาใส่คำตอบสุดท้ายใน $\boxed\{\}$.",
    "vie_Latn": r"Lưu ý: Vui lòng đặt câu trả lời cuối cùng trong $\boxed\{\}$.",
    "zho_Hans": r"注意：请将最终答案放在 $\boxed\{\}$ 中。",
    "zsm_Latn": r"Nota: Sila letakkan jawapan akhir dalam $\boxed\{\}$.",
}
"""FLORES code -> last line of the prompt."""
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


class PolyMathTask(HubTask):
    """Mathematical problems of several levels."""

    reader: Literal["polymath"]
    levels: list[Literal["low", "medium", "high", "top"]] = Field(min_length=1)
    """Levels to keep, each in files of its own: `{level}` in `files`."""
    items: int = Field(ge=1)
    """Problems of each level that the release has; another number is an error."""
    kind: ClassVar[TaskKind] = "number"

    def items_of(self) -> str:
        """MGSM's, of the level `low`."""
        return MGSM if "low" in self.levels else self.reader

    @model_validator(mode="after")
    def _by_level(self) -> Self:
        if "{level}" not in self.files:
            raise ValueError("no `{level}` in `files`: every level would be the problems of one")
        check_unique("levels", list(self.levels))
        return self

    def covered(self) -> list[str]:
        """The 18 languages of the release."""
        return sorted(CODES)

    def paths(self, language: str) -> list[str]:
        """A file a level."""
        folder = self.files.replace("{language}", CODES[language])
        return [folder.replace("{level}", level) for level in self.levels]

    def language_items(self, task: str, code: str, source: HubSource) -> list[Item]:
        """The items of one language, level by level."""
        items = []
        for level, path in zip(self.levels, self.paths(code), strict=True):
            file = source.file(self.hub, self.revision, path)
            rows = columns(file, ("id", "question", "answer"))
            self.check_count(task, code, str(file), len(rows))
            named = re.compile(rf"{level}-{CODES[code]}-(\d+)", re.ASCII)
            for place, row in enumerate(rows):
                match = named.fullmatch(row["id"])
                if match is None:
                    raise TaskError(
                        f"task `{task}`: {file}: id `{row['id']}` in {code} is not `{level}-{CODES[code]}-number`"
                    )
                prompt = f"{row['question'].strip()}\n{REQUESTS[code]}"
                half = mgsm_halves()[place] if level == "low" and place < MGSM_IN_POLYMATH else None
                item_id = numbered(level, int(match[1]), 3)
                items.append(Item(item_id, code, prompt, _answer(row["answer"]), split=half))
        return items


def _answer(answer: str) -> str:
    """A plain number without dollar signs, anything else between them."""
    bare = answer.strip().removeprefix(FORMULA_MARK).removesuffix(FORMULA_MARK).strip()
    if _NUMBER.fullmatch(bare):
        return bare
    return answer.strip() if is_formula(answer.strip()) else f"{FORMULA_MARK}{answer.strip()}{FORMULA_MARK}"
