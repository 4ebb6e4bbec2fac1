r"""Belebele: 900 questions on 488 short passages of FLORES-200 in 122 languages; a corpus of the passages, and a task.

Hub: `facebook/belebele`, files `data/{language}.jsonl`, one split of 900 rows, one a question. Languages are
FLORES-200 codes, and six more in Latin script.
Schema: `link` (page of the passage, the same in every language), `question_number` (within the passage),
`flores_passage`, `question`, `mc_answer1` to `mc_answer4`, `correct_answer_num` (1 to 4), `dialect` (FLORES code),
`ds`.
Licence: CC BY-SA 4.0.
Source: Bandarkar et al., "The Belebele Benchmark: a Parallel Reading Comprehension Dataset in 122 Language Variants",
ACL 2024, arXiv:2308.16884.

As a corpus: a passage stands under every one of its questions; it is one item, whose id is its link. These 488, of
several sentences each, are the generic text of the code behind paper 1, each the user's turn of a `chat`.

As a task, the prompt is that of lm-evaluation-harness (`tasks/belebele`), without examples, the same frame in every
language:

    P: {flores_passage}
    Q: {question}
    A: {mc_answer1}
    B: {mc_answer2}
    C: {mc_answer3}
    D: {mc_answer4}
    Answer:

The choices are the letters, a blank before each. An item's id is its link and question number; the questions on
a passage are in the same split.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from polyroute.artifacts.corpus import CorpusError
from polyroute.artifacts.kinds import TaskKind
from polyroute.artifacts.questions import TaskError
from polyroute.ground.hub import HubSource
from polyroute.readers.spec import HubCorpus, HubTask, Item, lettered, options_lettered
from polyroute.readers.tables import columns

LANGUAGES = [
    "acm_Arab", "afr_Latn", "als_Latn", "amh_Ethi", "apc_Arab", "arb_Arab", "arb_Latn", "ars_Arab", "ary_Arab",
    "arz_Arab", "asm_Beng", "azj_Latn", "bam_Latn", "ben_Beng", "ben_Latn", "bod_Tibt", "bul_Cyrl", "cat_Latn",
    "ceb_Latn", "ces_Latn", "ckb_Arab", "dan_Latn", "deu_Latn", "ell_Grek", "eng_Latn", "est_Latn", "eus_Latn",
    "fin_Latn", "fra_Latn", "fuv_Latn", "gaz_Latn", "grn_Latn", "guj_Gujr", "hat_Latn", "hau_Latn", "heb_Hebr",
    "hin_Deva", "hin_Latn", "hrv_Latn", "hun_Latn", "hye_Armn", "ibo_Latn", "ilo_Latn", "ind_Latn", "isl_Latn",
    "ita_Latn", "jav_Latn", "jpn_Jpan", "kac_Latn", "kan_Knda", "kat_Geor", "kaz_Cyrl", "kea_Latn", "khk_Cyrl",
    "khm_Khmr", "kin_Latn", "kir_Cyrl", "kor_Hang", "lao_Laoo", "lin_Latn", "lit_Latn", "lug_Latn", "luo_Latn",
    "lvs_Latn", "mal_Mlym", "mar_Deva", "mkd_Cyrl", "mlt_Latn", "mri_Latn", "mya_Mymr", "nld_Latn", "nob_Latn",
    "npi_Deva", "npi_Latn", "nso_Latn", "nya_Latn", "ory_Orya", "pan_Guru", "pbt_Arab", "pes_Arab", "plt_Latn",
    "pol_Latn", "por_Latn", "ron_Latn", "rus_Cyrl", "shn_Mymr", "sin_Latn", "sin_Sinh", "slk_Latn", "slv_Latn",
    "sna_Latn", "snd_Arab", "som_Latn", "sot_Latn", "spa_Latn", "srp_Cyrl", "ssw_Latn", "sun_Latn", "swe_Latn",
    "swh_Latn", "tam_Taml", "tel_Telu", "tgk_Cyrl", "tgl_Latn", "tha_Thai", "tir_Ethi", "tsn_Latn", "tso_Latn",
    "tur_Latn", "ukr_Cyrl", "urd_Arab", "urd_Latn", "uzn_Latn", "vie_Latn", "war_Latn", "wol_Latn", "xho_Latn",
    "yor_Latn", "zho_Hans", "zho_Hant", "zsm_Latn", "zul_Latn",
]  # fmt: skip
"""FLORES codes of the 122 variants."""
_OPTIONS = ("mc_answer1", "mc_answer2", "mc_answer3", "mc_answer4")


class Belebele(HubCorpus):
    """Belebele passages."""

    reader: Literal["belebele"]

    def covered(self) -> list[str]:
        """The 122 variants."""
        return LANGUAGES

    def file_items(self, file: Path, _split: str, language: str) -> list[tuple[str, str]]:
        """Links and passages of a file."""
        passages: dict[str, str] = {}
        for row in columns(file, ("link", "flores_passage", "dialect")):
            if row["dialect"] != language:
                raise CorpusError(f"{file}: the passage of {row['link']} is in {row['dialect']}, not in {language}")
            if passages.setdefault(row["link"], row["flores_passage"]) != row["flores_passage"]:
                raise CorpusError(f"{file}: {language} has different passages under the questions on {row['link']}")
        return list(passages.items())


class BelebeleTask(HubTask):
    """Passages with a question and four options."""

    reader: Literal["belebele"]
    kind: ClassVar[TaskKind] = "choice"

    def covered(self) -> list[str]:
        """The 122 variants."""
        return LANGUAGES

    def paths(self, language: str) -> list[str]:
        """The one file of a language."""
        return [self.files.replace("{language}", language)]

    def language_items(self, task: str, code: str, source: HubSource) -> list[Item]:
        """All items of one language."""
        (path,) = self.paths(code)
        file = source.file(self.hub, self.revision, path)
        names = ("link", "question_number", "flores_passage", "question", *_OPTIONS, "correct_answer_num", "dialect")
        rows = columns(file, names)
        self.check_count(task, code, str(file), len(rows))
        items = []
        for row in rows:
            item_id = f"{row['link']}#{row['question_number']}"
            if row["dialect"] != code:
                raise TaskError(f"task `{task}`: {file}: item {item_id} is in {row['dialect']}, not in {code}")
            options = tuple(row[name] for name in _OPTIONS)
            listed = options_lettered(options, ":")
            number = row["correct_answer_num"]
            items.append(
                Item(
                    item_id=item_id,
                    language=code,
                    prompt=f"P: {row['flores_passage']}\nQ: {row['question'].strip()}\n{listed}\nAnswer:",
                    answer=int(number) - 1 if number.isascii() and number.isdigit() else -1,
                    choices=lettered(options),
                    shown=options,
                    together=row["link"],
                )
            )
        return items
