"""Names of models and texts: what a hub calls them, and no paths."""

import pytest

from polyroute.artifacts.names import check_corpus, check_names


@pytest.mark.parametrize("model", ["Qwen/Qwen3-30B-A3B", "m", "gpt-oss-20b", "org/model_1.5+x"])
def test_a_model_is_named_as_on_a_hub(model: str) -> None:
    check_names(model, "flores_plus.v2")


@pytest.mark.parametrize("model", ["", ".", "..", "../a", "a/../b", "/a", "a/b/c", "a\\b", "a b", "a/", "~", "a\n"])
def test_a_path_is_no_model(model: str) -> None:
    with pytest.raises(ValueError, match=r"`model`: .* is no name of a model"):
        check_names(model, "c")


@pytest.mark.parametrize("corpus", ["", "..", "a/b", "/a", "a\\b", "C:a", ".hidden", "a..b", "a\n", "{language}"])
def test_a_path_is_no_text(corpus: str) -> None:
    with pytest.raises(ValueError, match=r"`corpus`: .* is no name of a text"):
        check_corpus(corpus)
