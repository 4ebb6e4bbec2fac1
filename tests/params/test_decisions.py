"""Open choices as data: each has a reason, and a key that params.yaml has or why there is none."""

import pytest
from pydantic import ValidationError

from polyroute.ground.frozen import ParamsError
from polyroute.params import file as params
from polyroute.params.decisions import Decision, decisions
from tiny import ROOT

OPEN = {"choice": "depth", "papers": "all", "certainty": "read", "none": "", "ours": "all", "why": "so", "other": "x",
        "takes": "a run"}  # fmt: skip


@pytest.fixture(scope="module")
def shipped() -> params.ParamsFile:
    return params.read(ROOT / "params.yaml")


@pytest.mark.parametrize("one", decisions(), ids=lambda one: one.choice)
def test_a_choice_has_a_reason_and_a_key_that_exists(one: Decision, shipped) -> None:
    assert one.why
    assert one.other
    assert one.sure
    if one.key is None:
        assert one.none
    else:
        one.default(shipped)


def test_choices_are_named_once() -> None:
    names = [one.choice for one in decisions()]
    assert len(set(names)) == len(names) >= 30


def test_a_published_row_says_value_and_certainty() -> None:
    """`published.yaml` has softmax_of_weights of GPT-OSS alone, and calls it inferred."""
    row = {"key": "models.{model}.importance", "model": "gpt-oss-20b"}
    of = Decision(**(OPEN | {"certainty": None, "papers": None, "published": row}))
    assert of.setting is not None
    assert (of.setting.value, of.sure) == ("softmax_of_weights", "inferred")
    other = of.model_copy(update={"published": of.published.model_copy(update={"model": "qwen3-30b-a3b"})})
    assert (other.setting.value, other.sure) == ("soft_mass", "read")
    lost = of.model_copy(update={"published": of.published.model_copy(update={"key": "importances"})})
    with pytest.raises(ParamsError, match="`depth`: published has no setting `importances` of gpt-oss-20b"):
        _ = lost.setting


def test_a_key_that_params_lack_is_named() -> None:
    of = Decision(**{**OPEN, "none": None, "key": "steer.stt"})
    with pytest.raises(ParamsError, match=r"`depth`: models\.qwen3-30b-a3b has no key `steer\.stt`"):
        of.default(params.read(ROOT / "params.yaml"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"certainty": None}, "or `certainty`"),
        ({"papers": None}, "give `papers`"),
        ({"none": None}, "why there is none"),
        ({"key": "steer.std"}, "why there is none"),
        ({"ours": None}, "give `ours`"),
        ({"takes": None}, "or `takes`"),
        ({"seen": "there", "measured": "mean_of_gains"}, "one of `cells`"),
        ({"why": ""}, "why"),
    ],
)
def test_what_is_missing_or_said_twice_is_refused(change: dict[str, str | None], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Decision(**(OPEN | change))
