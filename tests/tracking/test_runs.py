import json
import shutil
from typing import Any

import pytest

from claims.made import committed, of
from polyroute.claims.verdict import judge
from polyroute.ground.paths import Paths
from polyroute.languages import table as languages
from polyroute.params.settings import TrackSettings
from polyroute.results.claims import ClaimsMetrics, ClaimsSummary
from polyroute.results.table import ResultsError
from polyroute.tracking.runs import Run, flattened, of_study, with_others
from tiny import ROOT
from tracking.small_study import LANGUAGES, SETTINGS, write_results, write_tasks


def runs(paths: Paths, *models: str, settings: Any = SETTINGS) -> dict[str, Run]:
    models = models or ("tiny",)
    return {run.key: run for run in of_study(paths, models, dict.fromkeys(models, settings), {})}


def test_languages_of_one_model_come_first_then_models_then_all_other_languages(paths: Paths) -> None:
    write_results(paths, "other", languages=LANGUAGES[:2])
    assert list(runs(paths, "tiny", "other")) == [
        "tiny/deu_Latn", "tiny/swh_Latn", "tiny", "other", "tiny/eng_Latn", "other/deu_Latn", "other/eng_Latn",
    ]  # fmt: skip


def test_names_begin_with_what_tells_them_apart(paths: Paths) -> None:
    found = runs(paths)
    assert found["tiny"].name == "tiny · mean of 2 languages"
    assert found["tiny/swh_Latn"].name == "Swahili · tiny"


def test_the_first_ten_of_many_languages_belong_to_many_families(paths: Paths) -> None:
    write_results(paths, languages=("eng_Latn", *(code for code in languages.codes() if code != "eng_Latn")))
    first = list(runs(paths).values())[:11]
    assert [run.tags["kind"] for run in first] == ["language"] * 10 + ["model"]
    assert len({run.params["language_family"] for run in first[:10]}) >= 5


def test_seeds_that_the_study_does_not_run_are_shown_where_results_are(paths: Paths) -> None:
    write_results(paths, "a-seed")
    assert with_others(paths, ["tiny", "absent"]) == ["tiny", "absent", "a-seed"]


def test_params_of_a_language_say_what_it_is_and_how_it_was_measured(paths: Paths) -> None:
    assert runs(paths)["tiny/deu_Latn"].params == {
        "model": "tiny", "engine": "transformers", "dtype": "float32", "layers": "3", "experts": "8", "top_k": "2",
        "corpus": "text", "pivot": "eng_Latn", "model_digest": "0" * 64, "version.torch": "2.13.0",
        "language": "deu_Latn", "language_name": "German", "language_family": "Indo-European",
        "language_branch": "Germanic", "language_script": "Latn", "language_region": "Western Europe",
        "language_resources": "5",
        "trace.pairs": "64", "steer.taus": "[0.1, 0.2]", "steer.magnitude.k": "20",
    }  # fmt: skip


def test_params_of_a_model_have_its_languages_counted_and_none_named(paths: Paths) -> None:
    found = runs(paths)["tiny"].params
    assert found["languages"] == "3"
    assert found["trace.pairs"] == "64"
    assert "language" not in found


def test_the_revision_is_a_param_where_there_is_one(paths: Paths) -> None:
    table = paths.metrics("tiny") / "align.json"
    align = json.loads(table.read_text())
    align["model"]["revision"] = "ad44e777"
    table.write_text(json.dumps(align))
    assert {run.params["revision"] for run in runs(paths).values()} == {"ad44e777"}


def test_a_language_of_unknown_resources_says_so_and_no_param_is_empty(paths: Paths) -> None:
    unknown = next(code for code in languages.codes() if languages.get(code).resource is None)
    write_results(paths, languages=("eng_Latn", "deu_Latn", unknown))
    found = runs(paths)
    assert found[f"tiny/{unknown}"].params["language_resources"] == "unknown"
    assert all(value for run in found.values() for value in run.params.values())


def test_tags_tell_runs_apart_and_say_the_shape(paths: Paths) -> None:
    found = runs(paths)
    assert found["tiny"].tags == {"kind": "model", "model": "tiny", "shape.text": "U"}
    assert found["tiny/deu_Latn"].tags == {
        "kind": "language", "model": "tiny", "language": "deu_Latn", "shape.text": "U",
    }  # fmt: skip
    assert "shape.text" not in found["tiny/eng_Latn"].tags


def test_settings_have_flat_names_and_plain_values() -> None:
    settings = {
        "steer": {"magnitude": {"k": 20, "strengths": [0.03, 0.3]}, "std": "population", "allow_more_than_k": False},
        "model": {"hub": None, "published": {}, "tasks": [], "files": ""},
    }
    assert flattened(settings) == {
        "steer.magnitude.k": "20",
        "steer.magnitude.strengths": "[0.03, 0.3]",
        "steer.std": "population",
        "steer.allow_more_than_k": "false",
        "model.tasks": "[]",
        "model.files": '""',
    }


