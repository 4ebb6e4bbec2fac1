"""Tracing and steered decoding on a GPU, at the size of real models, in six minutes.

OLMoE-1B-7B and Qwen3-30B-A3B as their configurations say, with random weights in bfloat16: nothing is downloaded. Times
are those of CUDA events, and beside each stands the least that it could take on this device: its operations at the
speed of a large matrix product, or its bytes at the speed of a large copy, whichever takes longer, both measured here.
Without a GPU the same runs on a small model on the CPU, which says that the script works and nothing else.

What is measured is in MEASURES, a function of a `Subject` each.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import click
import pandas as pd
import peers
import torch
from timing import measured_on, spread
from torch import nn
from transformers import AutoModelForCausalLM, OlmoeConfig, PretrainedConfig, Qwen3MoeConfig

import polyroute
from polyroute.asking.generation import GenerationSettings, generate_under
from polyroute.models.batches import plan_batches
from polyroute.models.routers import Router, find_routers
from polyroute.tracing import collect as tracing
from polyroute.tracing.parts import NoBatches

OLMOE = OlmoeConfig(
    vocab_size=50304, hidden_size=2048, intermediate_size=1024, num_hidden_layers=16, num_attention_heads=16,
    num_experts=64, num_experts_per_tok=8, max_position_embeddings=4096,
)  # fmt: skip
QWEN3 = Qwen3MoeConfig(
    vocab_size=151936, hidden_size=2048, moe_intermediate_size=768, num_hidden_layers=48, num_attention_heads=32,
    num_key_value_heads=4, head_dim=128, num_experts=128, num_experts_per_tok=8, norm_topk_prob=True,
    max_position_embeddings=40960,
)  # fmt: skip
SMALL = Qwen3MoeConfig(
    vocab_size=512, hidden_size=64, moe_intermediate_size=32, num_hidden_layers=4, num_attention_heads=4,
    num_key_value_heads=2, head_dim=16, num_experts=16, num_experts_per_tok=4, max_position_embeddings=512,
)  # fmt: skip


@dataclass(frozen=True)
class Device:
    """A device and what it can do."""

    device: torch.device
    operations: float
    """A second, of a large matrix product in bfloat16."""
    bytes: float
    """A second, read and written by a large copy."""

    def floor(self, operations: float, read: float) -> str:
        """The least seconds for so many operations and bytes, and which of the two it is."""
        by_operations, by_bytes = operations / self.operations, read / self.bytes
        which = "operations" if by_operations > by_bytes else "bytes"
        return f"{1000 * max(by_operations, by_bytes):.2f} ms by {which}"


@dataclass(frozen=True)
class Subject:
    """A model, and how much it is given."""

    model: nn.Module
    routers: tuple[Router, ...]
    on: Device
    rounds: int
    sentences: int
    batch_tokens: int
    new_tokens: int
    conditions: int

    @property
    def expert_weights(self) -> int:
        """Of one expert of one layer."""
        config = self.model.config
        width = getattr(config, "moe_intermediate_size", None) or config.intermediate_size
        return 3 * config.hidden_size * width

    def weights(self, experts: float) -> float:
        """Weights of a pass through so many experts of each layer, less embeddings and head."""
        total = sum(weight.numel() for weight in self.model.base_model.layers.parameters())
        return total - len(self.routers) * (self.routers[0].experts - experts) * self.expert_weights


class Letters:
    """A tokenizer whose tokens are numbers between blanks."""

    pad_token_id = 0
    eos_token_id = None

    def decode(self, ids: list[int], **_: object) -> str:
        """The numbers again."""
        return " ".join(map(str, ids))

    def __call__(self, texts: list[str] | str, **_: object) -> dict[str, list[Any]]:
        """Token ids, none of them special; what is no number is token 1."""
        several = [texts] if isinstance(texts, str) else texts
        ids = [[int(token) if token.isdigit() else 1 for token in text.split()] for text in several]
        marks = [[0] * len(each) for each in ids]
        if isinstance(texts, str):
            return {"input_ids": ids[0], "special_tokens_mask": marks[0]}
        return {"input_ids": ids, "special_tokens_mask": marks}


def measure_trace(subject: Subject) -> Iterator[str]:
    """Tracing beside the bare backbone on the same batches."""
    model, routers, device = subject.model, subject.routers, subject.on.device
    generator = torch.Generator().manual_seed(0)
    lengths = torch.randint(20, 61, (subject.sentences,), generator=generator).tolist()
    items = {
        str(n): " ".join(map(str, torch.randint(3, model.config.vocab_size, (length,), generator=generator).tolist()))
        for n, length in enumerate(lengths)
    }
    settings = tracing.TraceSettings(batch_tokens=subject.batch_tokens)
    header = tracing.make_header(
        model, routers, settings, name="m", model_digest="", corpus="c", corpus_digest="", language="und"
    )
    tokenizer = Letters()
    encoded = tracing.encode(tokenizer, items, settings)
    runner = tracing._Runner(model, 0, encoded, routers, header, settings, NoBatches())
    padded = [runner._pad(batch)[0] for batch in plan_batches(encoded.lengths, settings.batch_tokens)]
    tokens = sum(encoded.lengths)

    @torch.inference_mode()
    def forward() -> None:
        for inputs in padded:
            runner.backbone(**inputs, use_cache=False)

    def trace() -> None:
        tracing.collect(model, tokenizer, items, routers, header, settings)

    @torch.inference_mode()
    def logits() -> None:
        for inputs in padded:
            runner.backbone(**inputs, use_cache=False, output_router_logits=True)

    seconds, peaks = compared({"forward": forward, "trace": trace, "router logits": logits}, subject)
    read = 2 * len(padded) * subject.weights(routers[0].experts)
    least = subject.on.floor(2 * tokens * subject.weights(routers[0].top_k), read)
    yield f"trace: {len(items)} sentences, {tokens} tokens, {len(padded)} batches on {device.type}; floor {least}"
    for name, taken in seconds.items():
        yield f"  {name:14}{spread([1000 * one for one in taken])} ms, peak {peaks[name]}"
    yield f"  tokens a second, trace / forward: {ratios(seconds, 'forward', 'trace')}"
    yield f"  router logits kept, not reduced / trace: {ratios(seconds, 'router logits', 'trace')}"


def measure_decode(subject: Subject) -> Iterator[str]:
    """Greedy decoding under a single plan beside decoding without."""
    model, routers = subject.model, subject.routers
    experts = routers[0].experts
    plan = polyroute.Plan(
        model="random", experts_per_layer=experts, top_k=routers[0].top_k, rule="soft", strength=0.5,
        experts={router.layer: (1, experts // 2) for router in routers[len(routers) // 4 : -len(routers) // 4]},
    )  # fmt: skip
    for batch in (1, 32):
        prompt = torch.randint(3, model.config.vocab_size, (batch, 32), generator=torch.Generator().manual_seed(1))
        inputs = {"input_ids": prompt.to(subject.on.device)}
        inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])

        @torch.inference_mode()
        def plain(inputs: dict[str, torch.Tensor] = inputs) -> None:
            model.generate(**inputs, max_new_tokens=subject.new_tokens, do_sample=False)

        def steered(plain: Callable[[], None] = plain) -> None:
            with polyroute.steer(model, plan, routers=routers):
                plain()

        seconds, peaks = compared({"plain": plain, "steered": steered}, subject)
        # Experts that a step is expected to touch, were all as likely as one another.
        touched = experts * (1 - (1 - routers[0].top_k / experts) ** batch)
        head = model.get_output_embeddings().weight.numel()
        operations = 2 * batch * (subject.weights(routers[0].top_k) + head)
        least = subject.on.floor(operations, 2 * (subject.weights(touched) + head))
        yield f"decode: {batch} texts, {subject.new_tokens} tokens; floor of a step {least}"
        for name, taken in seconds.items():
            step = [1000 * one / subject.new_tokens for one in taken]
            yield f"  {name:14}{spread(step)} ms a step, peak {peaks[name]}"
        yield f"  steered / plain: {ratios(seconds, 'steered', 'plain')}"


def measure_sweep(subject: Subject) -> Iterator[str]:
    """Texts under many plans in one pass beside a run for each; once, since it takes long."""
    model, routers = subject.model, subject.routers
    experts, prompts = routers[0].experts, 32
    drawn = torch.Generator().manual_seed(2)
    plans: list[polyroute.Plan | None] = [None]
    for number in range(subject.conditions - 1):
        few = tuple(sorted(torch.randperm(experts, generator=drawn)[:2].tolist()))
        layers = [router.layer for router in routers[len(routers) // 4 : -len(routers) // 4]]
        plans.append(
            polyroute.Plan(
                model="random",
                experts_per_layer=experts,
                top_k=routers[0].top_k,
                rule="soft",
                strength=0.1 * (number + 1),
                experts=dict.fromkeys(layers, few),
            )
        )
    ids = torch.randint(3, model.config.vocab_size, (prompts, 32), generator=drawn).tolist()
    items = pd.DataFrame(
        {"item_id": range(prompts), "language": "und", "prompt": [" ".join(map(str, row)) for row in ids]}
    )
    settings = GenerationSettings(max_new_tokens=subject.new_tokens, batch_tokens=subject.batch_tokens * 8)

    def together() -> None:
        generate_under(model, Letters(), items, plans, routers, settings)

    def apart() -> None:
        peers.alone(model, plans, routers, lambda: generate_under(model, Letters(), items, [None], (), settings))

    seconds, peaks = compared({"together": together, "apart": apart}, replace(subject, rounds=1))
    yield f"sweep: {len(plans)} conditions, {prompts} texts, {subject.new_tokens} tokens"
    for name, taken in seconds.items():
        yield f"  {name:14}{spread(taken)} s, peak {peaks[name]}"
    yield f"  together / apart: {ratios(seconds, 'together', 'apart')}"


MEASURES: dict[str, Callable[[Subject], Iterator[str]]] = {
    "trace": measure_trace, "decode": measure_decode, "sweep": measure_sweep,
}  # fmt: skip


def timed(device: torch.device, work: Callable[[], object]) -> float:
    """Seconds from the first to the last of the work on the device."""
    if device.type != "cuda":
        start = time.perf_counter()
        work()
        return time.perf_counter() - start
    begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    torch.cuda.synchronize(device)
    begin.record()
    work()
    end.record()
    torch.cuda.synchronize(device)
    return begin.elapsed_time(end) / 1000


def compared(ways: dict[str, Callable[[], None]], subject: Subject) -> tuple[dict[str, list[float]], dict[str, str]]:
    """Seconds of each way in turn, after one round to warm up, and the peak of memory above the weights."""
    device = subject.on.device
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    peaks: dict[str, str] = {}
    for number in range(subject.rounds + 1):
        for name in list(ways) if number % 2 else reversed(list(ways)):
            before = 0
            if device.type == "cuda":
                torch.cuda.reset_peak_memory_stats(device)
                before = torch.cuda.memory_allocated(device)
            taken = timed(device, ways[name])
            if device.type == "cuda":
                peaks[name] = f"{(torch.cuda.max_memory_allocated(device) - before) / 2**20:.0f} MiB"
            else:
                peaks[name] = "not measured"
            if number:
                seconds[name].append(taken)
    return seconds, peaks


def ratios(seconds: dict[str, list[float]], above: str, below: str) -> str:
    """One way beside another, by rounds."""
    return spread([a / b for a, b in zip(seconds[above], seconds[below], strict=True)])


def explored(device: torch.device) -> Device:
    """What the device can do, measured."""
    side = 8192 if device.type == "cuda" else 256
    left, right = (torch.randn(side, side, dtype=torch.bfloat16, device=device) for _ in range(2))
    product = min(timed(device, lambda: left @ right) for _ in range(5))
    source = torch.empty(2**30 if device.type == "cuda" else 2**22, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    copy = min(timed(device, lambda: target.copy_(source)) for _ in range(5))
    return Device(device, 2 * side**3 / product, 2 * source.numel() / copy)


def random_model(config: PretrainedConfig, device: torch.device) -> nn.Module:
    """A model with random weights, made where it is to lie."""
    torch.manual_seed(0)
    with device:
        model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16).eval()
    model.generation_config.eos_token_id = None
    model.generation_config.pad_token_id = 0
    return model


@click.command()
@click.option("--minutes", default=6.0, show_default=True, help="A model that would begin later is left out.")
@click.option("--rounds", default=5, show_default=True)
@click.option("--small", is_flag=True, help="The small model, on a GPU too.")
def main(minutes: float, rounds: int, small: bool) -> None:
    """Print milliseconds, median (least to most), floors, and peaks of memory."""
    start = time.monotonic()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    on = explored(device)
    print(measured_on(device))
    print(f"matrix product {on.operations / 1e12:.2f} T operations/s, copy {on.bytes / 1e9:.1f} GB/s")
    small = small or device.type != "cuda"
    if small:
        print("a small model: these numbers say nothing about real ones")
    for name, config in {"small": SMALL}.items() if small else {"OLMoE-1B-7B": OLMOE, "Qwen3-30B-A3B": QWEN3}.items():
        if time.monotonic() - start > 0.6 * 60 * minutes:
            print(f"{name}: left out, no time")
            continue
        model = random_model(config, device)
        routers = find_routers(model)
        amount = (24, 256, 4, 4) if small else (2000, 16384, 64, 12)
        subject = Subject(model, routers, on, rounds, *amount)
        weights = sum(weight.numel() for weight in model.parameters())
        print(f"{name}: {weights / 1e9:.2f}B weights, {len(routers)} layers of {routers[0].experts} experts")
        for measure in MEASURES.values():
            for line in measure(subject):
                print(line, flush=True)
        print(f"  {time.monotonic() - start:.0f} s so far")
        del model, routers, subject
        if device.type == "cuda":
            torch.cuda.empty_cache()


if __name__ == "__main__":
    main()
