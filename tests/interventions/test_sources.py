"""What conditions are made from is read from files; what one task lacks stops no other."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from asking.seated import LANGUAGES
from experts.made import make_trace
from interventions.test_plans import settings
from polyroute.artifacts import frequency
from polyroute.experts.specialised import ExpertsError
from polyroute.ground.errors import AnswerError
from polyroute.ground.files import write_checked_table, write_json
from polyroute.ground.paths import Paths
from polyroute.interventions.plans import ConditionsError
from polyroute.interventions.settings import MaskedTask, MaskPlans, PlannedTask, PlanSettings, PublishedShared
from polyroute.interventions.sources import Sources

COUNTS = {
    "eng_Latn": [8, 6, 4, 1, 1, 0, 0, 0],
    "deu_Latn": [2, 6, 1, 0, 0, 8, 2, 1],
    "swh_Latn": [1, 1, 2, 3, 8, 1, 2, 2],
}
"""How often ten tokens choose each of 8 experts, in every layer."""
DELTA = [
    ("mine", "eng_Latn", 1, 4, 0.25), ("mine", "eng_Latn", 1, 5, 0.15), ("mine", "eng_Latn", 2, 6, 0.3),
    ("mine", "deu_Latn", 1, 7, 0.3), ("", "deu_Latn", 1, 0, 0.4), ("", "swh_Latn", 1, 3, 0.05),
    ("", "swh_Latn", 0, 2, 0.5),
]  # fmt: skip
"""Task, language, layer, expert and Delta; those of no task are of generic text."""
MASK = MaskPlans(k=32, thr=0.4, width=5, draws=1)
MASKED = MaskedTask(languages=LANGUAGES[:2], lacking=LANGUAGES[2:])


def task(**changes) -> PlannedTask:
    given = {"languages": ["eng_Latn", "deu_Latn"], "text": None, "published_shared": None}
    return PlannedTask.model_validate(given | changes)


def plan_settings(**changes) -> PlanSettings:
    given = PlanSettings(
        name="tiny", generic="text", pivot="eng_Latn", seed=3, steer=settings(),
        dominant=("eng_Latn", "deu_Latn"), mask=MASK, among=LANGUAGES, masked={"mine": MASKED, "plain": MASKED},
        tasks={"plain": task(), "untraced": task(text="own"), "mine": task(text="own")},
    )  # fmt: skip
    return given.model_copy(update=changes)


@pytest.fixture
def sources(tmp_path: Path):
    """Makes sources over files in a folder."""
    paths = Paths(tmp_path)
    for language, counts in COUNTS.items():
        trace = make_trace([[counts] * 3], [10], language=language, model_digest="b" * 64)
        trace.save(paths.trace("tiny", "text", language))
    folder = paths.metrics("tiny")
    folder.mkdir(parents=True)
    for name in ("plain", "untraced", "mine"):
        write_checked_table(
            paths.answers("tiny", "evaluate") / name / frequency.FILE,
            [
                frequency.rows(code, frequency.PROMPT, range(3), np.tile(np.array(counts) / 10, (3, 1)), 10)
                for code, counts in COUNTS.items()
            ],
            frequency.COLUMNS,
        )
    table = pd.DataFrame(DELTA, columns=["task", "language", "layer", "expert", "delta"])
    table.to_csv(folder / "experts.csv", index=False)
    middle = {"layers": [1, 1], "has_trough": True, "rule": "trough", "curve": None}
    write_json(folder / "experts.json", {"middle": middle})
    return lambda **changes: Sources(plan_settings(**changes), paths)


def test_a_task_without_in_task_text_says_so_and_the_others_go_on(sources) -> None:
    made = sources()
    with pytest.raises(ConditionsError, match=r"tasks\.plain\.text names no in-task text, by which task experts are"):
        made.task_experts("plain")
    with pytest.raises(ExpertsError, match="the text was not traced"):
        made.task_experts("untraced").candidates()
    names = [one.name for one in made.task_experts("mine").candidates()]
    assert names == [
        "tau0.1-soft0.5", "tau0.1-soft1", "tau0.1-activate", "tau0.2-soft0.5", "tau0.2-soft1", "tau0.2-activate",
    ]  # fmt: skip
    assert len(made.shared_candidates("plain")) == len(made.shared_candidates("mine")) == 4
    assert made.masks("plain").conditions


def test_task_experts_are_those_of_its_text_in_the_middle(sources) -> None:
    made = {one.name: one.plan for one in sources().task_experts("mine").candidates()}
    assert made["tau0.1-soft1"].experts == {1: (4, 5)}
    assert made["tau0.2-soft1"].experts == {1: (4,)}
    plan = made["tau0.2-soft1"]
    assert (plan.model, plan.model_digest, plan.layers, plan.experts_per_layer, plan.top_k, plan.seed) == (
        "tiny", "b" * 64, 3, 8, 2, 3,
    )  # fmt: skip
    assert plan.source["task"] == "mine"


def test_multilingual_experts_are_those_of_generic_text_and_pivots_those_of_the_tasks(sources) -> None:
    made = sources()
    assert made.multilingual()(0.1, (0, 2)) == {0: (2,), 1: (0,)}
    assert {pivot: above(0.1, (0, 2)) for pivot, above in made.pivots("mine").items()} == {"deu_Latn": {1: (7,)}}
    assert made.middle == {"layers": [1, 1], "has_trough": True, "rule": "trough", "curve": None}


def test_shared_experts_need_a_pair_of_languages(sources) -> None:
    made = sources()
    assert made.shared_experts("mine").experts == {1: (0, 1)}
    assert [one.plan.strength for one in made.shared_candidates("mine")] == [0.1, 0.5, 0.1, 0.5]
    with pytest.raises(ConditionsError, match=r"models\.tiny\.dominant names no pair of languages"):
        sources(dominant=None).shared_candidates("mine")


def test_a_published_setting_that_reaches_no_expert_is_told_before_anything_is_asked(sources) -> None:
    setting = PublishedShared(layers=(0, 1), k=2, thr=0.7, strengths={"deu_Latn": 0.3})
    assert sources(tasks={"mine": task(published_shared=setting)}).shared_candidates("mine")
    nothing = setting.model_copy(update={"thr": 0.4})
    with pytest.raises(ConditionsError, match=r"layers 0 to 1 at k = 2.*models\.tiny\.published_shared"):
        sources(tasks={"mine": task(published_shared=nothing)}).shared_candidates("mine")


def test_masks_are_asked_in_the_languages_that_the_task_has(sources) -> None:
    plans = sources().masks("mine")
    assert (plans.languages, plans.lacking) == (("eng_Latn", "deu_Latn"), ("swh_Latn",))
    assert plans.among == tuple(LANGUAGES)
    assert {mask.target for mask in plans.conditions} == set(LANGUAGES), "experts of all languages are masked"


def test_masks_and_shared_experts_are_told_on_the_corpora_that_are_named_for_them(sources) -> None:
    made = sources(mask_corpus="questions", tasks={"mine": task(shared_corpus="problems")})
    counts = {"questions": [9, 0, 0, 0, 0, 0, 0, 0], "problems": [0, 0, 5, 4, 0, 0, 0, 0]}
    for corpus, count in counts.items():
        for language in LANGUAGES:
            trace = make_trace([[count] * 3], [10], language=language, model_digest="b" * 64, corpus=corpus)
            trace.save(made.paths.trace("tiny", corpus, language))
    # All languages use the same experts of `questions`: none is exclusive. On generic text some are.
    assert made.masks("mine").exclusive["early"] == dict.fromkeys(LANGUAGES, 0)
    assert sum(sources().masks("mine").exclusive["early"].values()) > 0
    assert made.shared_experts("mine").experts == {1: (2, 3)}
    assert sources().shared_experts("mine").experts == {1: (0, 1)}


def test_only_languages_that_are_masked_are_targets_though_shares_are_among_more(sources) -> None:
    two = MaskedTask(languages=LANGUAGES[:1], lacking=LANGUAGES[1:2])
    plans = sources(masked={"mine": two}).masks("mine")
    assert plans.among == tuple(LANGUAGES)
    assert plans.targets == tuple(LANGUAGES[:2])
    assert {mask.target for mask in plans.conditions} <= set(LANGUAGES[:2])
    assert all(set(of) == set(LANGUAGES[:2]) for of in plans.exclusive.values())


def test_nothing_is_read_before_it_is_needed(tmp_path: Path) -> None:
    made = Sources(plan_settings(), Paths(tmp_path))
    with pytest.raises(ConditionsError, match="names no in-task text"):
        made.task_experts("plain")
    with pytest.raises(ConditionsError, match="names no pair"):
        Sources(plan_settings(dominant=None), Paths(tmp_path)).shared_experts("plain")


def test_random_sets_match_on_prompts_of_the_languages_to_be_helped(sources) -> None:
    made = sources()
    assert list(made.prompts("mine")) == LANGUAGES
    # Experts 1 and 4 are chosen by (6 + 1) / 2 and (0 + 8) / 2 of ten tokens in German and Swahili.
    (row,) = made.random_sets("mine")({1: (1, 4)}).balance([{1: (5, 0)}])
    assert (row.layer, row.frequency, row.controls) == (1, 0.375, pytest.approx((8 + 1 + 2 + 1) / 40))


def test_prompts_that_were_not_counted_are_told(sources, tmp_path: Path) -> None:
    (Paths(tmp_path).answers("tiny", "evaluate") / "mine" / frequency.FILE).unlink()
    with pytest.raises(AnswerError, match=r"frequency\.csv is absent"):
        sources().random_sets("mine")
