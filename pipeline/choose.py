"""Stage choose@<model>: answers under what was tried -> the plans of each task, and what is reported beside them."""

from collections.abc import Iterator

import pandas as pd

from polyroute.artifacts import answers
from polyroute.artifacts.key import read_joined
from polyroute.artifacts.questions import SPLITS, Split
from polyroute.experts.specialised import ExpertsError
from polyroute.ground import console
from polyroute.ground.paths import Paths
from polyroute.interventions.choose import (
    Chosen,
    ChosenPlans,
    Toward,
    TunePlans,
    best_task_plan,
    choose_shared,
    choose_task_experts,
    chosen_for_each_other,
    shared_plan_on_all,
)
from polyroute.interventions.effects import pooled_accuracy
from polyroute.interventions.plans import ConditionsError
from polyroute.interventions.settings import ChooseSettings
from polyroute.interventions.sources import Sources
from polyroute.results.quantities import DECIMALS
from polyroute.scoring.kinds import by_score, grade
from polyroute.steering.condition import Condition

_TOWARD: tuple[Toward, ...] = ("task experts", "shared experts")


@console.stage(ChooseSettings)
def main(settings: ChooseSettings, paths: Paths) -> Iterator[str]:
    """Choose a plan for each task on each half of its items, and on all of them; needs no model."""
    sources = Sources(settings, paths)
    paths.chosen(settings.name).mkdir(parents=True, exist_ok=True)
    for task in settings.tasks:
        folder = paths.chosen(settings.name) / task
        tried = TunePlans.load(paths.conditions(settings.name, "tune") / f"{task}.json")
        right = {split: _right(settings, paths, task, split) for split in SPLITS}
        accuracy = {split: _accuracy(right[split], settings.pivot) for split in SPLITS}
        whole = {name: pd.concat([right[split][name] for split in SPLITS]) for name in right["select"]}
        on_all = _accuracy(whole, settings.pivot)
        not_run: dict[Toward, str] = dict(tried.not_run)
        found: dict[Split, ChosenPlans] = {}
        for split in SPLITS:
            reported: list[Condition] = []
            toward: dict[Toward, Chosen] = {}
            for key in _TOWARD:
                if key in not_run:
                    continue
                try:
                    conditions, toward[key] = _choose(settings, sources, key, task, accuracy[split])
                except (ConditionsError, ExpertsError) as error:
                    not_run[key] = str(error)
                    yield f"{task}, toward {key}: not run: {error}"
                    continue
                reported += conditions
            found[split] = ChosenPlans(conditions=tuple(reported), toward=toward)
        for split, chosen in found.items():
            _without(chosen, not_run).save(folder / f"{split}.json")
        handed_on = {
            key: _on_all(sources, key, task, on_all, right) for key in _TOWARD if key not in not_run
        }  # fmt: skip
        _without(ChosenPlans(conditions=(), toward=handed_on), not_run).save(folder / "all.json")
        for key, one in handed_on.items():
            names = [
                one.summary["chosen"]["condition"],
                *(found[split].toward[key].summary["chosen"]["condition"] for split in SPLITS),
            ]
            yield f"{task}, toward {key}: {names[0]} (on either half: {', '.join(names[1:])})"
    if not settings.tasks:
        yield "no tasks: nothing to choose"


def _without(chosen: ChosenPlans, not_run: dict[Toward, str]) -> ChosenPlans:
    """With the reason in place of what could not be run on one of the halves."""
    kept = {key: one for key, one in chosen.toward.items() if key not in not_run}
    names = {name for one in kept.values() for name in one.reported}
    return ChosenPlans(
        conditions=tuple(one for one in chosen.conditions if one.name in names),
        toward=kept | {key: Chosen(not_run=reason) for key, reason in not_run.items()},
    )


def _right(settings: ChooseSettings, paths: Paths, task: str, split: Split) -> dict[str, pd.DataFrame]:
    """`baseline` or candidate -> its answers to one half, scored."""
    name, how = settings.name, settings.tasks[task]
    items = read_joined(paths.task_questions(name, task), paths.key(name, task), count=how.items)
    return {
        path.stem: by_score(grade(answers.read(path), items, split).frame, how.kind, how.score)
        for path in sorted((paths.answers(name, "tune") / task / split).glob("*.parquet"))
    }


def _accuracy(right: dict[str, pd.DataFrame], pivot: str) -> dict[str, float]:
    """The same -> accuracy over the languages to be helped."""
    return {name: pooled_accuracy(frame, pivot) for name, frame in right.items()}


def _choose(
    settings: ChooseSettings, sources: Sources, toward: Toward, task: str, accuracy: dict[str, float]
) -> tuple[list[Condition], Chosen]:
    planned = settings.tasks[task]
    if toward == "shared experts":
        return choose_shared(sources.shared_experts(task), accuracy, planned.published_shared, settings.steer)
    return choose_task_experts(
        sources.task_experts(task), accuracy, plans=settings.steer, controls=sources.random_sets(task),
        multilingual=sources.multilingual(), pivots=sources.pivots(task), published=planned.published,
        by_turn=sources.by_turn(task),
    )  # fmt: skip


def _on_all(
    sources: Sources, toward: Toward, task: str, accuracy: dict[str, float], right: dict[Split, dict[str, pd.DataFrame]]
) -> Chosen:
    """What is chosen on all items; the plan toward task experts is kept, to be handed on with its verdict."""
    if toward == "shared experts":
        chosen = shared_plan_on_all(sources.shared_experts(task), accuracy)
        return _with_inflation(chosen, right, sources.settings.pivot)
    best, summary = best_task_plan(sources.task_experts(task), accuracy)
    assert best.plan is not None, "a candidate has a plan"
    chosen = Chosen(not_run=None, summary=summary | {"middle": sources.middle}, plan=best.plan)
    return _with_inflation(chosen, right, sources.settings.pivot)


def _with_inflation(chosen: Chosen, right: dict[Split, dict[str, pd.DataFrame]], pivot: str) -> Chosen:
    candidates = [row["condition"] for row in chosen.summary["selection"] if row["condition"] != "baseline"]
    factor = round(chosen_for_each_other(right, candidates, pivot), DECIMALS)
    return chosen.model_copy(update={"summary": chosen.summary | {"inflation": factor}})


if __name__ == "__main__":
    main()
