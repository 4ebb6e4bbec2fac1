"""Text that tells the task from the assistant's turn, in params.yaml."""

from typing import Any

import pytest

from polyroute.ground.frozen import ParamsError
from polyroute.params.file import parse
from polyroute.params.resolve import resolve
from tiny import raw_params

PUBLISHED, COUNTS, PLAIN = "qwen3-30b-a3b-published", "qwen3-30b-a3b-counts", "pocket-plain"


def shipped() -> dict[str, Any]:
    raw = raw_params()
    raw["study"]["models"] = [PUBLISHED, COUNTS, PLAIN]
    return raw


def resolved(raw: dict[str, Any]) -> dict[str, Any]:
    return resolve(parse(raw), {PUBLISHED: "b" * 40, PLAIN: "a" * 64})


def test_published_models_are_asked_under_their_published_settings() -> None:
    found = resolved(shipped())
    turns = found[f"{PUBLISHED}/turns"]
    assert (turns.not_asked, turns.generic, turns.resamples, turns.sets) == (None, "belebele", 999, 999)
    told = {task: (one.text, one.tau, one.layers) for task, one in turns.tasks.items()}
    assert told == {
        "published-mgsm": ("gsm8k-turns", 0.4, (7, 34)), "published-medical": ("medinstruct-turns", 0.5, (7, 34)),
    }  # fmt: skip
    assert turns.languages[0] == "eng_Latn"
    fetched = found[f"{PUBLISHED}/fetch"].corpora
    assert fetched["belebele"].languages == turns.languages
    assert fetched["gsm8k-turns"].languages == fetched["medinstruct-turns"].languages == ["eng_Latn"]
    assert "gsm8k-turns" not in found[f"{PUBLISHED}/trace"].corpora


def test_other_models_are_not_asked_and_say_why() -> None:
    found = resolved(shipped())
    assert found[f"{COUNTS}/turns"].not_asked == "recorded"
    plain = found[f"{PLAIN}/turns"]
    assert (plain.not_asked, plain.model, plain.tasks) == ("no_texts", None, {})


def test_without_a_published_setting_tau_is_that_of_the_section_in_the_layers_of_the_middle() -> None:
    raw = shipped()
    texts = {"arithmetic": "gsm8k-turns"}
    raw["models"][PLAIN] |= {"turns": {"generic": "sib200", "texts": texts}}
    asked = resolved(raw)[f"{PLAIN}/turns"].tasks["arithmetic"]
    assert (asked.tau, asked.layers) == (0.3, None)
    raw["models"][PLAIN] |= {"zones": {"early": [0, 1], "middle": [2, 5], "late": [6, 7]}}
    assert resolved(raw)[f"{PLAIN}/turns"].tasks["arithmetic"].layers == (2, 5)
    raw["models"][PLAIN] |= {"middle": [3, 4]}
    assert resolved(raw)[f"{PLAIN}/turns"].tasks["arithmetic"].layers == (3, 4)


@pytest.mark.parametrize(
    ("turns", "words"),
    [
        ({"generic": "belebel", "texts": {"published-mgsm": "gsm8k-turns"}}, r"turns.generic: .*belebel"),
        ({"generic": "belebele", "texts": {"mgsm": "gsm8k-turns"}}, r"turns.texts: .*mgsm"),
        ({"generic": "belebele", "texts": {"published-mgsm": "gsm"}}, r"turns.texts.published-mgsm: .*gsm"),
        ({"generic": "belebele", "texts": {}}, r"turns.texts"),
    ],
)
def test_a_name_that_is_not_there_is_named(turns, words) -> None:
    raw = shipped()
    raw["models"][PUBLISHED]["turns"] = turns
    with pytest.raises(ParamsError, match=words):
        parse(raw)
