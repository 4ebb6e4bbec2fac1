"""JSON lines of hooks and of Megatron."""

import json
from pathlib import Path

import numpy as np
import pytest

from polyroute.artifacts.recording import RecordingError
from tracing.recorders.recording_of import COUNTS, ROUTES, routing

FACTS = {"type": "meta", "model_id": "a/b", "top_k": 2, "num_experts": 4}
TOKENS = [
    {"type": "route", "token_idx": token, "layer": layer, "topk_ids": ROUTES[layer][token], "topk_weights": [0.7, 0.3]}
    for token in range(3)
    for layer in (3, 4)
]


def written(tmp_path: Path, *lines: object) -> Path:
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps(line) for line in lines) + "\n\n")
    return tmp_path / "a.jsonl"


def test_a_line_a_token_and_layer_after_facts(tmp_path: Path) -> None:
    found = routing(written(tmp_path, FACTS, *TOKENS))
    assert (found.layers, found.tokens, found.counts_LE.tolist(), found.said) == ((3, 4), 3, COUNTS, ())


def test_a_line_a_batch(tmp_path: Path) -> None:
    lines = [{"layer": layer, "batch_id": 0, "topk_experts": tokens} for layer, tokens in ROUTES.items()]
    assert routing(written(tmp_path, *lines)).counts_LE.tolist() == COUNTS


def test_megatron_counts_steps_and_numbers_layers_from_1(tmp_path: Path) -> None:
    steps = [
        {"iteration": step, "layer_number": layer + 1, "tokens_per_expert": of}
        for step, both in enumerate((([2, 0, 1, 1], [0, 1, 2, 1]), ([0, 2, 0, 0], [1, 0, 1, 0])))
        for layer, of in zip((3, 4), both, strict=True)
    ]
    found = routing(written(tmp_path, *steps))
    assert (found.layers, found.tokens, found.counts_LE.tolist()) == ((3, 4), 3, COUNTS)


def test_the_profiling_run_is_left_out_and_said(tmp_path: Path) -> None:
    dummy = [{"layer": layer, "topk_ids": [0, 1], "topk_weights": [0.5, 0.5]} for layer in (3, 4) for _ in range(8)]
    found = routing(written(tmp_path, FACTS, *dummy, *TOKENS))
    assert (found.tokens, found.counts_LE.tolist()) == (3, COUNTS)
    assert found.said[0] == (
        "layer 3: 8 tokens with the same experts and equal weights are left out: the recorder's profiling run"
    )


def test_logits_of_all_tokens_give_soft_mass(tmp_path: Path) -> None:
    """By hand: logits of ln 2 on one expert give it 2/5, the others 1/5."""
    lines = [line | {"router_logits": [np.log(2), 0, 0, 0] if line["layer"] == 3 else [0, 0, 0, 0]} for line in TOKENS]
    found = routing(written(tmp_path, *lines))
    assert np.allclose(found.soft_LE, [[0.4, 0.2, 0.2, 0.2], [0.25] * 4])


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([FACTS | {"top_k": 4}, *TOKENS], "line 1: `top_k` is 4, and --top-k 2"),
        ([FACTS | {"num_experts": 8}, *TOKENS], "line 1: `num_experts` is 8, and --experts 4"),
        ([*TOKENS, {"topk_ids": [0, 1]}], "line 7 names no layer"),
        ([*TOKENS, {"layer": 3}], "line 7: neither routes"),
        ([*TOKENS, {"layer": 3, "topk_ids": [0, 1]}], "line 7: `topk_weights` is in some lines of layer 3 alone"),
        ([*TOKENS[:5], TOKENS[5] | {"topk_ids": [0, 1, 2]}], "line 6: `topk_ids` is .*not 2 numbers"),
        ([*TOKENS[:5], TOKENS[5] | {"topk_ids": [0, 0]}], "layer 4, token 2: chose .* an expert twice"),
        ([*TOKENS[:5], TOKENS[5] | {"topk_ids": [0, 4]}], "layer 4, token 2: there is no expert 4 of 4"),
        ([*TOKENS[:5], TOKENS[5] | {"topk_ids": [0, -1]}], "layer 4, token 2: there is no expert -1"),
        ([*TOKENS[:5], TOKENS[5] | {"topk_ids": [0, 10**30]}], "not 2 numbers"),
        ([*TOKENS[:5], TOKENS[5] | {"topk_weights": ["a", 0]}], "layer 4: weights are not as many numbers"),
        (TOKENS[:5], "tokens differ between layers: 3 in layer 3, 2 in layer 4"),
        ([*TOKENS, {"layer": 3, "tokens_per_expert": [1, 1]}], "line 7: `tokens_per_expert` is no list of 4"),
        ([{"layer_number": 0, "tokens_per_expert": [1, 1, 1, 1]}], "`layer_number` is 0, and begins at 1"),
        ([{"layer": 0, "layer_id": 0, "topk_ids": [0, 1]}], "both `layer` and `layer_id` are there"),
        ([*TOKENS[:5], TOKENS[5] | {"router_logits": [0, 0, 0, 0]}], "`router_logits` is in some lines of layer 4"),
        ([line | {"router_logits": [0, 0, 0]} for line in TOKENS], "router logits are of 3 experts, not of 4"),
        ([line | {"router_logits": [0, 0, 0, float("nan")]} for line in TOKENS], "a router logit is not finite"),
    ],
)
def test_what_cannot_be_names_the_line_or_layer(tmp_path: Path, lines: list, said: str) -> None:
    with pytest.raises(RecordingError, match=said):
        routing(written(tmp_path, *lines))


def test_a_line_cut_short_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, *TOKENS)
    path.write_text(path.read_text().rstrip()[:-5])
    with pytest.raises(RecordingError, match="line 6 is not JSON"):
        routing(path)
