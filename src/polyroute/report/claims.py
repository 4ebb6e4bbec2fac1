"""The claims board: every claim by models, a line a claim; and all that is known of one claim."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping
from string import ascii_uppercase
from typing import Any, Literal

from polyroute.claims.claim import Claim, Claims
from polyroute.claims.verdict import over_models
from polyroute.report.topics import by_topic, lead, speaking
from polyroute.report.words import NONE
from polyroute.results.claims import ClaimsSummary, ClaimVerdict, Code, Held, Missing, StandIn

WIDTH = 100
"""Columns of a screen that the board fits in."""
MARKS: dict[Code, str] = {"replicated": "+", "not_replicated": "-", "inconclusive": "?", "cannot_be_tested": "."}
WORDS: dict[Code, str] = {
    "replicated": "replicated",
    "not_replicated": "not replicated",
    "inconclusive": "inconclusive",
    "cannot_be_tested": "cannot be tested",
}
_CHANGED, _NOT_LOCKED = "!", "*"
_SOURCES: dict[int | str, str] = {1: "Paper 1 (arXiv 2510.04694)", 2: "Paper 2 (arXiv 2601.14050)", "own": "Our own"}
_CERTAINTY = {
    "P": "stated by the paper", "N": "from a secondary note", "C": "from code or data", "I": "inferred",
    "?": "not known",
}  # fmt: skip
_MISSING: dict[str, str] = {
    "model": "asked of {what} alone, with the published setting",
    "stage": "the stage `{what}` has not run for this model",
    "task": "the model is not asked {what}",
    "language": "not measured in {what}",
    "few": "too little data: {what}",
    "new": "needs: {what}",
    "edits": "this model's routing is not edited: `interventions: false` in its entry (stage `{what}`)",
}
_STAND_INS: dict[str, str] = {
    "corpus": "text: {used} for {meant}",
    "task": "task: {used} for {meant}",
    "resource": "resource: {used} for {meant}",
    "plan": "steering: {used} for {meant}",
    "interval": "interval: {used}, which is no narrower than {meant}",
    "reading": "reading: {used} for {meant}",
    "families": "over families the shape is {used}, over languages {meant}",
    "setting": "without: {meant}",
    "hinge": "depends on one language: {meant} would come out differently without {used}",
    "budget": "tokens: {used} for {meant}",
}


def board(claims: Claims, found: Mapping[str, ClaimsSummary]) -> str:
    """Every claim, the legend first and counts last; no line is longer than `WIDTH`.

    Args:
        claims: as they are now.
        found: model -> its verdicts.
    """
    letters = dict(zip(found, ascii_uppercase, strict=False))
    legend = "  ".join(f"{mark} {WORDS[code]}" for code, mark in MARKS.items())
    lines = [
        legend,
        f"After a claim: {_CHANGED} changed after the fact, {_NOT_LOCKED} not locked",
        *_wrapped("Models: " + ", ".join(f"{letters[one]} {one}" for one in found)),
    ]
    width = max(map(len, claims.by_id)) + 1
    source = None
    for claim in claims.by_id.values():
        if claim.paper != source:
            source = claim.paper
            lines += ["", " ".join(letters.values()) + f"  {_SOURCES[source]}"]
        verdicts = [found[model].claims.get(claim.id) for model in found]
        marks = " ".join(" " if one is None else MARKS[one.code] for one in verdicts)
        name = claim.id + {"changed": _CHANGED, "not_locked": _NOT_LOCKED, "locked": ""}[claims.lock_of(claim)]
        lines.append(_cut(f"{marks}  {name.ljust(width)} {claim.statement}"))
    lines.append("")
    for model, one in found.items():
        counts = Counter(verdict.code for verdict in one.claims.values())
        lines.append(f"{letters[model]} {model}: " + ", ".join(f"{counts[code]} {WORDS[code]}" for code in MARKS))
    if stale := _stale(claims, found):
        lines.append(f"{stale} verdicts are on claims as they were: `dvc repro` brings them up to date")
    return "\n".join(lines)


def brief(claims: Claims, found: Mapping[str, ClaimsSummary]) -> str:
    """A line a question, with the verdict on the claim that speaks for it in every model.

    Args:
        claims: as they are now.
        found: model -> its verdicts.
    """
    letters = dict(zip(found, ascii_uppercase, strict=False))
    lines = ["  ".join(letters.values())]
    for topic, ids in by_topic(claims.by_id).items():
        if ids and topic.question:
            codes = [speaking(lead(topic, ids), one) for one in found.values()]
            marks = "  ".join(" " if code is None else MARKS[code] for code in codes)
            lines.append(_cut(f"{marks}  {topic.question}"))
    legend = ", ".join(f"{mark} {WORDS[code]}" for code, mark in MARKS.items())
    return "\n".join([*lines, *_wrapped(legend), *_wrapped(", ".join(f"{letters[one]} {one}" for one in found))])


def details(claims: Claims, claim: Claim, found: Mapping[str, ClaimsSummary]) -> str:
    """One claim: where it is from, what would bear it out or refute it, and what each model's results make of it."""
    lock = claims.locks.get(claim.id)
    state = claims.lock_of(claim)
    fixed = "" if lock is None else f" on {lock.fixed_on}" + (f", commit {lock.fixed_by}" if lock.fixed_by else "")
    lines = [
        *_wrapped(f"{claim.id}: {claim.statement}"),
        "",
        *_wrapped(f"Source: {_SOURCES[claim.paper]}, {claim.section}; made of {', '.join(claim.models)}"),
        *_wrapped(f"Unit: {claim.unit}"),
        *_wrapped(f"Must beat: {claim.null}"),
        {"locked": f"Fixed{fixed}", "changed": f"Changed after the fact; fixed{fixed}", "not_locked": "Not locked"}[
            state
        ],
    ]
    if claim.setting:
        lines += _wrapped("Setting: " + ", ".join(f"{key} {value}" for key, value in claim.setting.items()))
    for name, what in claim.quantity.items():
        lines += _wrapped(f"  {name}: {what}")
    for one in claim.published:
        lines += _wrapped(f"Published: {one.what}: {one.value} ({_CERTAINTY[one.certainty]})")
    lines += _wrapped("Power: " + "; ".join(_power(claim)))
    if claim.note:
        lines += _wrapped(f"Note: {claim.note}")
    codes: dict[str, Code] = {}
    for model, summary in found.items():
        if (verdict := summary.claims.get(claim.id)) is not None:
            codes[model] = verdict.code
            lines += ["", f"{MARKS[verdict.code]} {model}: {WORDS[verdict.code]}", *_of_model(claim, verdict)]
    if (whole := over_models(claim, codes)) is not None:
        lines += ["", f"Over the models that it is made of: {WORDS[whole]}"]
    return "\n".join(lines)


