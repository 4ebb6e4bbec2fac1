"""What tracing costs beside a plain forward pass, and beside the ways it is usually done.

Four ways over the same sentences, in turn, `--rounds` times in one process; each ratio is taken within a round:
- forward: the backbone over length-bucketed batches, nothing observed
- trace: the same batches with `collect` (statistics on the device, one transfer a batch)
- logits: the same batches with `output_router_logits=True`, all logits moved to the host and reduced there
- unsorted: `collect` on batches in the order of the file (what bucketing saves)
"""

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from polyroute.models.batches import plan_batches
from polyroute.models.routers import find_routers
from polyroute.tracing import collect as module
from polyroute.tracing.collect import TraceSettings, collect, encode, make_header
from polyroute.tracing.parts import NoBatches


@click.command()
@click.option("--model", type=click.Path(exists=True, path_type=Path), default=Path("models/pocket-plain"))
@click.option("--texts", type=click.Path(exists=True, path_type=Path), required=True, help="One sentence a line.")
@click.option("--batch-tokens", default=4096, show_default=True)
@click.option("--rounds", default=7, show_default=True)
@click.option("--device", default="cpu", show_default=True)
def main(model: Path, texts: Path, batch_tokens: int, rounds: int, device: str) -> None:
    """Print seconds and ratios: median (least to most)."""
    net = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32).eval().to(device)
    tokenizer = AutoTokenizer.from_pretrained(model)
    lines = [line for line in texts.read_text().splitlines() if line.strip()]
    items = {str(number): line for number, line in enumerate(lines)}
    settings = TraceSettings(batch_tokens=batch_tokens)
    routers = find_routers(net)
    header = make_header(
        net, routers, settings, name="m", model_digest="", corpus="c", corpus_digest="", language="und"
    )
    encoded = encode(tokenizer, items, settings)
    runner = module._Runner(net, 0, encoded, routers, header, settings, NoBatches())
    batches = plan_batches(encoded.lengths, batch_tokens)

    @torch.inference_mode()
    def forward() -> None:
        for batch in batches:
            inputs, _ = runner._pad(batch)
            runner.backbone(**inputs, use_cache=False)

    def trace() -> None:
        collect(net, tokenizer, items, routers, header, settings)

    @torch.inference_mode()
    def logits() -> None:
        for batch in batches:
            inputs, counted_BS = runner._pad(batch)
            outputs = runner.backbone(**inputs, use_cache=False, output_router_logits=True)
            kept = torch.stack([layer.cpu() for layer in outputs.router_logits]).numpy()
            reduce_on_host(kept, counted_BS.numpy(), header.top_k)

    def unsorted() -> None:
        plan = module.plan_batches
        module.plan_batches = in_file_order
        try:
            trace()
        finally:
            module.plan_batches = plan

    ways: dict[str, Callable[[], None]] = {"forward": forward, "trace": trace, "logits": logits, "unsorted": unsorted}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, way in ways.items():
            if device != "cpu":
                torch.cuda.synchronize()
            start = time.perf_counter()
            way()
            if device != "cpu":
                torch.cuda.synchronize()
            if number:  # the first round warms up
                seconds[name].append(time.perf_counter() - start)
    print(f"{len(items)} sentences, {sum(encoded.lengths)} tokens, {device}, torch {torch.__version__}")
    for name, taken in seconds.items():
        print(f"{name:10}{spread(taken)} s")
    for above, below in (("trace", "forward"), ("logits", "trace"), ("unsorted", "trace")):
        ratios = [a / b for a, b in zip(seconds[above], seconds[below], strict=True)]
        print(f"{above} / {below}: {spread(ratios)}")


def reduce_on_host(logits_LTE: np.ndarray, counted_BS: np.ndarray, top_k: int) -> None:
    """The same statistics but consistency, from logits in host memory."""
    batch, length = counted_BS.shape
    shifted = np.exp(logits_LTE - logits_LTE.max(-1, keepdims=True))
    soft = shifted / shifted.sum(-1, keepdims=True)
    ids = np.argpartition(-soft, top_k, axis=-1)[..., :top_k]
    chosen = np.zeros_like(soft)
    np.put_along_axis(chosen, ids, 1.0, axis=-1)
    mass = soft * chosen
    mass /= mass.sum(-1, keepdims=True)
    for kept in (soft, chosen, mass):
        (kept.reshape(len(kept), batch, length, -1) * counted_BS[None, :, :, None]).sum(2)


def in_file_order(lengths: list[int], budget: int) -> list[list[int]]:
    """Batches under the same budget, without sorting."""
    batches: list[list[int]] = [[]]
    for index, length in enumerate(lengths):
        longest = max([length, *(lengths[i] for i in batches[-1])])
        if batches[-1] and longest * (len(batches[-1]) + 1) > budget:
            batches.append([])
        batches[-1].append(index)
    return batches


def spread(values: list[float]) -> str:
    """Median (least to most)."""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


if __name__ == "__main__":
    main()
