import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from polyroute.artifacts.recorded_counts import Counts
from polyroute.artifacts.recording import RecordingError
from polyroute.artifacts.trace import TraceError
from polyroute.ground.layers import Zones
from polyroute.measures.layer_curves import Alignment
from polyroute.models.settings import Shape
from polyroute.tracing.counts import convert, read_counts
from recorded import ALL, FILE

SHAPE = Shape(layers=2, experts=4, top_k=2)
ABOUT: dict[str, Any] = {
    "model": "a/b", "corpus": "c", "text": "", "source": "s", "commit": "0" * 40, "licence": "MIT", "notes": "",
}  # fmt: skip


def counts() -> dict:
    """Two layers of four experts, top 2, over 10 tokens."""
    return {
        "0": {"total_tokens": 10} | {str(e): {"activation_tokens": n} for e, n in enumerate((10, 5, 5, 0))},
        "1": {"total_tokens": 10} | {str(e): {"activation_tokens": n} for e, n in enumerate((5, 5, 5, 5))},
    }


def load(tmp_path: Path, content: object) -> Counts:
    path = tmp_path / "counts_de.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return convert({"deu_Latn": path}, SHAPE, **ABOUT)


def test_by_hand(tmp_path) -> None:
    found = load(tmp_path, counts())
    assert found.counts_VLE.tolist() == [[[10, 5, 5, 0], [5, 5, 5, 5]]]
    assert found.header.tokens == {"deu_Latn": 10}
    checksum = hashlib.sha256((tmp_path / "counts_de.json").read_bytes()).hexdigest()
    assert found.header.files == {"counts_de.json": checksum}


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
        (broken(lambda c: c["1"].pop("total_tokens")), "layer 1: `total_tokens` is None"),
        (broken(lambda c: c["1"].update(total_tokens=float("nan"))), "layer 1: `total_tokens` is nan"),
        (broken(lambda c: c["1"].update(total_tokens=0)), "layer 1: `total_tokens` is 0: nothing was recorded"),
    ],
)
def test_bad_counts_name_file_layer_and_expert(tmp_path, content, message) -> None:
    with pytest.raises(TraceError, match=message):
        load(tmp_path, content)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            broken(lambda c: c["0"]["0"].update(activation_tokens=11)),
            "Latn, layer 0, expert 0: the count 11 is not",
        ),
        (broken(lambda c: c["1"]["0"].update(activation_tokens=9)), "deu_Latn, layer 1: counts add up to 24, not to"),
    ],
)
def test_counts_that_cannot_be_name_the_language(tmp_path, content, message) -> None:
    with pytest.raises(RecordingError, match=message):
        load(tmp_path, content)


def test_an_absent_file_is_named(tmp_path) -> None:
    with pytest.raises(TraceError, match=r"absent.json is absent: name the folder that holds it"):
        read_counts(tmp_path / "absent.json", SHAPE)


def test_what_ships_is_what_the_release_holds(real_data) -> None:
    folder, shipped = real_data / "routing_counts" / "qwen3-30b-a3b", Counts.read(FILE)
    codes = dict(zip(ALL, ("en", "de", "es", "fr", "bn", "ja", "sw", "zh"), strict=True))
    files = {language: folder / f"mgsm_{code}.json" for language, code in codes.items()}
    made = convert(
        files, Shape(layers=48, experts=128, top_k=8), **shipped.header.model_dump(include=ABOUT.keys())
    )  # fmt: skip
    assert made.header == shipped.header
    assert np.array_equal(made.counts_VLE, shipped.counts_VLE)


def test_real_numbers_of_qwen3_30b_a3b() -> None:
    """Divergence from English on MGSM prompts, mean over layers 0-4, 10-39, 43-47: the release of arXiv 2601.14050."""
    known = {
        "deu_Latn": (0.148, 0.059, 0.198), "spa_Latn": (0.135, 0.045, 0.197), "jpn_Jpan": (0.252, 0.115, 0.342),
        "swh_Latn": (0.321, 0.149, 0.293), "zho_Hans": (0.258, 0.082, 0.396),
    }  # fmt: skip
    shipped = Counts.read(FILE)
    zones = Zones(early=(0, 4), middle=(10, 39), late=(43, 47))
    english = shipped.trace("eng_Latn", model="m")
    alignment = Alignment(english, resamples=100, confidence=0.95, nearest=5, seed=0, zones=zones)
    for code, expected in known.items():
        summary = alignment.language(shipped.trace(code, model="m")).summary
        assert tuple(round(summary[zone], 3) for zone in ("early", "middle", "late")) == expected, code
        assert summary["shape"] == "U"
