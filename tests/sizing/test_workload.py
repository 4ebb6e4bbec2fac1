from copy import deepcopy

import pytest

from polyroute.ground import yaml12
from polyroute.interventions.rounds import ROUNDS
from polyroute.params.file import parse
from polyroute.readers.global_mmlu import _published
from polyroute.sizing import tokens
from polyroute.sizing.shape import SizingError
from polyroute.sizing.workload import _PUBLISHED, FIRST_ROUND, UNKNOWN, workload
from tiny import ROOT

RAW = yaml12.load((ROOT / "params.yaml").read_text(encoding="utf-8"))
OURS = parse(RAW)


def study(model: str = "olmoe-1b-7b", **entry):
    raw = deepcopy(RAW)
    raw["models"][model] |= entry
    return parse(raw)


def of(work, stage, what):
    (job,) = (job for job in work.jobs if (job.stage, job.what) == (stage, what))
    return job


def test_numbers_of_other_rooms_are_theirs() -> None:
    assert ROUNDS[0] == FIRST_ROUND
    assert {len(places) for places in _published()["positions"].values()} == {_PUBLISHED}


def test_a_study_by_hand() -> None:
    """OLMoE in the 12 languages of `flores`, of which MGSM has 10 (Yoruba and Bambara lack)."""
    work = workload(OURS, "olmoe-1b-7b")
    assert len(work.languages) == 12
    trace = of(work, "trace", "sib200")
    assert (trace.items, trace.languages, trace.conditions) == (1004, 12, (1, 1))
    assert trace.tokens_read(1) == pytest.approx(1004 * sum(map(tokens.sentence, work.languages)))
    # the text of tasks is in English; 1000 of its problems are taken
    assert (of(work, "trace", "gsm8k").items, of(work, "trace", "gsm8k").languages) == (1000, 1)
    assert work.sentences == 1004 * 12 + 2 * 1000
    asked = of(work, "evaluate", "mgsm")
    assert asked.items == 250
    assert asked.languages == 10
    assert asked.written == pytest.approx(121 * asked.read / 73)
    assert of(work, "evaluate", "belebele-reading").written == 0
    # paper 1's 60 questions in each of 7 subjects
    assert of(work, "evaluate", "global-mmlu-medical").items == 420


def test_conditions_are_those_that_the_stages_make() -> None:
    work = workload(OURS, "olmoe-1b-7b")
    # 2 thresholds x (2 strengths of soft and activation), and 2 sources x 2 strengths of shared experts
    assert of(work, "tune", "mgsm").conditions == (10, 10)
    # 7 + 3 doses; shared: the chosen one and all 4; random sets of the chosen and of the shared one, 9 to 99
    assert of(work, "steer", "mgsm").conditions == (10 + 5 + 2 * 9, 10 + 5 + 2 * 99)
    # Belebele has no text that tells experts of it: shared experts alone
    assert of(work, "tune", "belebele-reading").conditions == (4, 4)
    assert of(work, "steer", "belebele-reading").conditions == (5 + 9, 5 + 99)
    # 3 ranges x 12 languages x (exclusive and 2 random masks)
    assert of(work, "mask", "mgsm").conditions == (108, 108)
    assert [job.what for job in work.jobs if job.stage == "mask"] == ["mgsm"]


def test_published_settings_are_reported_with_random_sets_of_their_own() -> None:
    work = workload(OURS, "qwen3-30b-a3b")
    assert of(work, "steer", "mgsm").conditions[0] == 10 + 1 + 5 + 3 * 9
    # two strengths of paper 2, each with random sets
    assert of(work, "steer", "polymath").conditions[0] == 5 + 2 + 3 * 9
    own = of(work, "mask", "xquad")
    assert own.languages == len(set(OURS.languages["flores"]) & set(work.languages) & xquad())


def xquad() -> set[str]:
    return set(OURS.tasks["xquad"].covered())


def test_fewer_edited_items_cost_less_and_are_asked_as_they_are_all_the_same() -> None:
    raw = deepcopy(RAW)
    raw["tasks"]["mgsm"]["edited"] = 40
    work = workload(parse(raw), "olmoe-1b-7b")
    assert (of(work, "evaluate", "mgsm").items, of(work, "tune", "mgsm").items) == (250, 80)


def test_without_interventions_nothing_is_edited() -> None:
    work = workload(study(interventions=False), "olmoe-1b-7b")
    assert {job.stage for job in work.jobs} == {"trace", "draw", "evaluate"}


def test_pocket_models_have_so_many_items_in_each_half() -> None:
    work = workload(OURS, "pocket-plain")
    assert (of(work, "evaluate", "arithmetic").items, of(work, "tune", "arithmetic").items) == (40, 20)


def test_wide_groups_take_the_place_of_the_entrys_own() -> None:
    work = workload(OURS, "qwen3-30b-a3b", "sib200-205")
    assert len(work.languages) == 205
    assert of(work, "trace", "sib200").languages == 205


def test_items_that_nobody_says_are_assumed_and_named() -> None:
    raw = deepcopy(RAW)
    raw["corpora"]["mine"] = {"reader": "local", "files": "text/{language}.txt"}
    raw["models"]["olmoe-1b-7b"] |= {"corpora": ["mine"], "generic": "mine"}
    work = workload(parse(raw), "olmoe-1b-7b")
    assert work.assumed == ("mine",)
    assert of(work, "trace", "mine").items == UNKNOWN


def test_what_is_not_run_and_what_is_unknown_is_refused() -> None:
    with pytest.raises(SizingError, match="was recorded elsewhere"):
        workload(OURS, "qwen3-30b-a3b-counts")
    with pytest.raises(SizingError, match="there is no `all` among `languages`"):
        workload(OURS, "olmoe-1b-7b", "all")
