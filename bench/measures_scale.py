"""What divergence, entropy, consistency and distances between languages cost, in time and memory, at any size.

Traces are made up: experts have weights of their own, to which each language, each sentence and each translation adds
noise. They are written to a temporary folder, a language at a time, and read from there as the stages `align` and
`similarity` read theirs. Before anything is timed, a slice is held against the formulas in plain numpy, in float64.
"""

import os
import resource
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np
import pandas as pd

from polyroute.artifacts.trace import Trace, TraceFiles, TraceHeader
from polyroute.ground.cores import cores
from polyroute.measures.language_distance import Similarity
from polyroute.measures.layer_curves import Alignment, LanguageCurves
from polyroute.measures.sentence_alignment import partners

TOP_K = 8
CONFIDENCE = 0.95
SEED = 7


@dataclass(frozen=True)
class Size:
    """How much there is to measure."""

    languages: int
    sentences: int
    layers: int
    experts: int
    draws: int
    nearest: int


def made_up(number: int, size: Size, readings: int) -> Trace:
    """Trace of one language: soft masses alone, or with counts (two readings) and masses of the chosen (three)."""
    shape = (size.sentences, size.layers, size.experts)
    text, own = np.random.default_rng(SEED), np.random.default_rng([SEED, number + 1])

    def noise(rng: np.random.Generator, scale: float, *axes: int) -> np.ndarray:
        return rng.standard_normal(size=axes, dtype=np.float32) * np.float32(scale)

    logits_NLE = noise(text, 1, *shape[1:]) + noise(text, 0.5, *shape)
    logits_NLE += noise(own, 0.5, *shape[1:])
    logits_NLE += noise(own, 0.3, *shape)
    soft_NLE = np.exp(logits_NLE)
    soft_NLE /= soft_NLE.sum(axis=-1, keepdims=True)
    tokens_N = own.integers(15, 40, size=size.sentences)
    # Not drawn, which would take longer than to measure: what each expert would get on average.
    count_NLE = np.round(soft_NLE * (tokens_N * TOP_K)[:, None, None]).astype(np.int64)
    count_NLE[..., 0] += 1
    topk_NLE = soft_NLE * (count_NLE > 0)
    header = TraceHeader(
        model="made-up", model_digest="0", corpus="text", corpus_digest="0", language=f"l{number:03}_Latn",
        engine="transformers", dtype="float32", device="cpu", layers=tuple(range(size.layers)), experts=size.experts,
        top_k=TOP_K, selection=("topk",), settings={}, versions={},
    )  # fmt: skip
    return Trace(
        header, tuple(str(item) for item in range(size.sentences)), tokens_N, count_NLE, soft_mass=soft_NLE,
        topk_mass=topk_NLE / topk_NLE.sum(axis=-1, keepdims=True) if readings == 3 else None,
        of_tokens={"consistency": own.random(shape[:2], dtype=np.float32)},
    )  # fmt: skip


def written(folder: Path, size: Size, readings: int) -> list[Path]:
    """Made-up traces as files."""
    paths = [folder / f"{number}.safetensors" for number in range(size.languages)]
    for number, path in enumerate(paths):
        made_up(number, size, readings).save(path)
    return paths


class OneReading(Sequence[Trace]):
    """The same traces as if they gave soft masses only, as a run of paper 1's own measures alone would need."""

    def __init__(self, traces: Sequence[Trace]):
        self.traces = traces

    def __len__(self) -> int:
        return len(self.traces)

    def __getitem__(self, index):  # type: ignore[no-untyped-def]
        if isinstance(index, slice):
            return OneReading(self.traces[index])
        return SoftMassOnly(**vars(self.traces[index]))


class SoftMassOnly(Trace):
    """A trace of one reading."""

    @property
    def readings(self) -> tuple[str, ...]:
        """Soft masses."""
        return ("soft_mass",)


def align(traces: Sequence[Trace], size: Size) -> list[LanguageCurves]:
    """What the stage `align` computes of each language."""
    pivot = traces[0]
    alignment = Alignment(pivot, resamples=size.draws, confidence=CONFIDENCE, nearest=size.nearest, seed=SEED)
    return [alignment.language(pivot), *alignment.of_languages(traces[1:])]


def distances(traces: Sequence[Trace], size: Size) -> pd.DataFrame:
    """What the stage `similarity` computes of distances."""
    return Similarity(traces, resamples=size.draws, confidence=CONFIDENCE, seed=SEED).table()


def plain_entropy(q_E: np.ndarray) -> np.ndarray:
    """H in nats, in float64."""
    q_E = q_E.astype(np.float64)
    terms_E = np.where(q_E > 0, q_E * np.log(np.where(q_E > 0, q_E, 1)), 0)
    return np.asarray(-terms_E.sum(axis=-1))


def plain_divergence(p_E: np.ndarray, q_E: np.ndarray) -> np.ndarray:
    """D of paper 1, Eq. 2, in float64."""
    within = (plain_entropy(p_E) + plain_entropy(q_E)) / 2
    return np.asarray((plain_entropy((p_E + q_E) / 2) - within) / (np.log(p_E.shape[-1]) - within))


