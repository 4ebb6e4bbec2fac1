"""Tokens a second of vLLM under plans against vLLM without, in pairs: `python bench/vllm_speed.py MODEL [--plan FILE]`.

Run it in vLLM's environment (docs/vllm.md). Three engines are compared by turns on the same requests: `plain`, without
the plugin; `idle`, with it and no plan asked for; and `steered`, every request under the plan. A pair is one run of
each, one right after the other, in an order that alternates; the ratio of a pair is free of what slows both. The median
of the ratios has a 95% interval by the ranks of the pairs (sign test), which one pair that was disturbed cannot move.
The target is a ratio of 0.98 under CUDA graphs. Engines that do not fit side by side run one after another (`--apart`),
as on one GPU: then rounds are compared in their order, and drift is not cancelled.

Each engine is a process of its own. Without a GPU its CPU seconds are counted, not those on the wall, so that other
work on the machine counts for little. Without a checkpoint, `--tiny` makes a small random one.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

CONDITIONS = ("plain", "idle", "steered")


def tiny(folder: Path) -> Path:
    """A random Qwen3-MoE that vLLM's kernels for CPUs take."""
    import torch
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast, Qwen3MoeConfig, Qwen3MoeForCausalLM

    torch.manual_seed(0)
    config = Qwen3MoeConfig(
        vocab_size=512, hidden_size=256, intermediate_size=256, moe_intermediate_size=128, num_hidden_layers=8,
        num_attention_heads=4, num_key_value_heads=2, head_dim=64, num_experts=32, num_experts_per_tok=4,
        max_position_embeddings=1024,
    )  # fmt: skip
    Qwen3MoeForCausalLM(config).save_pretrained(folder)
    words = Tokenizer(models.WordLevel({f"w{number}": number for number in range(512)}, unk_token="w0"))
    PreTrainedTokenizerFast(tokenizer_object=words, pad_token="w0", eos_token="w1").save_pretrained(folder)
    return folder


