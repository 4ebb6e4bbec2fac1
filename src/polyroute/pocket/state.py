"""The state of an unfinished training run: one file, there whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import torch
import transformers
from safetensors import safe_open
from safetensors.torch import save as serialised
from torch import Tensor
from transformers import PreTrainedModel

from polyroute.ground import checksum, files
from polyroute.ground.checksum import ChecksumError
from polyroute.ground.code import code_digest
from polyroute.miniworld.tables import PHRASES
from polyroute.pocket.recipe import PocketRecipe

DETERMINES = ("polyroute.pocket.train",)
"""The modules that, with all that they import, decide the weights; a state left by other code is never taken up."""


def digest(recipe: PocketRecipe, where: torch.device) -> str:
    """Of everything that decides the weights: recipe, code, versions, device."""
    return files.digest(
        {
            "recipe": recipe.model_dump(mode="json"),
            "code": code_digest(*DETERMINES),
            "phrases": files.digest_files(PHRASES, ("*.toml",)),
            "versions": [torch.__version__, transformers.__version__],
            # Sums are split between threads, so their last bits depend on the number.
            "device": [where.type, torch.get_num_threads()],
        }
    )[:16]


def save(path: Path, net: PreTrainedModel, optimizer: torch.optim.AdamW, done: int, losses: list[float]) -> None:
    """Write weights, AdamW's moments, the steps done and the loss of each.

    There is no generator to save: a step's batch depends on its number alone, and the model draws nothing.
    """
    tensors: dict[str, Tensor] = {}
    for name, parameter in net.named_parameters():
        moments = optimizer.state[parameter]
        tensors[f"weight/{name}"] = parameter.detach()
        tensors[f"first/{name}"] = moments["exp_avg"]
        tensors[f"second/{name}"] = moments["exp_avg_sq"]
    # Everything goes into one file, so that no part of it can be older than another.
    of = checksum.blank(path.parent.name)
    metadata = {"done": str(done), "losses": json.dumps(losses), checksum.KEY: of}
    content = serialised({name: tensor.cpu().contiguous() for name, tensor in tensors.items()}, metadata)
    files.write_atomically(path, checksum.filled(content))


def resume(path: Path, net: PreTrainedModel, optimizer: torch.optim.AdamW) -> tuple[int, list[float]]:
    """Load what `save` wrote, if it is there.

    Returns:
        Steps done and the loss of each; 0 and none where there is no state, or a damaged one or another recipe's.
    """
    try:
        checksum.prove(path, of=path.parent.name)
    except (FileNotFoundError, ChecksumError):
        return 0, []
    with safe_open(path, "pt") as saved, torch.no_grad():
        metadata = saved.metadata()
        done = int(metadata["done"])
        for name, parameter in net.named_parameters():
            parameter.copy_(saved.get_tensor(f"weight/{name}"))
            optimizer.state[parameter] = {
                "step": torch.tensor(float(done), device=parameter.device),
                "exp_avg": saved.get_tensor(f"first/{name}").to(parameter.device),
                "exp_avg_sq": saved.get_tensor(f"second/{name}").to(parameter.device),
            }
    return done, json.loads(metadata["losses"])
