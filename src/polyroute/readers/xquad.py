"""XQuAD: 1,190 questions on 240 passages of SQuAD, translated by professionals; the answer stands in the passage.

Hub: `google/xquad`, files `xquad.{language}/validation-00000-of-00001.parquet`, 1,190 rows. Languages are the release's
codes: ar de el en es hi ro ru th tr vi zh.
Schema: `id` (the same in every language), `context`, `question`, `answers` (`text` and `answer_start`, lists of one).
The JSON files of the release itself (github.com/google-deepmind/xquad, `xquad.{language}.json`, laid out as SQuAD 1.1)
are read too.
Licence: CC BY-SA 4.0.
Source: Artetxe, Ruder and Yogatama, "On the Cross-lingual Transferability of Monolingual Representations", ACL 2020,
arXiv:1910.11856.

Prompt, as in paper 2 (arXiv 2601.14050, `intervention/vllm_intervention_xquad.py`, MIT), the last line in the language
of the question:

    {context}
    {question}
    Please output the answer directly.

Nothing tells a model that is not asked in a chat where its answer ends. Questions on a passage are in the same split.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from polyroute.artifacts.kinds import TaskKind
from polyroute.artifacts.questions import TaskError
from polyroute.ground.hub import HubSource
from polyroute.readers.spec import HubTask, Item


@dataclass(frozen=True)
class Language:
    """What is the release's and what is paper 2's in one language."""

    code: str
    """In file names."""
    request: str
    """Last line of the prompt."""


LANGUAGES = {
    "arb_Arab": Language("ar", "يُرجى إخراج الإجابة مباشرة."),
    "deu_Latn": Language("de", "Bitte geben Sie die Antwort direkt aus."),
    "ell_Grek": Language("el", "Παρακαλώ δώστε την απάντηση απευθείας."),
    "eng_Latn": Language("en", "Please output the answer directly."),
    "hin_Deva": Language("hi", "कृपया सीधे उत्तर दें।"),
    "ron_Latn": Language("ro", "Vă rugăm să răspundeți direct."),
    "rus_Cyrl": Language("ru", "Пожалуйста, выведите ответ напрямую."),
    "spa_Latn": Language("es", "Por favor, proporcione la respuesta directamente."),
    "tha_Thai": Language("th", "กรุณาแสดงคำตอบโดยตรง"),
    "tur_Latn": Language("tr", "Lütfen cevabı doğrudan verin."),
    "vie_Latn": Language("vi", "Vui lòng xuất câu trả lời trực tiếp."),
    "zho_Hans": Language("zh", "请直接输出答案。"),
}
"""FLORES code -> language."""


@dataclass(frozen=True)
class _Row:
    item_id: str
    context: str
    question: str
    answers: list[str]


class XQuADTask(HubTask):
    """Questions whose answer stands in a passage."""

    reader: Literal["xquad"]
    kind: ClassVar[TaskKind] = "span"

    def covered(self) -> list[str]:
        """The twelve languages of the release."""
        return sorted(LANGUAGES)

    def paths(self, language: str) -> list[str]:
        """The one file of a language."""
        return [self.files.replace("{language}", LANGUAGES[language].code)]

    def language_items(self, task: str, code: str, source: HubSource) -> list[Item]:
        """All items of one language."""
        (path,) = self.paths(code)
        file = source.file(self.hub, self.revision, path)
        rows = _rows(task, file)
        self.check_count(task, code, str(file), len(rows))
        # Passages have no id of their own: the first question on one stands for it, the same in every language.
        first: dict[str, str] = {}
        items = []
        for row in rows:
            place = f"task `{task}`: {file}: item {row.item_id} in {code}"
            if len(row.answers) != 1:
                raise TaskError(f"{place} has {len(row.answers)} answers where XQuAD has one")
            if row.answers[0] not in row.context:
                raise TaskError(f"{place}: its answer `{row.answers[0]}` does not stand in its passage")
            prompt = "\n".join((row.context, row.question, LANGUAGES[code].request))
            together = first.setdefault(row.context, row.item_id)
            items.append(Item(row.item_id, code, prompt, row.answers[0], together=together))
        return items


def _rows(task: str, file: Path) -> list[_Row]:
    import pyarrow

    try:
        return list(_of_json(file) if file.suffix == ".json" else _of_parquet(file))
    except (pyarrow.ArrowException, ValueError) as error:
        raise TaskError(f"task `{task}`: {file} cannot be read: {error}") from None
    except (KeyError, TypeError, AttributeError) as error:
        raise TaskError(f"task `{task}`: {file} is not laid out as XQuAD is: {error!r}") from None


def _of_json(file: Path) -> Iterator[_Row]:
    for article in json.loads(file.read_text(encoding="utf-8"))["data"]:
        for paragraph in article["paragraphs"]:
            for asked in paragraph["qas"]:
                yield _row(asked["id"], paragraph["context"], asked["question"], [a["text"] for a in asked["answers"]])


def _of_parquet(file: Path) -> Iterator[_Row]:
    import pyarrow.parquet

    for row in pyarrow.parquet.read_table(file).to_pylist():
        yield _row(row["id"], row["context"], row["question"], row["answers"]["text"])


def _row(item_id: Any, context: str, question: str, answers: Sequence[str]) -> _Row:
    # Some contexts begin with a byte order mark, some answers end in blanks.
    return _Row(str(item_id), context.removeprefix("\ufeff").strip(), question.strip(), [a.strip() for a in answers])
