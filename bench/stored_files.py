"""What a damaged bit does to every kind of file that is stored, and what it costs to find it.

    python -m bench.stored_files            # the tables of docs/architecture.md

A file of each kind is written, a bit of it is flipped at random, and it is read as the study reads it. Wanted is that
no flip is read in silence and none ends in a traceback: data are refused by name, and a finished part
of a long stage is as if it were not there, so that it is computed anew.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from polyroute.artifacts import answers, corpus, frequency, recorded_counts, recorded_distances, vocabulary
from polyroute.artifacts.draws import Curves, Draws
from polyroute.artifacts.key import Key
from polyroute.artifacts.questions import Questions
from polyroute.artifacts.trace import Trace, TraceHeader
from polyroute.asking.ask import MECHANISM_COLUMNS
from polyroute.asking.store import AnswerStore
from polyroute.asking.written_frequency import TallyStore, Written
from polyroute.ground import checksum
from polyroute.ground.errors import PolyrouteError
from polyroute.ground.files import read_checked_table, write_checked_table
from polyroute.ground.paths import Paths
from polyroute.steering.condition import BASELINE, AskedConditions, Condition
from polyroute.steering.plan import Plan
from polyroute.tracing import random_init
from polyroute.tracing.parts import TraceParts
from polyroute.tracing.statistics import BatchStatistics

LANGUAGES = ("deu_Latn", "fra_Latn")
_QUESTIONS = pd.DataFrame(
    {"item_id": [f"i{n}" for n in range(8)], "language": LANGUAGES[0], "split": "report",
     "prompt": [f"Was ist {n} + 1?" for n in range(8)]}
)  # fmt: skip
_WRITTEN = pd.DataFrame(
    {"item_id": _QUESTIONS["item_id"], "language": LANGUAGES[0], "output": [f"{37 * n}" for n in range(8)],
     "tokens": range(8), "finished": True}
)  # fmt: skip
_PLAN = Plan(model="m", experts_per_layer=8, top_k=2, rule="soft", strength=0.5, experts={1: (1, 4)})

_CURVES = Curves(
    layers=[0, 1], alignment=[0.5, 0.25], divergence=[0.5, 0.25], entropy_pivot=[1.0, 2.0], entropy_others=[1.0, 2.0],
    overlap=[0.5, 0.25], specificity=[0.5, 0.25],
)  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """A kind of stored file."""

    name: str
    """As the documentation calls it."""
    write: Callable[[Path], Path]
    """Write one into a study's folder; where it is."""
    read: Callable[[Path], Any]
    """Read the one in that folder; None where it is as if it were not there."""
    ours: bool = False
    """Whether it is a finished part, which is computed anew where it is damaged."""


def made_trace(language: str = LANGUAGES[0], items: int = 4, layers: int = 3, experts: int = 8) -> Trace:
    """A trace of made numbers."""
    header = TraceHeader(
        model="m", model_digest="0", corpus="c", corpus_digest="0", language=language, engine="transformers",
        dtype="float32", device="cpu", layers=tuple(range(layers)), experts=experts, top_k=2, selection=("topk",),
        settings={}, versions={},
    )  # fmt: skip
    shape = items, layers, experts
    mass = np.random.default_rng(0).dirichlet(np.ones(experts), shape[:2]).astype(np.float32)
    counts = np.full(shape, 5, np.int64)
    ids = tuple(f"i{number}" for number in range(items))
    return Trace(header, ids, np.full(items, 20), counts, mass, mass)


def _in(folder: Path) -> Paths:
    return Paths(folder)


def _only(folder: Path, pattern: str) -> Path:
    (path,) = folder.rglob(pattern)
    return path


def _trace(folder: Path) -> Path:
    path = _in(folder).trace("m", "c", LANGUAGES[0])
    made_trace().save(path)
    return path


def _parts(folder: Path) -> TraceParts:
    return TraceParts(_in(folder).parts, {"of": "a bench"})


def _batch(folder: Path) -> Path:
    mass = np.full((2, 3, 4), 0.25, np.float32)
    batch: BatchStatistics = {"soft_mass": mass, "topk_count": np.full((2, 3, 4), 5), "tokens": np.array([10, 10])}
    _parts(folder).put(["a", "b"], batch)
    return _only(folder, "*.safetensors")


def _store(folder: Path) -> AnswerStore:
    return AnswerStore(_in(folder).parts, {"model": "m"})


def _kept(folder: Path) -> Path:
    _store(folder).put(_QUESTIONS, BASELINE, _WRITTEN, beside=["none"])
    return _only(folder, "*.parquet")


def _tallies(folder: Path) -> TallyStore:
    return TallyStore(_in(folder).parts, {"model": "m"})


def _tally(folder: Path) -> Path:
    _tallies(folder).put(_QUESTIONS, Written(np.full((2, 4), 0.25), 8, 90))
    return _only(folder, "*.json")


