"""A study of one tiny model that is traced and asked in a moment, here or in workers."""

import hashlib
from pathlib import Path

from asking.asked import bytes_tokenizer
from asking.seated import HOW, ITEMS, LANGUAGES, NUMBERS, questions
from models.tiny_models import tiny
from polyroute.asking.purpose import ask_for
from polyroute.asking.settings import AskedTask, AskSettings
from polyroute.ground.paths import Paths
from polyroute.models.settings import Checkpoint, ModelSettings
from polyroute.models.source import digest
from polyroute.steering.condition import AskedConditions, Condition
from polyroute.steering.plan import Plan
from polyroute.tracing import study
from polyroute.tracing.settings import TracingSettings
from polyroute.workers.settings import HERE, Engine

TEXTS = {
    (corpus, language): {f"{n}": f"{corpus} {language} " * (n % 3 + 1) for n in range(12)}
    for corpus in ("own", "other")
    for language in LANGUAGES
}
SHAPE = {"model": "tiny", "experts_per_layer": 8, "top_k": 2}
MASK = Condition("mask", "exclusive", Plan(**SHAPE, rule="mask", experts={1: (0, 1, 2), 2: (3, 4, 5)}))
SOFT = Condition("soft", "dose", Plan(**SHAPE, rule="soft", strength=1.0, experts={1: (1, 4)}))
TASKS = {"choices": ITEMS, "numbers": NUMBERS}


def checkpoint(folder: Path) -> ModelSettings:
    """The tiny model on disk."""
    tiny("qwen3_moe", vocab_size=300).save_pretrained(folder / "tiny")
    bytes_tokenizer().save_pretrained(folder / "tiny")
    entry = {"folder": folder / "tiny", "dtype": "float32", "device": "cpu"}
    told = digest("tiny", Checkpoint.model_validate(entry))
    return ModelSettings.model_validate(entry | {"digest": told, "batch_tokens": 200, "max_tokens": 200})


def traced(root: Path, model: ModelSettings, engine: Engine = HERE, texts: dict | None = None) -> dict:
    """Corpus and language -> digest of the trace's file."""
    texts = TEXTS if texts is None else texts
    settings = TracingSettings(
        name="tiny", model=model, counts=None, pairs=4, head=3, special_tokens="exclude", seed=0,
        corpora={"own": LANGUAGES, "other": LANGUAGES},
    )  # fmt: skip
    done = study.trace_model(settings, texts, Paths(root), engine)
    return {pair: sha256(path) for pair, path in done.traces.items()}


def asked(root: Path, model: ModelSettings, purpose: str, engine: Engine = HERE) -> list[str]:
    """Ask both tasks; the lines that the stage shows."""
    paths = Paths(root)
    for task, items in TASKS.items():
        questions(items).write(paths.task_questions("tiny", task))
    kinds = {"choices": "choice", "numbers": "number"}
    settings = AskSettings(
        name="tiny", model=model, seed=0, mechanism_items=2, **HOW,
        tasks={task: AskedTask(kind=kinds[task], languages=LANGUAGES) for task in TASKS},
    )  # fmt: skip
    edits = () if purpose == "evaluate" else (MASK, SOFT)
    conditions = {task: dict.fromkeys(("select", "report"), AskedConditions(conditions=edits)) for task in TASKS}
    return list(ask_for(purpose, settings, paths, conditions, engine=engine))


def written(folder: Path) -> dict[str, str]:
    """File below a folder -> its digest."""
    return {path.relative_to(folder).as_posix(): sha256(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
