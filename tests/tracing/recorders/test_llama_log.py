"""Logs of llama.cpp."""

from pathlib import Path

import pytest

from polyroute.artifacts.recording import RecordingError
from tracing.recorders.recording_of import COUNTS, ROUTES, routing

TENSORS = """\
llama_model_loader: loaded meta data
ggml_debug:   ffn_moe_probs-3 = (f32)   SOFT_MAX(ffn_moe_logits-3{4, 3, 1, 1}, }) = {4, 3, 1, 1}
                                     [
                                      [
                                       [      0.1,       0.2,       0.3,       0.4],
                                      ],
                                     ]
ggml_debug:   ffn_moe_topk-3 = (i32)   VIEW(ffn_moe_argsort-3{4, 3, 1, 1}, }) = {2, 3, 1, 1}
                                     [
                                      [
                                       [      0,       1],
                                       [      2,       1],
                                       [      3,       0],
                                      ],
                                     ]
ggml_debug:   ffn_moe_weights-3 = (i32)   GET_ROWS(ffn_moe_probs-3{1, 4, 3, 1}, }) = {1, 2, 3, 1}
                                     [
                                       [      9,       9],
                                     ]
ggml_debug:   ffn_moe_topk-4 = (i32)   VIEW(ffn_moe_argsort-4{4, 3, 1, 1}, }) = {2, 3, 1, 1}
                                     [
                                      [
                                       [      1,       2],
                                       [      3,       2],
                                       [      0,       2],
                                      ],
                                     ]
"""
LINES = "".join(
    f"[moe] layer {layer} token {t} experts: {tokens[t]}\n" for layer, tokens in ROUTES.items() for t in range(3)
)
COUNTED = "".join(
    f"layer {layer} expert {expert}: {count}\n"
    for layer, of in zip((3, 4), COUNTS, strict=True)
    for expert, count in enumerate(of)
)  # fmt: skip


def written(tmp_path: Path, text: str) -> Path:
    (tmp_path / "a.log").write_text(text)
    return tmp_path / "a.log"


@pytest.mark.parametrize(
    "text",
    [
        TENSORS,
        LINES,
        "build: 1234\n" + LINES.replace("layer ", "layer=").replace("experts: [", "experts=").replace("]\n", "\n"),
        COUNTED,
        COUNTED.replace(": ", ", count "),
        COUNTED.replace(" expert ", ", expert=").replace("layer ", "layer="),
    ],
)
def test_what_is_printed_is_counted(tmp_path: Path, text: str) -> None:
    found = routing(written(tmp_path, text))
    assert (found.layers, found.tokens, found.counts_LE.tolist()) == ((3, 4), 3, COUNTS)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TENSORS.replace("[      0,       1]", "[      0, ...,       1]"), "line 11: experts were left out in print"),
        (TENSORS.replace("[      2,       1],", "..., "), "line 12: tokens were left out in print"),
        (LINES + COUNTED, "some lines are routes of tokens and some are counts"),
        (COUNTED + COUNTED, "line 9: layer 3, expert 0 is there twice"),
        (LINES.replace("[0, 1]", "[0, 1, 2]"), "line 1: a token has 3 experts, not 2"),
        (LINES.replace("[0, 1]", "[0, 9]"), "layer 3, token 0: there is no expert 9"),
        (COUNTED.replace("expert 3", "expert 4"), "there is no expert 4 of 4"),
        ("nothing of experts\n", "no line names the experts of a layer"),
    ],
)
def test_what_is_left_out_in_print_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(RecordingError, match=said):
        routing(written(tmp_path, text))
