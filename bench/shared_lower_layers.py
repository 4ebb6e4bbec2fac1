"""What a study of several conditions costs if the layers below the first edited one run once for all of them.

The same baseline and steered conditions are answered in turn by `answer_all(share=True)` and `share=False`, `--rounds`
times in one process, each time into an empty store. The ratio is taken within a round, of CPU seconds on one thread:
other work on the machine does not count. Both ways must give the same answers, to the bit.

Beside it stand two ratios to hold it against: `layers`, what it would be if a run were nothing but its layers, and
`blocks`, the same with the share of a run's seconds that the skipped layers really take.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pandas as pd
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, Qwen3MoeConfig, Qwen3MoeForCausalLM

from polyroute.asking import choices as choice
from polyroute.asking import generation
from polyroute.asking.answer_all import Answer, answer_all
from polyroute.asking.generation import GenerationSettings
from polyroute.asking.store import AnswerStore
from polyroute.miniworld import items as pocket_items
from polyroute.models.routers import Router, find_routers
from polyroute.steering.condition import BASELINE, Condition
from polyroute.steering.plan import Plan

Answers = dict[str, pd.DataFrame]
STRENGTHS = (-2.0, 0.5, 1.0, 2.0, 4.0)
"""Of the steered conditions."""
BATCH_TOKENS = {"likelihood": 4096, "generation": 256}
"""Generation in several batches: a batch in which one text takes another way runs whole from there."""


@dataclass(frozen=True)
class Study:
    """What is answered, and how."""

    name: str
    model: torch.nn.Module
    routers: tuple[Router, ...]
    first: int
    answer: Answer
    batch_tokens: int


@click.command()
@click.option("--model", type=click.Path(exists=True, path_type=Path), default=Path("models/pocket-plain"))
@click.option("--items", default=24, show_default=True, help="Of the task arithmetic, in English.")
@click.option("--rounds", default=5, show_default=True)
@click.option("--new-tokens", default=16, show_default=True, help="Tokens of a generated text.")
def main(model: Path, items: int, rounds: int, new_tokens: int) -> None:
    """Print CPU seconds and ratios: median (least to most)."""
    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(model)
    pocket = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32).eval()
    asked = pocket_items.arithmetic("report", items, ["eng_Latn"], seed=11)
    print(f"{items} items, {1 + len(STRENGTHS)} conditions, {rounds} rounds, 1 thread, torch {torch.__version__}")
    print("study: seconds alone | shared / alone | by layers, by blocks")
    for study in studies(pocket, tokenizer, new_tokens):
        plans = list(conditions(study))
        seconds: dict[bool, list[float]] = {True: [], False: []}
        for number in range(rounds + 1):
            answers = {}
            for share in (True, False) if number % 2 else (False, True):
                answers[share], taken = timed(answered, study, asked, plans, share)
                if number:  # the first round warms up
                    seconds[share].append(taken)
            for condition in plans:
                pd.testing.assert_frame_equal(
                    answers[True][condition.name], answers[False][condition.name], check_exact=True
                )
        ratios = [shared / alone for shared, alone in zip(seconds[True], seconds[False], strict=True)]
        layers = study.first / study.model.config.num_hidden_layers
        blocks = share_below(study, asked)
        told = f" | {changed(answers[True]):.0%} of texts changed" if "output" in answers[True][BASELINE.name] else ""
        print(
            f"{study.name}: {spread(seconds[False])} s | {spread(ratios)} | "
            f"{predicted(layers):.2f}, {predicted(blocks):.2f}{told}",
            flush=True,
        )


def studies(pocket: torch.nn.Module, tokenizer: object, new_tokens: int) -> Iterator[Study]:
    """Every model, first edited layer and way of answering."""
    settings = GenerationSettings(max_new_tokens=new_tokens, batch_tokens=BATCH_TOKENS["generation"])
    for name, model, firsts in (("pocket", pocket, (2, 4, 6)), ("deep", deep(), (8, 16))):
        routers = find_routers(model)
        ways: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
            "likelihood": lambda items, model=model: choice.score(
                model, tokenizer, items, batch_tokens=BATCH_TOKENS["likelihood"]
            ),
            "generation": lambda items, model=model: generation.generate(model, tokenizer, items, settings),
        }
        for first in firsts:
            for way, answer in ways.items():
                label = f"{name}, {model.config.num_hidden_layers} layers, from {first}, {way}"
                yield Study(label, model, routers, first, answer, BATCH_TOKENS[way])


def deep() -> torch.nn.Module:
    """A deeper model of random weights over the pocket models' vocabulary."""
    torch.manual_seed(0)
    config = Qwen3MoeConfig(
        vocab_size=4096, hidden_size=256, intermediate_size=256, moe_intermediate_size=64, num_hidden_layers=24,
        num_attention_heads=8, num_key_value_heads=2, head_dim=32, num_experts=32, num_experts_per_tok=4,
        max_position_embeddings=512, tie_word_embeddings=True, initializer_range=0.1, bos_token_id=0,
        eos_token_id=1, pad_token_id=2,
    )  # fmt: skip
    return Qwen3MoeForCausalLM(config).eval()


def conditions(study: Study) -> Iterator[Condition]:
    """The baseline, then two experts pushed in every layer from the first edited one on."""
    yield BASELINE
    router = study.routers[0]
    chosen = dict.fromkeys(range(study.first, len(study.routers)), (1, 5))
    for strength in STRENGTHS:
        plan = Plan(
            model=study.name, experts_per_layer=router.experts, top_k=router.top_k, rule="soft", strength=strength,
            experts=chosen,
        )  # fmt: skip
        yield Condition(f"dose{strength:+g}", "dose", plan)


def answered(study: Study, items: pd.DataFrame, plans: list[Condition], share: bool) -> Answers:
    """Answers under every condition, with nothing finished before."""
    with tempfile.TemporaryDirectory() as folder:
        store = AnswerStore(Path(folder), study.name)
        return answer_all(
            study.model, study.routers, items, plans, study.answer, store, batch_tokens=study.batch_tokens, share=share
        )


def share_below(study: Study, items: pd.DataFrame) -> float:
    """Share of an unsteered run's CPU seconds that passes below the first edited layer."""
    spent, entered = 0.0, 0.0

    def enter(*_: object) -> None:
        nonlocal entered
        entered = time.process_time()

    def leave(*_: object) -> None:
        nonlocal spent
        spent += time.process_time() - entered

    blocks = study.model.model.layers
    hooks = [blocks[0].register_forward_pre_hook(enter), blocks[study.first - 1].register_forward_hook(leave)]
    _, taken = timed(answered, study, items, [BASELINE], False)
    for hook in hooks:
        hook.remove()
    return spent / taken


def predicted(skipped: float) -> float:
    """Shared / alone, if every condition but one leaves out this share of its run."""
    return (1 + len(STRENGTHS) * (1 - skipped)) / (1 + len(STRENGTHS))


def timed(run: Callable[..., Answers], *args: object) -> tuple[Answers, float]:
    """What a run gives, and its CPU seconds."""
    start = time.process_time()
    given = run(*args)
    return given, time.process_time() - start


def changed(answers: Answers) -> float:
    """Share of the generated texts that steering changes."""
    texts = answers[BASELINE.name]["output"]
    return statistics.fmean(
        (frame["output"] != texts).mean() for name, frame in answers.items() if name != BASELINE.name
    )


def spread(values: list[float]) -> str:
    """Median (least to most)."""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


if __name__ == "__main__":
    main()
