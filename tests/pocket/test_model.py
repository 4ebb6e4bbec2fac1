import torch

from polyroute.pocket import model


def test_first_weights_depend_on_the_recipe_alone(recipe) -> None:
    nets = []
    for outside in (1, 2):
        torch.manual_seed(outside)
        before = torch.random.get_rng_state()
        nets.append(model.build(recipe, {}))
        assert torch.equal(torch.random.get_rng_state(), before)
    assert all(torch.equal(a, b) for a, b in zip(*(net.parameters() for net in nets), strict=True))
