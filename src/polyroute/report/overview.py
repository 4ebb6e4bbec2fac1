"""What a study found, in a few lines of text."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from polyroute.languages.table import get
from polyroute.report import correlations, families, findings, masking, steering, wording
from polyroute.report.results import Results, most_aligned, spans
from polyroute.report.task_results import TaskResults

WIDTH = 100
"""Columns of the lines on tasks; longer ones go on below."""

_MEANING = {
    "U": "higher in early and late layers than in the middle",
    "cap": "lower in early and late layers than in the middle",
    "falling": "high early, low late",
    "rising": "low early, high late",
    "flat": "early and late layers not told from the middle",
    "unclear": "only one of early and late told from the middle",
}


def overview(results: Results, tasks: TaskResults) -> str:
    """What a study found out about a model.

    Shape of divergence over depth for each corpus: how many languages have which, and the mean; what the tree of
    languages follows, and what language tells about experts. Then up to six lines on its tasks: accuracy, correlation,
    experts, steering toward task experts and toward shared ones, masks; none where the stage has not run.
    """
    lines = [results.model]
    for corpus, summary in results.align["corpora"].items():
        sentences = summary["sentences"]
        told = f"{sentences} sentences" if sentences else "counts of the whole corpus, no intervals"
        lines.append(f"  {corpus} ({told}), divergence from {get(results.pivot).name} by `{summary['reading']}`:")
        shapes = Counter(language["shape"] for language in summary["languages"].values())
        for shape, count in shapes.most_common():
            which = [get(code).name for code, found in summary["languages"].items() if found["shape"] == shape]
            lines.append(
                f"    {shape} in {count} of {shapes.total()} languages ({_MEANING[shape]}): {', '.join(which)}"
            )
        lines.append(f"    mean over languages: {_zones(summary['mean'], summary['zones'])}")
        lines += _alignment(summary["over_languages"])
        lines += _compared(tasks, corpus)
    for lead, parts in _on_tasks(results, tasks):
        lines += _wrapped(f"  {lead}: ", parts)
    return "\n".join(lines)


def _on_tasks(results: Results, tasks: TaskResults) -> Iterator[tuple[str, list[str]]]:
    """What tasks showed: what a line is about, and a part a task."""
    if tasks.accuracy is not None and tasks.accuracy.tasks:
        parts = []
        for task, held in tasks.accuracy.tasks.items():
            shares = [held["pivot"], held["others"], held["chance"]]
            told = " / ".join("–" if share is None else wording.percent(share) for share in shares)
            parts.append(f"{task} {told}")
        yield f"right, {get(results.pivot).name} / others / chance", parts
    if tasks.correlations is not None and tasks.correlations.tasks:
        parts = []
        for task in tasks.correlations.tasks:
            layer = correlations.strongest(tasks.correlations, task)
            row = None if layer is None else correlations.in_layer(tasks.correlations, task, layer)
            told = "not computed"
            if row is not None:
                told = f"{wording.coefficient(row['r'])} (layer {layer}, q {wording.chance(row['q'])})"
            parts.append(f"{task} {told}")
        yield "correlation with accuracy", parts
    if tasks.experts is not None and tasks.experts.tasks:
        sets = {task: findings.told_sets(held["sets"])[:1] for task, held in tasks.experts.tasks.items()}
        parts = [f"{task} {row['task']} above {row['tau']:g}" for task, rows in sets.items() for row in rows]
        yield "experts", [*parts, f"middle {findings.middle(tasks.experts.middle)}"]
    if tasks.steering is not None and tasks.steering.tasks:
        parts = []
        for task, held in tasks.steering.tasks.items():
            chosen = None if held["not_run"] else steering.row(steering.pooled(tasks.steering, task), "chosen")
            if chosen is None:
                parts.append(f"{task} not run")
                continue
            parts.append(f"{task} {_helps(held['verdict'])}, {wording.points_with_interval(chosen)}")
        yield "does steering help, in points", parts
        parts = []
        for task, held in tasks.steering.tasks.items():
            shared = held["shared"]
            row = None
            if shared["not_run"] is None:
                row = steering.row(steering.mechanism(tasks.steering, task), shared["chosen"]["condition"])
            if row is None:
                parts.append(f"{task} not run")
                continue
            helps = _helps(shared["verdict"])
            sent = f"sends {wording.percent(row['changed'])}% of tokens elsewhere"
            parts.append(f"{task} {helps}, {wording.points_with_interval(row)}, {sent}")
        yield "toward shared experts", parts
    if tasks.masking is not None and tasks.masking.tasks:
        parts = [
            f"{task} {score} {zone} {masking.mean(by_range[zone], 'diagonal')} / "
            f"{masking.mean(by_range[zone], 'off_diagonal')} / {masking.mean(by_range[zone], 'random_diagonal')}"
            for task, held in tasks.masking.tasks.items()
            for score, by_range in held["headline"].items()
            for zone in families.ZONES if zone in by_range
        ]  # fmt: skip
        yield "masking exclusive experts, own language / others / own by random experts, in points", parts


def _helps(verdict: dict[str, Any]) -> str:
    return "no" if not verdict["helps"] else "yes" if verdict["beyond_random"] else "as random experts do"


def _compared(tasks: TaskResults, corpus: str) -> list[str]:
    """What the tree of languages follows, and where language tells most about the expert."""
    found = tasks.similarity
    if found is None or corpus not in found.corpora:
        return []
    table = families.agreement(found.corpora[corpus]["zones"])
    verdicts = {zone: families.verdict(table, zone) for zone in families.ZONES}
    lines = [f"    tree of languages: {'; '.join(f'{zone} {told}' for zone, told in verdicts.items())}"]
    if len(set(verdicts.values())) == 1:
        lines = [f"    tree of languages: {verdicts['early']}"]
    used = found.utilisation
    whole = used[(used["corpus"] == corpus) & (used["language"] == "")].set_index("layer")
    if not whole.empty:
        most, least = whole["information"].idxmax(), whole["information"].idxmin()
        lines.append(
            f"    language tells {wording.percent(whole['information'].max())}% of what is open about the expert in "
            f"layer {most}, {wording.percent(whole['information'].min())}% in layer {least}"
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


def _alignment(found: dict[str, Any]) -> list[str]:
    """Where translations are nearer than chance, if that could be tested."""
    layers = found.get("aligned_layers")
    if layers is None:
        return []
    peak = most_aligned(found)
    where = f"layers {spans(layers)}" if layers else "no layer"
    return [
        f"    translations nearer than chance over languages: {where} "
        f"(most in layer {peak['layer']}: {peak['value']:.3f} [{peak['low']:.3f}, {peak['high']:.3f}])"
    ]


def _zones(found: dict[str, Any], zones: dict[str, list[int]]) -> str:
    order = ("early", "middle", "late")
    return ", ".join(f"{zone} (layers {zones[zone][0]}-{zones[zone][1]}) {found[zone]:.3f}" for zone in order)
