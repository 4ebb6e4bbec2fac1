"""Chat templates with the structure of real ones, in short, and tokenizers whose tokens can be counted by hand."""

from collections.abc import Sequence

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import PreTrainedTokenizerFast

QWEN3 = """
{%- for message in messages -%}
{{ '<|im_start|>' + message.role + '\\n' }}
{%- if message.role == 'assistant' -%}
  {%- if loop.last %}{{ '<think>\\n\\n</think>\\n\\n' }}{% endif -%}
  {{ message.content.split('</think>')[-1].lstrip('\\n') }}
{%- else -%}{{ message.content }}{%- endif -%}
{{ '<|im_end|>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif -%}
"""
"""Qwen3: an empty thought before the last answer, thoughts of answers cut off."""
PHI = """
{%- for message in messages -%}{{ '<|' + message.role + '|>\\n' + message.content + '<|end|>\\n' }}{%- endfor -%}
{%- if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% else %}{{ eos_token }}{% endif -%}
"""
"""Phi-3.5-MoE: the end of text closes a chat."""
HARMONY = """
{{- '<|start|>system<|message|>You are ChatGPT.\\nCurrent date: ' + strftime_now('%Y-%m-%d') + '<|end|>' }}
{%- for message in messages -%}
{%- if message.role == 'user' %}{{ '<|start|>user<|message|>' + message.content + '<|end|>' }}
{%- elif loop.last %}{{ '<|start|>assistant<|channel|>final<|message|>' + message.content + '<|return|>' }}
{%- else %}{{ '<|start|>assistant<|channel|>final<|message|>' + message.content + '<|end|>' }}{% endif -%}
{%- endfor -%}
{%- if add_generation_prompt %}{{ '<|start|>assistant' }}{% endif -%}
"""
"""GPT-OSS: a system block with the date, and channels."""
OLMOE = """
{{- bos_token }}
{%- for message in messages -%}
{%- if message.role == 'user' %}{{ '<|user|>\\n' + message.content + '\\n' }}
{%- elif loop.last %}{{ '<|assistant|>\\n' + message.content + eos_token }}
{%- else %}{{ '<|assistant|>\\n' + message.content + eos_token + '\\n' }}{% endif -%}
{%- if loop.last and add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif -%}
{%- endfor -%}
"""
"""OLMoE: BOS first, line breaks around what the user says."""
TEMPLATES = {"qwen3": QWEN3, "phi": PHI, "harmony": HARMONY, "olmoe": OLMOE}
SPECIAL = [
    "<|im_start|>", "<|im_end|>", "<think>", "</think>", "<|user|>", "<|assistant|>", "<|end|>", "<|start|>",
    "<|message|>", "<|channel|>", "<|return|>",
]  # fmt: skip
"""One token each; all else is cut into bytes."""


def chat_tokenizer(
    template: str | None, merges: Sequence[tuple[str, str]] = (), *, greedy: Sequence[str] = ()
) -> PreTrainedTokenizerFast:
    """A tokenizer of bytes, merges and `SPECIAL`, with `<s>` as BOS and `</s>` as EOS.

    Args:
        template: its chat template.
        merges: pairs of byte-level symbols (`Ġ` a space, `Ċ` a line break) that are one token.
        greedy: special tokens that take in the blanks after them.
    """
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {"<pad>": 0, "<s>": 1, "</s>": 2} | {byte: 3 + place for place, byte in enumerate(alphabet)}
    for left, right in merges:
        vocabulary[left + right] = len(vocabulary)
    backend = Tokenizer(models.BPE(vocabulary, list(merges)))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens([AddedToken(name, rstrip=name in greedy, special=True) for name in SPECIAL])
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, pad_token="<pad>", bos_token="<s>", eos_token="</s>", chat_template=template
    )


def pieces_tokenizer(template: str) -> PreTrainedTokenizerFast:
    """One like Phi's: `▁` for a space and before each piece, other letters in bytes, and greedy special tokens."""
    vocabulary = {"<unk>": 0, "<s>": 1, "</s>": 2} | {f"<0x{byte:02X}>": 3 + byte for byte in range(256)}
    merges = [("▁", "a"), ("c", "a"), ("ca", "t"), ("▁", "▁")]
    for piece in [*"abcdefghijklmnopqrstuvwxyz.▁\n", *(left + right for left, right in merges)]:
        vocabulary[piece] = len(vocabulary)
    backend = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    backend.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    backend.add_special_tokens([AddedToken(name, rstrip=True, special=True) for name in SPECIAL])
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, unk_token="<unk>", bos_token="<s>", eos_token="</s>", chat_template=template
    )
