import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from polyroute.artifacts.recorded_counts import Counts
from polyroute.artifacts.recording import RecordingError
from polyroute.artifacts.trace import Trace
from polyroute.ground.layers import Zones
from polyroute.measures.layer_curves import Alignment
from polyroute.models.settings import Shape
from polyroute.tracing.counts import Converted, convert
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


def imported(tmp_path: Path, content: object, shape: Shape = SHAPE) -> Converted:
    path = tmp_path / "counts_de.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return convert({"deu_Latn": [path]}, shape, **ABOUT)


def load(tmp_path: Path, content: object, shape: Shape = SHAPE) -> Counts:
    return imported(tmp_path, content, shape).counts


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
        ("[1]", "no line names the experts of a layer"),
        ('{"0": 1}', "expected an object of layers"),
        ('{"0": {}, "1": {}}', r"0 layers have choices of experts \(none\), not 2"),
        (broken(lambda c: c.pop("1")), r"1 layers have choices of experts \(0\), not 2: is --layers right"),
        (broken(lambda c: c.update({"2": c["1"]})), r"3 layers have choices of experts \(0, 1, 2\), not 2"),
        (broken(lambda c: c["0"].update({"4": {"activation_tokens": 0}})), r"layer 0: there is no expert 4 of 4"),
        (broken(lambda c: c["0"].update({"a": {"activation_tokens": 0}})), "`a` is not the number of an expert"),
        (broken(lambda c: c.update({"-1": {}})), "`-1` is not the number of a layer"),
        (broken(lambda c: c.update({"01": {}})), "layer 1 is there twice"),
        (broken(lambda c: c["0"].update({"03": c["0"]["3"]})), "layer 0, expert 3 is there twice"),
        (broken(lambda c: c["0"]["2"].update(activation_tokens=-1)), "layer 0, expert 2: `activation_tokens` is -1"),
        (broken(lambda c: c["0"]["2"].update(activation_tokens=2.5)), "is 2.5, not a whole number"),
        (broken(lambda c: c["0"]["2"].update(activation_tokens=True)), "is True, not a whole number"),
        (broken(lambda c: c["0"]["2"].pop("activation_tokens")), "layer 0, expert 2: `activation_tokens` is None"),
        (broken(lambda c: c["1"].pop("total_tokens")), "layer 1: `total_tokens` is None"),
        (broken(lambda c: c["1"].update(total_tokens=float("nan"))), "layer 1: `total_tokens` is nan"),
        (broken(lambda c: c["1"].update(total_tokens=0)), "layer 1: `total_tokens` is 0: nothing was recorded"),
        (
            broken(lambda c: c["1"].update(total_tokens=11)),
            "tokens differ between layers: 10 in layer 0, 11 ",
        ),
        # Absurd numbers, however many digits, and numbers that float64 would round in silence.
        (broken(lambda c: c["1"]["0"].update(activation_tokens=10**400)), "layer 1, expert 0.* more than 60 digits"),
        (broken(lambda c: c["1"]["0"].update(activation_tokens=2**53 + 1)), "is 9007199254740993, more than 2.53"),
        (json.dumps(counts()).replace(": 10,", ": 1" + "0" * 5000 + ",", 1), "layer 0.* more than 60 digits"),
        (json.dumps(counts()).replace(": 10,", ": 1e400,", 1), "layer 0.* is inf, not a whole number"),
        # A key twice, and nesting without end.
        (json.dumps(counts())[:-1] + ', "1": {}}', "the key `1` is there twice"),
        (json.dumps(counts()).replace('{"total', '{"0": {}, "total', 1), "the key `0` is there twice"),
        ("[" * 100_000, "nested too deeply"),
        ('{"0":' * 100_000, "nested too deeply"),
    ],
)
def test_bad_counts_name_file_layer_and_expert(tmp_path, content, message) -> None:
    with pytest.raises(RecordingError, match=message):
        load(tmp_path, content)