def as_data(claims: Claims, found: Mapping[str, ClaimsSummary], only: Claim | None = None) -> dict[str, Any]:
    """The same for machines: claim -> what it is, how it is locked, and its verdict by model."""
    chosen = claims.by_id.values() if only is None else [only]
    return {
        claim.id: claim.model_dump(mode="json", exclude={"id"}, exclude_none=True)
        | {
            "digest": claim.digest,
            "lock": claims.lock_of(claim),
            "verdicts": {
                model: summary.claims[claim.id].model_dump(mode="json")
                for model, summary in found.items()
                if claim.id in summary.claims
            },
        }
        for claim in chosen
    }


def _of_model(claim: Claim, verdict: ClaimVerdict) -> Iterator[str]:
    if verdict.effect is not None:
        yield from _wrapped("  " + "; ".join(_numbers(claim, verdict)))
    if verdict.alone != verdict.code:
        yield f"  {WORDS[verdict.alone]} alone, but not once the claims of the model are corrected together"
    yield "  all must hold:"
    yield from _conditions(claim, verdict, verdict.replicated_if)
    yield "  one refutes:"
    yield from _conditions(claim, verdict, verdict.not_replicated_if)
    for why in dict.fromkeys(map(missing, verdict.missing.values())):
        names = ", ".join(name for name, one in verdict.missing.items() if missing(one) == why)
        yield from _wrapped(f"  unknown: {names}: {why}")
    for one in verdict.stand_ins:
        yield from _wrapped(f"  {stand_in(one)}")
    if (at_hand := _at_hand(verdict)) is not None:
        yield from _wrapped(f"  {at_hand}")


def missing(why: Missing) -> str:
    """Why a quantity is unknown."""
    return _MISSING[why.kind].format(what=why.what)


