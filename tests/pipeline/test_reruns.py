"""Which stages a change runs again, as DVC tells it: one change at a time in a small copy, held against docs/reruns.md.

`python tests/pipeline/test_reruns.py` writes that page.
"""

import hashlib
import importlib.util
import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager, nullcontext
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from unittest.mock import patch

import networkx
import pytest
from click.testing import CliRunner
from dvc.repo import Repo
from dvc.stage import Stage

from polyroute.ground import code as code_of_study

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reruns.md"
ONE, OTHER = "pocket-planted", "pocket-plain"
"""The models of the copy; a change of one model is the first's."""
ONE_MODEL = "of one model"
ASKING = {"evaluate", "tune", "steer", "mask"}
RUN_A_MODEL = {"trace", "draw", "turns"} | ASKING
HEAD = """\
# What runs again after a change

A stage runs again where DVC finds that what it reads is other than before, by content: its settings, its data, its
script and the code that this imports, without comments and docstrings. Change by change, this is what DVC says of a
copy of the study, once `python pipeline/resolve.py` has run. Stages in bold run a model.

Stages of the last column come further down. They run only where what they read comes out other than before: most often
`choose` chooses the same plans, and no model is asked. A stage that asks takes up what was answered before to the same
question, asked the same way under the same plan, and says how much that is: `2,160 of 2,160 answered before`.

`python tests/pipeline/test_reruns.py` writes this page; a test holds it against DVC.

| change | runs again | further down, if results differ |
|---|---|---|
"""


class Change(NamedTuple):
    """One change of a study."""

    words: str
    """What is changed."""
    make: Callable[[], None]
    """Changes it, in the folder of the study."""


def edit(name: str, old: str, new: str) -> Callable[[], None]:
    def make() -> None:
        text = Path(name).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{name} has `{old}` {text.count(old)} times"
        Path(name).write_text(text.replace(old, new), encoding="utf-8")

    return make


def params(old: str, new: str) -> Callable[[], None]:
    return edit("params.yaml", old, new)


def of_one(key: str) -> Callable[[], None]:
    """A key more in the entry of one model."""
    return params(f"folder: models/{ONE}}}", f"folder: models/{ONE}, {key}}}")


def more(name: str, line: str = "# one line more") -> Callable[[], None]:
    """A line more in a file, or a file more."""

    def make() -> None:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        with Path(name).open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")

    return make


def code(name: str, line: str = "ONE_MORE = 1") -> Callable[[], None]:
    return more(f"src/polyroute/{name}", line)


def one_more_measure() -> None:
    code("measures/spread.py")()
    code("measures/registry.py")()


CHANGES = (
    Change(
        "a language more in a group that no model of the study uses",
        params("     bam_Latn]", "     bam_Latn, ita_Latn]"),
    ),
    Change(
        "a task more that no model of the study has",
        params("\nmodels:\n", "\n  sums: {reader: miniworld, content: arithmetic, items: 9, seed: 3}\n\nmodels:\n"),
    ),
    Change("a folder more in `models/`", more("models/another/config.json")),
    Change(
        "a language less in a group that is used",
        params("ukr_Cyrl, swe_Latn, urd_Arab, swh_Latn]\n  #", "ukr_Cyrl, urd_Arab, swh_Latn]\n  #"),
    ),
    Change(
        "`zones` of one model",
        of_one("zones: {early: [0, 1], middle: [3, 4], late: [6, 7]}"),
    ),
    Change("the checkpoint of one model", more(f"models/{ONE}/config.json")),
    Change("`batch_tokens` of one model", of_one("batch_tokens: 999")),
    Change("`trace.pairs`", params("pairs: 64", "pairs: 65")),
    Change("`align.nearest`", params("align:\n  nearest: 8", "align:\n  nearest: 9")),
    Change("`nulls.draws`", params("draws: 19\n  most", "draws: 39\n  most")),
    Change("`intervals.resamples`", params("resamples: 1000", "resamples: 1001")),
    Change("`similarity.shuffles`", params("shuffles: 1999", "shuffles: 999")),
    Change("`experts.taus`", params("taus: [0.1, 0.2, 0.3, 0.4, 0.5]", "taus: [0.1, 0.2, 0.3, 0.4]")),
    Change("`evaluate.max_new_tokens`", params("max_new_tokens: 512", "max_new_tokens: 511")),
    Change("`score.choice`", params("choice: sum", "choice: token")),
    Change("`steer.strengths`", params("strengths: [0.5, 1.0]", "strengths: [0.5, 1.0, 2.0]")),
    Change("`steer.draws`", params("draws: 99", "draws: 100")),
    Change("`mask.draws`", params("draws: 2", "draws: 3")),
    Change("`study.seed`", params("seed: 20251004", "seed: 20251005")),
    Change("a right answer that `fetch` brings", more(f"data/inputs/{ONE}/keys/rows")),
    Change("a question that `fetch` brings", more(f"data/inputs/{ONE}/questions/rows")),
    Change("a sentence that `fetch` brings", more(f"data/inputs/{ONE}/corpora/rows")),
    Change("a file of your own in `text/`", more("text/mine.tsv")),
    Change("a reader (`readers/local.py`)", code("readers/local.py")),
    Change("how a trace is made (`tracing/collect.py`)", code("tracing/collect.py")),
    Change("one more measure by layer (its file and its name in `measures/registry.py`)", one_more_measure),
    Change("a covariate of distance (`measures/rivals.py`)", code("measures/rivals.py")),
    Change("a scorer (`scoring/numbers.py`)", code("scoring/numbers.py")),
    Change("how a prompt is put (`asking/prompts.py`)", code("asking/prompts.py")),
    Change("a rule of steering (`steering/rules.py`)", code("steering/rules.py")),
    Change("what masks are held against (`interventions/mask_effects.py`)", code("interventions/mask_effects.py")),
    Change("a claim, or the lock (`claims/`)", more("claims/own.yaml")),
    Change("a figure's colour", edit("src/polyroute/report/experts_figures.py", "#f4f5f6", "#eeeeee")),
    Change("a word in figures and tables (`report/words.py`)", code("report/words.py")),
    Change("what only `polyroute results` prints (`report/overview.py`)", code("report/overview.py")),
    Change("a comment in how a trace is made (`tracing/collect.py`)", code("tracing/collect.py", "# one line more")),
    Change("what runs in MLflow hold (`tracking/points.py`)", code("tracking/points.py")),
    Change("a page of `docs/`, a test", more("docs/page.md")),
)  # fmt: skip


