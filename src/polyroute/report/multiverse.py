"""Multiverses in words: every claim of a model in a line, and all that is known of one claim."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from polyroute.claims.claim import Claim, Claims
from polyroute.report.claims import WIDTH, WORDS, missing
from polyroute.report.words import NONE
from polyroute.results.multiverse import (
    ChoiceName,
    ChoiceShare,
    ClaimMultiverse,
    Elsewhere,
    ElsewhereName,
    MultiverseSummary,
    Single,
)

CHOICES: dict[ChoiceName, str] = {
    "reading": "reading of the router", "averaging": "averaging", "distance": "distance", "zones": "layer zones",
    "numbering": "numbering of the middle", "languages": "languages", "unit": "unit of the interval",
    "pivot": "pivot language", "correlation": "correlation", "score": "score behind r", "domain_text": "domain texts",
    "floor": "floor of generic text", "tau": "tau", "rule": "rule of multilingual experts",
    "expert_layers": "layers of experts", "k": "k", "thr": "thr", "amount": "what is counted",
    "resource": "measure of resource", "linkage": "linkage of the tree",
}  # fmt: skip
"""Choice -> its name in reports."""
_LEVELS = {
    "sequences": "each sentence alike", "pooled": "each token alike", "divergence": "D", "jsd": "JSD",
    "study": "the study's", "rise": "RISE's", "published": "paper 1's", "as_is": "as it is",
    "last_excluded": "without the last layer", "one_later": "one layer later", "one_earlier": "one layer earlier",
    "above_chance": "answered above chance", "three_sd": "above 3 SD", "weighted_mean": "weighted mean above 3 SD",
    "any": "any above tau", "use": "share of choices", "experts": "number of experts", "text_share": "text share",
    "class": "resource class", "tokens": "tokens a text",
}  # fmt: skip
ELSEWHERE: dict[ElsewhereName, str] = {
    "chat": "text in the model's chat template, or plain", "counted": "which tokens count",
    "generic_text": "generic text: passages or sentences", "checkpoint": "checkpoint", "languages": "more languages",
    "task_text": "roles of the task's text", "medinstruct_input": "the medical instruction's input, joined or dropped",
    "reading": "readings that need the router's logits", "first_tokens": "the first tokens of each sentence alone",
    "accuracy": "accuracy with a chat template, or of written letters", "corpus": "text that experts are counted on",
    "random_init": "random initialisations under each choice",
}  # fmt: skip
"""Open choice that takes another run -> its name in reports."""
SINGLE: dict[Single, str] = {
    "needs_answers": "answers: every other choice means asking the model again.",
    "not_recomputed": "quantities that are not recomputed over choices.",
    "no_data": "data that this model lacks.",
}
"""What claims without a multiverse rest on."""


def board(claims: Claims, found: Mapping[str, MultiverseSummary]) -> str:
    """Every claim that has a multiverse, model by model, and why others have none."""
    lines: list[str] = []
    for model, summary in found.items():
        head = f"{'claim':30}{'cells':>6}{'replicated':>12}{'known hold':>12}{'same sign':>11}"
        lines += [model, f"  {head}  moved most by"]
        for name, one in summary.claims.items():
            shares = f"{one.replicated:>12.0%}{one.all_known_hold:>12.0%}{_percent(one.same_sign):>11}"
            lines.append(f"  {name:30}{one.cells:>6}{shares}  {_most(one)}")
        for why in SINGLE:
            names = [name for name, code in summary.single.items() if code == why and name in claims.by_id]
            if names:
                lines += _wrapped(f"  {len(names)} more with one verdict, resting on {SINGLE[why]}")
        lines.append("")
    lines.append("replicated: share of cells; known hold: cells whose conditions all hold, as far as they are known")
    return "\n".join(lines)


def details(claim: Claim, found: Mapping[str, MultiverseSummary]) -> str:
    """One claim over all its cells, model by model."""
    lines = _wrapped(f"{claim.id}: {claim.statement}")
    for model, summary in found.items():
        lines += ["", model]
        one = summary.claims.get(claim.id)
        if one is None:
            lines += _wrapped(f"  one verdict, resting on {SINGLE[summary.single.get(claim.id, 'not_recomputed')]}")
        else:
            lines += _of_model(claim, one)
    return "\n".join(lines)


def as_data(found: Mapping[str, MultiverseSummary], claim: Claim | None) -> dict[str, Any]:
    """The same for machines, model by model."""
    if claim is None:
        return {model: summary.model_dump(mode="json") for model, summary in found.items()}
    return {
        model: summary.claims[claim.id].model_dump(mode="json")
        if claim.id in summary.claims
        else {"single": summary.single.get(claim.id, "not_recomputed")}
        for model, summary in found.items()
    }


def level(choice: ChoiceName, name: str) -> str:
    """A level in words."""
    if choice == "domain_text":
        return {"pooled": "pooled", "pairs": "arbitrary pairs"}[name]
    return _LEVELS.get(name, name)


def in_unit(one: ClaimMultiverse, rows: pd.DataFrame) -> pd.DataFrame:
    """Cells whose effect has the unit of the study's own, by effect."""
    own = next((choice.levels[0] for choice in one.choices if choice.choice == "distance"), None)
    if one.in_unit < len(rows) and own is not None:
        rows = rows[rows["distance"] == own]
    return rows.sort_values(["effect", "cell"], ignore_index=True)


