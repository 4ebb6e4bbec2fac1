from pathlib import Path

import pytest

from polyroute.ground.paths import Paths
from polyroute.report import figures
from polyroute.results.model import ModelResults
from report import plausible, plausible_tasks
from report.shown import task_figures

ROUTING = {"divergence-text", "alignment-text", "entropy-text", "consistency-text"}
TOO_FEW = "correlation needs at least 5 languages besides the pivot; there are 3"


def stems(done: figures.Drawn) -> set[str]:
    return {path.stem for path in done.files} - ROUTING


@pytest.mark.parametrize(("count", "layers"), [(1, 2), (17, 8), (11, 48)])
def test_everything_is_drawn_for_every_task(tmp_path: Path, count: int, layers: int) -> None:
    done = task_figures(tmp_path, count, layers)
    kinds = ("correlation", "doses", "conditions", "mechanism")
    each = {f"{figure}-{task}" for figure in kinds for task in plausible_tasks.TASKS}
    assert stems(done) == each | {"domains"}
    assert {path.suffix for path in done.files} == {".png", ".svg"}
    assert done.missing == ()


@pytest.mark.usefixtures("every_format")
def test_same_results_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = task_figures(tmp_path / "one"), task_figures(tmp_path / "two")
    for one, two in zip(first.files, second.files, strict=True):
        assert one.read_bytes() == two.read_bytes(), one.name


def test_what_was_not_computed_is_said_with_its_reason(tmp_path: Path) -> None:
    done = task_figures(tmp_path, 3, notes=(TOO_FEW,), not_run="no expert has a Delta above any tau")
    assert stems(done) == {"domains"}
    assert done.missing == (
        f"correlation on arithmetic ({TOO_FEW})",
        f"correlation on knowledge ({TOO_FEW})",
        "steering on arithmetic (no expert has a Delta above any tau)",
        "steering toward shared experts on arithmetic (no expert has a Delta above any tau)",
        "steering on knowledge (no expert has a Delta above any tau)",
        "steering toward shared experts on knowledge (no expert has a Delta above any tau)",
    )


def test_a_model_that_cannot_be_asked_is_not_complained_of(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    plausible.write(paths, "tiny", 3, 6, measures=("divergence",), readings=("soft_mass",))
    plausible_tasks.write_nothing(paths, "tiny")
    done = figures.draw(paths, ModelResults.read(paths.metrics("tiny")))
    assert done.missing == ("alignment on text", "entropy on text", "consistency on text")
