import json
from pathlib import Path

import pandas as pd

from polyroute.ground.paths import Paths
from polyroute.report import steering_figures
from polyroute.results.model import ModelResults
from report import plausible, plausible_tasks
from report.shown import task_figures, told


def test_the_dose_response_names_both_lines_and_the_verdict(tmp_path: Path) -> None:
    task_figures(tmp_path, of=steering_figures)
    text = told(tmp_path, "doses-arithmetic")
    assert "<!-- mean of 6 languages -->" in text
    assert "<!-- English -->" in text
    assert "does it help? yes" in text


def test_conditions_are_named_in_plain_words_with_what_was_not_run(tmp_path: Path) -> None:
    task_figures(tmp_path, of=steering_figures, draws=7)
    text = told(tmp_path, "conditions-arithmetic")
    names = [
        "chosen plan", "hard activation", "deactivation", "multilingual experts", "early layers", "late layers",
        "all layers", "other pivot (German)", "as published", "random experts",
    ]  # fmt: skip
    places = [text.index(f"<!-- {name} -->") for name in names]
    assert places == sorted(places), "in this order, from the top"
    assert "7 draws, best" in text
    assert f"not run: {plausible_tasks.LEFT_OUT}" in text
    assert "random0" not in text
    assert "dose" not in text
    assert "tau0.2" not in text, "candidates are not reported"


def test_edits_stand_beside_what_they_do_to_routing_each_kind_named_once(tmp_path: Path) -> None:
    task_figures(tmp_path, of=steering_figures)
    text = told(tmp_path, "mechanism-arithmetic")
    names = [
        "task experts, soft", "task experts, hard rules", "random in their place", "shared experts, |z|",
        "random in their place, |z|", "other experts or layers",
    ]  # fmt: skip
    assert [text.count(f"<!-- {name} -->") for name in names] == [1] * 6
    assert "rerouted tokens, in percent" in text
    assert "dose" not in text, "points are not named one by one"


def test_steering_toward_shared_experts_is_drawn_where_the_task_experts_are_not(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    codes = plausible.write(paths, "tiny", 3, 8, measures=("divergence",), readings=("soft_mass",))
    plausible_tasks.write(paths, "tiny", codes, 8, tasks=("arithmetic",))
    path = paths.metrics("tiny") / "steer.json"
    shared = json.loads(path.read_text())["tasks"]["arithmetic"]["shared"]
    path.write_text(json.dumps({"tasks": {"arithmetic": {"not_run": "no expert", "shared": shared}}}))
    for name in ("steer.csv", "mechanism.csv"):
        table = pd.read_csv(paths.metrics("tiny") / name)
        table[table["condition"].str.startswith("shared")].to_csv(paths.metrics("tiny") / name, index=False)
    files, missing = steering_figures.draw(tmp_path, ModelResults.read(paths.metrics("tiny")))
    assert {path.stem for path in files} == {"mechanism-arithmetic"}
    assert missing == ["steering on arithmetic (no expert)"]