def plan_for(folder: Path) -> Any:
    """A soft plan for two experts in the middle half of a model's layers."""
    from transformers import AutoConfig

    from polyroute.steering.plan import Plan

    config = AutoConfig.from_pretrained(folder).get_text_config()
    layers = config.num_hidden_layers
    experts = next(getattr(config, name) for name in ("num_experts", "num_local_experts", "n_routed_experts")
                   if hasattr(config, name))  # fmt: skip
    middle = range(layers // 4, 3 * layers // 4)
    return Plan(
        model=str(folder), experts_per_layer=experts, top_k=config.num_experts_per_tok, rule="soft", strength=0.5,
        experts=dict.fromkeys(middle, (0, 1)),
    )  # fmt: skip


def serve(condition: str, told: dict[str, Any]) -> None:
    """A process: the engine, which runs the requests once for each line that it reads and tells the seconds."""
    import time

    import torch

    clock = time.perf_counter
    if not torch.cuda.is_available():
        # All in this process, so that its CPU seconds are the engine's.
        os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"
        clock = time.process_time
    from vllm import LLM, SamplingParams

    llm = LLM(told["model"], **told["engine"])
    how = SamplingParams(
        temperature=0, max_tokens=told["new"], ignore_eos=True, detokenize=False,
        extra_args={"plan": "only"} if condition == "steered" else None,
    )  # fmt: skip
    words = llm.llm_engine.vllm_config.model_config.get_vocab_size()
    prompts = [
        {"prompt_token_ids": [(7919 * (row * told["prompt"] + at) + 3) % words for at in range(told["prompt"])]}
        for row in range(told["requests"])
    ]
    out = os.fdopen(told["answers"], "w")
    for _ in range(2):  # graphs and caches of kernels
        llm.generate(prompts, how, use_tqdm=False)
    print("up", file=out, flush=True)
    for _ in sys.stdin:
        llm.reset_prefix_cache()
        start = clock()
        llm.generate(prompts, how, use_tqdm=False)
        print(clock() - start, file=out, flush=True)


class Engine:
    """One of the processes."""

    def __init__(self, condition: str, told: dict[str, Any], plan: Path):
        reading, writing = os.pipe()
        variables = {name: value for name, value in os.environ.items() if not name.startswith("POLYROUTE_PLAN")}
        if condition == "plain":
            variables["VLLM_PLUGINS"] = ""
        else:
            variables["POLYROUTE_PLANS"] = f"only={plan}"
        command = [sys.executable, __file__, "--process", condition, json.dumps(told | {"answers": writing})]
        self.running = subprocess.Popen(
            command, env=variables, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, pass_fds=(writing,), text=True
        )
        os.close(writing)
        self.answers = os.fdopen(reading)
        if self.answers.readline() != "up\n":
            raise SystemExit(f"the engine `{condition}` did not start: see above")

    def seconds(self) -> float:
        """Run the requests once."""
        assert self.running.stdin is not None
        self.running.stdin.write("\n")
        self.running.stdin.flush()
        return float(self.answers.readline())

    def close(self) -> None:
        """End the process."""
        assert self.running.stdin is not None
        self.running.stdin.close()
        self.running.wait(60)


def main() -> None:
    """Measure, and print a line for each condition and ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", nargs="?", help="folder or organisation/model")
    parser.add_argument("--tiny", action="store_true", help="a small random model")
    parser.add_argument("--plan", type=Path, help="a plan file; one is made up if left out")
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--requests", type=int, default=64)
    parser.add_argument("--prompt", type=int, default=128, help="tokens of a prompt")
    parser.add_argument("--new", type=int, default=128, help="tokens written after each")
    parser.add_argument("--apart", action="store_true", help="one engine at a time")
    parser.add_argument("--engine", type=json.loads, default={}, help="more arguments of LLM, as JSON")
    parser.add_argument("--process", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.process:
        serve(given.process[0], json.loads(given.process[1]))
        return
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        model = str(tiny(Path(scratch) / "model")) if given.tiny else given.model
        if model is None:
            parser.error("name a model, or --tiny")
        plan = given.plan or Path(scratch) / "plan.json"
        if given.plan is None:
            plan_for(Path(model)).save(plan)
        engine: dict[str, Any] = {"max_model_len": given.prompt + given.new + 1, "seed": 0}
        if not given.apart:  # three of them share the memory
            engine["gpu_memory_utilization"] = 0.25
        told = {
            "model": model, "engine": engine | given.engine,
            "requests": given.requests, "prompt": given.prompt, "new": given.new,
        }  # fmt: skip
        seconds: dict[str, list[float]] = {condition: [] for condition in CONDITIONS}
        if given.apart:
            for condition in CONDITIONS:
                one = Engine(condition, told, plan)
                seconds[condition] = [one.seconds() for _ in range(given.pairs)]
                one.close()
        else:
            engines = {condition: Engine(condition, told, plan) for condition in CONDITIONS}
            for one in engines.values():
                stack.callback(one.close)
            for pair in range(given.pairs):
                for condition in CONDITIONS if pair % 2 == 0 else reversed(CONDITIONS):
                    seconds[condition].append(engines[condition].seconds())
    tokens = given.requests * given.new
    for condition in CONDITIONS:
        print(f"{condition:8} {tokens / statistics.median(seconds[condition]):10.1f} tokens/s written (median)")
    for condition in CONDITIONS[1:]:
        ratios = [plain / other for plain, other in zip(seconds["plain"], seconds[condition], strict=True)]
        low, high = of_median(ratios)
        print(
            f"{condition} / plain: median {statistics.median(ratios):.3f} [{low:.3f}, {high:.3f}], pairs from "
            f"{min(ratios):.3f} to {max(ratios):.3f}, {len(ratios)} of them (target 0.980)"
        )


def of_median(values: list[float]) -> tuple[float, float]:
    """95% interval of the median: the values between which it lies unless a fair coin falls one way too often."""
    from scipy.stats import binom

    ordered, rank = sorted(values), int(binom.ppf(0.025, len(values), 0.5))
    place = max(rank - 1, 0)
    return ordered[place], ordered[-1 - place]


if __name__ == "__main__":
    main()
