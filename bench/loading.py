"""What loading a model and running its first batch costs beside plain transformers; and what importing costs.

Loading finds the routers and proves the contract, which runs the model a few times on 14 tokens; plain transformers
loads the same files and runs the same batch. Ratios are of CPU seconds within a round; commands and imports are child
processes.
"""

import resource
import subprocess
import sys
from pathlib import Path

import click
import torch
from timing import in_turn, measured_on, ratio, spread
from transformers import AutoModelForCausalLM, AutoTokenizer

from polyroute.miniworld import corpus as pocket_corpus
from polyroute.models.load import load
from polyroute.models.settings import Checkpoint
from polyroute.models.source import ModelSource
from polyroute.tracing.collect import TraceSettings, collect, make_header


@click.command()
@click.option("--model", type=click.Path(exists=True, path_type=Path), default=Path("models/pocket-plain"))
@click.option("--batch-tokens", default=4096, show_default=True, help="Of the first batch.")
@click.option("--rounds", default=7, show_default=True)
def main(model: Path, batch_tokens: int, rounds: int) -> None:
    """Print ratios: median (least to most)."""
    spec = Checkpoint(folder=model, dtype="float32", device="cpu")
    source = ModelSource(place=str(model), revision=None, local_files_only=True, digest="")
    texts = pocket_corpus.parallel_corpus("report", batch_tokens // 45, ["eng_Latn"])
    items = dict(zip(texts["item_id"], texts["text"], strict=True))

    @torch.inference_mode()
    def plain() -> None:
        tokenizer = AutoTokenizer.from_pretrained(model)
        net = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32).eval()
        inputs = tokenizer(list(items.values()), return_tensors="pt", padding=True, return_token_type_ids=False)
        net(**inputs, use_cache=False)

    def loaded():
        return load("bench", spec, source)

    def ours() -> None:
        found = loaded()
        settings = TraceSettings(batch_tokens=batch_tokens)
        header = make_header(
            found.model, found.routers, settings, name="m", model_digest="", corpus="c", corpus_digest="",
            language="und",
        )  # fmt: skip
        collect(found.model, found.tokenizer, items, found.routers, header, settings)

    print(measured_on(torch.device("cpu")))
    seconds = in_turn({"plain": plain, "ours": ours, "load alone": loaded}, rounds)
    for name, taken in seconds.items():
        print(f"{name:14}{spread(taken)} s")
    print(f"loading and a first batch / plain transformers: {ratio(seconds, 'ours', 'plain')}")
    for name, command in {
        "import polyroute": ["-c", "import polyroute"],
        "polyroute --help": ["-c", "from polyroute.cli.verbs import main; main(['--help'])"],
        "import torch": ["-c", "import torch"],
    }.items():
        print(f"{name}: {spread([started(command) for _ in range(rounds)])} s")


def started(command: list[str]) -> float:
    """CPU seconds that a child process takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *command], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