def stand_in(one: StandIn) -> str:
    """What was used for what."""
    return _STAND_INS[one.kind].format(used=one.used, meant=one.meant)


def decisive(claim: Claim, verdict: ClaimVerdict) -> list[str]:
    """The conditions that decide a verdict other than the hoped-for one, with their values: met where they refute."""
    if verdict.code not in ("not_replicated", "inconclusive"):
        return []
    refuted = verdict.code == "not_replicated"
    of = [one for one in (verdict.not_replicated_if if refuted else verdict.replicated_if) if one.holds is refuted]
    return [f"{one.condition} ({', '.join(_known(claim, verdict, one))})" for one in of]


def _numbers(claim: Claim, verdict: ClaimVerdict) -> Iterator[str]:
    bounds = "" if verdict.low is None or verdict.high is None else f" [{verdict.low:.4g}, {verdict.high:.4g}]"
    wide = " (90%)" if bounds and f"{claim.effect}.low" not in verdict.values else ""
    yield f"{claim.effect} {verdict.effect:.4g}{bounds}{wide}"
    for words, value in (("p", verdict.p), ("q", verdict.q)):
        if value is not None:
            yield f"{words} {value:.4g}" if value > 0 else f"{words} below 0.0001"
    for words, value in (("null", verdict.null), ("published", verdict.published)):
        if value is not None:
            yield f"{words} {value:.4g}"
    if verdict.distance is not None:
        yield f"{verdict.distance:+.4g} from it"


def _conditions(claim: Claim, verdict: ClaimVerdict, conditions: list[Held]) -> Iterator[str]:
    for one in conditions:
        truth = {True: "yes", False: "no", None: "?"}[one.holds]
        yield from textwrap.wrap(
            f"{one.condition}   ({', '.join(_known(claim, verdict, one))})",
            WIDTH,
            initial_indent=f"    {truth:3} ",
            subsequent_indent=" " * 8,
        )


def _known(claim: Claim, verdict: ClaimVerdict, condition: Held) -> list[str]:
    """The quantities of a condition with their values."""
    parsed = next((one for one in (*claim.replicates, *claim.refutes) if one.text == condition.condition), None)
    return [] if parsed is None else [f"{symbol} {_value(verdict, symbol)}" for symbol in sorted(parsed.symbols)]


def _value(verdict: ClaimVerdict, symbol: str) -> str:
    value = verdict.values.get(symbol)
    return NONE if value is None else f"{value:.4g}"


def _at_hand(verdict: ClaimVerdict) -> str | None:
    """How many languages or items there are, and how many more it takes."""
    have: dict[Literal["languages", "items"] | None, int | None] = {
        "languages": verdict.languages, "items": verdict.items,
    }  # fmt: skip
    at_hand = have.get(verdict.needed_of)
    if verdict.needed is None or verdict.needed_of is None or at_hand is None:
        return None
    if verdict.could_see:
        return f"{at_hand} {verdict.needed_of} at hand: enough to see the published effect ({verdict.needed} needed)"
    more = verdict.needed - at_hand
    return f"{at_hand} {verdict.needed_of} at hand: {more} more to see the published effect 80% of the time"


def _power(claim: Claim) -> Iterator[str]:
    power = claim.power
    yield f"to see {power.effect}" + (f" within {power.margin}" if power.margin is not None else "")
    for unit in ("languages", "items", "experts", "draws"):
        if (number := getattr(power, unit)) is not None:
            yield f"{number} {unit} needed"
    if power.have is not None:
        yield f"{power.have} in the published study" + (
            f" (power {power.at_hand})" if power.at_hand is not None else ""
        )
    for words in (power.assumes, power.more):
        if words is not None:
            yield words


def _stale(claims: Claims, found: Mapping[str, ClaimsSummary]) -> int:
    return sum(
        name not in claims.by_id or claims.by_id[name].digest != verdict.digest
        for summary in found.values()
        for name, verdict in summary.claims.items()
    )


def _wrapped(line: str) -> list[str]:
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    return textwrap.wrap(line, WIDTH, subsequent_indent=indent, break_on_hyphens=False)


def _cut(line: str) -> str:
    return line if len(line) <= WIDTH else line[: WIDTH - 1].rstrip() + "…"
