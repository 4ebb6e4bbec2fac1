"""The board: about ten lines, a question each, with the verdict on its lead claim in every model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from polyroute.report import words
from polyroute.report.claims import WORDS, decisive, missing, stand_in
from polyroute.report.page.html import Markup, joined, tag
from polyroute.report.page.study import Study
from polyroute.report.topics import OTHER, Topic, by_topic, lead, speaking
from polyroute.results.claims import ClaimVerdict, Code

GLYPHS: dict[Code, str] = {"replicated": "✓", "not_replicated": "✕", "inconclusive": "?", "cannot_be_tested": "·"}
"""Verdicts are told by shape as well as by colour."""


def board(study: Study) -> Markup:
    """The legend, the lines and how many claims come to what in each model."""
    models = list(study.verdicts)
    if not models:
        return tag("p", "No claim has been asked yet: run `polyroute study`.")
    head = tag(
        "div", tag("span", "Question", class_="question"),
        *(_model(study, model) for model in models),
        class_="line head",
    )  # fmt: skip
    lines = [_line(study, topic, ids, models) for topic, ids in by_topic(study.claims.by_id).items() if ids]
    return tag(
        "div", _legend(), tag("div", head, *lines, _counts(study, models), class_="lines",
                              style=f"--models: {len(models)}"),
        class_="board",
    )  # fmt: skip


def _model(study: Study, model: str) -> Markup:
    """The head of a model's column, which chooses the model for all figures."""
    kind = study.about(model).kind
    if model not in study.models:
        return tag("span", study.title(model), class_=f"model {kind}")
    return tag("button", study.title(model), type="button", data_choose=model, class_=f"model {kind}",
               title=f"{model}: show its figures")  # fmt: skip


def _legend() -> Markup:
    parts = [tag("span", mark(code), " ", WORDS[code]) for code in GLYPHS]
    return tag("p", *joined_by(parts, "   "), tag("span", "A line shows its lead claim; open it for the others."),
               class_="legend")  # fmt: skip


def joined_by(parts: Sequence[str], between: str) -> list[str]:
    """Parts with something between them and after the last."""
    return [piece for part in parts for piece in (part, between)]


def mark(code: Code | None, title: str = "") -> Markup:
    """A verdict as a sign; a blank where the claim was not asked."""
    if code is None:
        return tag("span", " ", class_="mark")
    return tag("span", GLYPHS[code], class_=f"mark {code}", role="img", aria_label=WORDS[code],
               title=title or WORDS[code])  # fmt: skip


def _line(study: Study, topic: Topic, ids: Sequence[str], models: Sequence[str]) -> Markup:
    leading = lead(topic, ids)
    told = study.claims.by_id[leading[0]].statement
    cells = [tag("span", mark(speaking(leading, study.verdicts[model])), class_="cell") for model in models]
    question = tag("span", tag("b", topic.question), class_="question", title=told if topic is not OTHER else None)
    rows = [
        tag(
            "div",
            tag("span", tag("code", claim), _locked(study, claim), " ", study.claims.by_id[claim].statement,
                class_="question"),
            *(tag("span", _cell(study, model, claim), class_="cell") for model in models),
            class_="line claim", id=f"claim-{claim}",
        )
        for claim in ids
    ]  # fmt: skip
    link = tag("p", tag("a", "Figures of this question", href=f"#{topic.name}"), class_="to")
    return tag("details", tag("summary", question, *cells, class_="line"), *rows, link, data_topic=topic.name)


def _cell(study: Study, model: str, claim: str) -> Markup:
    verdict = study.verdicts[model].claims.get(claim)
    return mark(None) if verdict is None else mark(verdict.code, f"{study.title(model)}: {told(study, claim, verdict)}")


def told(study: Study, claim: str, verdict: ClaimVerdict) -> str:
    """A verdict with its effect and what decides it in a line."""
    held = study.claims.by_id.get(claim)
    name = "effect" if held is None else held.effect
    said = WORDS[verdict.code]
    if verdict.effect is not None:
        bounds = "" if verdict.low is None or verdict.high is None else f" [{verdict.low:.3g}, {verdict.high:.3g}]"
        said += f"; {name} {verdict.effect:.3g}{bounds}"
    if verdict.q is not None:
        said += f"; q {words.chance(verdict.q)}"
    if held is not None and (why := decisive(held, verdict)):
        said += f"; {'refuted by' if verdict.code == 'not_replicated' else 'not met'}: {', '.join(why)}"
    reasons = list(dict.fromkeys(map(missing, verdict.missing.values())))
    return said + (f"; unknown: {'; '.join(reasons[:2])}" if reasons else "")


def of_topic(study: Study, ids: Sequence[str]) -> Markup:
    """Every claim of a section, and in each model what it comes to and why."""
    parts = []
    for claim in ids:
        held = study.claims.by_id[claim]
        rows = [
            tag("li", mark(verdict.code), " ", tag("b", study.title(model)), f": {told(study, claim, verdict)}",
                *_stands(verdict))
            for model, one in study.verdicts.items()
            if (verdict := one.claims.get(claim)) is not None
        ]  # fmt: skip
        source = "our own" if held.paper == "own" else f"paper {held.paper}"
        parts.append(
            tag("div", tag("p", tag("code", claim), " ", held.statement, " ",
                           tag("small", f"({source}, {held.section})")),
                tag("p", f"Must beat: {held.null}. Replicated if all hold: {'; '.join(held.replicated_if)}.",
                    class_="note"),
                tag("details", tag("summary", "What these are", class_="note"),
                    tag("ul", *(tag("li", tag("code", name), f": {what}") for name, what in held.quantity.items()))),
                tag("ul", *rows), class_="verdicts")
        )  # fmt: skip
    count = f"{len(ids)} claim{'s' if len(ids) != 1 else ''}"
    return tag("details", tag("summary", f"{count} in every model, with numbers"), *parts)


def _stands(verdict: ClaimVerdict) -> list[str]:
    if not verdict.stand_ins:
        return []
    said = "; ".join(map(stand_in, verdict.stand_ins[:3]))
    return [" ", tag("small", f"Caveats: {said}", class_="note")]


def in_a_sentence(study: Study, claim: str) -> Markup:
    """The lead claim over all models: where it is replicated, where not, and where it is open."""
    of: dict[Code, list[str]] = {code: [] for code in GLYPHS}
    for model, one in study.verdicts.items():
        if claim in one.claims:
            of[one.claims[claim].code].append(study.title(model))
    parts = [tag("span", mark(code), f" {WORDS[code]}: {', '.join(names)}") for code, names in of.items() if names]
    return tag("p", *joined_by(parts, " "), class_="verdict") if parts else joined([])


def _locked(study: Study, claim: str) -> str:
    return {"locked": "", "changed": " (changed after the fact)", "not_locked": " (not locked)"}[
        study.claims.lock_of(study.claims.by_id[claim])
    ]


def _counts(study: Study, models: Sequence[str]) -> Markup:
    cells = []
    for model in models:
        counts = Counter(verdict.code for verdict in study.verdicts[model].claims.values())
        title = ", ".join(f"{counts[code]} {WORDS[code]}" for code in GLYPHS)
        said = "/".join(str(counts[code]) for code in GLYPHS)
        cells.append(tag("span", said, title=f"{study.title(model)}: {title}", class_="cell count"))
    label = tag("span", f"all claims: {' / '.join(WORDS[code] for code in GLYPHS)}", class_="question")
    return tag("div", label, *cells, class_="line counts")