def check(folder: Path, size: Size) -> None:
    """Hold every kind of number against plain numpy on a few languages and sentences.

    Raises:
        AssertionError: one does not agree.
    """
    few = replace(size, languages=4, sentences=40, draws=100, nearest=5)
    traces = TraceFiles(written(folder, few, readings=3))
    q_VNLE = np.stack([np.asarray(trace.soft_mass, dtype=np.float64) for trace in traces])
    q_VNLE /= q_VNLE.sum(axis=-1, keepdims=True)
    rng = np.random.default_rng(SEED)
    counts_RN = rng.multinomial(few.sentences, np.full(few.sentences, 1 / few.sentences), size=few.draws)

    rows = align(traces, few)[2].rows
    rows = rows[rows["reading"].isin(["soft_mass", "topk_ids"])].set_index("measure")
    unrelated_NL = np.zeros((few.sentences, few.layers))
    for partner_N in partners(traces[2].tokens, few.nearest, SEED)[: few.nearest]:
        unrelated_NL += plain_divergence(q_VNLE[0], q_VNLE[2, partner_N]) / few.nearest
    expected = {
        "entropy": plain_entropy(q_VNLE[2]),
        "divergence": plain_divergence(q_VNLE[0], q_VNLE[2]),
        "unrelated_divergence": unrelated_NL,
        "consistency": np.asarray(traces[2].of_tokens["consistency"], dtype=np.float64),
    }
    for name, values_NL in expected.items():
        low, high = np.quantile(counts_RN @ values_NL / few.sentences, [0.025, 0.975], axis=0)
        # Unrelated divergence has another interval: each sentence is a partner too.
        bounds = () if name == "unrelated_divergence" else (("low", low), ("high", high))
        for column, values in (("value", values_NL.mean(axis=0)), *bounds):
            np.testing.assert_allclose(rows.loc[name][column], values, rtol=0, atol=6e-5, err_msg=f"{name} {column}")

    similarity = Similarity(traces, resamples=few.draws, confidence=CONFIDENCE, seed=SEED)
    q_RVLE = np.einsum("rn,vnle->rvle", counts_RN / few.sentences, q_VNLE)
    first_P, second_P = np.triu_indices(few.languages, k=1)
    p, q = q_RVLE[:, first_P], q_RVLE[:, second_P]
    expected = {
        "jsd": plain_entropy((p + q) / 2) - (plain_entropy(p) + plain_entropy(q)) / 2,
        "divergence": plain_divergence(p, q),
        "cosine": 1 - (p * q).sum(-1) / np.linalg.norm(p, axis=-1) / np.linalg.norm(q, axis=-1),
    }
    for one in similarity.distances[:3]:
        for place, (begin, end) in enumerate(zone for _, zone in similarity.zones):
            bounds = np.quantile(expected[one.measure][..., begin : end + 1].mean(axis=-1), [0.025, 0.975], axis=0)
            assert one.low_ZP is not None
            assert one.high_ZP is not None
            found = [one.low_ZP[place], one.high_ZP[place]]
            np.testing.assert_allclose(found, bounds, rtol=0, atol=2e-6, err_msg=one.measure)


@dataclass
class Cost:
    """Of one piece of work."""

    wall: float = 0.0
    cpu: float = 0.0
    peak: int = 0
    """Bytes held at most, pages of mapped files among them."""


@contextmanager
def measured() -> Iterator[Cost]:
    """Time and memory of a block; memory is looked up 20 times a second."""
    cost, done = Cost(), threading.Event()
    page = resource.getpagesize()

    def watch() -> None:
        while not done.wait(0.05):
            cost.peak = max(cost.peak, int(Path("/proc/self/statm").read_text().split()[1]) * page)

    watcher = threading.Thread(target=watch)
    watcher.start()
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        yield cost
    finally:
        cost.wall, cost.cpu = time.perf_counter() - wall, time.process_time() - cpu
        done.set()
        watcher.join()


def run(folder: Path, size: Size, readings: int) -> None:
    """Make traces up, and print the cost of each part."""
    traces: Sequence[Trace] = TraceFiles(written(folder, size, readings))
    if readings == 1:
        traces = OneReading(traces)
    works: dict[str, Callable[[Sequence[Trace], Size], object]] = {"align": align, "distances": distances}
    for name, work in works.items():
        with measured() as cost:
            work(traces, size)
        print(f"{name:10} {cost.wall:7.1f} s {cost.cpu:7.1f} CPU s, peak {cost.peak / 2**30:.2f} GiB", flush=True)


@click.command()
@click.option("--languages", default=20, show_default=True)
@click.option("--sentences", default=300, show_default=True)
@click.option("--layers", default=48, show_default=True)
@click.option("--experts", default=128, show_default=True)
@click.option("--draws", default=1000, show_default=True)
@click.option("--nearest", default=8, show_default=True, help="Unrelated sentences for each one.")
@click.option("--readings", default=1, show_default=True, type=click.IntRange(1, 3), help="1: soft masses; 3: all.")
@click.option("--folder", type=click.Path(path_type=Path), help="For traces: 5 bytes a value, 9 with three readings.")
def main(
    languages: int, sentences: int, layers: int, experts: int, draws: int, nearest: int, readings: int,
    folder: Path | None,
) -> None:  # fmt: skip
    """Print time and peak memory of each part."""
    print(f"{cores()} cores, load {os.getloadavg()[0]:.1f}, numpy {np.__version__}")
    with tempfile.TemporaryDirectory(dir=folder) as name:
        size = Size(languages, sentences, layers, experts, draws, nearest)
        check(Path(name), size)
        print("a slice agrees with plain float64", flush=True)
        run(Path(name), size, readings)
    print(f"peak of the process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


if __name__ == "__main__":
    main()
