"""The small report beside a plan: what it gains and costs, how it was chosen, how it is applied."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from polyroute.planning.make import Made


def report(made: Made, file: Path) -> str:
    """Markdown.

    Args:
        made: the plan.
        file: of the plan.
    """
    return "\n".join(_lines(made, file)) + "\n"


def _lines(made: Made, file: Path) -> Iterator[str]:
    plan = made.plan
    verdict = plan.verdict
    assert verdict is not None, "it was checked"
    yield f"# {verdict.task} in {', '.join(verdict.languages)}, {plan.model}"
    for sentence in str(plan).splitlines():
        yield from ("", sentence)
    yield from ("", "## By language", "", "| language | without | with | points | 95% interval | items |")
    yield "|---|--:|--:|--:|---|--:|"
    for code, gain in verdict.by_language.items():
        lead = f"**{code}**" if code in verdict.languages else code
        yield (
            f"| {lead} | {gain.base:.1%} | {gain.steered:.1%} | {100 * gain.difference:+.1f} | "
            f"{100 * gain.low:+.1f} to {100 * gain.high:+.1f} | {gain.items} |"
        )
    yield from ("", f"In bold: what the plan is for. Each interval alone covers 95%; of {len(verdict.by_language)}")
    yield "languages about one in twenty would differ by chance."
    yield from ("", "## How it was chosen", "")
    first, last = made.middle.layers
    known = {"trough": "where languages are routed most alike", "params": "as was asked for"}
    why = known.get(made.middle.rule, "the default share of depth: no trough in divergence")
    yield f"Layers {first} to {last}, {why}."
    halves = " and ".join(dict.fromkeys(made.by_half.values()))
    yield f"Asked on either half of the items: {halves}, the best on the other half."
    yield from ("", "| candidate | accuracy on all items |", "|---|--:|")
    for name, score in sorted(made.candidates.items(), key=lambda one: -one[1]):
        lead = f"**{name}**" if name == plan.source["condition"] else name
        yield f"| {lead} | {score:.1%} |"
    yield from ("", "The best of several looks better here than it is; what it gains is said above.")
    if made.left_out:
        yield from ("", "Left out:", "", *(f"- {one}" for one in made.left_out))
    load = f'plan = polyroute.Plan.load("{file.as_posix()}")'
    lines = ("import polyroute", "", load, "with polyroute.steer(model, plan):", "    model.generate(**batch)")
    yield from ("", "## Applying it", "", "```python", *lines, "```")
