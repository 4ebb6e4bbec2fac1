"""A model's settings beside the published ones."""

from pathlib import Path

import pytest

from polyroute.ground.frozen import ParamsError
from polyroute.params.comparison import Compared, compare
from polyroute.params.file import read
from tiny import ROOT


def rows(model: str) -> dict[tuple[str, str], Compared]:
    return {(row.preset, row.key): row for row in compare(read(Path(ROOT) / "params.yaml"), model)}


def test_our_own_settings_differ_where_they_do() -> None:
    found = rows("qwen3-30b-a3b")
    layers = found["published", "models.qwen3-30b-a3b.published.mgsm.layers"]
    assert (layers.own, layers.published, layers.verdict) == ([7, 34], [7, 34], "same")
    assert layers.others == ([7, 33], [8, 35], [6, 33])
    text = found["published", "corpora.sib200.items"]
    assert (text.own, text.published, text.verdict, text.certainty) == (1004, 488, "differs", "read")
    assert found["published", "steer.std"].verdict == "other", "population cannot be excluded"
    assert found["published", "steer.eps"].verdict == "unknown"
    assert found["published", "steer.eps"].own == "variance"
    assert found["published-paper2", "evaluate.temperature"].verdict == "differs"


def test_a_published_entry_agrees_wherever_the_preset_fills() -> None:
    for model in ("qwen3-30b-a3b-published", "olmoe-1b-7b-published"):
        found = [row for (preset, _), row in rows(model).items() if preset == "published"]
        wrong = [row.key for row in found if row.verdict in ("other", "differs")]
        assert [key.replace(model, "{}") for key in wrong] == ["models.{}.batch_tokens", "experts.domain_divergence"]
        unset = {row.key.replace(model, "{}") for row in found if row.verdict == "no_key"}
        assert not any(key.startswith(("corpora.", "tasks.", "models.")) for key in unset), unset


def test_a_task_that_the_model_lacks_has_no_key() -> None:
    found = rows("phi35-moe")
    assert not any(preset == "published-paper2" for preset, _ in found), "the paper has no such model"
    of_xquad = [row for (preset, key), row in rows("qwen3-30b-a3b-published").items() if "xquad" in key]
    assert {row.verdict for row in of_xquad} == {"no_key"}


def test_a_mapping_is_compared_in_what_the_paper_says() -> None:
    from polyroute.params.comparison import _verdict

    chat = {"counted": "rendered", "keep": "all"}
    assert _verdict(chat, True, {"counted": "rendered"}, []) == "same"
    assert _verdict(None, True, {"counted": "rendered"}, [None]) == "other"
    assert _verdict(chat, True, {"counted": "content"}, [{"keep": "user"}]) == "differs"


def test_a_model_of_no_paper_is_named() -> None:
    with pytest.raises(ParamsError, match=r"models.pocket-plain: no paper has published settings for it; .*Qwen/Qwen3"):
        rows("pocket-plain")
    with pytest.raises(ParamsError, match="`qwen` is not an entry of `models`"):
        rows("qwen")
