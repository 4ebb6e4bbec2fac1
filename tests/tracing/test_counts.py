import json
from pathlib import Path

import pytest

from polyroute.artifacts.trace import Trace, TraceError
from polyroute.ground.layers import Zones
from polyroute.measures.layer_curves import Alignment
from polyroute.models.settings import Shape
from polyroute.tracing.counts import import_counts

SHAPE = Shape(layers=2, experts=4, top_k=2)


def counts() -> dict:
    """Two layers of four experts, top 2, over 10 tokens."""
    return {
        "0": {"total_tokens": 10} | {str(e): {"activation_tokens": n} for e, n in enumerate((10, 5, 5, 0))},
        "1": {"total_tokens": 10} | {str(e): {"activation_tokens": n} for e, n in enumerate((5, 5, 5, 5))},
    }


def load(tmp_path: Path, content: object, shape: Shape = SHAPE) -> Trace:
    path = tmp_path / "counts_de.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return import_counts(
        path, model="m", model_digest="0" * 40, corpus="c", language="deu_Latn", shape=shape, sha256="1" * 64
    )


def test_by_hand(tmp_path) -> None:
    trace = load(tmp_path, counts())
    assert trace.tokens.tolist() == [10]
    assert trace.pooled("topk_count").tolist() == [[0.5, 0.25, 0.25, 0], [0.25] * 4]
    assert trace.readings == ("topk_count",)


def test_measures_that_need_masses_refuse_in_a_sentence(tmp_path) -> None:
    trace = load(tmp_path, counts())
    with pytest.raises(TraceError, match=r"holds expert counts only .*`soft_mass` needs the router's logits"):
        trace.distributions("soft_mass")
    with pytest.raises(TraceError, match="`consistency` needs"):
        trace.token_mean("consistency")


def broken(change) -> dict:
    content = counts()
    change(content)
    return content


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "counts_de.json is not JSON"),
        ("[1]", "expected an object of layers"),
        (broken(lambda c: c.pop("1")), "layers 0 to 1; lacking \\['1'\\]"),
        (broken(lambda c: c["1"].pop("3")), "layer 1 should hold experts 0 to 3; lacking \\['3'\\]"),
        (broken(lambda c: c["0"].update({"4": {"activation_tokens": 0}})), "not expected \\['4'\\]"),
        (broken(lambda c: c["0"]["2"].update(activation_tokens=-1)), "layer 0, expert 2: `activation_tokens` is -1"),
        (broken(lambda c: c["0"]["2"].update(activation_tokens=2.5)), "is 2.5, not a whole number"),
        (broken(lambda c: c["0"]["2"].pop("activation_tokens")), "layer 0, expert 2: `activation_tokens` is None"),
        (broken(lambda c: c["0"]["0"].update(activation_tokens=11)), "exceeds total_tokens = 10"),
        (broken(lambda c: c["1"]["0"].update(activation_tokens=9)), "layer 1: counts add up to 24, not to"),
        (broken(lambda c: c["1"].pop("total_tokens")), "layer 1: `total_tokens` is None"),
        (broken(lambda c: c["1"].update(total_tokens=float("nan"))), "layer 1: `total_tokens` is nan"),
        (broken(lambda c: c["1"].update(total_tokens=0)), "layer 1: `total_tokens` is 0: nothing was recorded"),
    ],
)
def test_bad_counts_name_file_layer_and_expert(tmp_path, content, message) -> None:
    with pytest.raises(TraceError, match=message):
        load(tmp_path, content)


def test_an_absent_file_is_named(tmp_path) -> None:
    with pytest.raises(TraceError, match=r"absent.json is absent: run the stage `fetch`"):
        import_counts(
            tmp_path / "absent.json", model="m", model_digest="", corpus="c", language="x", shape=SHAPE, sha256=""
        )


def test_real_numbers_of_qwen3_30b_a3b(real_data) -> None:
    """Divergence from English on MGSM prompts, mean over layers 0-4, 10-39, 43-47: the release of arXiv 2601.14050."""
    known = {
        "de": (0.148, 0.059, 0.198), "es": (0.135, 0.045, 0.197), "ja": (0.252, 0.115, 0.342),
        "sw": (0.321, 0.149, 0.293), "zh": (0.258, 0.082, 0.396),
    }  # fmt: skip
    folder = real_data / "routing_counts" / "qwen3-30b-a3b"

    def real(code: str) -> Trace:
        return import_counts(
            folder / f"mgsm_{code}.json", model="m", model_digest="", corpus="mgsm", language=code,
            shape=Shape(layers=48, experts=128, top_k=8), sha256="",
        )  # fmt: skip

    zones = Zones(early=(0, 4), middle=(10, 39), late=(43, 47))
    alignment = Alignment(real("en"), resamples=100, confidence=0.95, nearest=5, seed=0, zones=zones)
    for code, expected in known.items():
        summary = alignment.language(real(code)).summary
        assert tuple(round(summary[zone], 3) for zone in ("early", "middle", "late")) == expected, code
        assert summary["shape"] == "U"
