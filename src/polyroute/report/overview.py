"""What a study found, in a few lines of text."""

from collections import Counter
from collections.abc import Iterator, Sequence

from polyroute.ground.layers import ZONES
from polyroute.languages.table import get
from polyroute.report import correlation, experts, families, masking, steering, turns, words, worst
from polyroute.report.words import spans
from polyroute.results.alignment import Depth, OverLanguages, Zones
from polyroute.results.model import ModelResults
from polyroute.results.nulls import NullsSummary
from polyroute.results.steering import SharedSteering, Steered

WIDTH = 100
"""Columns of the lines on tasks; longer ones go on below."""

_MEANING = {
    "U": "higher in early and late layers than in the middle",
    "cap": "lower in early and late layers than in the middle",
    "falling": "high early, low late",
    "rising": "low early, high late",
    "flat": "early and late layers do not differ significantly from the middle",
    "unclear": "only one of early and late differs significantly from the middle",
}


def overview(found: ModelResults) -> str:
    """What a study found out about a model.

    Shape of divergence over depth for each corpus: how many languages have which, and the mean; what the tree of
    languages follows, and what language tells about experts. Then up to seven lines on its tasks: accuracy,
    correlation, experts, whether these are of the task or of the assistant's turn, steering toward task experts and
    toward shared ones, masks; none where the stage has not run.
    """
    lines = [found.model]
    for corpus, summary in found.alignment.corpora.items():
        sentences = summary.sentences
        told = f"{sentences} sentences" if sentences else "counts of the whole corpus, no intervals"
        lines.append(f"  {corpus} ({told}), divergence from {get(found.pivot).name} by `{summary.reading}`:")
        if summary.lacking:
            lines.append(f"    not in the counts: {', '.join(words.LACKING[one] for one in summary.lacking)}")
        if (ends := worst.divergence(found, corpus)) is not None:
            lines.append(f"    least like {get(found.pivot).name} in the middle: {ends.worst}; most: {ends.best}")
        shapes = Counter(language.shape for language in summary.languages.values())
        for shape, count in shapes.most_common():
            which = [get(code).name for code, one in summary.languages.items() if one.shape == shape]
            lines.append(
                f"    {shape} in {count} of {shapes.total()} languages ({_MEANING[shape]}): {', '.join(which)}"
            )
        lines.append(f"    mean over languages: {_zones(summary.mean, summary.zones)}")
        lines.append(f"    over languages: {words.shape(summary.over_languages)}")
        if told := words.depth_nulls(found.null(corpus)):
            lines.append(f"    {told}")
        lines += _alignment(summary.over_languages, found.null(corpus))
        lines += _compared(found, corpus)
    for lead, parts in _on_tasks(found):
        lines += _wrapped(f"  {lead}: ", parts)
    return "\n".join(lines)


