import pytest

from polyroute.models.settings import Checkpoint
from polyroute.models.source import ModelError, ModelSource
from polyroute.models.tokenizer import load_tokenizer

SPEC = Checkpoint(folder="models/tiny", dtype="float32")


def test_a_tokenizer_loads_without_weights(tokenizer, tmp_path) -> None:
    tokenizer.save_pretrained(tmp_path)
    loaded = load_tokenizer("tiny", SPEC, ModelSource(str(tmp_path), None, "0", local_files_only=True))
    assert loaded("the fox")["input_ids"] == tokenizer("the fox")["input_ids"]


def test_an_absent_one_names_the_model(tmp_path) -> None:
    with pytest.raises(ModelError, match=r"models.tiny: the tokenizer of .* cannot be loaded"):
        load_tokenizer("tiny", SPEC, ModelSource(str(tmp_path / "no"), None, "0", local_files_only=True))
