"""Figures of tasks and of steering: what they show, what they leave out, and that their bytes repeat."""

import json
from pathlib import Path

import pandas as pd
import pytest

from polyroute.ground.paths import Paths
from polyroute.report import figures, steering_figures
from polyroute.results.model import ModelResults
from report import plausible, plausible_tasks

ROUTING = {"divergence-text", "alignment-text", "entropy-text", "consistency-text"}
TOO_FEW = "correlation needs at least 5 languages besides the pivot; there are 3"


def drawn(root: Path, count: int = 6, layers: int = 8, **arguments) -> figures.Drawn:
    paths = Paths(root)
    measures = ("divergence", "alignment", "entropy", "consistency")
    codes = plausible.write(paths, "tiny", count, layers, measures=measures, readings=("soft_mass",))
    plausible_tasks.write(paths, "tiny", codes, layers, **arguments)
    return figures.draw(paths, ModelResults.read(paths.metrics("tiny")))


def stems(done: figures.Drawn) -> set[str]:
    return {path.stem for path in done.files} - ROUTING


def told(root: Path, stem: str) -> str:
    """Letters are outlines in the file; matplotlib keeps the text as comments."""
    return (root / "figures" / "tiny" / f"{stem}.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(("count", "layers"), [(1, 2), (17, 8), (11, 48)])
def test_everything_is_drawn_for_every_task(tmp_path: Path, count: int, layers: int) -> None:
    done = drawn(tmp_path, count, layers)
    kinds = ("correlation", "doses", "conditions", "mechanism")
    each = {f"{figure}-{task}" for figure in kinds for task in plausible_tasks.TASKS}
    assert stems(done) == each | {"domains"}
    assert {path.suffix for path in done.files} == {".png", ".svg"}
    assert done.missing == ()


def test_same_results_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = drawn(tmp_path / "one"), drawn(tmp_path / "two")
    for one, two in zip(first.files, second.files, strict=True):
        assert one.read_bytes() == two.read_bytes(), one.name


def test_the_correlation_says_how_many_languages_and_what_comes_out(tmp_path: Path) -> None:
    drawn(tmp_path)
    text = told(tmp_path, "correlation-arithmetic")
    assert "over 6 languages" in text
    assert "as the paper: negative in the middle" in text
    assert "strongest in layer 3: r -0.86 [-0.95, -0.66], q 0.002" in text
    assert "given tokens a sentence -0.32, q 0.592" in text
    for name in ("Pearson", "Spearman", "Pearson, given tokens a sentence"):
        assert f"<!-- {name} -->" in text


def test_domains_stand_beside_languages(tmp_path: Path) -> None:
    drawn(tmp_path)
    text = told(tmp_path, "domains")
    for name in ("arithmetic", "knowledge", "languages (mean of 6)"):
        assert f"<!-- {name} -->" in text
    assert "arithmetic: cap  ·  knowledge: cap  ·  languages: U" in text


def test_the_dose_response_names_both_lines_and_rings_a_soft_plan(tmp_path: Path) -> None:
    drawn(tmp_path)
    text = told(tmp_path, "doses-arithmetic")
    assert "<!-- mean of 6 languages -->" in text
    assert "<!-- English -->" in text
    assert "ring: the chosen plan" in text
    assert "does it help? yes" in text
    drawn(tmp_path / "hard", rule="activate")
    assert "ring: " not in told(tmp_path / "hard", "doses-arithmetic")


def test_conditions_are_named_in_plain_words_with_what_was_not_run(tmp_path: Path) -> None:
    drawn(tmp_path, draws=7)
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
    assert "tau0.2" not in text, "candidates of the selection half are not reported"


def test_what_was_not_computed_is_said_with_its_reason(tmp_path: Path) -> None:
    done = drawn(tmp_path, 3, notes=(TOO_FEW,), not_run="no expert has a Delta above any tau")
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


def test_edits_stand_beside_what_they_do_to_routing_each_kind_named_once(tmp_path: Path) -> None:
    drawn(tmp_path)
    text = told(tmp_path, "mechanism-arithmetic")
    names = [
        "task experts, soft", "task experts, hard rules", "random in their place", "shared experts, |z|",
        "random in their place, |z|", "other experts or layers",
    ]  # fmt: skip
    assert [text.count(f"<!-- {name} -->") for name in names] == [1] * 6
    assert "tokens sent to other experts, in percent" in text
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
