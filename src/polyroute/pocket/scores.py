"""What a pocket model can do in each language, on items that its training never saw."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from polyroute.miniworld import corpus, items

DOCUMENTS = 200
PROBLEMS = 200
_SEED = 0
_BATCH_TOKENS = 4096


def score(folder: Path, languages: list[str], device: torch.device) -> dict[str, Any]:
    """Held-out scores of a checkpoint folder, computed in float32.

    Returns:
        language -> `loss` (nats a token on `DOCUMENTS` generic documents), `tokens` (a document, mean), `arithmetic`
        and `knowledge` (accuracy by likelihood among `items.CHOICES`), `knowledge_stated` and `knowledge_transfer` (the
        same over facts that training states in the language, and over the rest; null where there are none).
    """
    cutter = AutoTokenizer.from_pretrained(folder)
    net = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager", experts_implementation="grouped_mm"
    ).to(device)
    net.eval()
    texts = corpus.parallel_corpus("report", DOCUMENTS, languages, _SEED)
    problems = items.arithmetic("report", PROBLEMS, languages, _SEED)
    facts = items.knowledge("report", languages)
    found = {}
    for language in languages:
        total, tokens = _text_losses(net, cutter, texts[texts.language == language].text.tolist())
        asked = facts[facts.language == language]
        right = _right(net, cutter, asked)
        known = asked.known.to_numpy(bool)
        found[language] = {
            "loss": round(total / tokens, 4),
            "tokens": round(tokens / DOCUMENTS, 2),
            "arithmetic": _mean(_right(net, cutter, problems[problems.language == language])),
            "knowledge": _mean(right),
            "knowledge_stated": _mean(right[known]),
            "knowledge_transfer": _mean(right[~known]),
        }
    return found


def _mean(right: NDArray[np.bool_]) -> float | None:
    return round(float(right.mean()), 4) if right.size else None


def _text_losses(net: PreTrainedModel, cutter: PreTrainedTokenizerBase, texts: list[str]) -> tuple[float, int]:
    rows = cutter(texts)["input_ids"]
    losses = _losses(net, rows)
    return float(losses.sum()), sum(len(row) - 1 for row in rows)


def _right(net: PreTrainedModel, cutter: PreTrainedTokenizerBase, asked: pd.DataFrame) -> NDArray[np.bool_]:
    """Whether each item's right choice is the likeliest."""
    prompts = cutter(asked.prompt.tolist())["input_ids"]
    choices = [cutter(list(told), add_special_tokens=False)["input_ids"] for told in asked.choices]
    best = np.empty(len(asked), dtype=np.int64)
    for chosen in _same_length(prompts, choices):
        losses_BC = _choice_losses(net, [prompts[i] for i in chosen], [choices[i] for i in chosen])
        best[chosen] = losses_BC.argmin(1)
    return np.asarray(best == asked.answer.to_numpy())


def _choice_losses(
    net: PreTrainedModel, prompts: list[list[int]], choices: list[list[list[int]]]
) -> NDArray[np.float64]:
    """Negative log likelihood (nats) of each item's choices after its prompt, (B, C); each prompt is run once.

    Args:
        net: the model.
        prompts: B prompts of equal length in tokens.
        choices: C of each.
    """
    rows = [choice for told in choices for choice in told]
    count, width = len(choices[0]), max(map(len, rows))
    # Padding comes last, where causal attention cannot see it.
    ids_RT = torch.tensor([row + [0] * (width - len(row)) for row in rows], device=net.device)
    real_RT = torch.arange(width) < torch.tensor([len(row) for row in rows])[:, None]
    with torch.inference_mode():
        prompt = net.model(torch.tensor(prompts, device=net.device), use_cache=True)
        logits_RTV = net.lm_head(prompt.last_hidden_state[:, -1:]).repeat_interleave(count, dim=0)
        if width > 1:
            prompt.past_key_values.batch_repeat_interleave(count)
            rest = net.model(ids_RT[:, :-1], past_key_values=prompt.past_key_values).last_hidden_state
            logits_RTV = torch.cat([logits_RTV, net.lm_head(rest)], dim=1)
        losses_RT = torch.nn.functional.cross_entropy(logits_RTV.transpose(1, 2), ids_RT, reduction="none")
    losses_R = torch.where(real_RT, losses_RT.cpu().double(), 0).sum(1)
    return losses_R.view(len(prompts), count).numpy()


def _same_length(prompts: list[list[int]], choices: list[list[list[int]]]) -> Iterator[list[int]]:
    """Indices of items whose prompts are equally long, about `_BATCH_TOKENS` tokens at a time."""
    by_length: dict[int, list[int]] = {}
    for index, prompt in enumerate(prompts):
        by_length.setdefault(len(prompt), []).append(index)
    for length, chosen in by_length.items():
        longest = max(length, *(sum(map(len, choices[index])) for index in chosen))
        step = max(1, _BATCH_TOKENS // longest)
        for start in range(0, len(chosen), step):
            yield chosen[start : start + step]


def _losses(net: PreTrainedModel, rows: list[list[int]]) -> NDArray[np.float64]:
    """Negative log likelihood (nats) of each row after its first token."""
    found = np.empty(len(rows))
    for chosen in _batches(rows):
        width = max(len(rows[i]) for i in chosen)
        # Padding comes last, where causal attention cannot see it.
        ids_BT = torch.tensor([rows[i] + [0] * (width - len(rows[i])) for i in chosen], device=net.device)
        real_BT = torch.arange(1, width) < torch.tensor([len(rows[i]) for i in chosen])[:, None]
        with torch.inference_mode():
            logits_BTV = net(ids_BT, use_cache=False).logits[:, :-1]
            losses_BT = torch.nn.functional.cross_entropy(logits_BTV.transpose(1, 2), ids_BT[:, 1:], reduction="none")
        found[chosen] = torch.where(real_BT, losses_BT.cpu().double(), 0).sum(1).numpy()
    return found


def _batches(rows: list[list[int]]) -> Iterator[list[int]]:
    """Indices of rows of about equal length, `_BATCH_TOKENS` padded tokens at a time."""
    batch: list[int] = []
    for index in sorted(range(len(rows)), key=lambda i: len(rows[i])):
        if batch and len(rows[index]) * (len(batch) + 1) > _BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch
