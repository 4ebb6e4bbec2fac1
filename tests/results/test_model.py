from pathlib import Path

import pytest

from polyroute.ground.paths import Paths
from polyroute.results.alignment import divergence
from polyroute.results.model import ModelResults
from polyroute.results.table import ResultsError
from report import plausible, plausible_languages, plausible_masks, plausible_tasks


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Results of every stage on three languages besides English."""
    paths = Paths(tmp_path)
    codes = plausible.write(paths, "tiny", 3, 6, measures=("divergence", "entropy"), readings=("soft_mass",))
    plausible_tasks.write(paths, "tiny", codes, 6)
    plausible_languages.write(paths, "tiny", ["eng_Latn", *codes], 6)
    plausible_masks.write(paths, "tiny", codes)
    return paths.metrics("tiny")


def test_every_part_is_read(folder: Path) -> None:
    found = ModelResults.read(folder)
    assert found.model == "tiny"
    assert found.languages[0] == found.pivot == "eng_Latn"
    assert found.tasks == ["arithmetic", "knowledge"]
    assert found.alignment.corpora["text"].mean.early_minus_middle.value == 0.2
    assert len(found.accuracy.table) == 2 * 4
    assert found.experts.summary.middle.layers == (1, 4)
    assert found.correlations.table["r"].isna().any(), "what was not computed is NaN"
    assert set(found.correlations.table["controlled_for"]) >= {"", "resource"}, "nothing given is empty text"
    assert found.steering.table["language_changed"].isna().all()
    assert list(found.steering.steered) == ["arithmetic", "knowledge"]
    assert found.masking.tasks["arithmetic"].ranges["late"] == (6, 7)
    assert found.similarity.distances["layer"].isna().any(), "distances of zones have no layer"
    assert "" in set(found.similarity.shared["language"]), "all languages together are empty text"


def test_stages_that_have_not_run_are_no_error(tmp_path: Path) -> None:
    plausible.write(Paths(tmp_path), "tiny", 3, 6, measures=("divergence",), readings=("soft_mass",))
    found = ModelResults.read(tmp_path / "metrics" / "tiny")
    assert (found.similarity, found.accuracy, found.experts, found.correlations) == (None,) * 4
    assert (found.steering, found.masking) == (None,) * 2
    assert found.tasks == []


def test_results_without_alignment_name_the_stage(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match=r"align\.json is absent: `dvc repro align@tiny` writes it"):
        ModelResults.read(tmp_path / "tiny")


def test_a_model_without_tasks_has_tables_of_a_header_alone(tmp_path: Path) -> None:
    plausible.write(Paths(tmp_path), "counts", 3, 6, measures=("divergence",), readings=("soft_mass",))
    plausible_tasks.write_nothing(Paths(tmp_path), "counts")
    found = ModelResults.read(tmp_path / "metrics" / "counts")
    assert found.tasks == []
    assert found.steering.table.empty


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("align.json", '{"model": {}, "pivot": "eng_Latn"}', r"align.json lacks `model.name`: `dvc repro align@tiny`"),
        ("layers.csv", "model,corpus\n", r"layers.csv lacks the columns language, layer, .*`dvc repro align@tiny`"),
        ("accuracy.csv", "", r"accuracy.csv cannot be read .* `dvc repro score@tiny`"),
        (
            "accuracy.json",
            '{"tasks": {"arithmetic": {"kind": "choice"}}}',
            "lacks `tasks.arithmetic.chance`: `dvc repro score@tiny` writes it",
        ),
        ("correlation.json", '{"corpus": "text", "resource": "", "tasks": []}', r"is refused: `tasks` \(input should"),
        (
            "steer.json",
            '{"tasks": {"arithmetic": {"not_run": null}}}',
            "lacks `tasks.arithmetic.run.middle`: `dvc repro judge@tiny`",
        ),
        (
            "steer.json",
            '{"tasks": {"arithmetic": {"not_run": "no", "shared": {"not_run": null}}}}',
            "lacks `tasks.arithmetic.not run.shared.run.pair`",
        ),
        (
            "similarity.json",
            '{"corpora": {"text": {"languages": [], "top_k": 1, "headline": {"measure": "jsd", '
            '"reading": "soft_mass"}, "confound": [], "zones": {"early": {}}}}}',
            "lacks `corpora.text.zones.early.layers`: `dvc repro similarity@tiny`",
        ),
    ],
)
def test_a_broken_file_is_named_with_the_stage_to_rerun(folder: Path, name: str, content: str, told: str) -> None:
    (folder / name).write_text(content)
    with pytest.raises(ResultsError, match=told):
        ModelResults.read(folder)


def test_text_where_a_number_should_be_is_an_error(folder: Path) -> None:
    path = folder / "steer.csv"
    path.write_text(path.read_text().replace(",0.008,", ",small,"))
    with pytest.raises(ResultsError, match=r"steer.csv is refused: `\w+` is 'small' in row .* `dvc repro judge@tiny`"):
        ModelResults.read(folder)


@pytest.mark.parametrize(
    "name", ["steer.csv", "steer.json", "mechanism.csv", "membership.csv", "experts.csv", "mask.csv", "rise.csv"]
)
def test_half_of_a_stages_files_is_an_error(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(
        ResultsError, match=rf"{name} is absent, though .* is there: `dvc repro (judge|experts|similarity)@tiny`"
    ):
        ModelResults.read(folder)


@pytest.mark.parametrize("measures", [("divergence", "divergence_pooled"), ("divergence_pooled", "entropy_pooled")])
def test_divergence_is_that_of_sentences_or_where_there_are_none_of_counts(tmp_path: Path, measures) -> None:
    codes = plausible.write(Paths(tmp_path), "tiny", 2, 3, measures=measures, readings=("topk_count",))
    layers = ModelResults.read(tmp_path / "metrics" / "tiny").layers
    layers.loc[layers["measure"] != measures[0], "value"] = 9.0
    curves = divergence(layers, "text", "topk_count")
    assert curves.shape == (2, 3)
    assert list(curves.index) == sorted(codes)
    assert curves.to_numpy().max() < 9


def test_the_peak_is_the_most_aligned_layer(folder: Path) -> None:
    over = ModelResults.read(folder).alignment.corpora["text"].over_languages
    assert over.peak.layer == over.peak_layer == 2
    assert over.peak.value == max(row.value for row in over.alignment)
