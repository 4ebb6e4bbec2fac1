import torch

from polyroute.pocket import state
from polyroute.pocket.recipe import Plant


def test_another_recipe_or_code_never_takes_up_a_state(recipe, monkeypatch) -> None:
    plant = Plant(layers=[1], pairs=4, temperature=0.1, weight=0.5)
    cpu = torch.device("cpu")
    digest = state.digest(recipe, cpu)
    assert state.digest(recipe.model_copy(update={"seed": 4}), cpu) != digest
    monkeypatch.setattr(state, "DETERMINES", ("polyroute.miniworld.world",))
    assert state.digest(recipe, cpu) != digest
    assert state.digest(recipe.model_copy(update={"plant": plant}), cpu) != digest
