"""What the report says of models whose readings we make up."""

import json
from pathlib import Path

import numpy as np
import pytest

from polyroute.ground.errors import PolyrouteError
from polyroute.ground.paths import Paths
from polyroute.params import file as params
from polyroute.params.file import ParamsFile
from polyroute.report import calibration
from report import plausible, plausible_tasks
from tiny import ROOT, raw_params

PLANTED = {"layers": [1, 2], "pairs": 16, "temperature": 0.1, "weight": 0.5}


@pytest.fixture
def file() -> ParamsFile:
    raw = raw_params()
    plain = raw["pocket"]["pocket-plain"]
    raw["pocket"] = {
        "plain": plain,
        "planted": plain | {"plant": PLANTED},
        "shuffled": plain | {"plant": PLANTED | {"shuffled": True}},
        "planted-again": plain | {"plant": PLANTED, "seed": 9},
        "untrained": plain | {"tokens": 0},
        "never-measured": plain | {"architecture": "gpt_oss"},
    }
    return params.parse(raw)


def measure(paths: Paths, model: str, *, aligned: list[int], peak: int, shape: str = "cap", falls: dict | None = None):
    """Results of six languages in four layers; divergence lies `falls` below that of every other model."""
    plausible.write(paths, model, 6, 4, measures=("divergence",), readings=("soft_mass",))
    folder = paths.metrics(model)
    align = json.loads((folder / "align.json").read_text())
    found = align["corpora"]["text"]["over_languages"]
    found |= {"aligned_layers": aligned, "peak_layer": peak, "shape": shape}
    (folder / "align.json").write_text(json.dumps(align))
    rows = (folder / "layers.csv").read_text().splitlines()
    changed = [rows[0]]
    for row in rows[1:]:
        cells = row.split(",")
        cells[6] = str(float(cells[6]) - (falls or {}).get(int(cells[3]), 0))
        changed.append(",".join(cells))
    (folder / "layers.csv").write_text("\n".join(changed) + "\n")


def verdicts(file: ParamsFile, paths: Paths) -> dict[str, str]:
    return {reading.model: reading.verdict for reading in calibration.calibrate(file, paths)}


