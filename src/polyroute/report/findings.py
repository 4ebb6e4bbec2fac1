"""What was found, in Markdown tables over models: languages, accuracy, correlation, experts, steering and masks.

Every number is read from `metrics/`; nothing is computed anew, but for the verdict on correlations, whose rule
`correlations` states. Accuracy is in percent, its differences are in points, brackets are 95% intervals as the stages
computed them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from polyroute.ground.errors import PolyrouteError
from polyroute.ground.paths import Paths
from polyroute.report import (
    correlations,
    families,
    language_findings,
    masking,
    steering,
    wording,
)  # fmt: skip
from polyroute.results.experts import ExpertSets
from polyroute.results.model import ModelResults
from polyroute.results.quantities import Middle
from polyroute.results.steering import SharedSteering, Steered

TAU = 0.3
"""At this threshold and above paper 1's task experts and multilingual experts never meet."""
NONE = "–"
"""What a cell without a value holds."""


def gather(paths: Paths, models: Sequence[str]) -> list[ModelResults]:
    """Read the results of the models whose languages were compared or that have been asked a task, in the order given.

    Raises:
        PolyrouteError: there is none.
        ResultsError: a file is not as declared, or a model's routing is not measured.
    """
    found = [ModelResults.read(paths.metrics(model)) for model in models if paths.metrics(model).exists()]
    measured = [one for one in found if one.tasks or one.similarity]
    if not measured:
        raise PolyrouteError(
            f"languages have not been compared, nor tasks measured, of {', '.join(models)}: name a model in "
            "`study.models` and run `dvc repro`"
        )
    return measured


def tables(measured: Sequence[ModelResults]) -> dict[str, str]:
    """Title -> table, of those that have a row."""
    every = language_findings.tables(measured) | {
        "Accuracy": accuracy(measured),
        "Divergence and accuracy": correlated(measured),
        "Experts": experts(measured),
        "Steering": steered(measured),
        "Steering toward shared experts": steered_to_shared(measured),
        "Masking exclusive experts": masked(measured),
    }
    return {title: table for title, table in every.items() if table.count("\n") > 1}


def accuracy(measured: Sequence[ModelResults]) -> str:
    """A row a model and task: accuracy in the pivot, mean and range of the other languages, and what guessing gives."""
    columns = ["model", "task", "languages", "items", "pivot", "others", "worst", "best", "chance"]
    rows = []
    for one in measured:
        found = one.accuracy
        for task, held in found.tasks.items() if found is not None else ():
            assert found is not None, "it has tasks"
            scored = found.table[found.table["task"] == task]
            others = scored[scored["language"] != one.pivot].sort_values("accuracy", kind="stable")
            extremes = (
                f"{wording.percent(others['accuracy'].iloc[place])} ({wording.named(others['language'].iloc[place])})"
                if len(others) else NONE
                for place in (0, -1)
            )  # fmt: skip
            rows.append(
                [
                    one.model, task, str(len(scored)), _span(scored["items"]),
                    f"{wording.percent(held.pivot)} ({wording.named(one.pivot)})", wording.percent(held.others),
                    *extremes, NONE if held.chance is None else wording.percent(held.chance),
                ]
            )  # fmt: skip
    return wording.markdown(columns, rows)


def correlated(measured: Sequence[ModelResults]) -> str:
    """A row a model and task: the strongest layer by Pearson, what rivals leave of it there, and the verdict.

    The rule of the verdict is that of `correlations`.
    """
    columns = [
        "model", "task", "languages", "strongest in", "r", "given tokens a sentence", "given resource", "verdict",
    ]  # fmt: skip
    rows = []
    for one in measured:
        found = one.correlations
        for task in found.tasks if found is not None else ():
            assert found is not None, "it has tasks"
            layer = correlations.strongest(found, task)
            middle = one.alignment.corpora[found.corpus].zones.middle
            cells = [NONE] * 5
            if layer is not None:
                there = [
                    correlations.in_layer(found, task, layer, given)
                    for given in ("", correlations.TOKENS, correlations.RESOURCE)
                ]
                plain = there[0]
                assert plain is not None, "the strongest layer has a coefficient"
                cells = [str(int(plain["languages"])), f"layer {layer}", *map(correlations.in_words, there)]
            rows.append([one.model, task, *cells, correlations.verdict(found, task, middle)])
    return wording.markdown(columns, rows)


def experts(measured: Sequence[ModelResults]) -> str:
    """A row a model and task: sizes of the sets and of their overlap, domain divergence over depth, and the middle.

    Sets are told at the smallest tau and at `TAU`; beside the overlap stands what random sets of the same sizes would
    share.
    """
    columns = ["model", "task", "task experts", "multilingual experts", "in both", "domain divergence", "middle"]
    rows = []
    for one in measured:
        found = None if one.experts is None else one.experts.summary
        for task, held in found.tasks.items() if found is not None else ():
            assert found is not None, "it has tasks"
            sets = told_sets(held.sets)
            cells = [
                ", ".join(f"{getattr(row, name)} above {row.tau:g}" for row in sets)
                for name in ("task", "multilingual")
            ]
            both = ", ".join(f"{row.both} above {row.tau:g} (chance {row.expected:.1f})" for row in sets)
            rows.append([one.model, task, *cells, both, held.domain_shape, middle(found.middle)])
    return wording.markdown(columns, rows)


