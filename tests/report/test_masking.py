from pathlib import Path
from typing import Any

import numpy as np
import pytest

from polyroute.ground.paths import Paths
from polyroute.report import findings, masking
from polyroute.results.masking import MeanOverPairs
from polyroute.results.model import ModelResults
from report import plausible, plausible_masks, plausible_tasks
from report.shown import told


@pytest.mark.parametrize(
    ("own", "others", "random", "verdict"),
    [
        (-0.12, 0.0, 0.0, "hurts its own language, more than others and more than random masks"),
        (-0.12, -0.12, 0.0, "hurts its own language more than random masks, but not significantly more than others"),
        (-0.12, 0.0, -0.12, "hurts its own language more than others, but not significantly more than random masks"),
        (-0.12, -0.12, -0.12, "hurts its own language, but not significantly more than others or random masks"),
        (-0.01, 0.0, 0.0, "own language not distinguishable from the unmasked model"),
        (
            0.0,
            -0.02,
            -0.13,
            "own language not distinguishable from the unmasked model; masking random experts costs more",
        ),
        (-0.12, 0.0, -0.3, "hurts its own language more than others; masking random experts costs more"),
    ],
)
def test_the_verdict_follows_its_rule(own: float, others: float, random: float, verdict: str) -> None:
    assert masking.verdict(plausible_masks.headline(own, others, random)) == verdict


def test_where_nothing_was_masked_or_no_random_experts_were_there_nothing_is_claimed() -> None:
    nothing = MeanOverPairs(value=None, low=None, high=None, pairs=0)
    means = plausible_masks.headline(-0.12)
    said = masking.verdict(means.model_copy(update={"beyond_random": None}))
    assert said == "hurts its own language more than others; too few random masks to rank it"
    alone = masking.verdict(means.model_copy(update={"beyond_others": None}))
    assert alone == "hurts its own language more than random masks", "no other language met these masks"
    assert masking.verdict(means.model_copy(update={"code": "not_masked"})) == "not masked"
    few = masking.verdict(means.model_copy(update={"code": "too_few_items", "beyond_random": None}))
    assert few == "inconclusive: too few items"
    assert masking.told(nothing) == "–"
    assert masking.told(means.diagonal) == "-12.0 [-14.0, -10.0]"


def written(root: Path, count: int = 5, scores: tuple[str, ...] = ("accuracy",), **arguments) -> ModelResults:
    """Results of a model with masks."""
    paths = Paths(root)
    codes = plausible.write(paths, "tiny", count, 8, measures=("divergence",), readings=("soft_mass",))
    plausible_masks.write(paths, "tiny", ["eng_Latn", *codes], scores=scores, **arguments)
    return ModelResults.read(paths.metrics("tiny"))


def drawn(root: Path, *args: Any, **arguments: Any) -> tuple[list[Path], list[str]]:
    """Files, and what is missing."""
    results, folder = written(root, *args, **arguments), Paths(root).figures("tiny")
    folder.mkdir(parents=True)
    return masking.draw(folder, results)


def test_a_matrix_holds_the_mean_of_draws_and_nothing_where_no_expert_was_masked(tmp_path: Path) -> None:
    read = written(tmp_path, 3).masking
    codes = read.tasks["arithmetic"].languages
    exclusive = masking.matrix(read, "arithmetic", "accuracy", "middle", "exclusive")
    assert list(exclusive.index) == list(exclusive.columns) == codes
    assert exclusive[codes[-1]].isna().all()
    assert exclusive.drop(columns=codes[-1]).notna().all(axis=None)
    random = masking.matrix(read, "arithmetic", "accuracy", "early", "random")
    expected = 0.01 * (np.sin(3 * 1 + 5 * 2) + np.sin(3 * 1 + 5 * 2 + 1)) / 2
    assert random.loc[codes[1], codes[2]] == pytest.approx(expected, abs=1e-4)


def test_a_target_in_which_the_task_is_not_asked_has_a_column_alone(tmp_path: Path) -> None:
    read = written(tmp_path, 4).masking
    held = read.tasks["arithmetic"]
    first, *asked = held.languages
    read.tasks["arithmetic"] = held.model_copy(update={"languages": asked})
    matrix = masking.matrix(read, "arithmetic", "accuracy", "early", "exclusive")
    assert (list(matrix.index), list(matrix.columns)) == (asked, [*asked, first])
    assert matrix[first].notna().all()


