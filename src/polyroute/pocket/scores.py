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

from polyroute.pocket import corpus, items

DOCUMENTS = 200
PROBLEMS = 200
_SEED = 0
_BATCH_TOKENS = 4096


def score(folder: Path, languages: list[str], device: torch.device) -> dict[str, Any]:
    """Held-out scores of a checkpoint folder, computed in float32.

    Returns:
        language -> `loss` (nats a token on `DOCUMENTS` generic documents), `tokens` (a document, mean), `arithmetic`
        and `knowledge` (accuracy by likelihood among ten choices), `knowledge_stated` and `knowledge_transfer` (the
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
    losses = _losses(net, rows, [1] * len(rows))
    return float(losses.sum()), sum(len(row) - 1 for row in rows)


def _right(net: PreTrainedModel, cutter: PreTrainedTokenizerBase, asked: pd.DataFrame) -> NDArray[np.bool_]:
    """Whether each item's right choice is the likeliest."""
    rows, starts = [], []
    for prompt, choices in zip(asked.prompt, asked.choices, strict=True):
        told = cutter(prompt)["input_ids"]
        for choice in choices:
            rows.append(told + cutter(choice, add_special_tokens=False)["input_ids"])
            starts.append(len(told))
    best = _losses(net, rows, starts).reshape(len(asked), -1).argmin(1)
    return np.asarray(best == asked.answer.to_numpy())


def _losses(net: PreTrainedModel, rows: list[list[int]], starts: list[int]) -> NDArray[np.float64]:
    """Negative log likelihood (nats) of each row from its start on."""
    found = np.empty(len(rows))
    for chosen in _batches(rows):
        width = max(len(rows[i]) for i in chosen)
        # Padding comes last, where causal attention cannot see it.
        ids_BT = torch.tensor([rows[i] + [0] * (width - len(rows[i])) for i in chosen], device=net.device)
        place_T = torch.arange(1, width)
        scored_BT = torch.stack([(place_T >= starts[i]) & (place_T < len(rows[i])) for i in chosen])
        with torch.inference_mode():
            logits_BTV = net(ids_BT, use_cache=False).logits[:, :-1]
            losses_BT = (
                torch.nn.functional.cross_entropy(logits_BTV.transpose(1, 2), ids_BT[:, 1:], reduction="none")
                .cpu()
                .double()
            )
        found[chosen] = torch.where(scored_BT, losses_BT, 0).sum(1).numpy()
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