def test_planted_alignment_is_found_where_it_was_put(file, tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    measure(paths, "plain", aligned=[0, 1, 2], peak=1)
    measure(paths, "planted", aligned=[1, 2, 3], peak=2, falls={1: 0.02, 2: 0.03})
    reading = calibration.calibrate(file, paths)[1]
    assert reading.verdict == "found"
    assert reading.fall_layer == 2
    assert reading.fall.value == pytest.approx(np.array([0, 0.02, 0.03, 0]), abs=1e-9)
    assert calibration.calibrate(file, paths)[0].verdict == "descriptive, nothing was planted"


@pytest.mark.parametrize(
    "wrong",
    [
        {"aligned": [2, 3], "peak": 2, "falls": {2: 0.03}},
        {"aligned": [1, 2, 3], "peak": 3, "falls": {2: 0.03}},
        {"aligned": [1, 2, 3], "peak": 2, "falls": {3: 0.03}},
        {"aligned": [], "peak": 2, "falls": {2: 0.03}},
    ],
    ids=["a planted layer is not aligned", "the peak is elsewhere", "the fall is elsewhere", "nothing is aligned"],
)
def test_planted_alignment_can_be_missed(file, tmp_path: Path, wrong) -> None:
    measure(Paths(tmp_path), "plain", aligned=[1], peak=1)
    measure(Paths(tmp_path), "planted", **wrong)
    assert verdicts(file, Paths(tmp_path))["planted"] == "MISSED"


def test_the_control_of_planting_holds_nothing(file, tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    measure(paths, "plain", aligned=[0, 1, 2], peak=1)
    measure(paths, "shuffled", aligned=[0, 1, 2, 3], peak=2, falls={3: 0.03})
    reading = calibration.calibrate(file, paths)[1]
    assert reading.verdict == "no finding, as expected"
    assert calibration.put_in(reading.recipe) == "next-token prediction, shuffled pairs in layers 1-2"
    measure(paths, "shuffled", aligned=[1, 2], peak=2, falls={2: 0.03})
    assert verdicts(file, paths)["shuffled"] == "FALSE FINDING"


def test_a_planted_model_needs_the_plain_one_of_its_seed(file, tmp_path: Path) -> None:
    measure(Paths(tmp_path), "plain", aligned=[1], peak=1)
    measure(Paths(tmp_path), "planted-again", aligned=[1, 2], peak=2, falls={2: 0.03})
    assert verdicts(file, Paths(tmp_path))["planted-again"] == "nothing to compare with"


@pytest.mark.parametrize(
    ("aligned", "shape", "verdict"),
    [
        ([], "falling", "no finding, as expected"),
        ([3], "falling", "FALSE FINDING"),
        ([], "U", "FALSE FINDING"),
    ],
)
def test_random_weights_hold_nothing(file, tmp_path: Path, aligned, shape, verdict) -> None:
    measure(Paths(tmp_path), "untrained", aligned=aligned, peak=1, shape=shape)
    assert verdicts(file, Paths(tmp_path)) == {"untrained": verdict}


def test_tables_have_a_row_a_model_and_a_standard(file, tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    measure(paths, "plain", aligned=[0, 1, 2], peak=1)
    measure(paths, "planted", aligned=[1, 2], peak=2, falls={2: 0.03})
    measure(paths, "planted-again", aligned=[1, 2], peak=2, falls={2: 0.05})
    measure(paths, "untrained", aligned=[], peak=1)
    readings = calibration.calibrate(file, paths)
    rows = calibration.verdicts(readings).splitlines()
    assert len(rows) == 2 + 4
    assert "| planted | next-token prediction, alignment in layers 1-2 | layers 1-2 |" in rows[3]
    assert "layer 2: 0.030 [0.030, 0.030]" in rows[3]
    assert rows[5].startswith("| untrained | nothing: random weights | no layer | – | – |")
    rows = calibration.by_layer(readings).splitlines()
    assert len(rows) == 2 + 2 * 3, "seeds of one recipe share a row"
    assert rows[4].startswith("| planted | 2 | divergence |")
    middle = calibration.calibrate(file, paths)[0].divergence[2]
    assert f"{middle - 0.04:.2f} ({middle - 0.05:.2f} to {middle - 0.03:.2f})" in rows[4]


def test_tasks_have_a_table_of_their_own(file, tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    for model, layers in (("planted", 4), ("untrained", 4)):
        measure(paths, model, aligned=[], peak=1)
        plausible_tasks.write(
            paths, model, ["deu_Latn", "fra_Latn", "swh_Latn"], layers, notes=("flat",) * (model == "untrained")
        )
    rows = calibration.task_table(calibration.on_tasks(file, paths)).splitlines()
    assert len(rows) == 2 + 2 * 2, "models that were asked nothing have no row"
    planted = [cell.strip() for cell in rows[2].strip("|").split("|")]
    assert planted[:3] == ["planted", "arithmetic", "taught, 91% in English; alignment in layers 1-2"]
    assert planted[3:6] == ["100.0", "55.0", "10.0"]
    assert planted[6:8] == ["-0.86 [-0.96, -0.66], p 0.002", "-0.42, p 0.500"]
    steered = [cell.strip() for cell in rows[2].strip("|").split("|")][8:]
    assert steered == ["+2.1 [0.9, 3.3]", "-5.0 [-6.2, -3.8]"]
    untrained = [cell.strip() for cell in rows[5].strip("|").split("|")]
    assert untrained[:3] == ["untrained", "knowledge", "nothing: random weights"]
    assert untrained[6:8] == ["–", "–"]


def test_the_share_in_english_is_that_of_the_recipe(file) -> None:
    recipe = file.pocket["plain"]
    even = recipe.model_copy(update={"english_share": 0.5, "english_mixture": recipe.other_mixture})
    assert calibration._english(even, "knowledge") == pytest.approx(0.5)
    alone = recipe.model_copy(update={"languages": ["eng_Latn"]})
    assert calibration._english(alone, "knowledge") == 1.0


def test_nothing_measured_says_what_to_do(file, tmp_path: Path) -> None:
    with pytest.raises(PolyrouteError, match=r"study\.models"):
        calibration.calibrate(file, Paths(tmp_path))


def test_shipped_standards_are_read_as_what_was_put_in() -> None:
    readings = calibration.calibrate(params.read(ROOT / "params.yaml"), Paths(ROOT))
    planted = {reading.model: reading.verdict for reading in readings if reading.recipe.plant}
    assert planted.pop("pocket-shuffled") == "no finding, as expected"
    assert set(planted.values()) == {"found"}
    assert {reading.verdict for reading in readings if not reading.recipe.tokens} == {"no finding, as expected"}
