"""A recipe small enough for tests."""

import pytest
from transformers import PreTrainedTokenizerFast

from polyroute.miniworld import realise, world
from polyroute.pocket import tokenizer
from polyroute.pocket.recipe import PocketRecipe

RECIPE = {
    "seed": 3,
    "languages": ["eng_Latn", "deu_Latn", "hin_Deva", "zho_Hans"],
    "english_share": 0.5,
    "falloff": 0.5,
    "english_mixture": {"generic": 2, "arithmetic": 1, "knowledge": 1},
    "other_mixture": {
        "generic": 1, "arithmetic": 1, "knowledge": 1, "translation": 1, "switching": 1, "dictionary": 1,
    },
    "vocabulary": 400,
    "tokenizer_documents": 200,
    "architecture": "qwen3_moe",
    "layers": 2,
    "hidden": 32,
    "heads": 2,
    "kv_heads": 1,
    "experts": 4,
    "expert_width": 16,
    "top_k": 2,
    "context": 256,
    "tokens": 24 * 8 * 32,
    "rows": 8,
    "columns": 32,
    "learning_rate": 0.01,
    "warmup_steps": 2,
    "hold_share": 0.5,
    "final_share": 0.1,
    "betas": [0.9, 0.95],
    "weight_decay": 0.01,
    "clip": 1.0,
    "answer_weight": 6.0,
    "balance_weight": 0.003,
}  # fmt: skip


@pytest.fixture(scope="session")
def recipe() -> PocketRecipe:
    return PocketRecipe.model_validate(RECIPE)


@pytest.fixture(scope="session")
def cutter(recipe) -> PreTrainedTokenizerFast:
    return tokenizer.train(recipe)


@pytest.fixture(scope="session")
def trained_events() -> dict[str, world.Event]:
    """Every event that training may see, by its English sentence."""
    return {
        realise.event(event, "eng_Latn"): event
        for topic in world.TOPICS.values()
        for time in world.TIMES
        for subject in topic.subjects
        for place in topic.places
        for verb, thing in topic.actions
        if world.split_of(event := world.Event(time, subject, verb, thing, place)) == "train"
    }