@pytest.mark.parametrize("count", [1, 11, 29])
def test_scores_are_drawn_with_headline_and_verdict(tmp_path: Path, count: int) -> None:
    files, missing = drawn(tmp_path, count, ("accuracy", "consistency") if count == 1 else ("accuracy",))
    assert ("masking-consistency-arithmetic" in {path.stem for path in files}) == (count == 1)
    assert missing == []
    text = told(tmp_path, "masking-arithmetic")
    assert (
        "early: own language -12.0 [-14.0, -10.0], others -0.1, random experts in its place -0.4, 20 items: hurts"
        in text
    )
    places = [text.index(f"<!-- {name}, layers") for name in ("early", "middle", "late")]
    assert places == sorted(places)
    assert "hatched: no expert to mask" in text
    assert ("<!-- −12 -->" in text) == (count < 14), "numbers where there is room for them"


def test_masks_without_random_ones_beside_them_are_said(tmp_path: Path) -> None:
    drawn(tmp_path, draws=0)
    assert "or no random one to compare with" in told(tmp_path, "masking-arithmetic")


def test_a_task_without_any_mask_is_missing_with_its_reason(tmp_path: Path) -> None:
    assert drawn(tmp_path, scores=()) == ([], [f"masking on arithmetic ({plausible_masks.NO_EXPERT})"])


@pytest.mark.usefixtures("every_format")
def test_same_results_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = drawn(tmp_path / "one"), drawn(tmp_path / "two")
    for one, two in zip(first[0], second[0], strict=True):
        assert one.read_bytes() == two.read_bytes(), one.name


def test_masks_are_told_by_range_from_the_first_layers_on(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    plausible_masks.write(paths, "tiny", plausible.write(
        paths, "tiny", 3, 8, measures=("divergence",), readings=("soft_mass",)
    ), scores=("accuracy",))  # fmt: skip
    table = masking.masking_table(findings.gather(paths, ["tiny"]))
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    assert [row[3] for row in rows] == ["early (0-1)", "middle (3-4)", "late (6-7)"]
    assert rows[0][4:8] == ["20", "-12.0 [-14.0, -10.0]", "-0.1 [-2.1, 1.9]", "-0.4 [-2.4, 1.6]"]
    assert rows[1][8] == "own language not distinguishable from the unmasked model"


@pytest.mark.parametrize(("kind", "codes", "said"), [
    ("translation", ["deu_Latn", "zho_Hans"], True),
    ("translation", ["deu_Latn", "fra_Latn"], False),
    ("number", ["deu_Latn", "zho_Hans"], False),
])  # fmt: skip
def test_chinese_translations_have_no_published_column(tmp_path: Path, kind: str, codes: list[str], said: bool) -> None:
    paths = Paths(tmp_path)
    plausible.write(paths, "tiny", 2, 8, measures=("divergence",), readings=("soft_mass",))
    plausible_tasks.write(paths, "tiny", codes, 8, tasks=("told",))
    plausible_masks.write(paths, "tiny", ["eng_Latn", *codes], tasks=("told",))
    found = ModelResults.read(paths.metrics("tiny"))
    found.accuracy.tasks["told"] = found.accuracy.tasks["told"].model_copy(update={"kind": kind})
    assert (masking.UNPUBLISHED in masking.masking_table([found])) == said
    masking.draw(tmp_path, found)
    for name in ("masking-told", "masking-consistency-told"):
        text = (tmp_path / f"{name}.svg").read_text()
        assert ("Chinese translations have no published" in text) == (said and "consistency" in name)


def test_each_language_under_its_own_masks_is_said_in_the_figure(tmp_path: Path) -> None:
    found = written(tmp_path)
    held = found.masking.tasks["arithmetic"]
    found.masking.tasks["arithmetic"] = held.model_copy(update={"own_only": True})
    masking.draw(tmp_path, found)
    assert "each language meets its own masks alone" in (tmp_path / "masking-arithmetic.svg").read_text()