@pytest.mark.parametrize("tokens", [2**31 + 4, 2**33, 2**40, 2**53])
def test_counts_keep_64_bits_up_to_the_stored_trace(tmp_path, tokens) -> None:
    even = {str(e): {"activation_tokens": tokens // 2} for e in range(4)}
    written = tmp_path / "a.parquet"
    load(tmp_path, {str(layer): even | {"total_tokens": tokens} for layer in range(2)}).write(written)
    Counts.read(written).trace("deu_Latn", model="m").save(tmp_path / "a.safetensors")
    for mapped in (False, True):
        trace = Trace.load(tmp_path / "a.safetensors", mapped=mapped)
        assert trace.tokens.tolist() == [tokens]
        assert set(trace.topk_count.ravel().tolist()) == {tokens // 2}
        assert trace.pooled("topk_count").tolist() == [[0.25] * 4] * 2


def test_an_expert_that_is_not_listed_was_chosen_by_no_token(tmp_path) -> None:
    found = load(tmp_path, broken(lambda c: c["0"].pop("3")))
    assert found.counts_VLE[0, 0].tolist() == [10, 5, 5, 0]


@pytest.mark.parametrize("dense", [{}, {"0": None}, {"0": {}}])
def test_dense_layers_may_be_missing_and_layers_keep_their_numbers(tmp_path, dense) -> None:
    shifted = dense | {str(layer): counts()[str(layer - 1)] for layer in (1, 2)}
    found = load(tmp_path, shifted)
    assert found.header.layers == (1, 2)
    assert found.trace("deu_Latn", model="m").header.layers == (1, 2)


def test_files_of_one_language_are_added_up(tmp_path) -> None:
    for rank, experts in enumerate(((10, 5, 5, 0), (0, 8, 8, 8))):
        entry = {"total_tokens": sum(experts) // 2} | {str(e): {"activation_tokens": n} for e, n in enumerate(experts)}
        (tmp_path / f"rank{rank}.json").write_text(json.dumps({"3": entry}))
    files = {"deu_Latn": [tmp_path / "rank0.json", tmp_path / "rank1.json"]}
    found = convert(files, Shape(layers=1, experts=4, top_k=2), **ABOUT).counts
    assert (found.header.tokens, found.header.layers) == ({"deu_Latn": 22}, (3,))
    assert found.counts_VLE.tolist() == [[[10, 13, 13, 8]]]


def test_one_file_for_two_languages_is_refused(tmp_path) -> None:
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_text(json.dumps(counts()))
    files = {"deu_Latn": [tmp_path / "a.json"], "eng_Latn": [tmp_path / "b.json"]}
    with pytest.raises(RecordingError, match=r"b.json \(eng_Latn\) and .*a.json \(deu_Latn\) are the same file"):
        convert(files, SHAPE, **ABOUT)


def test_languages_in_other_layers_are_refused(tmp_path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(counts()))
    (tmp_path / "b.json").write_text(json.dumps({"1": counts()["0"], "2": counts()["1"]}))
    files = {"deu_Latn": [tmp_path / "a.json"], "eng_Latn": [tmp_path / "b.json"]}
    with pytest.raises(RecordingError, match="eng_Latn has the layers 1, 2, and deu_Latn 0, 1"):
        convert(files, SHAPE, **ABOUT)


def test_files_of_one_name_in_two_folders_are_both_named(tmp_path) -> None:
    for place, folder in enumerate(("de", "en")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "c.json").write_text(json.dumps(counts()) + " " * place)
    files = {"deu_Latn": [tmp_path / "de" / "c.json"], "eng_Latn": [tmp_path / "en" / "c.json"]}
    made = convert(files, SHAPE, **ABOUT)
    assert set(made.counts.header.files) == {"de/c.json", "en/c.json"}
    assert made.said == ("eng_Latn has the same counts as deu_Latn in every layer: is it that language's file?",)


@pytest.mark.parametrize(
    ("key", "value"),
    [("model", "../../elsewhere"), ("model", "/elsewhere"), ("corpus", "a/b"), ("corpus", ".."), ("corpus", "")],
)
def test_names_are_no_paths(tmp_path, key, value) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(counts()))
    with pytest.raises(RecordingError, match=f"cannot be named so: `{key}`: .* is no name"):
        convert({"deu_Latn": [path]}, SHAPE, **ABOUT | {key: value})


def test_a_recorders_profiling_run_is_named_or_refused(tmp_path) -> None:
    dummy = {"total_tokens": 10} | {str(e): {"activation_tokens": n} for e, n in enumerate((10, 10, 0, 0))}
    made = imported(tmp_path, counts() | {"0": dummy})
    assert made.said == (
        "deu_Latn: every token chose the same experts in layer 0: was it the recorder's profiling run?",
    )
    assert made.said[0] in made.counts.header.notes
    with pytest.raises(RecordingError, match="deu_Latn: every token chose the same experts in every layer"):
        imported(tmp_path, {"0": dummy, "1": dummy})


def test_a_layer_over_another_is_named(tmp_path) -> None:
    made = imported(tmp_path, counts() | {"0": counts()["1"]})
    assert made.said == ("deu_Latn: layers 0 and 1 have equal counts of every expert: was one written over the other?",)


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
    with pytest.raises(RecordingError, match=r"absent.json is absent: name the folder that holds it"):
        convert({"deu_Latn": [tmp_path / "absent.json"]}, SHAPE, **ABOUT)


def test_what_ships_is_what_the_release_holds(real_data) -> None:
    folder, shipped = real_data / "routing_counts" / "qwen3-30b-a3b", Counts.read(FILE)
    codes = dict(zip(ALL, ("en", "de", "es", "fr", "bn", "ja", "sw", "zh"), strict=True))
    files = {language: [folder / f"mgsm_{code}.json"] for language, code in codes.items()}
    made = convert(
        files, Shape(layers=48, experts=128, top_k=8), **shipped.header.model_dump(include=ABOUT.keys())
    ).counts  # fmt: skip
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
