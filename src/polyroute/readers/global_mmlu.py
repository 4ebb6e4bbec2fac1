r"""Global-MMLU: the 57 subjects of MMLU in 42 languages, four options each, translated and partly post-edited.

Hub: `CohereLabs/Global-MMLU`, files `{language}/{split}-00000-of-00001.parquet`, splits `test` (14,042 rows) and `dev`
(285, five a subject). Languages are the release's own codes (ISO 639-1, `fil` for Tagalog).
Schema: `sample_id` (`{subject}/{split}/{number}`, the same in every language), `subject`, `subject_category`,
`question`, `option_a` to `option_d`, `answer` (A to D), and labels of culture and region that are not read.
Licence: Apache-2.0 (MMLU: MIT).
Source: Singh et al., "Global MMLU: Understanding and Addressing Cultural and Linguistic Biases in Multilingual
Evaluation", 2024, arXiv:2412.03304; Hendrycks et al. 2021, arXiv:2009.03300.

Prompt, as in lm-evaluation-harness (`tasks/global_mmlu`), without examples, the same frame in every language:

    {question}
    A. {option_a}
    B. {option_b}
    C. {option_c}
    D. {option_d}
    Answer:

The choices are the letters, a blank before each. `positions` says which questions of each subject are kept:

- `first`: the first `per_subject`, by number and split by split;
- `published`: the 60 of each medical subject that paper 1's authors ask (`global_mmlu_medical.toml`, read in their
  code): clinical_knowledge, college_medicine, human_aging, medical_genetics, nutrition, professional_medicine and
  virology, 420 in all. A position counts from 0 among the subject's rows of the split `test`, in the file's own order,
  whatever their numbers;
- `all`: every question.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from polyroute.artifacts.kinds import TaskKind
from polyroute.artifacts.questions import TaskError
from polyroute.ground.frozen import check_known
from polyroute.ground.hub import HubSource
from polyroute.readers.spec import HubTask, Item, lettered, options_lettered
from polyroute.readers.tables import columns

CODES = {
    "amh_Ethi": "am", "arb_Arab": "ar", "ben_Beng": "bn", "ces_Latn": "cs", "deu_Latn": "de", "ell_Grek": "el",
    "eng_Latn": "en", "fra_Latn": "fr", "hau_Latn": "ha", "heb_Hebr": "he", "hin_Deva": "hi", "ibo_Latn": "ig",
    "ind_Latn": "id", "ita_Latn": "it", "jpn_Jpan": "ja", "kir_Cyrl": "ky", "kor_Hang": "ko", "lit_Latn": "lt",
    "nld_Latn": "nl", "npi_Deva": "ne", "nya_Latn": "ny", "pes_Arab": "fa", "plt_Latn": "mg", "pol_Latn": "pl",
    "por_Latn": "pt", "ron_Latn": "ro", "rus_Cyrl": "ru", "sin_Sinh": "si", "sna_Latn": "sn", "som_Latn": "so",
    "spa_Latn": "es", "srp_Cyrl": "sr", "swe_Latn": "sv", "swh_Latn": "sw", "tel_Telu": "te", "tgl_Latn": "fil",
    "tur_Latn": "tr", "ukr_Cyrl": "uk", "vie_Latn": "vi", "yor_Latn": "yo", "zho_Hans": "zh", "zsm_Latn": "ms",
}  # fmt: skip
"""FLORES code -> folder of the release."""
_OPTIONS = ("option_a", "option_b", "option_c", "option_d")
_ID = re.compile(r"(?P<subject>\w+)/(?P<split>\w+)/(?P<number>\d+)", re.ASCII)


class GlobalMMLUTask(HubTask):
    """Questions with four options."""

    reader: Literal["global_mmlu"]
    splits: list[str] = Field(min_length=1)
    subjects: list[str] = Field(min_length=1)
    """Subjects to keep."""
    positions: Literal["published", "first", "all"] = "first"
    """Which questions of each: those of paper 1, the first `per_subject`, or all."""
    per_subject: int | None = Field(default=None, ge=1)
    """Questions of each with `positions: first`, in the release's order."""
    kind: ClassVar[TaskKind] = "choice"

    @model_validator(mode="after")
    def _which(self) -> Self:
        if (self.positions == "first") != (self.per_subject is not None):
            needs = "is needed by" if self.positions == "first" else "leave it out with"
            raise ValueError(f"`per_subject`: {needs} `positions: {self.positions}`")
        if self.positions == "published":
            if self.splits != [_published()["split"]]:
                raise ValueError(f"`positions: published` are of the split {_published()['split']}: name it alone")
            for subject in self.subjects:
                check_known("subjects", subject, _published()["positions"], "a subject with published positions")
        return self

    def covered(self) -> list[str]:
        """The 42 languages of the release."""
        return sorted(CODES)

    def paths(self, language: str) -> list[str]:
        """A file a split."""
        folder = self.files.replace("{language}", CODES[language])
        return [folder.replace("{split}", split) for split in self.splits]

    def language_items(self, task: str, code: str, source: HubSource) -> list[Item]:
        """The kept items of one language."""
        by_subject: dict[str, list[Item]] = {subject: [] for subject in self.subjects}
        paths, rows = self.paths(code), 0
        for path in paths:
            file = source.file(self.hub, self.revision, path)
            table = columns(file, ("sample_id", "subject", "question", *_OPTIONS, "answer"))
            rows += len(table)
            of_file: dict[str, list[tuple[int, Item]]] = {}
            for row in table:
                match = _ID.fullmatch(row["sample_id"])
                if match is None or match["subject"] != row["subject"]:
                    raise TaskError(
                        f"task `{task}`: {file}: sample_id `{row['sample_id']}` of a question on {row['subject']} in "
                        f"{code} is not `subject/split/number`"
                    )
                if row["subject"] in by_subject:
                    of_file.setdefault(row["subject"], []).append((int(match["number"]), _item(row, match, code)))
            for subject, numbered in of_file.items():
                if self.positions == "published":
                    by_subject[subject] += [item for _, item in numbered]  # places are those of the file's rows
                else:
                    by_subject[subject] += [item for _, item in sorted(numbered, key=lambda pair: pair[0])]
        self.check_count(task, code, ", ".join(paths), rows)
        return [
            item
            for subject, items in by_subject.items()
            for item in self._kept(task, subject, items, f"{', '.join(paths)} has", code)
        ]

    def _kept(self, task: str, subject: str, items: list[Item], has: str, code: str) -> list[Item]:
        """The questions of a subject that are asked; published ones in the order of their numbers, as all others."""
        told = f"task `{task}`: {has} {len(items)} questions on `{subject}` in {code}"
        if self.positions == "published":
            places = _published()["positions"][subject]
            if max(places) >= len(items):
                raise TaskError(f"{told}, and the published positions go to {max(places)}: it is another release")
            return sorted((items[place] for place in places), key=lambda item: item.item_id)
        if len(items) < (self.per_subject or 1):
            raise TaskError(f"{told}, fewer than per_subject = {self.per_subject or 1}")
        return items[: self.per_subject]


@cache
def _published() -> dict[str, Any]:
    """Positions that paper 1's authors ask, by subject, and where they are from."""
    return tomllib.loads(files("polyroute.readers").joinpath("global_mmlu_medical.toml").read_text(encoding="utf-8"))


def _item(row: dict[str, str], match: re.Match[str], code: str) -> Item:
    options = tuple(row[name] for name in _OPTIONS)
    return Item(
        item_id=f"{match['subject']}/{match['split']}/{int(match['number']):04d}",
        language=code,
        prompt=f"{row['question'].strip()}\n{options_lettered(options, '.')}\nAnswer:",
        answer="ABCD".find(row["answer"]) if len(row["answer"]) == 1 else -1,
        choices=lettered(options),
        shown=options,
    )
