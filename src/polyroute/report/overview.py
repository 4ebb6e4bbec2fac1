"""What a study found, in a few lines of text."""

from collections import Counter
from typing import Any

from polyroute.languages import get
from polyroute.report.results import Results, most_aligned, spans

_MEANING = {
    "U": "higher in early and late layers than in the middle",
    "cap": "lower in early and late layers than in the middle",
    "falling": "high early, low late",
    "rising": "low early, high late",
    "flat": "early and late layers not told from the middle",
    "unclear": "only one of early and late told from the middle",
}


def overview(results: Results) -> str:
    """Shape of divergence over depth for each corpus of a model: how many languages have which, and the mean."""
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
    return "\n".join(lines)


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