def _on_tasks(found: ModelResults) -> Iterator[tuple[str, list[str]]]:
    """What tasks showed: what a line is about, and a part a task."""
    if found.accuracy is not None and found.accuracy.tasks:
        parts = []
        for task, held in found.accuracy.tasks.items():
            shares = [held.pivot, held.others, held.chance]
            told = " / ".join("–" if share is None else words.percent(share) for share in shares)
            parts.append(f"{task} {told}")
        yield f"accuracy in percent, {get(found.pivot).name} / others / chance", parts
        ends = {task: worst.accuracy(found, task) for task in found.accuracy.tasks}
        if parts := [f"{task} {one.worst}" for task, one in ends.items() if one is not None]:
            yield "least accurate", parts
    if found.correlations is not None and found.correlations.tasks:
        parts = []
        for task in found.correlations.tasks:
            zone = correlation.middle(found.correlations, task)
            told = "not computed"
            if zone is not None and zone.r is not None and zone.p is not None:
                told = f"{words.coefficient(zone.r)} (middle zone, p {words.chance(zone.p)})"
            parts.append(f"{task} {told}")
        yield "correlation with accuracy", parts
    if found.experts is not None and found.experts.summary.tasks:
        sets = {task: experts.told_sets(held.sets)[:1] for task, held in found.experts.summary.tasks.items()}
        parts = [f"{task} {row.task} above {row.tau:g}" for task, rows in sets.items() for row in rows]
        yield "experts", [*parts, f"middle {experts.middle(found.experts.summary.middle)}"]
    if found.turns is not None and found.turns.tasks:
        yield "task experts are experts", [turns.in_short(task, one.readings[0]) for task, one in
                                           found.turns.tasks.items()]  # fmt: skip
    if found.steering is not None and found.steering.tasks:
        parts = []
        for task, steered in found.steering.tasks.items():
            chosen = steering.row(steering.pooled(found.steering, task), "chosen")
            if chosen is None or not isinstance(steered, Steered):
                parts.append(f"{task} not run")
                continue
            helps, items = words.HELPS_IN_SHORT[steered.verdict.code], steered.verdict.items
            parts.append(f"{task} {helps}, {words.points_with_interval(chosen)}, {items} items")
        yield "does steering help, in points", parts
        parts = []
        for task, steered in found.steering.tasks.items():
            shared = steered.shared
            row = None
            if isinstance(shared, SharedSteering):
                row = steering.row(steering.mechanism(found.steering, task), "shared-chosen")
            if row is None or not isinstance(shared, SharedSteering):
                parts.append(f"{task} not run")
                continue
            helps = words.HELPS_IN_SHORT[shared.verdict.code]
            sent = f"reroutes {words.percent(row['rerouted'])}% of tokens"
            parts.append(f"{task} {helps}, {words.points_with_interval(row)}, {shared.verdict.items} items, {sent}")
        yield "toward shared experts", parts
    if found.masking is not None and found.masking.tasks:
        parts = [
            f"{task} {score} {zone} {masking.mean(by_range[zone].diagonal)} / "
            f"{masking.mean(by_range[zone].off_diagonal)} / {masking.mean(by_range[zone].random_diagonal)}"
            for task, held in found.masking.tasks.items()
            for score, by_range in held.headline.items()
            for zone in ZONES if zone in by_range
        ]  # fmt: skip
        yield "masking exclusive experts, own language / others / own language under random masks, in points", parts


def _compared(results: ModelResults, corpus: str) -> list[str]:
    """What the tree of languages follows, and where language tells most about the expert."""
    found = results.similarity
    if found is None or corpus not in found.corpora:
        return []
    table = families.agreement(found.corpora[corpus].zones)
    verdicts = {zone: families.verdict(table, zone) for zone in ZONES}
    lines = [f"    tree of languages: {'; '.join(f'{zone} {told}' for zone, told in verdicts.items())}"]
    if len(set(verdicts.values())) == 1:
        lines = [f"    tree of languages: {verdicts['early']}"]
    used = found.utilisation
    whole = used[(used["corpus"] == corpus) & (used["language"] == "")].set_index("layer")
    if not whole.empty:
        most, least = whole["information"].idxmax(), whole["information"].idxmin()
        lines.append(
            f"    language explains {words.percent(whole['information'].max())}% of the entropy of expert choice in "
            f"layer {most}, {words.percent(whole['information'].min())}% in layer {least}"
        )
    return lines


def _wrapped(lead: str, parts: Sequence[str]) -> list[str]:
    """Parts after one another, none broken, in lines of up to `WIDTH`."""
    lines = [lead]
    for place, part in enumerate(parts):
        told = part + ("; " if place < len(parts) - 1 else "")
        if len(lines[-1] + told.rstrip()) > WIDTH and lines[-1].strip():
            lines.append("    ")
        lines[-1] += told
    return [line.rstrip() for line in lines]


def _alignment(found: OverLanguages, null: NullsSummary | None) -> list[str]:
    """How translations are aligned: against random initialisations, and against other sentences of the same model."""
    layers = found.aligned_layers
    if layers is None:
        return []
    peak = found.peak
    where = f"layers {spans(layers)}" if layers else "no layer"
    alone = f"; {words.WITHIN}" if null is None or null.verdict == "not_run" else ""
    return [
        f"    alignment of translations: {words.nulls(null)}",
        f"    closer than other sentences, over languages: {where} "
        f"(most in layer {peak.layer}: {peak.value:.3f} [{peak.low:.3f}, {peak.high:.3f}]{alone})",
    ]


def _zones(found: Depth, zones: Zones) -> str:
    return ", ".join(f"{zone} (layers {first}-{last}) {getattr(found, zone):.3f}" for zone, (first, last) in zones)
