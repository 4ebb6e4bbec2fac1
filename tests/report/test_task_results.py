from pathlib import Path

import pytest

from polyroute.ground.paths import Paths
from polyroute.report import results, task_results
from polyroute.results.table import ResultsError
from report import plausible, plausible_tasks


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    codes = plausible.write(Paths(tmp_path), "tiny", 3, 6, measures=("divergence",), readings=("soft_mass",))
    plausible_tasks.write(Paths(tmp_path), "tiny", codes, 6)
    return Paths(tmp_path)


def test_json_files_are_plain_data(paths: Paths) -> None:
    assert results.load(paths, "tiny").align["corpora"]["text"]["zones"]["early"] == [0, 0]
    found = task_results.load(paths, "tiny")
    assert found.accuracy.tasks["arithmetic"]["kind"] == "choice"
    assert found.masking is None


def test_files_and_plans_are_listed(paths: Paths) -> None:
    found = task_results.load(paths, "tiny")
    assert len(task_results.written(paths, "tiny")) == 10
    assert [path.name for path in task_results.plans(paths, found)] == ["arithmetic.json", "knowledge.json"]
    paths.plan("tiny", "knowledge").unlink()
    with pytest.raises(ResultsError, match=r"knowledge.json is absent: `dvc repro steer@tiny`"):
        task_results.plans(paths, found)
