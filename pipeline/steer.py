"""Stage steer@<model>: questions and chosen plans -> what the model answers, random sets as many as are needed.

Answers are scored here for one thing alone: to know when enough random sets did as well.
"""

from collections.abc import Iterator, Mapping, Sequence

from polyroute.artifacts.answers import Answers
from polyroute.artifacts.key import read_joined
from polyroute.asking.purpose import ask_for
from polyroute.asking.settings import SteerSettings
from polyroute.ground import console
from polyroute.ground.paths import Paths
from polyroute.interventions.effects import pooled_accuracy
from polyroute.interventions.rounds import next_round
from polyroute.scoring.kinds import by_score, grade
from polyroute.steering.condition import AskedConditions, Condition


@console.stage(SteerSettings)
def main(settings: SteerSettings, paths: Paths) -> Iterator[str]:
    """Ask the report half under the chosen plan and its controls, random ones round by round."""
    folder = paths.chosen(settings.name)
    conditions = {task: AskedConditions.load(folder / f"{task}.json") for task in settings.tasks}
    scores: dict[str, dict[str, float]] = {task: {} for task in settings.tasks}

    def ranked(task: str, asked: Sequence[Condition], said: Mapping[str, Answers]) -> list[Condition]:
        if new := set(said) - set(scores[task]):
            items = read_joined(paths.task_questions(settings.name, task), paths.key(settings.name, task))
            for name in new:
                frame = grade(said[name], items, "report").frame
                right = by_score(frame, said[name].header.kind, settings.scores[task])
                scores[task][name] = pooled_accuracy(right, settings.pivot)
        return next_round(asked, scores[task])

    return ask_for("steer", settings, paths, conditions, ranked)


if __name__ == "__main__":
    main()
