"""Stages evaluate, tune and mask @<model>: questions and conditions -> what the model answers, unscored."""

from collections.abc import Iterator

from polyroute.artifacts.questions import SPLITS
from polyroute.asking.purpose import Purpose, ask_for
from polyroute.asking.settings import AskSettings
from polyroute.ground import console
from polyroute.ground.paths import Paths
from polyroute.steering.condition import AskedConditions
from polyroute.workers.settings import Engine

PURPOSES: tuple[Purpose, ...] = ("evaluate", "tune", "mask")


@console.stage(AskSettings, purposes={purpose: purpose for purpose in PURPOSES})
def main(settings: AskSettings, paths: Paths, purpose: Purpose) -> Iterator[str]:
    """Ask a model its tasks under all conditions of one purpose, and keep what it says."""
    conditions = {
        task: dict.fromkeys(
            SPLITS,
            AskedConditions(conditions=())
            if purpose == "evaluate"
            else AskedConditions.load(paths.conditions(settings.name, purpose) / f"{task}.json"),
        )
        for task in settings.tasks
    }
    return ask_for(purpose, settings, paths, conditions, engine=Engine.of(paths))


if __name__ == "__main__":
    main()
