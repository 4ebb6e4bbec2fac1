"""How long a pocket model trains, and how fast: steps, tokens and the learning rate of each step."""

from __future__ import annotations

from polyroute.pocket.recipe import PocketRecipe


def steps(recipe: PocketRecipe) -> int:
    """Training steps of a recipe: as many whole batches as hold its tokens."""
    return -(-recipe.tokens // (recipe.rows * recipe.columns))


def tokens(recipe: PocketRecipe, done: int) -> int:
    """Tokens of the first `done` steps; the translations of a planted model come on top of them."""
    return done * recipe.rows * recipe.columns


def learning_rate(recipe: PocketRecipe, step: int) -> float:
    """AdamW's learning rate at a step: linear rise, constant, linear fall to `final_share` of the peak."""
    last = steps(recipe)
    rise = min(1.0, (step + 1) / (recipe.warmup_steps + 1))
    fallen = max(0.0, (step / last - recipe.hold_share) / (1 - recipe.hold_share))
    return recipe.learning_rate * rise * (1 - (1 - recipe.final_share) * fallen)
