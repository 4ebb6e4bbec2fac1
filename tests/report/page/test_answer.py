"""The answer is made of verdicts, real models first."""

import html
import re

from polyroute.report.page import answer, board
from polyroute.report.page.study import Study
from polyroute.report.topics import OTHER, TOPICS, by_topic
from polyroute.results.claims import ClaimsSummary, Held


def judged(study: Study, codes: dict[str, dict[str, str]]) -> Study:
    """The study, with verdicts on some claims changed and no others."""
    from dataclasses import replace

    one = study.verdicts["tiny"]
    verdicts = {
        model: ClaimsSummary(
            model=model, claims={name: one.claims[name].model_copy(update={"code": code}) for name, code in of.items()}
        )
        for model, of in codes.items()
    }
    return replace(study, verdicts=verdicts)


def test_real_models_come_first_and_the_answer_follows_the_verdicts(study: Study) -> None:
    real = {"p1.u_shape": "replicated", "p2.families": "not_replicated", "p1.correlation": "cannot_be_tested"}
    first, second = answer.answer(judged(study, {"counts": real, "tiny": {"p1.u_shape": "not_replicated"}}))
    depth, told = first.split("; ", 1)
    assert re.sub(r"0\.\d\d", "x", depth) == (
        "Routing in Real-30B diverges from English by x in the first layers, x in the middle and x in the last (0: the "
        "same experts, 1: none in common)"
    )
    assert told == (
        "1 claim is replicated (a U over depth), 1 claim is not replicated (relatives routed alike); 1 more needs "
        "answers or text that these data lack."
    )
    assert second == "The small model trained here, whose training is known, does not replicate a U over depth."
    turned, _ = answer.answer(judged(study, {"counts": real | {"p1.u_shape": "not_replicated"}, "tiny": {}}))
    assert "2 claims are not replicated (a U over depth and relatives routed alike)" in turned


def test_without_a_real_model_it_says_so(study: Study) -> None:
    first, _ = answer.answer(judged(study, {"tiny": {"p1.u_shape": "replicated"}}))
    assert first == "No claim has been asked of a real model yet."


def test_numbers_name_the_languages_that_fare_worst(study: Study) -> None:
    said = answer.numbers(study)
    assert "least like English, middle" in said
    assert said.count('data-column="D, middle"') == len(study.models), "on a phone each number has its name beside it"
    for model in study.models:
        assert study.title(model) in said


def test_every_claim_is_on_the_board_once_and_a_new_one_is_not_lost(study: Study) -> None:
    ids = [name for of in by_topic(study.claims.by_id).values() for name in of]
    assert sorted(ids) == sorted(study.claims.by_id)
    assert by_topic([*study.claims.by_id, "own.new"])[OTHER][-1:] == ["own.new"]


def test_the_board_has_about_ten_lines_and_tells_verdicts_by_shape(study: Study) -> None:
    text = board.board(study)
    assert text.count("<summary") == len(TOPICS) == 10
    assert len(set(board.GLYPHS.values())) == 4
    for name in study.claims.by_id:
        assert f'id="claim-{name}"' in text


def test_a_section_names_what_decides_a_verdict_and_what_its_quantities_are(study: Study) -> None:
    found = judged(study, {"tiny": {"p1.u_shape": "not_replicated"}, "counts": {"p1.u_shape": "inconclusive"}})
    verdict = found.verdicts["tiny"].claims["p1.u_shape"]
    verdict = verdict.model_copy(
        update={
            "values": verdict.values | {"share_u": 0.5, "em.low": -0.01},
            "replicated_if": [Held(condition="em.low > 0", holds=False), Held(condition="lm.low > 0", holds=True)],
            "not_replicated_if": [
                Held(condition="share_u < 0.8", holds=True),
                Held(condition="em.high < 0", holds=None),
            ],
        }
    )
    opened = verdict.model_copy(update={"code": "inconclusive"})
    found.verdicts["tiny"].claims["p1.u_shape"] = verdict
    found.verdicts["counts"].claims["p1.u_shape"] = opened
    text = html.unescape(board.of_topic(found, ["p1.u_shape"]))
    assert "; refuted by: share_u < 0.8 (share_u 0.5)" in text
    assert "; not met: em.low > 0 (em.low -0.01)" in text
    assert "em.high <" not in text
    for name, what in found.claims.by_id["p1.u_shape"].quantity.items():
        assert f"<li><code>{name}</code>: {what}</li>" in text


def test_a_lead_of_several_models_shows_the_one_that_could_be_tested(study: Study) -> None:
    gains = {"p1.gain.qwen3.mgsm": "cannot_be_tested", "p1.gain.phi.mgsm": "replicated"}
    found = judged(study, {"counts": gains, "tiny": {"p1.gain.qwen3.mgsm": "cannot_be_tested"}})
    line = board.board(found).split('data-topic="steering"')[1].split("</summary>")[0]
    assert [code for code in line.split('class="mark ')[1:] if code.startswith("replicated")][:1] != []
    assert line.count("cannot_be_tested") == 1