def resolve() -> None:
    """The stage of that name, in the folder of the study."""
    spec = importlib.util.spec_from_file_location("resolve", "pipeline/resolve.py")
    script = importlib.util.module_from_spec(spec)
    with code_of_the_copy():
        spec.loader.exec_module(script)
        done = CliRunner().invoke(script.main, [], catch_exceptions=False)
    assert done.exit_code == 0, done.output


@contextmanager
def code_of_the_copy() -> Iterator[None]:
    """Digests of the code in the working folder, where else they are of what is imported."""
    root = Path("src/polyroute").resolve()
    files = sorted(path for path in root.rglob("*") if path.is_file())
    content = hashlib.sha256(b"".join(path.read_bytes() for path in files)).digest()
    digest, find = _readers_of(content, *(str(path) for path in files))
    # Some twenty scripts import the same modules: each is read once.
    read = cache(code_of_study._read)
    with patch.multiple(code_of_study, _ROOT=root, _read=read, _file=find, code_digest=digest):
        yield


@cache
def _readers_of(_content: bytes, *_files: str) -> tuple[Callable[..., str], Callable[[str], Path | None]]:
    """`code_digest` and `_file` that remember as long as the code is the same: most changes leave it as it is."""
    return cache(code_of_study.code_digest.__wrapped__), cache(code_of_study._file.__wrapped__)


class Study:
    """A copy of the study with two models, every output a few bytes, of which DVC would run nothing."""

    def __init__(self) -> None:
        """Make it in the working folder."""
        for name in ("claims", "pipeline", "recorded", "src", "text", f"models/{ONE}", f"models/{OTHER}"):
            shutil.copytree(ROOT / name, name, ignore=shutil.ignore_patterns("__pycache__", "*.safetensors"))
        for name in ("dvc.yaml", "params.yaml"):
            shutil.copyfile(ROOT / name, name)
        (listed,) = (line for line in Path("params.yaml").read_text().splitlines() if line.startswith("  models: ["))
        params(listed, f"  models: [{OTHER}, {ONE}]")()
        resolve()
        self.repo = Repo.init(no_scm=True)
        self.stages = [stage for stage in self.repo.index.stages if not stage.frozen]
        for path in (Path(out.fs_path) for stage in self.stages for out in stage.outs):
            if not path.exists():
                more(str(path if path.suffix else path / "rows"))()
        with self.repo.lock:
            for stage in self.stages:
                stage.save_deps()
                stage.save_outs()
                stage.commit()
                stage.cmd_changed = False
        self.files = self._files()
        assert self.stale(OTHER) == self.stale(ONE) == set()

    def _files(self) -> dict[Path, bytes]:
        folders = (path for path in Path().iterdir() if path.name != ".dvc")
        every = (file for path in folders for file in ([path] if path.is_file() else path.rglob("*")))
        return {path: path.read_bytes() for path in every if path.is_file()}

    def restore(self) -> None:
        """Put every file back as it was."""
        now = self._files()
        for path in now.keys() - self.files.keys():
            path.unlink()
        for path, content in self.files.items():
            if now.get(path) != content:
                path.write_bytes(content)

    def stale(self, model: str) -> set[str]:
        """Stages that DVC would run, of one model and of the study."""
        with self.repo.lock:
            return {
                stage.addressing for stage in self.stages
                if stage.addressing.partition("@")[2] in ("", model) and _reads_other(stage)
            }  # fmt: skip

    def further_down(self, names: set[str]) -> set[str]:
        """Stages that read what these write, directly or not; what `resolve` wrote is there already."""
        graph = self.repo.index.graph
        starting = [stage for stage in graph if stage.addressing in names - {"resolve"}]
        return {one.addressing for stage in starting for one in networkx.ancestors(graph, stage)} - names


