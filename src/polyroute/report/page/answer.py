"""The question, and its answer in two sentences that are made from the board's verdicts: real models first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from polyroute.report import words, worst
from polyroute.report.page.html import Markup, joined, table, tag
from polyroute.report.page.study import Study
from polyroute.report.topics import SHORT, Topic, by_topic
from polyroute.report.words import NONE
from polyroute.results.claims import Code

QUESTION = "Do mixture-of-experts models route languages apart, where, and does it matter for their answers?"


def answer(study: Study) -> list[str]:
    """At most two sentences: what real models show, and what the small trained ones do."""
    real = [model for model in study.verdicts if study.about(model).kind == "real"]
    trained = [model for model in study.verdicts if study.about(model).kind == "pocket"]
    return [
        *([_real(study, real)] if real else ["No claim has been asked of a real model yet."]),
        *([_trained(study, trained)] if trained else []),
    ]


def numbers(study: Study) -> Markup:
    """Of each model, divergence over depth, and which languages fare worst; models of one text, the first of each."""
    pivot = words.named(study.settings.pivot)
    rows = []
    for model, found in study.models.items():
        corpus, held = next(iter(found.alignment.corpora.items()))
        ends = worst.divergence(found, corpus)
        by_task = {task: worst.accuracy(found, task) for task in (found.accuracy.tasks if found.accuracy else ())}
        least = "; ".join(f"{task}: {one.worst}" for task, one in by_task.items() if one)
        zones = [f"{value:.2f}" for value in (held.mean.early, held.mean.middle, held.mean.late)]
        rows.append([study.title(model), *zones, ends.worst if ends else NONE, ends.best if ends else NONE,
                     least or NONE])  # fmt: skip
    head = ("model", "D, first layers", "D, middle", "D, last layers", f"least like {pivot}, middle",
            f"most like {pivot}", "least accurate")  # fmt: skip
    note = f"D: divergence of routing from {pivot}, mean over languages; 0: the same routing, 1: no expert in common."
    return joined([table(head, rows, class_="numbers"), tag("p", note, class_="note")])


def leads(study: Study) -> dict[Topic, str]:
    """Topic -> the claim that speaks for it."""
    return {topic: ids[0] for topic, ids in by_topic(study.claims.by_id).items() if topic.short and ids}


def _real(study: Study, models: Sequence[str]) -> str:
    """What any claim comes to over real models; a topic's lead claim stands by its short name."""
    codes: dict[str, set[Code]] = {}
    for model in models:
        for claim, verdict in study.verdicts[model].claims.items():
            codes.setdefault(claim, set()).add(verdict.code)
    shorts = {claim: topic.short for topic, claim in leads(study).items()}
    held = [claim for claim, of in codes.items() if "replicated" in of and "not_replicated" not in of]
    failed = [claim for claim, of in codes.items() if "not_replicated" in of and "replicated" not in of]
    mixed = [claim for claim, of in codes.items() if {"replicated", "not_replicated"} <= of]
    open_ = [
        claim for claim, of in codes.items() if of <= {"inconclusive", "cannot_be_tested"} and "inconclusive" in of
    ]
    untested = sum(of == {"cannot_be_tested"} for of in codes.values())
    parts = [
        f"{_count(claims)} {verb} ({_listed(_short(study, shorts, claim) for claim in claims)})"
        for claims, verb in (
            (held, _be(held, "replicated")), (failed, _be(failed, "not replicated")),
            (mixed, "differ between models"), (open_, _be(open_, "inconclusive")),
        ) if claims
    ]  # fmt: skip
    names = _listed(study.title(model) for model in models)
    depths = [said for model in models if model in study.models and (said := _depth(study, model))]
    rest = f"; {untested} more need{'s' * (untested == 1)} answers or text that these data lack" if untested else ""
    told = f"{', '.join(parts) or 'no claim can be decided'}{rest}."
    if len(models) == 1 and depths:
        return f"{depths[0]}; {told}"
    return f"{''.join(f'{one}. ' for one in depths)}In {names}, {told}"


def _depth(study: Study, model: str) -> str:
    """Divergence over depth of a model, in numbers."""
    found = study.models[model]
    held = next(iter(found.alignment.corpora.values()), None)
    if held is None:
        return ""
    pivot, mean = words.named(found.pivot), held.mean
    return (
        f"Routing in {study.title(model)} diverges from {pivot} by {mean.early:.2f} in the first layers, "
        f"{mean.middle:.2f} in the middle and {mean.late:.2f} in the last (0: the same experts, 1: none in common)"
    )


def _trained(study: Study, models: Sequence[str]) -> str:
    """What the lead claims come to in most of the small models that learnt something."""
    most: dict[str, list[str]] = {"replicated": [], "not_replicated": [], "open": []}
    for topic, claim in leads(study).items():
        codes = [one.claims[claim].code for model in models if claim in (one := study.verdicts[model]).claims]
        asked = [code for code in codes if code != "cannot_be_tested"]
        if not asked:
            continue
        kind = next((code for code in ("replicated", "not_replicated") if 2 * asked.count(code) > len(asked)), "open")
        most[kind].append(topic.short)
    single = len(models) == 1
    verbs = {
        "replicated": "replicates" if single else "replicate",
        "not_replicated": "does not replicate" if single else "do not replicate",
    }
    told = [f"{verb} {_listed(most[kind])}" for kind, verb in verbs.items() if most[kind]]
    who = "The small model" if single else f"Most of the {len(models)} small models"
    rest = f"; inconclusive{'' if single else ' or divided'}: {_listed(most['open'])}" if most["open"] else ""
    decided = " and ".join(told) if told else "can decide no leading claim"
    return f"{who} trained here, whose training is known, {decided}{rest}."


def _short(study: Study, shorts: dict[str, str], claim: str) -> str:
    if claim in shorts or claim in SHORT:
        return shorts.get(claim) or SHORT[claim]
    if claim not in study.claims.by_id:
        return claim
    statement = study.claims.by_id[claim].statement.rstrip(".")
    return f"“{statement}”"


def _be(claims: Sequence[str], verb: str) -> str:
    return f"{'is' if len(claims) == 1 else 'are'} {verb}"


def _count(claims: Sequence[str]) -> str:
    return f"{len(claims)} claim{'s' if len(claims) != 1 else ''}"


def _listed(parts: Iterable[str]) -> str:
    every = list(parts)
    return every[0] if len(every) == 1 else f"{', '.join(every[:-1])} and {every[-1]}" if every else "none"
