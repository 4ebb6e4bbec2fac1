"""The checkpoints in git are what their recipes and cards say."""

import json
from pathlib import Path

import pytest
import torch
import yaml
from transformers import AutoModelForCausalLM, AutoTokenizer

from polyroute.miniworld import corpus
from polyroute.params import file as params
from polyroute.pocket import batches, card, schedule, scores, train
from polyroute.pocket.plant import planting_loss

ROOT = Path(__file__).parents[2]
SHIPPED = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]["train-pocket"]["matrix"]["model"]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_model_is_small_whole_and_described(name) -> None:
    recipe = params.read(ROOT / "params.yaml").recipe(name)
    folder = ROOT / "models" / name
    assert sum(path.stat().st_size for path in folder.iterdir()) < 10_000_000
    curve = (folder / "training.csv").read_text().splitlines()
    steps = schedule.steps(recipe)
    assert len(curve) == 1 + -(-steps // train.LOG_EVERY)
    assert not recipe.tokens or curve[-1].startswith(f"{steps},")
    measured = json.loads((folder / "scores.json").read_text())
    assert (folder / "README.md").read_text() == card.write(name, recipe, measured)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_model_speaks_its_languages(name) -> None:
    folder = ROOT / "models" / name
    net = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    cutter = AutoTokenizer.from_pretrained(folder)
    measured = json.loads((folder / "scores.json").read_text())
    frame = corpus.parallel_corpus("report", 20, ["eng_Latn", "deu_Latn"], 0)
    for language, rows in frame.groupby("language"):
        total, tokens = scores._text_losses(net, cutter, rows.text.tolist())
        assert total / tokens == pytest.approx(measured[language]["loss"], rel=0.1)


@pytest.mark.parametrize("name", ["pocket-planted", "pocket-planted-early"])
def test_a_planted_model_routes_translations_alike_where_its_card_says(name) -> None:
    recipe = params.read(ROOT / "params.yaml").recipe(name)
    cutter = AutoTokenizer.from_pretrained(ROOT / "models" / name)
    pairs = batches.translations(recipe, recipe.plant, cutter, schedule.steps(recipe))  # a step it did not train on
    found = {}
    for model in (name, "pocket-plain"):
        net = AutoModelForCausalLM.from_pretrained(ROOT / "models" / model, dtype=torch.float32).eval()
        with torch.no_grad():
            found[model] = float(planting_loss(net, recipe.plant, pairs))
    assert found[name] < 0.3
    assert found["pocket-plain"] > 2
