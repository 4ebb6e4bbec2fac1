"""What a comparison of two checkpoints says in words: the answer first, then what it rests on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from polyroute.comparing.answers import OTHERS, records
from polyroute.comparing.change import Change
from polyroute.comparing.compare import Comparison
from polyroute.comparing.kept import Kept
from polyroute.ground.layers import ZONES

SHOWN = 40
"""Languages that are listed."""
_TEXT = 24
"""Width of the column that names texts."""
_COLUMNS = (("one", 6), ("other", 6), ("both", 6), ("Jaccard", 7), ("chance", 6), ("p", 6), ("halves", 6))
"""Of the table of sets, and their widths."""
_WAY = {1: "farther from", -1: "nearer to"}


def answer(found: Comparison) -> str:
    """Three sentences at most: where routing moved, what became of the experts, and of the answers."""
    return " ".join([routing(found), _experts(found), *_answers(found)])


def routing(found: Comparison) -> str:
    """Where languages are routed nearer to the pivot or farther from it, in a sentence."""
    moved = {zone: found.mean[zone] for zone in ZONES if found.mean[zone].sign}
    if not moved:
        if found.mean["middle"].sign is None:
            bare = ", ".join(f"{zone} {_of(found.mean[zone])}" for zone in ZONES)
            return f"Mean D from {found.pivot}, {found.one} -> {found.other}, without an interval: {bare}."
        return (
            f"{found.other} routes languages about as far from {found.pivot} as {found.one}: the mean D of no zone "
            "differs distinguishably."
        )
    told = [
        f"{_WAY[change.sign or 0]} {found.pivot} in the {zone} zone (D {_of(change)}, {_by(change)})"
        for zone, change in moved.items()
    ]
    still = [zone for zone in ZONES if zone not in moved]
    rest = f"; no distinguishable change in the {' and '.join(still)} zone{'s' if len(still) > 1 else ''}"
    return f"{found.other} routes languages {'; '.join(told)}{rest if still else ''}."


def _experts(found: Comparison) -> str:
    own = [one for one in found.sets if one.kind == "specialised" and one.jaccard is not None]
    if not own:
        return f"Neither has an expert with Delta above {found.tau:g} in any text."
    both, either = sum(one.both for one in own), sum(one.one + one.other - one.both for one in own)
    kept, before = both, sum(one.one for one in own)
    itself = [one.itself for one in own if one.itself is not None]
    beside = f", {sum(itself) / len(itself):.2f} between halves of {found.one}'s own sentences" if itself else ""
    expected = [one.expected for one in own if one.expected is not None]
    chance = f", {sum(expected) / len(expected):.2f} by chance" if expected else ""
    gained = sum(one.other for one in own) - kept
    return (
        f"Of {before} specialised experts of {len(own)} texts it keeps {kept} and gains {gained} "
        f"(Jaccard {both / either:.2f}{chance}{beside})."
    )


def _answers(found: Comparison) -> Iterator[str]:
    for task in found.accuracy:
        for row in records(task):
            if row["group"] == OTHERS:
                share = f"{row['base']:.0%} -> {row['edited']:.0%}"
                yield f"{task.task}: {share} outside {found.pivot} ({_points(row)} points)."


def details(found: Comparison) -> str:
    """What the answer rests on."""
    return "\n".join(_lines(found))


def _lines(found: Comparison) -> Iterator[str]:
    zones = ", ".join(f"{zone} {first}-{last}" for zone, (first, last) in found.zones.items())
    text = "counts of the whole corpus" if found.sentences is None else f"{found.sentences} sentences"
    yield f"{found.corpus}: {text}, {len(found.languages)} languages beside {found.pivot}; layers: {zones}"
    yield f"D by {found.reading}; difference with its {found.confidence:.0%} interval over sentences, paired"
    yield ""
    width = max(len(name) for name in [*found.languages, "mean"])
    yield f"{'':{width}}  " + "  ".join(f"{zone:40}" for zone in ZONES).rstrip()
    kept = found.most_changed(SHOWN)
    for name, rows in [*((name, found.languages[name]) for name in kept), ("mean", found.mean)]:
        cells = (f"{_of(rows[zone])}  {_by(rows[zone])}" for zone in ZONES)
        yield (f"{name:{width}}  " + "  ".join(f"{cell:40}" for cell in cells)).rstrip()
    if found.mean["middle"].low_languages is not None:
        cells = (_bounds(found.mean[zone], languages=True) for zone in ZONES)
        yield (f"{'':{width}}  " + "  ".join(f"over languages         {cell:17}" for cell in cells)).rstrip()
    if len(kept) < len(found.languages):
        yield f"the {len(kept)} of {len(found.languages)} languages that change most in the middle; all with --json"
    for zone in ZONES:
        signs = [rows[zone].sign for rows in found.languages.values()]
        if None not in signs:
            yield (
                f"{zone}: {signs.count(-1)} languages nearer, {signs.count(1)} farther, of {len(signs)}; about "
                f"{(1 - found.confidence) * len(signs):.1f} would differ by chance"
            )
    yield ""
    yield f"experts (specialised: Delta above {found.tau:g}; most used: {found.top_k} a layer)"
    head = "  ".join(f"{name:>{room}}" for name, room in _COLUMNS)
    yield f"{'text':{_TEXT}}  {'kind':11}  {head}"
    for kind in ("most used", "specialised"):
        of_languages = [one for one in found.sets if one.kind == kind and one.text in found.languages]
        yield _set(f"{len(of_languages)} languages, mean", kind, of_languages)
        for one in found.sets:
            if one.kind == kind and one.text not in found.languages:
                yield _set(one.text, kind, [one])
    yield "chance: the other's experts drawn at random; halves: the one's own sets from two halves of its sentences"
    for task in found.accuracy:
        yield ""
        yield f"accuracy on {task.task}, {found.one} -> {found.other}, paired by item"
        for row in records(task):
            q = "" if row["q"] is None else f"  q {row['q']:.3f}"
            share = f"{row['base']:.1%} -> {row['edited']:.1%}"
            yield f"{row['group']:{width}}  {share}  {_points(row)} points, {row['items']:.0f} items{q}"
    if found.not_compared or found.notes or found.tokens_differ:
        yield ""
    for what, why in found.not_compared.items():
        yield f"not compared: {what}: {why}"
    if found.tokens_differ:
        yield (
            f"sentences have another number of tokens in {', '.join(found.tokens_differ)}: the tokenizer differs, and "
            "D with it"
        )
    yield from (f"note: {note}" for note in found.notes)


def _set(text: str, kind: str, sets: list[Kept]) -> str:
    """One set, or the mean of several; p of one alone."""
    cells = []
    for (_, room), part in zip(_COLUMNS, ("one", "other", "both", "jaccard", "expected", "p", "itself"), strict=True):
        known = [value for one in sets if (value := getattr(one, part)) is not None]
        counted = part in ("one", "other", "both")
        if not known or (part == "p" and len(sets) > 1):
            cells.append(f"{'–':>{room}}")
        elif part == "p" and known[0] < 1e-4:
            cells.append(f"{'<.0001':>{room}}")
        else:
            digits = 4 if part == "p" else (1 if len(sets) > 1 else 0) if counted else 2
            cells.append(f"{sum(known) / len(known):>{room}.{digits}f}")
    return f"{text:{_TEXT}}  {kind:11}  {'  '.join(cells)}"


def _points(row: dict[str, Any]) -> str:
    return "{:+.1f} [{:+.1f}, {:+.1f}]".format(*(100 * row[name] for name in ("difference", "low", "high")))


def _of(change: Change) -> str:
    return f"{change.one:.3f} -> {change.other:.3f}"


def _by(change: Change) -> str:
    return f"{change.difference:+.3f} {_bounds(change)}".rstrip()


def _bounds(change: Change, *, languages: bool = False) -> str:
    low, high = (change.low_languages, change.high_languages) if languages else (change.low, change.high)
    return "" if low is None or high is None else f"[{low:+.3f}, {high:+.3f}]"
