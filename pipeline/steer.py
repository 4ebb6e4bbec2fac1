"""Stage steer@<model>: questions and chosen plans -> what the model answers, random sets as many as are needed.

Answers are scored here for one thing alone: to know when enough random sets did as well.
"""

from collections.abc import Iterator, Mapping

import pandas as pd

from polyroute.artifacts.answers import Answers
from polyroute.artifacts.key import read_joined
from polyroute.artifacts.questions import SPLITS, Split
from polyroute.asking.purpose import ask_for
from polyroute.asking.settings import SteerSettings
from polyroute.ground import console
from polyroute.ground.paths import Paths
from polyroute.interventions.choose import CHOSEN_ON, ChosenPlans
from polyroute.interventions.effects import ranked
from polyroute.interventions.rounds import Halves, next_round
from polyroute.scoring.kinds import by_score, grade
from polyroute.steering.condition import AskedConditions
from polyroute.workers.settings import Engine


@console.stage(SteerSettings)
def main(settings: SteerSettings, paths: Paths) -> Iterator[str]:
    """Ask each half under the plan chosen on the other and its controls, random ones round by round."""
    conditions = {task: _conditions(paths, settings.name, task) for task in settings.tasks}
    right: dict[str, dict[str, dict[Split, pd.DataFrame]]] = {task: {} for task in settings.tasks}

    inflation = {
        task: ChosenPlans.load(paths.chosen(settings.name) / task / "all.json").inflation for task in settings.tasks
    }

    def round_of(task: str, asked: Halves, said: Mapping[Split, Mapping[str, Answers]]) -> Halves:
        known = right[task]
        if new := [(split, name) for split in said for name in said[split] if split not in known.get(name, {})]:
            files = paths.task_questions(settings.name, task), paths.key(settings.name, task)
            items = read_joined(*files, count=settings.tasks[task].items)
            for split, name in new:
                frame = grade(said[split][name], items, split).frame
                scored = by_score(frame, said[split][name].header.kind, settings.scores[task])
                known.setdefault(name, {})[split] = scored
        whole = {name: pd.concat(halves.values()) for name, halves in known.items()}
        return next_round(asked, ranked(whole, settings.pivot, inflation[task]) if whole else {})

    return ask_for("steer", settings, paths, conditions, round_of, Engine.of(paths))


def _conditions(paths: Paths, model: str, task: str) -> dict[Split, AskedConditions]:
    """Half of the items -> what it is asked under: plans that were chosen on the other."""
    return {split: AskedConditions.load(paths.chosen(model) / task / f"{CHOSEN_ON[split]}.json") for split in SPLITS}


if __name__ == "__main__":
    main()
