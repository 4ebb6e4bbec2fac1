"""Small items, and tokenizers with chat templates, for tests of evaluation."""

from collections.abc import Sequence

import pandas as pd
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

QWEN = (
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' }}"
    "{% if m.role == 'assistant' %}{{ '<think>\n\n</think>\n\n' }}{% endif %}"
    "{{ m.content + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}"
    "{% if enable_thinking is defined and enable_thinking is false %}{{ '<think>\n\n</think>\n\n' }}{% endif %}"
    "{% endif %}"
)
"""How Qwen3's template treats a last turn, in short."""
HARMONY = (
    "{{ '<|start|>system<|message|>' + strftime_now('%Y-%m-%d') + ' ' + reasoning_effort + '<|end|>' }}"
    "{% for m in messages %}{% if m.role == 'user' %}{{ '<|start|>user<|message|>' + m.content + '<|end|>' }}"
    "{% else %}{{ '<|start|>assistant<|channel|>final<|message|>' + m.content + '<|return|>' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start|>assistant' }}{% endif %}"
)
"""How GPT-OSS's template treats a date, an effort and channels, in short."""


def bytes_tokenizer(template: str | None = None, merges: Sequence[tuple[str, str]] = ()) -> PreTrainedTokenizerFast:
    """A tokenizer that cuts text into bytes, but for the merges, and adds nothing; `<end>` ends a text."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {"<pad>": 0, "<end>": 1} | {byte: 2 + place for place, byte in enumerate(alphabet)}
    for left, right in merges:
        vocabulary[left + right] = len(vocabulary)
    backend = Tokenizer(models.BPE(vocabulary, list(merges)))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    backend.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, pad_token="<pad>", eos_token="<end>", chat_template=template
    )


def items(*rows: tuple[str, list[str]], language: str = "eng_Latn") -> pd.DataFrame:
    """A choice task's table: prompts with their choices, the first of which is right."""
    return pd.DataFrame(
        {
            "item_id": [f"i{number}" for number in range(len(rows))],
            "language": language,
            "split": ["select" if number % 2 else "report" for number in range(len(rows))],
            "prompt": [prompt for prompt, _ in rows],
            "choices": [choices for _, choices in rows],
            "answer": 0,
        }
    )
