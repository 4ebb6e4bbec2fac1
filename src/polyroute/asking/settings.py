"""How models are asked."""

from typing import Literal

from pydantic import Field, JsonValue, field_validator

from polyroute.artifacts.kinds import TaskKind
from polyroute.ground.frozen import Frozen
from polyroute.languages.own import StudySettings
from polyroute.models.settings import ModelSettings

OURS = frozenset((
    "add_generation_prompt", "chat_template", "continue_final_message", "conversation", "max_length", "messages",
    "padding", "return_assistant_tokens_mask", "return_dict", "return_tensors", "strftime_now", "tokenize",
    "tokenizer_kwargs", "truncation",
))  # fmt: skip
"""What `apply_chat_template` of transformers takes besides variables of the template."""


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
    chat_template: dict[str, JsonValue] = Field(default={}, exclude_if=lambda given: not given)
    """Variables of the chat template, such as `reasoning_effort: low`; they win over `thinking`."""

    @field_validator("chat_template")
    @classmethod
    def _of_the_user(cls, given: dict[str, JsonValue]) -> dict[str, JsonValue]:
        if ours := sorted(OURS & given.keys()):
            raise ValueError(f"`{ours[0]}` is no variable of a template, and is polyroute's to set: leave it out")
        return given


class AskedTask(Frozen):
    """In which languages a task is asked."""

    kind: TaskKind
    languages: list[str]
    """FLORES codes, the pivot first."""
    items: int | None = None
    """Of each half that are asked; None: all."""
    own: dict[str, bool | int | float | dict[str, JsonValue]] = Field(default_factory=dict)
    """Settings of `Asking` that the task has otherwise than the others."""


class AskSettings(Asking, StudySettings):
    """What the stages that ask a model read: `evaluate`, `tune` and `mask`, and with more `steer`."""

    model: ModelSettings | None
    """None where counts were recorded elsewhere, and nothing can be asked."""
    engine: Literal["transformers", "vllm"] = Field(
        default="transformers", exclude_if=lambda engine: engine == "transformers"
    )
    """What answers; what edits do to routing is measured in transformers either way."""
    tasks: dict[str, AskedTask]
    mechanism_items: int
    """Items in each language on whose prompts it is measured what plans do to routing; 0 measures nothing."""
    seed: int
    """Of sampled answers."""

    def asking(self, task: str) -> Asking:
        """How a task is asked: as all are, but for what it has of its own."""
        common = {name: getattr(self, name) for name in Asking.model_fields}
        return Asking.model_validate(common | self.tasks[task].own)


class SteerSettings(AskSettings):
    """What the stage `steer` reads: with it, when enough random sets did as well."""

    pivot: str
    """The language that is not to be helped."""
    scores: dict[str, str]
    """Task -> the score that is compared."""