def _reads_other(stage: Stage) -> bool:
    """Whether more than its own output is other: what a change makes of the data is as if its stage had run."""
    return any(set(part) - {"changed outs"} for part in stage.status().get(stage.addressing, ()))


class Found(NamedTuple):
    """What DVC says of a change."""

    stale: list[str]
    """Stages that run, in the order of dvc.yaml."""
    further: list[str]
    """Those that read what these write."""
    other_model: set[str]
    """Stages of a model that the change is not about; looked at for a change of one model alone."""


@pytest.fixture(scope="module")
def found() -> dict[str, Found]:
    return look()


def look() -> dict[str, Found]:
    """Make every change in turn, and ask DVC."""
    logging.getLogger("dvc").setLevel("ERROR")
    told = {}
    # DVC would note in a file that it reads a stage, and that it has read it, thousands of times; nobody else is here.
    alone = patch("dvc.rwlock.rwlock", lambda *_: nullcontext())
    with TemporaryDirectory() as folder, chdir(folder), alone:
        study = Study()
        order = list(dict.fromkeys(stage.addressing.partition("@")[0] for stage in study.stages))
        for change in CHANGES:
            change.make()
            resolve()
            stale = study.stale(ONE)
            names = [
                sorted({name.partition("@")[0] for name in one}, key=order.index)
                for one in (stale, study.further_down(stale))
            ]
            told[change.words] = Found(*names, study.stale(OTHER) if ONE_MODEL in change.words else set())
            study.restore()
    return told


def page(found: dict[str, Found]) -> str:
    def stages(names: list[str]) -> str:
        return ", ".join(f"**{name}**" if name in RUN_A_MODEL else name for name in names) or "none"

    return HEAD + "".join(
        f"| {words} | {stages(one.stale)} | {stages(one.further)} |\n" for words, one in found.items()
    )


def test_the_page_says_what_dvc_says(found) -> None:
    assert PAGE.read_text(encoding="utf-8") == page(found), "run `python tests/pipeline/test_reruns.py`"


@pytest.mark.parametrize(
    ("words", "stages"),
    [
        ("a language more in a group that no model of the study uses", "resolve"),
        ("a task more that no model of the study has", "resolve"),
        ("a folder more in `models/`", "resolve"),
        ("`zones` of one model", "resolve align nulls similarity track"),
        ("`intervals.resamples`", "resolve align experts judge multiverse report track"),
        ("`score.choice`", "resolve score choose steer judge track"),
        # `steer` scores to know when enough random sets did as well; it takes up what was answered.
        ("a right answer that `fetch` brings", "score choose steer judge"),
        ("a scorer (`scoring/numbers.py`)", "resolve score choose steer judge"),
        ("a figure's colour", "resolve figures"),
        ("a comment in how a trace is made (`tracing/collect.py`)", "resolve"),
    ],
)
def test_a_change_runs_what_reads_it_and_nothing_else(words, stages, found) -> None:
    assert found[words].stale == stages.split()


def test_other_zones_run_no_model_but_where_a_plan_comes_out_otherwise(found) -> None:
    one = found["`zones` of one model"]
    assert RUN_A_MODEL & {*one.stale, *one.further} == {"tune", "steer", "mask"}
    assert not RUN_A_MODEL & set(one.stale)


def test_a_change_of_one_model_leaves_the_others_alone(found) -> None:
    changes = {words: one for words, one in found.items() if ONE_MODEL in words}
    assert len(changes) == 3
    for one in changes.values():
        assert one.stale
        assert one.other_model <= {"resolve", "track"}


if __name__ == "__main__":
    PAGE.write_text(page(look()), encoding="utf-8")
