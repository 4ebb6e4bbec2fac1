"""Training of a pocket model from its recipe.

A run can be killed at any moment: every `SAVE_EVERY` steps it leaves its whole state under the work folder, and the
next run with the same recipe, code, versions and device goes on from there and ends with the same weights. The
output folder appears only when all is done.
"""

from __future__ import annotations

import csv
import io
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from polyroute.ground import console, files
from polyroute.ground.paths import Paths
from polyroute.pocket import card, model, schedule, scores, state, tokenizer
from polyroute.pocket.batches import Batch, Translations, batch, translations
from polyroute.pocket.plant import planting_loss
from polyroute.pocket.recipe import PocketRecipe

SAVE_EVERY = 250
"""Steps between saved states."""
LOG_EVERY = 25
"""Steps that one row of the loss curve averages."""
MALLOC = {
    "MALLOC_MMAP_THRESHOLD_": "1073741824",
    "MALLOC_TRIM_THRESHOLD_": "4294967296",
    "MALLOC_TOP_PAD_": "268435456",
}
"""Environment in which glibc keeps freed memory: otherwise most of a CPU step is the kernel taking it back."""


def malloc_is_set() -> bool:
    """Whether the process was started with `MALLOC` in its environment (glibc reads it once, at the start)."""
    return all(os.environ.get(name) == value for name, value in MALLOC.items())


def run(model_name: str, recipe: PocketRecipe, paths: Paths, device: str = "auto") -> None:
    """Train an entry of `pocket` into its checkpoint folder, telling a user how far it is.

    Replaces the process with itself where the environment lacks `MALLOC`.
    """
    if not malloc_is_set():
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | MALLOC)
    with console.progress(f"train {model_name}", recipe.tokens) as advance:
        train(recipe, paths.pocket_model(model_name), paths.training, advance, device)
    trained = schedule.tokens(recipe, schedule.steps(recipe))
    console.summary(f"train-pocket@{model_name}", f"{trained:,} tokens; checkpoint in {paths.pocket_model(model_name)}")


def train(
    recipe: PocketRecipe,
    out: Path,
    work: Path,
    progress: Callable[[int], None] = lambda _tokens: None,
    device: str = "auto",
) -> None:
    """Train a recipe's model and write its checkpoint folder.

    Args:
        recipe: what to make.
        out: the checkpoint folder (transformers' files in bfloat16, `training.csv`, `scores.json`, `README.md`);
            its name is the model's; replaced as a whole.
        work: folder for the state of unfinished runs, such as `.polyroute/training`.
        progress: told the tokens of every step, and at the start those of an earlier run.
        device: `auto` (a GPU if there is one), `cpu`, `cuda:0`, ...
    """
    where = torch.device(("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device)
    parts = work / state.digest(recipe, where)
    saved = parts / "state.safetensors"
    cutter = tokenizer.train(recipe)
    specials = {f"{name}_token_id": getattr(cutter, f"{name}_token_id") for name in ("bos", "eos", "pad")}
    net = model.build(recipe, specials).to(where)
    optimizer = torch.optim.AdamW(_groups(net, recipe), lr=recipe.learning_rate, betas=recipe.betas, fused=True)
    done, losses = state.resume(saved, net, optimizer)
    progress(schedule.tokens(recipe, done))
    net.train()
    for step in range(done, schedule.steps(recipe)):
        for group in optimizer.param_groups:
            group["lr"] = schedule.learning_rate(recipe, step)
        pairs = translations(recipe, recipe.plant, cutter, step) if recipe.plant else None
        losses.append(_step(net, optimizer, batch(recipe, cutter, step), pairs, recipe, where))
        progress(schedule.tokens(recipe, 1))
        if (step + 1) % SAVE_EVERY == 0:
            state.save(saved, net, optimizer, step + 1, losses)
    if recipe.tokens:
        # Killed while scoring, it does not train again.
        state.save(saved, net, optimizer, schedule.steps(recipe), losses)
    _finish(recipe, net, cutter, losses, parts / out.name)
    if out.exists():
        shutil.rmtree(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(parts / out.name, out)
    shutil.rmtree(parts)


def balance_loss(router_logits: tuple[Tensor, ...], top_k: int) -> Tensor:
    """Load-balancing loss of Switch Transformers (arXiv 2101.03961, eq. 4), per layer, averaged; 1 when balanced.

    Args:
        router_logits: (tokens, E) of every layer.
        top_k: experts a token is sent to.
    """
    total = torch.zeros((), device=router_logits[0].device)
    for logits_TE in router_logits:
        probabilities_TE = logits_TE.float().softmax(-1)
        chosen = probabilities_TE.topk(top_k, -1).indices
        share_E = torch.nn.functional.one_hot(chosen, logits_TE.shape[-1]).sum(1).float().mean(0) / top_k
        total = total + logits_TE.shape[-1] * (share_E * probabilities_TE.mean(0)).sum()
    return total / len(router_logits)


def _step(
    net: PreTrainedModel,
    optimizer: torch.optim.AdamW,
    data: Batch,
    pairs: Translations | None,
    recipe: PocketRecipe,
    where: torch.device,
) -> float:
    """One update; the mean next-token loss over all tokens alike (nats) is what the curve shows."""
    targets_T = data.targets.to(where).flatten()
    weights_T = data.weights.to(where).flatten()
    with torch.autocast(where.type, torch.bfloat16):
        body = net.model(data.inputs.to(where), use_cache=False, output_router_logits=True)
        logits_TV = net.lm_head(body.last_hidden_state).flatten(0, 1)
    losses_T = torch.nn.functional.cross_entropy(logits_TV.float(), targets_T, reduction="none")
    loss = (losses_T * weights_T).sum() / weights_T.sum()
    loss = loss + recipe.balance_weight * balance_loss(body.router_logits, recipe.top_k)
    if recipe.plant and pairs:
        with torch.autocast(where.type, torch.bfloat16):
            loss = loss + recipe.plant.weight * planting_loss(net, recipe.plant, pairs)
    optimizer.zero_grad(set_to_none=True)
    torch.autograd.backward(loss)
    torch.nn.utils.clip_grad_norm_(net.parameters(), recipe.clip)
    optimizer.step()
    return float(losses_T.detach().mean())


def _groups(net: PreTrainedModel, recipe: PocketRecipe) -> list[dict[str, Any]]:
    parameters = list(net.parameters())
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in parameters if p.ndim == 1], "weight_decay": 0.0},
    ]


def _finish(
    recipe: PocketRecipe, net: PreTrainedModel, cutter: PreTrainedTokenizerFast, losses: list[float], folder: Path
) -> None:
    """Write the checkpoint folder, score what was written, and describe it."""
    if folder.exists():
        shutil.rmtree(folder)
    net.to(torch.bfloat16).save_pretrained(folder)
    (folder / "model.safetensors").chmod(0o644)
    cutter.save_pretrained(folder)
    files.write_atomically(folder / "training.csv", _curve(recipe, losses).encode())
    measured = scores.score(folder, recipe.languages, net.device)
    files.write_json(folder / "scores.json", measured)
    files.write_atomically(folder / "README.md", card.write(folder.name, recipe, measured).encode())


def _curve(recipe: PocketRecipe, losses: list[float]) -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["step", "tokens", "learning_rate", "loss"])
    for start in range(0, len(losses), LOG_EVERY):
        part = losses[start : start + LOG_EVERY]
        last = start + len(part)
        rate = schedule.learning_rate(recipe, last - 1)
        rows.writerow([last, schedule.tokens(recipe, last), f"{rate:.6g}", f"{sum(part) / len(part):.4f}"])
    return text.getvalue()
