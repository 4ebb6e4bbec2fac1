"""The checkpoints in git are what their recipes and cards say."""

import json
from pathlib import Path

import pytest
import torch
import yaml
from transformers import AutoModelForCausalLM, AutoTokenizer

from polyroute.miniworld import corpus
from polyroute.params import file as params
from polyroute.pocket import card, scores, train

ROOT = Path(__file__).parents[2]
SHIPPED = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]["train-pocket"]["matrix"]["model"]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_model_is_small_whole_and_described(name) -> None:
    recipe = params.load(ROOT / "params.yaml")[f"pocket.{name}"]
    folder = ROOT / "models" / name
    assert sum(path.stat().st_size for path in folder.iterdir()) < 10_000_000
    curve = (folder / "training.csv").read_text().splitlines()
    assert len(curve) == 1 + -(-train.steps(recipe) // train.LOG_EVERY)
    assert not recipe.tokens or curve[-1].startswith(f"{train.steps(recipe)},")
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
