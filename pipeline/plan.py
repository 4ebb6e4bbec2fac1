"""Stage plan@<model>: traces and specialised experts -> the conditions that are tried, and the masks."""

from collections.abc import Callable, Iterator

from polyroute.experts.specialised import ExpertsError
from polyroute.ground import console
from polyroute.ground.paths import Paths
from polyroute.interventions.choose import TunePlans
from polyroute.interventions.plans import ConditionsError
from polyroute.interventions.settings import PlanSettings
from polyroute.interventions.sources import Sources
from polyroute.steering.condition import Condition


@console.stage(PlanSettings)
def main(settings: PlanSettings, paths: Paths) -> Iterator[str]:
    """Make the conditions that are tried on the selection half of each task, and the masks of its report half."""
    sources = Sources(settings, paths)
    tune, mask = (paths.conditions(settings.name, purpose) for purpose in ("tune", "mask"))
    for folder in (tune, mask):
        folder.mkdir(parents=True, exist_ok=True)
    for task in settings.tasks:
        made: list[Condition] = []
        families: dict[str, Callable[[], list[Condition]]] = {
            "task experts": lambda task=task: sources.task_experts(task).candidates(),  # type: ignore[misc]
            "shared experts": lambda task=task: sources.shared_candidates(task),  # type: ignore[misc]
        }
        not_run = {}
        for toward, candidates in families.items():
            try:
                made += candidates()
            except (ConditionsError, ExpertsError) as error:
                not_run[toward] = str(error)
                yield f"{task}, toward {toward}: not run: {error}"
        TunePlans(conditions=tuple(made), not_run=not_run).save(tune / f"{task}.json")
        yield f"{task}: {len(made)} conditions to try"
    for task in settings.masked:
        plans = sources.masks(task)
        plans.save(mask / f"{task}.json")
        yield f"{task}: {len(plans.conditions)} masks, {len(plans.left_out)} left out"
    if not settings.tasks:
        yield "no tasks: nothing to plan"


if __name__ == "__main__":
    main()
