import pytest

from asking.seated import preferring, target
from interventions.test_plans import settings
from polyroute.experts.controls import Controls
from polyroute.interventions.plans import ConditionsError
from polyroute.interventions.settings import PublishedShared, Steer
from polyroute.interventions.shared_plans import SharedConditions
from polyroute.measures.specialisation import mean_frequency

# Ten tokens, top-2 of 8 experts. Kept of English: .8 .6 .4 of experts 0, 1, 2; of German .8 .6 .2 of 5, 1, 0.
TRACES = {
    "eng_Latn": preferring("eng_Latn", [8, 6, 4, 1, 1, 0, 0, 0]),
    "deu_Latn": preferring("deu_Latn", [2, 6, 1, 0, 0, 8, 2, 1]),
}
WEIGHTS = {"eng_Latn": {0: 0.8, 1: 0.5}, "deu_Latn": {0: 0.2, 1: 0.5}}
PUBLISHED = PublishedShared(layers=(0, 1), k=2, thr=0.7, strengths={"deu_Latn": 0.3})


def random_sets(seed: int):
    """Matched on text in English."""
    frequency_LE = mean_frequency(TRACES["eng_Latn"])
    return lambda experts: Controls(experts, frequency_LE, range(3), seed=seed)


def conditions(middle=(1, 2), seed: int = 3, steer: Steer | None = None) -> SharedConditions:
    """k = 48 of 128, so 3 of 8; thr = 0.85."""
    return SharedConditions(target(), steer or settings(), TRACES, middle=middle, random_sets=random_sets(seed))


def test_candidates_are_either_source_with_every_strength() -> None:
    made = conditions()
    assert (made.k, made.pair, made.experts) == (3, ("eng_Latn", "deu_Latn"), {1: (0, 1), 2: (0, 1)})
    found = {one.name: one for one in made.candidates()}
    assert list(found) == [
        "shared-eng_Latn-0.1", "shared-eng_Latn-0.5", "shared-deu_Latn-0.1", "shared-deu_Latn-0.5",
    ]  # fmt: skip
    for name, one in found.items():
        _, source, strength = name.split("-")
        assert (one.kind, one.layers) == ("shared", (1, 2))
        assert (one.plan.rule, one.plan.strength, one.plan.arithmetic) == ("magnitude", float(strength), "float32")
        assert one.plan.experts == made.experts
        assert one.plan.weights == {layer: pytest.approx(WEIGHTS[source]) for layer in (1, 2)}
        assert one.plan.source == {
            "task": "task", "condition": name, "source": source, "shared": ["eng_Latn", "deu_Latn"], "k": 3,
            "thr": 0.85,
        }  # fmt: skip


def test_controls_are_other_experts_with_the_same_weights() -> None:
    made = conditions()
    chosen = made.candidates()[1]
    controls = made.controls(chosen, 2)
    assert [(one.name, one.kind, one.draw, one.layers) for one in controls] == [
        (f"shared-random{draw}", "shared-random", draw, (1, 2)) for draw in (0, 1)
    ]
    for one in controls:
        assert (one.plan.rule, one.plan.strength) == ("magnitude", 0.5)
        for layer, experts in chosen.plan.experts.items():
            drawn = one.plan.experts[layer]
            assert len(drawn) == len(experts)
            assert not set(drawn) & set(experts)
            weights = [list(plan.weights[layer].values()) for plan in (one.plan, chosen.plan)]
            assert weights[0] == weights[1] == pytest.approx([0.8, 0.5])
    assert controls == conditions().controls(chosen, 2)
    assert len({str(one.plan.experts) for seed in range(5) for one in conditions(seed=seed).controls(chosen, 2)}) > 1


def test_the_papers_setting_is_run_as_it_stands() -> None:
    (one,) = conditions().published(PUBLISHED)
    assert (one.name, one.kind, one.layers) == ("shared-published-deu_Latn", "shared-published", (0, 1))
    plan = one.plan
    assert plan.experts == {0: (1,), 1: (1,)}, "its own k, not the share of a layer of 128"
    assert plan.weights == {layer: pytest.approx({1: 0.5}) for layer in (0, 1)}
    assert (plan.rule, plan.strength, plan.arithmetic) == ("magnitude", 0.3, "model")
    assert (plan.source["k"], plan.source["thr"], plan.source["source"]) == (2, 0.7, "deu_Latn")
    assert conditions().published(None) == []
    drawn = conditions().controls(one, 3)
    assert [(draw.name, draw.kind, draw.control_of) for draw in drawn] == [
        (f"shared-published-deu_Latn-random{n}", "shared-published-random", "shared-published-deu_Latn")
        for n in range(3)
    ]
    assert {draw.layers for draw in drawn} == {(0, 1)}
    assert {(draw.plan.strength, draw.plan.arithmetic) for draw in drawn} == {(0.3, "model")}


def test_a_pair_that_shares_nothing_says_what_to_change() -> None:
    magnitude = {"k": 48, "thr": 0.4, "strengths": [0.1]}
    with pytest.raises(
        ConditionsError,
        match=r"task on tiny: eng_Latn and deu_Latn share no expert in layers 1 to 2 at k = 3 and thr = 0\.4; "
        r"raise thr or k of steer\.magnitude",
    ):
        conditions(steer=settings(magnitude=magnitude))
    with pytest.raises(ConditionsError, match=r"layers 0 to 1 at k = 2.*models\.tiny\.published_shared"):
        conditions().published(PUBLISHED.model_copy(update={"thr": 0.4}))