def _draw_at(folder: Path) -> Path:
    return _in(folder).parts / "random_init" / "key" / "0.json"


def _draw(folder: Path) -> Path:
    random_init.keep(_draw_at(folder), _CURVES)
    return _draw_at(folder)


def _draws(folder: Path) -> Path:
    path = _in(folder).draws("m")
    Draws(corpus="c", texts={LANGUAGES[0]: "0"}, items=["i0"], not_run=None, draws=[_CURVES]).write(path)
    return path


def _answers_at(folder: Path) -> Path:
    return _in(folder).answers("m", "evaluate") / "t" / "report" / "baseline.parquet"


def _answers(folder: Path) -> Path:
    header = answers.AnswersHeader(
        model="m", model_digest="0", task="t", questions={LANGUAGES[0]: "0"}, kind="number", condition="baseline",
        engine="transformers", dtype="float32", device="cpu", settings={}, versions={},
    )  # fmt: skip
    answers.Answers(header, _WRITTEN).write(_answers_at(folder))
    return _answers_at(folder)


def _frequency_at(folder: Path) -> Path:
    return _in(folder).answers("m", "evaluate") / "t" / frequency.FILE


def _frequency(folder: Path) -> Path:
    table = frequency.rows(LANGUAGES[0], frequency.PROMPT, [0, 1], np.full((2, 4), 0.5), 90)
    write_checked_table(_frequency_at(folder), [table], frequency.COLUMNS)
    return _frequency_at(folder)


def _mechanism_at(folder: Path) -> Path:
    return _in(folder).answers("m", "steer") / "t" / "mechanism.csv"


def _mechanism(folder: Path) -> Path:
    table = pd.DataFrame({name: ["one", "two"] for name in MECHANISM_COLUMNS})
    write_checked_table(_mechanism_at(folder), [table], MECHANISM_COLUMNS)
    return _mechanism_at(folder)


def _conditions_at(folder: Path) -> Path:
    return _in(folder).conditions("m", "tune") / "t.json"


def _conditions(folder: Path) -> Path:
    AskedConditions(conditions=(Condition("one", "dose", _PLAN),)).save(_conditions_at(folder))
    return _conditions_at(folder)


def _chosen_at(folder: Path) -> Path:
    return _in(folder).chosen("m") / "t" / "all.json"


def _chosen(folder: Path) -> Path:
    AskedConditions(conditions=(Condition("one", "chosen", _PLAN),)).save(_chosen_at(folder))
    return _chosen_at(folder)


def _plan(folder: Path) -> Path:
    path = _in(folder).plan("m", "t")
    _PLAN.save(path)
    return path


def _about(**more: Any) -> dict[str, Any]:
    return {
        "model": "m", "corpus": "c", "text": "", "languages": LANGUAGES, "source": "s", "commit": None,
        "licence": "MIT",
    } | more  # fmt: skip


def _counts_at(folder: Path) -> Path:
    return folder / "recorded" / "counts.parquet"


def _counts(folder: Path) -> Path:
    tokens = dict.fromkeys(LANGUAGES, 100)
    header = recorded_counts.CountsHeader(**_about(layers=(0, 1), experts=4, top_k=2, tokens=tokens))
    recorded_counts.Counts(header, np.full((2, 2, 4), 50)).write(_counts_at(folder))
    return _counts_at(folder)


def _fetched(folder: Path) -> Path:
    path = _in(folder).recorded_counts("m", "c")
    recorded_counts.Counts.read(_counts(folder)).write(path)
    return path


def _distances_at(folder: Path) -> Path:
    return folder / "recorded" / "distances.parquet"


def _distances(folder: Path) -> Path:
    header = recorded_distances.DistancesHeader(**_about(layers=(0, 1)))
    by_reading = {name: np.array([[0.25], [0.5]]) for name in recorded_distances.READINGS}
    recorded_distances.Distances(header, by_reading).write(_distances_at(folder))
    return _distances_at(folder)


def _corpus(folder: Path) -> Path:
    path = _in(folder).corpus("m", "c")
    corpus.write(corpus.table([(f"i{n}", LANGUAGES[0], f"Satz {n}.") for n in range(8)]), path)
    return path


def _questions(folder: Path) -> Path:
    path = _in(folder).task_questions("m", "t")
    Questions("number", 1, {}, _QUESTIONS).write(path)
    return path


def _key(folder: Path) -> Path:
    path = _in(folder).key("m", "t")
    Key("number", _QUESTIONS[["item_id", "language"]].assign(answer="1")).write(path)
    return path


def _vocabulary(folder: Path) -> Path:
    path = _in(folder).vocabulary("m")
    vocabulary.write(path, {("c", LANGUAGES[0]): {number: number + 1 for number in range(20)}})
    return path


def _whole(folder: Path) -> Path:
    return _parts(folder).finish(made_trace())


