"""How models are asked."""

from pydantic import Field

from polyroute.ground.frozen import Frozen
from polyroute.models.settings import Checkpoint


class Asking(Frozen):
    """How models answer tasks."""

    chat: bool
    """Whether prompts go into the tokenizer's chat template, where there is one."""
    thinking: bool
    """Whether the template lets the model think before it answers."""
    max_new_tokens: int = Field(ge=1)
    """Where a generated answer that does not end is truncated, in tokens; a number or short answer then counts as
    wrong."""
    temperature: float = Field(ge=0)
    """0 is greedy."""
    top_p: float = Field(gt=0, le=1)
    """Draw among the fewest tokens whose probabilities add up to this."""
    top_k: int = Field(ge=0)
    """Draw among the likeliest so many tokens; 0 among all."""


class AskSettings(Frozen):
    """How one model is asked its tasks for one purpose; see `pipeline/ask.py`."""

    name: str
    """Of the model in params.yaml."""
    digest: str
    """Commit on the hub, or SHA-256 of the checkpoint's files: another checkpoint is asked again."""
    checkpoint: Checkpoint
    how: Asking
    batch_tokens: int
    """Padded tokens in one batch."""
    max_tokens: int
    """Longer prompts are an error, never truncated."""
    seed: int
    """Of sampled answers."""
    tasks: dict[str, list[str]]
    """Task -> FLORES codes of the languages in which it is asked, the pivot first."""
    mechanism_items: int = 0
    """Items in each language on whose prompts it is measured what the conditions do to routing."""