def steered(measured: Sequence[ModelResults]) -> str:
    """A row a model and task: the chosen plan, what it does on the report half, and the verdict.

    `base`, `steered` and `difference` are means over the languages to be helped, that is, all but the pivot. `would
    find` is the smallest difference that the comparison finds four times in five.
    """
    columns = [
        "model", "task", "plan", "base", "steered", "difference", "q", "pivot", "best random", "would find",
        "does it help?",
    ]  # fmt: skip
    rows = []
    for one in measured:
        found = one.steering
        for task, held in found.tasks.items() if found is not None else ():
            assert found is not None, "it has tasks"
            if not isinstance(held, Steered):
                rows.append([one.model, task, *[NONE] * 8, f"not run: {held.not_run}"])
                continue
            chosen = steering.row(steering.pooled(found, task), "chosen")
            pivot = steering.row(steering.of_language(found, task, one.pivot), "chosen")
            cells = [NONE] * 4
            if chosen is not None:
                shares = [wording.percent(chosen[name]) for name in ("base", "other")]
                cells = [*shares, wording.points_with_interval(chosen), wording.chance(chosen["q"])]
            rows.append(
                [
                    one.model, task, steering.plan(held), *cells,
                    NONE if pivot is None else f"{wording.points(pivot['difference'])} ({wording.named(one.pivot)})",
                    _points(steering.best_random(found, task)), _points(held.detectable), held.verdict.words,
                ]
            )  # fmt: skip
    return wording.markdown(columns, rows)


def steered_to_shared(measured: Sequence[ModelResults]) -> str:
    """A row a model and task: steering by |z| toward experts that two dominant languages share, and its mechanism.

    Source and strength were chosen on other items. `as released`: the best of all sources and strengths on the very
    items that it is told of, as paper 2's release chooses. `sent elsewhere`: share of tokens that the edit sends to
    other experts, and `edit`: its size by the mean |logit|, both means over the edited layers.
    """
    columns = [
        "model", "task", "plan", "difference", "q", "best random", "as released", "sent elsewhere", "edit",
        "does it help?",
    ]  # fmt: skip
    rows = []
    for one in measured:
        found = one.steering
        for task, parts in found.tasks.items() if found is not None else ():
            assert found is not None, "it has tasks"
            held = parts.shared
            if not isinstance(held, SharedSteering):
                rows.append([one.model, task, *[NONE] * 7, f"not run: {held.not_run}"])
                continue
            moved = steering.mechanism(found, task)
            chosen = steering.row(moved, held.chosen.condition)
            cells = [NONE] * 2
            reach = [NONE] * 2
            if chosen is not None:
                cells = [wording.points_with_interval(chosen), wording.chance(chosen["q"])]
                reach = [f"{wording.percent(chosen['changed'])}%", f"{wording.percent(chosen['relative'])}%"]
            rows.append(
                [
                    one.model, task, steering.shared_plan(held), *cells,
                    _points(steering.best_random(found, task, "shared-random")),
                    wording.points(held.as_released.difference), *reach, held.verdict.words,
                ]
            )  # fmt: skip
    return wording.markdown(columns, rows)


def masked(measured: Sequence[ModelResults]) -> str:
    """A row a model, task, score and range of layers: what masks of exclusive experts do, in points.

    `own`: in the language whose experts are masked; `others`: in all others; `random`: in the own language under masks
    of as many random experts, as frequent. Means over languages, intervals over items. The rule of the verdict is that
    of `masking`.
    """
    columns = ["model", "task", "score", "layers", "own", "others", "random", "verdict"]
    rows = []
    for one in measured:
        found = one.masking
        for task, held in found.tasks.items() if found is not None else ():
            for score, by_range in held.headline.items():
                for name in (zone for zone in families.ZONES if zone in by_range):
                    told = by_range[name]
                    rows.append(
                        [
                            one.model, task, score, f"{name} ({_layers(held.ranges[name])})",
                            *map(masking.told, (told.diagonal, told.off_diagonal, told.random_diagonal)),
                            masking.verdict(told),
                        ]
                    )  # fmt: skip
    return wording.markdown(columns, rows)


def told_sets(sets: Sequence[ExpertSets]) -> list[ExpertSets]:
    """Of the sets of a task those at the smallest tau and at `TAU`."""
    smallest = min((row.tau for row in sets), default=None)
    return [row for row in sets if row.tau in (smallest, TAU)]


def middle(held: Middle) -> str:
    """The layers of the middle, and whether a trough of divergence showed them."""
    first, last = held.layers
    return wording.layers(range(first, last + 1)) + ("" if held.found else ", not found: by default")


def _layers(span: Sequence[int]) -> str:
    return wording.spans(range(span[0], span[1] + 1))


def _points(difference: float | None) -> str:
    return NONE if difference is None else wording.points(difference)


def _span(counts: Iterable[float]) -> str:
    """A number, or the smallest and the largest."""
    low, high = min(counts), max(counts)
    return f"{low:.0f}" if low == high else f"{low:.0f}-{high:.0f}"
