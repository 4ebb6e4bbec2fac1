"""Conditions together against each alone, on the models that ship and on their own questions."""

from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from polyroute.asking import choices, generation
from polyroute.asking.generation import GenerationSettings
from polyroute.miniworld import items
from polyroute.models.routers import find_routers
from polyroute.steering.apply import steer
from polyroute.steering.plan import Plan
from tiny import ROOT

SHIPPED = sorted(
    path.parent for path in (ROOT / "models").glob("*/model.safetensors") if "seed" not in path.parent.name
)
SHAPE = {"model": "pocket", "experts_per_layer": 32, "top_k": 4}
CONDITIONS = [
    None,
    Plan(**SHAPE, rule="soft", strength=0.0, experts={2: (3, 8)}),
    Plan(**SHAPE, rule="soft", strength=1.0, experts={2: (3, 8), 3: (1,)}),
    Plan(**SHAPE, rule="mask", experts={0: (0, 5, 9), 1: (2,)}),
    Plan(**SHAPE, rule="mask", experts={7: (11, 30)}),
    Plan(**SHAPE, rule="magnitude", strength=0.3, experts={2: (3, 8)}, weights={2: {3: 0.5, 8: 0.9}}),
    Plan(**SHAPE, rule="activate", experts={4: (17,)}),
]


@pytest.fixture(scope="module", params=SHIPPED, ids=lambda path: path.name)
def shipped(request):
    folder: Path = request.param
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    return model, AutoTokenizer.from_pretrained(folder), find_routers(model)


@pytest.fixture(scope="module")
def asked() -> pd.DataFrame:
    return items.arithmetic("report", 4, ["eng_Latn", "hin_Deva"], seed=11).groupby("language").head(3)


def steered(model, plan, routers):
    return nullcontext() if plan is None else steer(model, plan, routers=routers)


def test_likelihoods_among_other_conditions_are_those_alone(shipped, asked) -> None:
    model, tokenizer, routers = shipped
    together = choices.score_under(model, tokenizer, asked, CONDITIONS, routers, batch_tokens=4096)
    for plan, found in zip(CONDITIONS, together, strict=True):
        with steered(model, plan, routers):
            expected = choices.score(model, tokenizer, asked, batch_tokens=4096)
        ours, theirs = (np.concatenate(one["log_likelihoods"].to_list()) for one in (found, expected))
        # Logits between 16 and 32 have 24 bits: steps of 2e-6, of which a choice of several tokens adds up a few.
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-5)
    assert together[1].equals(together[0]), "strength 0 is the baseline to the bit"
    assert not together[2].equals(together[0])


def test_texts_among_other_conditions_are_those_alone(shipped, asked) -> None:
    model, tokenizer, routers = shipped
    settings = GenerationSettings(max_new_tokens=6, batch_tokens=4096)
    together = generation.generate_under(model, tokenizer, asked, CONDITIONS, routers, settings)
    for plan, found in zip(CONDITIONS, together, strict=True):
        with steered(model, plan, routers):
            pd.testing.assert_frame_equal(found, generation.generate(model, tokenizer, asked, settings))
    assert together[1].equals(together[0])
