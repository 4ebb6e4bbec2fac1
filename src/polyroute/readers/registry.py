"""Every data set that params.yaml can name as `reader`.

To add one: a module here with a type for its corpus, its task or both, and their names in `READERS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Union

from pydantic import Field

from polyroute.readers.belebele import Belebele, BelebeleTask
from polyroute.readers.datasets import DatasetCorpus, DatasetTask
from polyroute.readers.flores_plus import FloresPlus
from polyroute.readers.global_mmlu import GlobalMMLUTask
from polyroute.readers.gsm8k_instruct import GSM8KInstruct
from polyroute.readers.local import LocalCorpus, LocalTask
from polyroute.readers.medinstruct import MedInstruct
from polyroute.readers.mgsm import MGSMTask
from polyroute.readers.miniworld import MiniworldCorpus, MiniworldTask
from polyroute.readers.polymath import PolyMathTask
from polyroute.readers.question_corpora import BelebeleQuestions, MGSMQuestions
from polyroute.readers.sib200 import SIB200
from polyroute.readers.spec import CorpusSpec, TaskSpec
from polyroute.readers.translation import TranslationTask
from polyroute.readers.xquad import XQuADTask

READERS: tuple[type[CorpusSpec] | type[TaskSpec], ...] = (
    Belebele, BelebeleTask, DatasetCorpus, DatasetTask, FloresPlus, GlobalMMLUTask, GSM8KInstruct, LocalCorpus,
    LocalTask, MedInstruct, MGSMTask, MiniworldCorpus, MiniworldTask, PolyMathTask, SIB200, TranslationTask, XQuADTask,
    BelebeleQuestions, MGSMQuestions,
)  # fmt: skip
"""Types of the entries of `corpora` and `tasks`."""


def union(base: type[CorpusSpec] | type[TaskSpec]) -> Any:
    """The types of `READERS` that are of one base, distinguished by their key `reader`."""
    return Annotated[Union[tuple(spec for spec in READERS if issubclass(spec, base))], Field(discriminator="reader")]  # noqa: UP007


if TYPE_CHECKING:
    Corpus = CorpusSpec
    Task = TaskSpec
else:
    Corpus = union(CorpusSpec)
    Task = union(TaskSpec)