def _of_model(claim: Claim, one: ClaimMultiverse) -> Iterator[str]:
    counts = ", ".join(f"{count} {WORDS[code]}" for code, count in one.verdicts.items())
    yield from _wrapped(f"  {one.cells} cells: {counts}")
    yield from _wrapped(
        f"  every known condition holds in {one.all_known_hold:.0%}; the effect has the sign of the study's "
        f"own in {_percent(one.same_sign)}"
    )
    if one.effect is not None and one.lowest is not None and one.highest is not None:
        yield from _wrapped(
            f"  {claim.effect}: {one.effect:.4g} in the study's own cell ({WORDS[one.base]}), {one.lowest:.4g} to "
            f"{one.highest:.4g} over {one.in_unit} cells{'' if one.in_unit == one.cells else ' of its unit'}"
        )
    yield "  share of variance between levels (first order):     effect   conditions that hold"
    for choice in one.choices:
        if len(choice.levels) > 1:
            levels = ", ".join(level(choice.choice, name) for name in choice.levels)
            shares = f"{_percent(choice.effect):>8}{_percent(choice.holding):>9}"
            text = f"{CHOICES[choice.choice]}: {levels}"
            first, *rest = textwrap.wrap(text, 48)
            yield f"    {first:48}{shares}"
            yield from (f"      {line}" for line in rest)
    for flip in one.flips:
        name, verdict = level(flip.choice, flip.level), WORDS[flip.verdict]
        yield from _wrapped(f"  alone, {CHOICES[flip.choice]} = {name} makes it {verdict}")
    if not one.flips:
        yield f"  no single choice changes the study's own verdict ({WORDS[one.base]})"
    for quantity, why in one.unknown.items():
        yield from _wrapped(f"  unknown in some cells: {quantity}: {missing(why)}")
    yield from _wrapped("  takes another run: " + "; ".join(map(_elsewhere, one.elsewhere)))


def _elsewhere(one: Elsewhere) -> str:
    here = f" (here {one.here})" if one.here else ""
    return f"{ELSEWHERE[one.choice]}{here}, by `{one.stage}`"


def _most(one: ClaimMultiverse) -> str:
    first: ChoiceShare = one.choices[0]
    return NONE if first.effect is None else f"{CHOICES[first.choice]} ({first.effect:.0%})"


def _percent(share: float | None) -> str:
    return NONE if share is None else f"{share:.0%}"


def _wrapped(line: str) -> list[str]:
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    return textwrap.wrap(line, WIDTH, subsequent_indent=indent, break_on_hyphens=False)
