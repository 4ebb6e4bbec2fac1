"""What a run's page says: the description, in Markdown, which MLflow shows above all metrics.

The page opens on the tab Overview, whatever a run holds, and shows the first 100 pixels of the description: hence the
answer and a link to the charts first. A link or image is written relative to the run, `charts` or the path of an
artifact, since only `store` knows where the run is; `linked` fills that in.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from urllib.parse import quote

from polyroute.ground.layers import ZONES
from polyroute.languages import table as languages
from polyroute.report import words
from polyroute.report.words import percent
from polyroute.results.alignment import CorpusAlignment, Depth
from polyroute.results.distances import RecordedDistances
from polyroute.results.model import ModelResults
from polyroute.results.quantities import DepthShape

_REPORT = "report/report.html"
_LONGEST = 4000
"""Characters; the strictest server takes 5,000, and links grow when they are filled in."""
_OVER_DEPTH: dict[DepthShape, str] = {
    "U": "is high in early and late layers and lower in between",
    "cap": "is low in early and late layers and higher in between",
    "falling": "falls from early to late layers",
    "rising": "rises from early to late layers",
    "flat": "does not change significantly over depth",
    "unclear": "differs from the middle in only one of early and late layers",
}


def of_model(found: ModelResults, artifacts: Collection[str]) -> str:
    """The description of a model's run.

    Args:
        found: what is known of it.
        artifacts: paths of files in the run; figures of divergence among them are shown, and the report is linked.
    """
    lines = []
    for corpus, held in found.alignment.corpora.items():
        over = held.over_languages
        counts = Counter(summary.shape for summary in held.languages.values())
        single = ", ".join(f"{shape} {count}" for shape, count in counts.most_common())
        lead = f"**{words.shape(over)}** over {over.languages} languages on {corpus}"
        lines.append(
            f"{lead}: {_divergence(found.pivot, over.shape, held.mean, 'means: ')}; single languages: {single}."
        )
    if found.accuracy is not None:
        shares = {task: held.others for task, held in found.accuracy.tasks.items()}
        lines += _accuracy(shares, " (mean of the languages but the pivot)")
    for corpus in found.alignment.corpora:
        figure = f"figures/divergence-{corpus}.svg"
        if figure in artifacts:
            lines.append(f"\n![Divergence by layer on {corpus}]({figure})")
    if _REPORT in artifacts:
        lines.append(f"\n[The report of the study]({_REPORT})")
    return _whole([*lines, *_tables(found)])


def of_distances(found: RecordedDistances) -> str:
    """The description of the run of a model of which distances between languages were recorded."""
    lines = []
    for reading, held in found.readings.items():
        zones = ", ".join(f"{zone} {bits:.4f}" for zone, bits in held.from_pivot.zones.items())
        shape = held.from_pivot.shape or "too few languages"
        pivot = languages.get(found.pivot).name
        lines.append(f"**{shape}**: distance from {pivot} by `{reading}` in bits, by zone: {zones}.\n")
    lines.append(f"Recorded by others on {found.corpus}: {found.source} ({found.licence}).")
    return _whole(lines)


def with_claims(note: str, verdicts: Mapping[str, str]) -> str:
    """A model's description with the board of claims at its end, as much of it as there is room for."""
    counts = Counter(verdicts.values())
    told = ", ".join(f"{count} {code.replace('_', ' ')}" for code, count in counts.most_common())
    rows = [f"| {name} | {code.replace('_', ' ')} |" for name, code in verdicts.items()]
    board = ["", f"Claims: {told} (`claims.json`)", "", "| claim | verdict |", "|---|---|", *rows]
    return _fitted("\n".join([note, *board]), "claims.json")


def of_language(found: ModelResults, code: str) -> str:
    """The description of the run of a model in one language."""
    language = languages.get(code).name
    lines = []
    if code == found.pivot:
        floor = any(held.split_half for held in found.alignment.corpora.values())
        own = "; its own curve is that between its sentences, the floor under the others" if floor else ""
        lines.append(f"**{language}: the pivot**, from which divergence of the other languages is measured{own}.")
    for corpus, held in found.alignment.corpora.items():
        if summary := held.languages.get(code):
            measured = f"{corpus} ({held.reading}, {_sentences(held)})"
            depth = _divergence(found.pivot, summary.shape, summary)
            lines.append(f"**{language}: {summary.shape}** on {measured}: {depth}.")
    if found.accuracy is not None:
        rows = found.accuracy.table[found.accuracy.table["language"] == code]
        lines += _accuracy(dict(zip(rows["task"], rows["accuracy"], strict=True)))
    return _whole(lines)


def linked(note: str, experiment: str, run_id: str) -> str:
    """The description with its links led to a run, from whatever address MLflow's page has."""
    charts = f"#/experiments/{experiment}/runs/{run_id}/model-metrics?workflowType=machine_learning"
    note = note.replace("](charts)", f"]({charts})")
    return re.sub(
        r"\]\(((?:figures|report)/[^)]+)\)",
        lambda link: f"](get-artifact?path={quote(link[1], safe='')}&run_uuid={run_id})",
        note,
    )


def _divergence(pivot: str, shape: DepthShape | None, depth: Depth, lead: str = "") -> str:
    zones = ", ".join(f"{zone} {getattr(depth, zone):.3f}" for zone in ZONES)
    told = "cannot be tested for a shape" if shape is None else _OVER_DEPTH[shape]
    return f"divergence from {languages.get(pivot).name} {told} ({lead}{zones})"


def _accuracy(shares: Mapping[str, float], of: str = "") -> Iterator[str]:
    if shares:
        yield f"\nAccuracy{of}: " + ", ".join(f"{task} {percent(share)}%" for task, share in shares.items())


def _sentences(held: CorpusAlignment) -> str:
    return f"{held.sentences} sentences" if held.sentences else "pooled counts"


def _tables(found: ModelResults) -> Iterator[str]:
    """Divergence in each zone, a table a corpus."""
    pivot = languages.get(found.pivot).name
    for corpus, held in found.alignment.corpora.items():
        yield from ("", f"Divergence from {pivot} on {corpus} ({held.reading}, {_sentences(held)})", "")
        yield from ("| language | early | middle | late | shape |", "|---|---|---|---|---|")
        for code, summary in held.languages.items():
            zones = " | ".join(f"{getattr(summary, zone):.3f}" for zone in ZONES)
            yield f"| {languages.get(code).name} | {zones} | {summary.shape} |"


def _whole(lines: Sequence[str]) -> str:
    """The lines, with a link to the charts in the first and as many of them as MLflow takes."""
    first, _, rest = "\n".join(lines).partition("\n")
    return _fitted(f"{first} [Charts by layer](charts)\n{rest}".strip(), "align.json")


def _fitted(text: str, rest: str) -> str:
    """As many whole lines as there is room for, and in which file the rest is."""
    if len(text) <= _LONGEST:
        return text
    return text[:_LONGEST].rpartition("\n")[0] + f"\n\nShortened; the rest is in `{rest}`."