KINDS = (
    Kind("finished batch of a trace", _batch, lambda f: _parts(f).get(["a", "b"]), ours=True),
    Kind("finished trace", _whole, lambda f: _parts(f).whole(), ours=True),
    Kind("finished answers", _kept, lambda f: _store(f).get(_QUESTIONS, BASELINE), ours=True),
    Kind("finished tallies", _tally, lambda f: _tallies(f).get(_QUESTIONS), ours=True),
    Kind("finished random draw", _draw, lambda f: random_init.finished(_draw_at(f)), ours=True),
    Kind("random draws", _draws, lambda f: Draws.read(_in(f).draws("m"))),
    Kind("trace", _trace, lambda f: Trace.load(_in(f).trace("m", "c", LANGUAGES[0]))),
    Kind("trace, mapped", _trace, lambda f: Trace.load(_in(f).trace("m", "c", LANGUAGES[0]), mapped=True)),
    Kind("vocabulary of traces", _vocabulary, lambda f: vocabulary.read(_in(f).vocabulary("m"), "c", LANGUAGES[0])),
    Kind("answers", _answers, lambda f: answers.read(_answers_at(f))),
    Kind("frequency of experts", _frequency, lambda f: frequency.table(_frequency_at(f))),
    Kind("mechanism", _mechanism, lambda f: read_checked_table(_mechanism_at(f))),
    Kind("plans to try or mask", _conditions, lambda f: AskedConditions.load(_conditions_at(f))),
    Kind("chosen plans", _chosen, lambda f: AskedConditions.load(_chosen_at(f))),
    Kind("plan of a task", _plan, lambda f: Plan.load(_in(f).plan("m", "t"))),
    Kind("recorded counts", _counts, lambda f: recorded_counts.Counts.read(_counts_at(f))),
    Kind("recorded counts, fetched", _fetched, lambda f: recorded_counts.Counts.read(_in(f).recorded_counts("m", "c"))),
    Kind("recorded distances", _distances, lambda f: recorded_distances.Distances.read(_distances_at(f))),
    Kind("corpus", _corpus, lambda f: corpus.read(_in(f).corpus("m", "c"))),
    Kind("questions", _questions, lambda f: Questions.read(_in(f).task_questions("m", "t"))),
    Kind("right answers", _key, lambda f: Key.read(_in(f).key("m", "t"))),
)


def flips(kind: Kind, folder: Path, tries: int, seed: int = 7) -> Counter[str]:
    """What single flipped bits of a file come to: `refused`, `anew`, `read in silence`, or the name of a traceback."""
    path = kind.write(folder)
    assert kind.read(folder) is not None, f"{kind.name}: whole, it is read"
    whole, rng, told = path.read_bytes(), random.Random(seed), Counter[str]()
    for _ in range(tries):
        damaged = bytearray(whole)
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        try:
            told["anew" if kind.read(folder) is None else "read in silence"] += 1
        except PolyrouteError:
            told["refused"] += 1
        except Exception as error:  # noqa: BLE001 (what is looked for)
            told[type(error).__name__] += 1
        if kind.ours:  # a damaged part goes, and what is beside it need not stay
            kind.write(folder)
    return told


def cost(folder: Path, items: int, layers: int, experts: int, rounds: int = 5) -> tuple[float, float, float]:
    """Size of a trace in MB, and the shortest of some rounds in ms: to read it, and to prove it before that."""
    path = folder / "trace.safetensors"
    made_trace(items=items, layers=layers, experts=experts).save(path)
    read, proved = [], []
    for _ in range(rounds):
        start = time.perf_counter()
        checksum.prove(path)
        middle = time.perf_counter()
        Trace._load(path, mapped=False)
        proved.append(middle - start)
        read.append(time.perf_counter() - middle)
    return path.stat().st_size / 1e6, 1e3 * min(read), 1e3 * min(proved)


def main() -> None:
    """Print both tables."""
    print("| file | flips | refused | computed anew | read in silence | tracebacks |")
    print("|---|---:|---:|---:|---:|---:|")
    for kind in KINDS:
        with tempfile.TemporaryDirectory() as name:
            told = flips(kind, Path(name), 300)
        good = [told.pop(key, 0) for key in ("refused", "anew", "read in silence")]
        print(f"| {kind.name} | 300 | {good[0]} | {good[1]} | {good[2]} | {sum(told.values())} |")
    print("\n| trace | MB | read, ms | checksum, ms |\n|---|---:|---:|---:|")
    for items, layers, experts in ((120, 6, 32), (200, 48, 128)):
        with tempfile.TemporaryDirectory() as name:
            size, read, proved = cost(Path(name), items, layers, experts)
        print(f"| {items} sentences, {layers} layers, {experts} experts | {size:.1f} | {read:.1f} | {proved:.1f} |")


if __name__ == "__main__":
    main()
