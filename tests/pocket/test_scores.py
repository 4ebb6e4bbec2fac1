import random

import pytest

from polyroute.pocket import model, scores


def test_scoring_ignores_padding(recipe) -> None:
    net = model.build(recipe, {}).eval()
    rng = random.Random(0)
    rows = [[0, *(rng.randrange(3, 400) for _ in range(length))] for length in (3, 9, 5)]
    together = scores._losses(net, rows)
    alone = [scores._losses(net, [row])[0] for row in rows]
    assert together == pytest.approx(alone, abs=1e-4)


@pytest.mark.parametrize("architecture", ["qwen3_moe", "gpt_oss"])
def test_choices_that_share_their_prompt_score_as_whole_rows(recipe, architecture) -> None:
    net = model.build(recipe.model_copy(update={"architecture": architecture}), {}).eval()
    rng = random.Random(1)
    prompts = [[rng.randrange(3, 400) for _ in range(length)] for length in (30, 7, 30)]
    choices = [[[rng.randrange(3, 400) for _ in range(n)] for n in (1, 4, 2)] for _ in prompts]
    seen = []
    for chosen in scores._same_length(prompts, choices):
        found = scores._choice_losses(net, [prompts[i] for i in chosen], [choices[i] for i in chosen])
        for i, losses in zip(chosen, found, strict=True):
            told = scores._losses(net, [prompts[i]])
            whole = scores._losses(net, [prompts[i] + choice for choice in choices[i]])
            assert losses == pytest.approx(whole - told, abs=1e-4)
        seen += chosen
    assert sorted(seen) == [0, 1, 2]
