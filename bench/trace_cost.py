"""What tracing costs beside the bare forward pass, and beside the ways it is usually done (`peers.py`).

All ways take the same sentences in turn, `--rounds` times in one process; each ratio is of CPU seconds within a round.
That they find the same numbers is asserted before anything is timed.
- forward: the backbone over the same padded batches, nothing observed, nothing tokenized
- trace: `collect`: tokenizing, batches, statistics (with consistency, which the peers leave out)
- router logits, padded hook, expert loop, nnsight (where installed): `peers.py`, from text too
- second call: `polyroute.trace` again on a model that it has checked
"""

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
import peers
import torch
from timing import LivePeak, in_turn, measured_on, ratio, spread
from torch import nn
from transformers import AutoModelForCausalLM, AutoTokenizer, Qwen3MoeConfig, Qwen3MoeForCausalLM

import polyroute
from polyroute.miniworld import corpus as pocket_corpus
from polyroute.models.batches import plan_batches
from polyroute.models.routers import find_routers
from polyroute.tracing.collect import TraceSettings, collect, encode, make_header


def random_model(layers: int, hidden: int, experts: int, top_k: int) -> Qwen3MoeForCausalLM:
    """A random Qwen3-MoE; 12 layers of 512 wide and 64 experts have 0.3 billion weights."""
    torch.manual_seed(0)
    config = Qwen3MoeConfig(
        vocab_size=4096, hidden_size=hidden, moe_intermediate_size=hidden // 2, num_hidden_layers=layers,
        num_attention_heads=8, num_key_value_heads=4, head_dim=hidden // 8, num_experts=experts,
        num_experts_per_tok=top_k, max_position_embeddings=4096, router_aux_loss_coef=0.0,
    )  # fmt: skip
    return Qwen3MoeForCausalLM(config).eval()


def tokenized(tokenizer: Any, items: Mapping[str, str], settings: TraceSettings) -> peers.Corpus:
    """Texts as tokens, in the batches in which they are traced."""
    encoded = encode(tokenizer, items, settings)
    return peers.Corpus(encoded.ids, encoded.counted, plan_batches(encoded.lengths, settings.batch_tokens))


@torch.inference_mode()
def forward(backbone: nn.Module, padded: Sequence[dict[str, torch.Tensor]]) -> None:
    """The bare forward pass: nothing observed."""
    for inputs in padded:
        backbone(**inputs, use_cache=False)


@click.command()
@click.option("--model", type=click.Path(exists=True, path_type=Path), default=Path("models/pocket-plain"))
@click.option("--random", is_flag=True, help="A random model of 0.3 billion weights in its place.")
@click.option("--layers", default=12, show_default=True, help="Of the random model.")
@click.option("--hidden", default=512, show_default=True, help="Width of the random model.")
@click.option("--sentences", default=200, show_default=True, help="A language; there are four.")
@click.option("--batch-tokens", default=4096, show_default=True)
@click.option("--rounds", default=7, show_default=True)
@click.option("--loop/--no-loop", default=True, help="The loop over experts, which takes long.")
def main(
    model: Path, random: bool, layers: int, hidden: int, sentences: int, batch_tokens: int, rounds: int, loop: bool
) -> None:
    """Print ratios of CPU seconds, median (least to most), and peaks of memory."""
    tokenizer = AutoTokenizer.from_pretrained(model)
    if random:
        net = random_model(layers, hidden, 64, 8)
    else:
        net = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32).eval()
    texts = pocket_corpus.parallel_corpus("report", sentences, ["eng_Latn", "deu_Latn", "hin_Deva", "swh_Latn"])
    items = {f"{row.language} {row.item_id}": row.text for row in texts.itertuples()}
    settings = TraceSettings(batch_tokens=batch_tokens)
    routers = find_routers(net)
    header = make_header(
        net, routers, settings, name="m", model_digest="", corpus="c", corpus_digest="", language="und"
    )

    def ready() -> peers.Corpus:
        return tokenized(tokenizer, items, settings)

    corpus = ready()
    padded = [corpus.pad(batch)[0] for batch in corpus.batches]
    backbone = net.base_model

    def trace():
        return collect(net, tokenizer, items, routers, header, settings)

    others: dict[str, Callable[[], peers.Found]] = {
        "router logits": lambda: peers.router_logits(backbone, ready(), routers),
        "padded hook": lambda: peers.padded_hook(backbone, ready(), routers),
    }
    if loop:
        others["expert loop"] = lambda: peers.expert_loop(backbone, ready(), routers)
    if importlib.util.find_spec("nnsight"):
        others["nnsight"] = lambda: peers.nnsight(net, ready(), routers)

    weights = sum(weight.numel() for weight in net.parameters())
    print(
        f"{net.config.model_type}, {weights / 1e6:.0f}M weights, {len(routers)} layers, {header.experts} experts; "
        f"{len(items)} sentences, {sum(map(len, corpus.ids))} tokens, {len(padded)} batches, {rounds} rounds"
    )
    print(measured_on(torch.device("cpu")))
    ours = trace()
    for name, way in others.items():
        soft, count = way()
        np.testing.assert_allclose(soft, ours.soft_mass, atol=2e-5, err_msg=name)
        # Other padding moves last digits, and with them ties between experts.
        moved = np.abs(count - ours.topk_count).sum() / ours.topk_count.sum()
        assert moved < 1e-3, f"{name}: {moved:.2g} of the choices differ"
        print(f"{name}: soft mass within {np.abs(soft - ours.soft_mass).max():.1g}, {moved:.1g} of choices differ")

    seconds = in_turn({"forward": lambda: forward(backbone, padded), "trace": trace, **others}, rounds)
    for name, taken in seconds.items():
        print(f"{name:14}{spread(taken)} s")
    print(f"tokens a second, trace / forward: {ratio(seconds, 'forward', 'trace')}")
    for name in others:
        print(f"{name} / trace: {ratio(seconds, name, 'trace')}")

    def unchecked() -> None:
        collect(net, tokenizer, items, find_routers(net), header, settings)

    polyroute.trace(net, tokenizer, items, settings=settings)
    again = in_turn(
        {"second": lambda: polyroute.trace(net, tokenizer, items, settings=settings), "unchecked": unchecked}, rounds
    )
    print(f"second call / a call without the check: {ratio(again, 'second', 'unchecked')}")

    largest = max(inputs["input_ids"].numel() for inputs in padded)
    logits = largest * len(routers) * header.experts * 4
    peaks = {}
    for name, way in {"trace": trace, "router logits": others["router logits"]}.items():
        with LivePeak() as live:
            way()
        peaks[name] = live.peak
    print(
        f"peak of tensors: trace {peaks['trace'] / 2**20:.0f} MiB, router logits {peaks['router logits'] / 2**20:.0f} "
        f"MiB; the largest batch's logits are {logits / 2**20:.0f} MiB"
    )


if __name__ == "__main__":
    main()