@pytest.mark.parametrize("model", ["pocket-plain", "pocket-gpt-oss"])
def test_settings_of_the_study_become_params(paths: Paths, model: str) -> None:
    study = TrackSettings.model_validate_json(Paths(ROOT).stage_settings("track").read_text())
    found = runs(paths, settings=study.models[model])["tiny"].params
    assert found["study.seed"] == "20251004"
    assert found["intervals.resamples"] == "1000"
    assert found["steer.magnitude.k"] == "20"
    assert found["model"] == "tiny", "settings never take the place of what the results tell"


def test_the_digest_changes_with_settings_and_with_results_and_not_with_the_colour(paths: Paths) -> None:
    write_results(paths, "other")
    before = runs(paths)
    assert {key: run.digest for key, run in runs(paths).items()} == {key: run.digest for key, run in before.items()}
    after = runs(paths, "other", "tiny")
    assert after["tiny"].colour != before["tiny"].colour
    assert after["tiny"].digest == before["tiny"].digest
    set_otherwise = runs(paths, settings=SETTINGS | {"trace": {"pairs": 65}})
    assert not {run.digest for run in set_otherwise.values()} & {run.digest for run in before.values()}
    write_results(paths, add=0.05)
    changed = {key for key, run in runs(paths).items() if run.digest != before[key].digest}
    assert changed == {"tiny", "tiny/deu_Latn"}


def test_the_run_of_a_model_has_its_files(paths: Paths) -> None:
    write_tasks(paths)
    found = runs(paths)
    names = {folder: {path.name for path in held} for folder, held in found["tiny"].artifacts.items()}
    assert names["figures"] == {"divergence-text.svg"}
    assert names["plans"] == {"arithmetic.json", "knowledge.json"}
    assert names[""] == {
        "align.json", "layers.csv", "accuracy.csv", "accuracy.json", "experts.csv", "experts.json", "domains.csv",
        "correlation.csv", "correlation.json", "steer.csv", "steer.json", "mechanism.csv",
    }  # fmt: skip
    assert not found["tiny/deu_Latn"].artifacts


def test_a_plan_that_is_absent_is_an_error(paths: Paths) -> None:
    write_tasks(paths)
    paths.plan("tiny", "knowledge").unlink()
    with pytest.raises(ResultsError, match=r"knowledge.json is absent: `dvc repro choose@tiny`"):
        runs(paths)


def test_each_language_has_a_colour_of_its_own_and_each_model_a_shade(paths: Paths) -> None:
    write_results(paths, "other")
    found = runs(paths, "tiny", "other")
    assert len({run.colour for run in found.values()}) == len(found) == 8
    alone = runs(paths, "tiny")
    assert alone["tiny/swh_Latn"].colour == found["tiny/swh_Latn"].colour
    write_results(paths, languages=("eng_Latn", "swh_Latn"))
    assert runs(paths)["tiny/swh_Latn"].colour == alone["tiny/swh_Latn"].colour, "whatever other languages there are"


def test_results_that_are_absent_are_an_error(tmp_path) -> None:
    with pytest.raises(ResultsError, match="dvc repro align@tiny"):
        of_study(Paths(tmp_path), ["tiny"], {}, {})


def test_a_models_run_has_its_verdicts_and_how_many_there_are(paths: Paths) -> None:
    folder = paths.metrics("tiny")
    plain = {key: run.digest for key, run in runs(paths).items()}
    ClaimsSummary.write(folder, judge(committed(), of(folder, tasks=False)))
    ClaimsMetrics.write(folder, ClaimsMetrics.of(folder))
    found = runs(paths)
    assert found["tiny"].tags["claim.p1.gain.phi.mgsm"] == "cannot_be_tested"
    counts = {name: value for name, _, value in found["tiny"].points if name.startswith("claims/")}
    assert set(counts) == {
        f"claims/{code}" for code in ("replicated", "not replicated", "inconclusive", "cannot be tested")
    }
    assert sum(counts.values()) == len(committed().by_id)
    assert "claims.json" in {path.name for path in found["tiny"].artifacts[""]}
    assert found["tiny"].digest != plain["tiny"]
    assert found["tiny/deu_Latn"].digest == plain["tiny/deu_Latn"], "verdicts are of a model"


def test_models_with_curves_have_the_first_shades(paths: Paths) -> None:
    shutil.copytree(ROOT / "metrics" / "olmoe-1b-7b-0125-distances", paths.metrics("recorded"))
    alone, after = runs(paths, "tiny"), runs(paths, "recorded", "tiny")
    assert after["tiny/deu_Latn"].colour == alone["tiny/deu_Latn"].colour
    assert after["recorded"].colour != after["tiny"].colour
