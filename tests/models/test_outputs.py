"""What training leaves in a configuration changes no number."""

import pandas as pd
import pytest
import torch

from polyroute.asking import choices, generation
from polyroute.models.load import load
from polyroute.models.outputs import ASKED, without_outputs
from polyroute.models.settings import Checkpoint
from polyroute.models.source import locate
from polyroute.tracing.collect import trace
from tiny import make_model, make_tokenizer

LEFT_ON = [
    {"output_router_logits": True}, {"output_hidden_states": True}, {"return_dict": False}, {"use_cache": False},
    {"output_router_logits": True, "return_dict": False},
]  # fmt: skip


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return answers(tmp_path_factory.mktemp("plain"), {})


def answers(folder, settings):
    """Everything that is asked of a checkpoint whose config.json says so."""
    model = make_model()
    for name, value in settings.items():
        setattr(model.config, name, value)
    model.save_pretrained(folder)
    make_tokenizer().save_pretrained(folder)
    spec = Checkpoint(dtype="float32", device="cpu", folder=folder)
    loaded = load("tiny", spec, locate("tiny", spec))
    items = pd.DataFrame(
        {
            "item_id": ["a", "b"], "language": "eng_Latn", "prompt": ["the dog", "a cat sleeps"],
            "choices": [[" runs", " xyz"], [" all day", " no"]],
        }
    )  # fmt: skip
    traced = trace(loaded.model, loaded.tokenizer, ["the dog runs", "a cat"])
    scored = choices.score(loaded.model, loaded.tokenizer, items, batch_tokens=64)
    how = generation.GenerationSettings(max_new_tokens=6, batch_tokens=64)
    written = generation.generate(loaded.model, loaded.tokenizer, items, how)
    return traced.columns(), scored, written


@pytest.mark.parametrize("settings", LEFT_ON, ids=str)
def test_settings_of_training_change_nothing(settings, plain, tmp_path) -> None:
    traced, scored, written = answers(tmp_path, settings)
    for name, column in plain[0].items():
        assert column.tobytes() == traced[name].tobytes(), name
    pd.testing.assert_frame_equal(scored, plain[1], check_exact=True)
    pd.testing.assert_frame_equal(written, plain[2], check_exact=True)


def test_the_configuration_is_put_back() -> None:
    model = make_model()
    model.config.output_router_logits = True
    with without_outputs(model):
        assert {name: getattr(model.config, name) for name in ASKED} == ASKED
    assert model.config.output_router_logits
    with torch.no_grad(), without_outputs(torch.nn.Linear(2, 2)):
        pass
