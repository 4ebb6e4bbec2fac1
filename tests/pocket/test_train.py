"""Training for real, of a model of a few thousand weights."""

import csv
import json
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file
from scipy.stats import binomtest
from transformers import AutoModelForCausalLM, AutoTokenizer

from polyroute.miniworld import items
from polyroute.pocket import model, scores, train
from polyroute.pocket.recipe import PocketRecipe

PLANT = {"layers": [1], "pairs": 4, "temperature": 0.1, "weight": 0.5}


class Killed(Exception):
    pass


@pytest.fixture(scope="module", autouse=True)
def _small():
    """Little to score, and states saved often."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scores, "DOCUMENTS", 4)
        patch.setattr(scores, "PROBLEMS", 2)
        patch.setattr(train, "SAVE_EVERY", 5)
        patch.setattr(train, "LOG_EVERY", 4)
        yield


@pytest.fixture(scope="module")
def trained(recipe, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("straight")
    train.train(recipe, folder / "models" / "tiny", folder / "work", device="cpu")
    return folder / "models" / "tiny"


def test_the_checkpoint_is_an_ordinary_folder(trained) -> None:
    assert {path.name for path in trained.iterdir()} == {
        "config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
        "training.csv", "scores.json", "README.md",
    }  # fmt: skip
    assert not any((trained.parent.parent / "work").iterdir())
    assert all(tensor.dtype == torch.bfloat16 for tensor in load_file(trained / "model.safetensors").values())
    for path in trained.iterdir():
        assert str(trained.parent).encode() not in path.read_bytes()
    net = AutoModelForCausalLM.from_pretrained(trained)
    cutter = AutoTokenizer.from_pretrained(trained)
    assert net.config.bos_token_id == cutter.bos_token_id
    text = cutter.decode(net.generate(**cutter("In the", return_tensors="pt"), max_new_tokens=3, do_sample=False)[0])
    assert text.startswith("<s>In the")


def test_the_loss_falls(trained) -> None:
    with (trained / "training.csv").open() as file:
        rows = list(csv.DictReader(file))
    losses = [float(row["loss"]) for row in rows]
    assert losses[-1] < losses[0] - 0.5
    assert rows[-1]["step"] == "24"
    assert rows[-1]["tokens"] == str(24 * 8 * 32)


def test_scores_and_card_cover_every_language(trained, recipe) -> None:
    measured = json.loads((trained / "scores.json").read_text())
    assert measured.keys() == set(recipe.languages)
    assert measured["eng_Latn"]["knowledge_transfer"] is None
    assert 0 <= measured["deu_Latn"]["knowledge_transfer"] <= 1
    card = (trained / "README.md").read_text()
    assert "**Planted: nothing.**" in card
    assert all(f"({code})" in card for code in recipe.languages)


def test_a_few_seconds_of_training_teach_english_some_arithmetic(recipe, tmp_path, monkeypatch) -> None:
    # About a fifth are right where a tenth is chance: 200 problems show that on some processors and not on others.
    monkeypatch.setattr(scores, "PROBLEMS", 1000)
    monkeypatch.setattr(train, "SAVE_EVERY", 250)
    longer = {
        "languages": ["eng_Latn", "deu_Latn"], "english_share": 0.8,
        "english_mixture": {"generic": 1, "arithmetic": 9, "knowledge": 0}, "vocabulary": 500, "hidden": 64, "heads": 4,
        "layers": 1, "expert_width": 32, "rows": 12, "columns": 64, "tokens": 267 * 12 * 64, "learning_rate": 0.015,
        "warmup_steps": 20,
    }  # fmt: skip
    train.train(PocketRecipe.model_validate(recipe.model_dump() | longer), tmp_path / "m", tmp_path / "w", device="cpu")
    with (tmp_path / "m" / "training.csv").open() as file:
        losses = [float(row["loss"]) for row in csv.DictReader(file)]
    assert losses[-1] < 0.25 * losses[0]
    right = json.loads((tmp_path / "m" / "scores.json").read_text())["eng_Latn"]["arithmetic"]
    assert binomtest(round(1000 * right), 1000, 1 / items.CHOICES, alternative="greater").pvalue < 1e-6


@pytest.mark.parametrize("change", [{"plant": PLANT}, {"architecture": "gpt_oss"}], ids=["planted", "gpt_oss"])
def test_variants_train_and_say_what_they_are(recipe, tmp_path, change) -> None:
    variant = PocketRecipe.model_validate(recipe.model_dump() | change | {"tokens": 12 * 8 * 32})
    folder = tmp_path / "variant"
    train.train(variant, folder, tmp_path / "work", device="cpu")
    with (folder / "training.csv").open() as file:
        losses = [float(row["loss"]) for row in csv.DictReader(file)]
    assert losses[-1] < losses[0]
    card = (folder / "README.md").read_text()
    assert variant.architecture in card
    assert ("Planted: alignment of languages in layer 1." in card) == (variant.plant is not None)
    net = AutoModelForCausalLM.from_pretrained(folder)
    assert net.config.model_type == variant.architecture


def test_no_tokens_leave_the_first_weights(recipe, tmp_path) -> None:
    untrained = recipe.model_copy(update={"tokens": 0})
    train.train(untrained, tmp_path / "untrained", tmp_path / "work", device="cpu")
    saved = AutoModelForCausalLM.from_pretrained(tmp_path / "untrained", dtype=torch.bfloat16)
    ids = {f"{token}_token_id": getattr(saved.config, f"{token}_token_id") for token in ("bos", "eos", "pad")}
    first = dict(model.build(untrained, ids).named_parameters())
    assert all(torch.equal(value, first[name].to(torch.bfloat16)) for name, value in saved.named_parameters())
    assert (tmp_path / "untrained" / "training.csv").read_text().count("\n") == 1
    assert "Untrained:" in (tmp_path / "untrained" / "README.md").read_text()


def test_a_killed_run_goes_on_to_the_same_bytes(trained, recipe, tmp_path) -> None:
    told: list[int] = []

    def killing(tokens: int) -> None:
        told.append(tokens)
        if len(told) == 1 + 13:
            raise Killed

    out, work = tmp_path / "models" / "tiny", tmp_path / "work"
    with pytest.raises(Killed):
        train.train(recipe, out, work, killing, device="cpu")
    assert not out.exists()
    told.clear()
    train.train(recipe, out, work, told.append, device="cpu")
    assert told[0] == 10 * 8 * 32, "went on from the last saved state"
    assert sum(told) == 24 * 8 * 32
    for path in trained.iterdir():
        assert (out / path.name).read_bytes() == path.read_bytes(), path.name


def test_balance_loss_is_one_when_balanced_and_rises_with_skew() -> None:
    even = torch.eye(4).repeat(5, 1) * 1e-3
    assert float(train.balance_loss((even, even), top_k=1)) == pytest.approx(1, abs=1e-3)
    skewed = torch.zeros(20, 4)
    skewed[:, 0] = 9
    assert float(train.balance_loss((skewed,), top_k=1)) == pytest.approx(4, abs=0.01)


def test_malloc_helper(monkeypatch) -> None:
    for name, value in train.MALLOC.items():
        monkeypatch.setenv(name, value)
    assert train.malloc_is_set()
    monkeypatch.delenv(next(iter(train.MALLOC)))
    assert not train.malloc_is_set()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"languages": ["deu_Latn", "eng_Latn"]}, "starts with deu_Latn instead of eng_Latn"),
        ({"languages": ["eng_Latn", "xyz_Latn"]}, "`xyz_Latn` is not a FLORES code"),
        ({"languages": ["eng_Latn", "eng_Latn"]}, "listed twice"),
        ({"heads": 3}, "`heads` must divide `hidden`"),
        ({"top_k": 5}, "`top_k: 5` is more than `experts: 4`"),
        ({"columns": 512}, "`columns: 512` is more than `context: 256`"),
        ({"plant": PLANT | {"layers": [1, 2]}}, r"`plant.layers: \[1, 2\]`: the last layer is 1"),
        ({"plant": PLANT | {"layers": []}}, "plant.layers"),
        ({"plant": PLANT, "tokens": 0}, "`plant` is a loss of training"),
        ({"plant": PLANT, "languages": ["eng_Latn"]}, "`plant` draws languages together"),
    ],
)
def test_recipes_that_cannot_be_are_refused(recipe, change, message) -> None:
    with pytest.raises(ValidationError, match=message):
        PocketRecipe.model_validate(recipe.model_dump() | change)
