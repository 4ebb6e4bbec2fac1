from pathlib import Path

import pytest

from polyroute.ground.paths import Paths
from polyroute.interventions import effects as findings
from polyroute.report import task_results
from polyroute.report.results import ResultsError
from report import plausible_languages, plausible_masks, plausible_tasks

CODES = ["deu_Latn", "fra_Latn", "swh_Latn"]


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    plausible_tasks.write(Paths(tmp_path), "tiny", CODES, 6)
    plausible_languages.write(Paths(tmp_path), "tiny", ["eng_Latn", *CODES], 6)
    plausible_masks.write(Paths(tmp_path), "tiny", CODES)
    return Paths(tmp_path)


def test_every_part_is_read(paths: Paths) -> None:
    found = task_results.load(paths, "tiny")
    assert found.tasks == ["arithmetic", "knowledge"]
    assert len(found.accuracy.table) == 2 * 4
    assert found.experts.middle["layers"] == [1, 4]
    assert found.correlations.table["r"].isna().any(), "what was not computed is NaN"
    assert set(found.correlations.table["given"]) >= {"", "resource"}, "nothing given is empty text"
    assert found.steering.table["moved"].isna().all()
    assert found.steering.mechanism["layer"].dtype == "int64"
    assert list(found.masking.table["draw"].dropna().unique()) == [0, 1]
    assert found.masking.tasks["arithmetic"]["ranges"]["late"] == [6, 7]
    assert set(found.similarity.corpora) == {"text"}
    assert found.similarity.distances["layer"].isna().any(), "distances of zones have no layer"
    assert "" in set(found.similarity.shared["language"]), "all languages together are empty text"
    assert len(task_results.written(paths, "tiny")) == 17
    assert [path.name for path in task_results.plans(paths, found)] == ["arithmetic.json", "knowledge.json"]


def test_stages_that_have_not_run_are_no_error(tmp_path: Path) -> None:
    found = task_results.load(Paths(tmp_path), "tiny")
    assert (found.similarity, found.accuracy, found.experts, found.correlations) == (None,) * 4
    assert (found.steering, found.masking) == (None,) * 2
    assert found.tasks == task_results.written(Paths(tmp_path), "tiny") == []


def test_a_model_without_tasks_has_tables_of_a_header_alone(tmp_path: Path) -> None:
    plausible_tasks.write_nothing(Paths(tmp_path), "counts")
    found = task_results.load(Paths(tmp_path), "counts")
    assert found.tasks == []
    assert found.steering.table.empty


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("accuracy.csv", "task,language\n", r"accuracy.csv lacks the columns items, .* `dvc repro evaluate@tiny`"),
        ("accuracy.csv", "", r"accuracy.csv cannot be read .* `dvc repro evaluate@tiny`"),
        ("evaluate.json", '{"tasks": {"arithmetic": {"kind": "choice"}}}', "lacks `chance`, .* of task arithmetic"),
        ("experts.json", "{", r"experts.json cannot be read .* `dvc repro experts@tiny`"),
        ("experts.json", '{"tasks": {}}', "experts.json lacks `corpus`, `middle`"),
        ("correlation.json", '{"corpus": "text", "tasks": []}', "correlation.json does not list `tasks` by name"),
        (
            "steer.json",
            '{"tasks": {"arithmetic": {"not_run": null}}}',
            "lacks `shared` of task .*`dvc repro steer@tiny`",
        ),
        (
            "steer.json",
            '{"tasks": {"arithmetic": {"not_run": null, "shared": {"not_run": null}}}}',
            "lacks `middle`, .*`dvc repro steer@tiny`",
        ),
        (
            "steer.json",
            '{"tasks": {"arithmetic": {"not_run": "no", "shared": {"not_run": null}}}}',
            "lacks `pair`, `layers`, .* of task arithmetic",
        ),
        ("mechanism.csv", "task,condition\n", "mechanism.csv lacks the columns layer, .*`dvc repro steer@tiny`"),
        ("mask.json", '{"tasks": {"arithmetic": {"k": 4}}}', "lacks `languages`, .*`dvc repro mask@tiny`"),
        ("similarity.json", '{"corpora": {"text": {}}}', "of corpus text: `dvc repro similarity@tiny` writes it"),
        (
            "similarity.json",
            '{"corpora": {"text": {"languages": [], "headline": {}, "confound": [], "zones": {"early": {}}}}}',
            "lacks `layers`, `linkage`, .* of zone early",
        ),
        ("shared.csv", "corpus,layer\n", "shared.csv lacks the columns language, .*`dvc repro similarity@tiny`"),
    ],
)
def test_a_broken_file_is_named_with_the_stage_to_rerun(paths: Paths, name: str, content: str, told: str) -> None:
    (paths.metrics("tiny") / name).write_text(content)
    with pytest.raises(ResultsError, match=told):
        task_results.load(paths, "tiny")


def test_text_where_a_number_should_be_is_an_error(paths: Paths) -> None:
    path = paths.metrics("tiny") / "steer.csv"
    path.write_text(path.read_text().replace("0.008", "small"))
    with pytest.raises(ResultsError, match=r"steer.csv cannot be read .* `dvc repro steer@tiny`"):
        task_results.load(paths, "tiny")


@pytest.mark.parametrize(
    "name", ["steer.csv", "steer.json", "mechanism.csv", "domains.csv", "experts.csv", "mask.csv", "rise.csv"]
)
def test_half_of_a_stages_files_is_an_error(paths: Paths, name: str) -> None:
    (paths.metrics("tiny") / name).unlink()
    with pytest.raises(
        ResultsError, match=rf"{name} is absent, though .* is there: `dvc repro (steer|experts|mask|similarity)@tiny`"
    ):
        task_results.load(paths, "tiny")


def test_an_absent_plan_is_named(paths: Paths) -> None:
    paths.plan("tiny", "knowledge").unlink()
    with pytest.raises(ResultsError, match=r"knowledge.json is absent: `dvc repro steer@tiny`"):
        task_results.plans(paths, task_results.load(paths, "tiny"))


def test_the_group_is_called_as_the_stage_calls_it() -> None:
    assert task_results.HELPED == findings.HELPED
