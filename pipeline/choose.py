"""Stage choose@<model>: answers of the selection half -> the plan of each task, and what is reported beside it."""

from collections.abc import Iterator

from polyroute.artifacts import answers
from polyroute.artifacts.key import read_joined
from polyroute.experts.specialised import ExpertsError
from polyroute.ground import console
from polyroute.ground.paths import Paths
from polyroute.interventions.choose import Chosen, ChosenPlans, Toward, TunePlans, choose_shared, choose_task_experts
from polyroute.interventions.effects import pooled_accuracy
from polyroute.interventions.plans import ConditionsError
from polyroute.interventions.settings import ChooseSettings
from polyroute.interventions.sources import Sources
from polyroute.scoring.kinds import by_score, grade
from polyroute.steering.condition import Condition


@console.stage(ChooseSettings)
def main(settings: ChooseSettings, paths: Paths) -> Iterator[str]:
    """Choose a plan for each task on one half of its items; needs no model."""
    sources = Sources(settings, paths)
    name = settings.name
    for folder in (paths.chosen(name), paths.plans(name)):
        folder.mkdir(parents=True, exist_ok=True)
    for task in settings.tasks:
        accuracy = _accuracy(settings, paths, task)
        tried = TunePlans.load(paths.conditions(name, "tune") / f"{task}.json")
        reported: list[Condition] = []
        toward: dict[Toward, Chosen] = {key: Chosen(not_run=reason) for key, reason in tried.not_run.items()}
        for key in ("task experts", "shared experts"):
            if key in toward:
                continue
            try:
                conditions, toward[key] = _choose(settings, sources, paths, key, task, accuracy)
            except (ConditionsError, ExpertsError) as error:
                toward[key] = Chosen(not_run=str(error))
                yield f"{task}, toward {key}: not run: {error}"
                continue
            reported += conditions
            yield f"{task}, toward {key}: {toward[key].summary['chosen']['condition']}"
        ChosenPlans(conditions=tuple(reported), toward=toward).save(paths.chosen(name) / f"{task}.json")
    if not settings.tasks:
        yield "no tasks: nothing to choose"


def _accuracy(settings: ChooseSettings, paths: Paths, task: str) -> dict[str, float]:
    """`baseline` or candidate -> accuracy on the selection half, over the languages to be helped."""
    name, how = settings.name, settings.tasks[task]
    items = read_joined(paths.task_questions(name, task), paths.key(name, task))
    return {
        path.stem: pooled_accuracy(
            by_score(grade(answers.read(path), items, "select").frame, how.kind, how.score), settings.pivot
        )
        for path in sorted((paths.answers(name, "tune") / task).glob("*.parquet"))
    }


def _choose(
    settings: ChooseSettings, sources: Sources, paths: Paths, toward: Toward, task: str, accuracy: dict[str, float]
) -> tuple[list[Condition], Chosen]:
    planned = settings.tasks[task]
    if toward == "shared experts":
        return choose_shared(sources.shared_experts(task), accuracy, planned.published_shared, settings.steer)
    plan, reported, chosen = choose_task_experts(
        sources.task_experts(task), accuracy, plans=settings.steer, controls=sources.random_sets(task),
        multilingual=sources.multilingual(), pivots=sources.pivots(task), published=planned.published,
    )  # fmt: skip
    plan.save(paths.plan(settings.name, task))
    return reported, chosen.model_copy(update={"summary": chosen.summary | {"middle": sources.middle}})


if __name__ == "__main__":
    main()
