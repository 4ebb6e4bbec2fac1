"""The benches run, on little; that they assert what they compare is part of running."""

import runpy

import pandas as pd
import pytest
import torch
from click.testing import CliRunner
from dvc.repo import Repo
from torch import Tensor

from tiny import ROOT

BENCH = ROOT / "bench"


@pytest.fixture
def bench(monkeypatch):
    """A bench's names, by the name of its file."""
    monkeypatch.syspath_prepend(str(BENCH))
    monkeypatch.chdir(ROOT)
    return lambda name: runpy.run_path(str(BENCH / f"{name}.py"))


def output(main, *arguments: str) -> str:
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_gpu_bench_runs_on_a_cpu_and_says_that_it_means_nothing(bench) -> None:
    told = output(bench("gpu")["main"], "--small", "--rounds", "1")
    assert "these numbers say nothing about real ones" in told
    for line in ("tokens a second, trace / forward", "decode: 1 texts", "decode: 32 texts", "steered / plain"):
        assert line in told


def test_the_gpu_bench_takes_real_models_at_their_size(bench) -> None:
    names = bench("gpu")
    for config, weights, active in ((names["OLMOE"], 6.9e9, 1.3e9), (names["QWEN3"], 30.5e9, 3.3e9)):
        with torch.device("meta"):
            model = names["AutoModelForCausalLM"].from_config(config)
        assert sum(weight.numel() for weight in model.parameters()) == pytest.approx(weights, rel=0.01)

        class Gate:
            experts, top_k = config.num_experts, config.num_experts_per_tok

        subject = names["Subject"](model, (Gate,) * config.num_hidden_layers, None, 1, 1, 1, 1, 1)
        outside = 2 * config.vocab_size * config.hidden_size
        assert subject.weights(Gate.top_k) + outside == pytest.approx(active, rel=0.03)


def test_peers_find_what_tracing_finds(bench) -> None:
    told = output(bench("trace_cost")["main"], "--sentences", "2", "--rounds", "1", "--batch-tokens", "256")
    for peer in ("router logits", "padded hook", "expert loop"):
        assert f"{peer}: soft mass within" in told
    assert "second call / a call without the check" in told


def test_the_peak_counts_what_is_alive_at_once(bench) -> None:
    with bench("timing")["LivePeak"]() as live:
        first: Tensor = torch.zeros(1000)
        view = first[:10]
        del first
        second = torch.zeros(500)
        del view, second
        third = torch.zeros(1400)
    assert live.peak == 6000
    assert len(third) == 1400


def test_a_loaded_model_is_compared_with_plain_transformers(bench) -> None:
    told = output(bench("loading")["main"], "--rounds", "1", "--batch-tokens", "90")
    assert "loading and a first batch / plain transformers" in told


def test_conditions_in_one_pass_are_held_against_separate_runs(bench) -> None:
    arguments = ("--study", "choices", "--rounds", "1", "--conditions", "3", "--questions", "2")
    told = output(bench("sweep")["main"], *arguments)
    assert "together / plain" in told
    assert "0 answers differ" in told


def test_a_slice_of_the_measures_is_held_against_float64(bench) -> None:
    sizes = ("--languages", "3", "--sentences", "20", "--layers", "3", "--experts", "8", "--draws", "100")
    told = output(bench("measures_scale")["main"], *sizes)
    assert "a slice agrees with plain float64" in told
    assert "distances" in told


def test_dvc_finds_nothing_to_do_in_a_laid_out_study(bench) -> None:
    names = bench("repro_scale")

    def in_this_process(verb: str, *_: str) -> str:
        with Repo() as repo:
            found = repo.commit(force=True) if verb == "commit" else repo.reproduce()
        return "" if found else names["DONE"]

    names["main"].callback.__globals__["dvc"] = in_this_process
    told = output(names["main"], "--models", "1", "--languages", "1", "--rounds", "1")
    assert "1 models, 1 languages: 31 stages" in told
    assert "dvc repro: " in told


def test_costs_are_taken_and_drawn_against_each_size(bench) -> None:
    costs = bench("costs")
    taken = []
    for points in (costs["tracing"](0), costs["conditions"](-2)):
        for cost, against, size, work in points:
            work()
            taken.append({"cost": cost, "against": against, "size": size, "seconds": 1.0})
    assert {(row["cost"], row["against"]) for row in taken} >= {("trace", "layers"), ("forward pass alone", "experts")}
    picture = costs["drawn"](pd.DataFrame(taken))
    for told in ("What each cost grows with", "conditions", "choices, a run for each"):
        assert told in picture
