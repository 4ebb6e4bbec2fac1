"""Distances between languages that others recorded: families under several nulls, script against language, depth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from polyroute.ground.layers import ZONES
from polyroute.ground.paths import Paths
from polyroute.report import words
from polyroute.report.words import NONE
from polyroute.results.distances import OfReading, RecordedDistances
from polyroute.results.similarity import Relatedness

READ = {"topk_count": "choices", "soft_mass": "softmax"}


def gather(paths: Paths, names: Sequence[str]) -> dict[str, RecordedDistances]:
    """Name in params.yaml -> what the stage `distances` found, of those that it has run for."""
    folders = {name: paths.metrics(name) for name in names}
    return {name: RecordedDistances.read(folder) for name, folder in folders.items() if folder.exists()}


def distances_table(found: dict[str, RecordedDistances]) -> str:
    """A row a model and reading, in bits.

    Families leave the pivot out. p: labels of languages exchanged; p within script: among languages of one script; p of
    other scripts: pairs of one script left out. The interval leaves out one language at a time.
    """
    columns = [
        "model", "read by", "within / across families", "p", "p within script", "p, other scripts", "gap [95%]",
        "Hindi-Urdu / Hindi-others", "tree", "from the pivot: early, middle, late", "hard against soft",
    ]  # fmt: skip
    rows = []
    for held in found.values():
        for reading, of in held.readings.items():
            agree = f"rho {words.coefficient(held.hard_against_soft.rho)}" if reading == "topk_count" else NONE
            ratio = NONE if of.pair_ratio is None else words.coefficient(of.pair_ratio)
            rows.append([held.model, READ[reading], *_families(of.families), ratio, _tree(of), _depth(of), agree])
    return words.markdown(columns, rows)


def lines(found: Mapping[str, RecordedDistances]) -> str:
    """For a terminal: a line a model, whether relatives are routed alike and how distance runs over depth.

    By the experts chosen, where these were recorded.
    """
    told = []
    for name, held in found.items():
        of = held.readings.get("topk_count") or next(iter(held.readings.values()))
        parts = []
        if of.families is not None and of.families.p is not None and of.families.across > 0:
            nearer = of.families.gap / of.families.across
            parts.append(f"relatives {nearer:.0%} nearer (p {words.chance(of.families.p)})")
        parts.append(f"distance from {words.named(held.pivot)} over depth: {of.from_pivot.shape or 'no verdict'}")
        told.append(f"{name}: {', '.join(parts)}")
    return "\n".join(told)


def _families(of: Relatedness | None) -> list[str]:
    if of is None:
        return [NONE] * 5
    script = f"not testable ({of.within_script_relabellings} orders)"
    if of.within_script_p is not None:
        script = words.chance(of.within_script_p)
    bounds = "" if of.low is None or of.high is None else f" [{of.low:.4f}, {of.high:.4f}]"
    return [
        words.coefficient(of.ratio), NONE if of.p is None else words.chance(of.p), script,
        NONE if of.other_script_p is None else words.chance(of.other_script_p), f"{of.gap:.4f}{bounds}",
    ]  # fmt: skip


def _tree(of: OfReading) -> str:
    """The label with the smallest p."""
    tested = {label: one for label, one in of.labels.items() if one.rand is not None and one.p is not None}
    if not tested:
        return NONE
    label, one = min(tested.items(), key=lambda row: row[1].p or 0.0)
    return f"{label}: Rand {words.coefficient(one.rand or 0.0)}, p {words.chance(one.p or 0.0)}"


def _depth(of: OfReading) -> str:
    means = ", ".join(f"{value:.3f}" for value in (of.from_pivot.zones[zone] for zone in ZONES))
    return f"{means}: {of.from_pivot.shape or 'no verdict'}"
