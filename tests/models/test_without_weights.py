import pytest

from polyroute.models.settings import Checkpoint
from polyroute.models.source import ModelError, ModelSource
from polyroute.models.without_weights import load_config, load_tokenizer

SPEC = Checkpoint(folder="models/tiny", dtype="float32")


def at(folder) -> ModelSource:
    return ModelSource(str(folder), None, "0", local_files_only=True)


def test_a_tokenizer_loads_without_weights(tokenizer, tmp_path) -> None:
    tokenizer.save_pretrained(tmp_path)
    loaded = load_tokenizer("tiny", SPEC, at(tmp_path))
    assert loaded("the fox")["input_ids"] == tokenizer("the fox")["input_ids"]


def test_a_configuration_loads_without_weights(tmp_path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "olmoe", "num_hidden_layers": 3}')
    assert load_config("tiny", SPEC, at(tmp_path)).num_hidden_layers == 3


@pytest.mark.parametrize(("load", "called"), [(load_tokenizer, "tokenizer"), (load_config, "configuration")])
def test_an_absent_one_names_the_model(load, called, tmp_path) -> None:
    with pytest.raises(ModelError, match=rf"models.tiny: the {called} of .* cannot be loaded"):
        load("tiny", SPEC, at(tmp_path / "no"))
