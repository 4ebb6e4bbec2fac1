"""How published settings are shown, beside tests/cli/test_settings.py on the command."""

from polyroute.params.comparison import Compared
from polyroute.params.file import read
from polyroute.report import settings
from polyroute.report.words import NONE
from tiny import ROOT

ROW = Compared(
    preset="published", key="models.mine.middle", own=None, published=[7, 34], certainty="inferred",
    source="XL a.py:1", others=([8, 35],), verdict="differs",
)  # fmt: skip


def test_columns_are_aligned_and_the_models_name_is_left_out() -> None:
    wide = Compared(
        **{**ROW.__dict__, "key": "evaluate.temperature", "own": 0.5, "verdict": "unknown", "published": None}
    )
    head, first, second = settings.as_text("mine", [ROW, wide]).split("\n\n")[1].splitlines()
    assert first.split() == [
        "middle", "null", "[7,", "34]", "inferred", "DIFFERS", "XL", "a.py:1;", "or", "else", "[8,", "35]"
    ]  # fmt: skip
    assert second.split()[:3] == ["evaluate.temperature", "0.5", "?"]
    for title in ("ours", "published", "certainty", "place or reason"):
        assert first[head.index(title) - 1] == second[head.index(title) - 1] == " ", title


def test_a_long_list_is_counted() -> None:
    row = Compared(**{**ROW.__dict__, "own": list("abcde"), "published": list("abcd")})
    (line,) = [line for line in settings.as_text("mine", [row]).splitlines() if line.startswith("middle")]
    assert line.split()[1:3] == ["5", "values"]
    assert '["a", "b", "c", "d"]' in line


def test_an_example_is_of_the_first_model_that_a_paper_has() -> None:
    file = read(ROOT / "params.yaml")
    assert settings.example(file).startswith("```\n$ polyroute settings qwen3-30b-a3b\npreset: published (paper 1): ")
    models = {name: spec for name, spec in file.models.items() if name == "pocket-plain"}
    assert settings.example(file.model_copy(update={"models": models})) == NONE
