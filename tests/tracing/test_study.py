"""Finished parts are taken up exactly where nothing that determines their numbers has changed."""

import dataclasses

import pytest

from polyroute.artifacts.trace import read_header
from polyroute.ground.paths import Paths
from polyroute.models.load import ModelSource
from polyroute.params.models import RecordedModel, TransformersModel
from polyroute.tracing import study
from polyroute.tracing.collect import TraceSettings
from tiny import make_model, make_tokenizer

TEXTS = {("own", "eng_Latn"): {"a": "hello world", "b": "abc"}}
SETTINGS = TraceSettings(batch_tokens=64, pairs=4)
ENTRY = {
    "engine": "transformers", "dtype": "float32", "device": "cpu", "batch_tokens": 64, "corpora": ["own"],
    "generic": "own", "languages": "g",
}  # fmt: skip


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    for name, seed in (("tiny", 0), ("other", 1)):
        make_model(seed).save_pretrained(folder / name)
        make_tokenizer().save_pretrained(folder / name)
    run(folder)
    return folder


def run(root, *, name="tiny", entry=(), texts=TEXTS, settings=SETTINGS):
    spec = TransformersModel(**(ENTRY | {"folder": root / "tiny"} | dict(entry)))
    return study.trace_model(name, spec, texts, settings, Paths(root))


def test_the_same_again_computes_nothing(root) -> None:
    assert run(root).computed == 0
    assert run(root, settings=dataclasses.replace(SETTINGS, max_tokens=99)).computed == 0


@pytest.mark.parametrize("field", ["batch_tokens", "pairs", "seed", "special_tokens", "padding"])
def test_each_setting_that_determines_numbers_computes_anew(root, field) -> None:
    value = {"special_tokens": "include", "padding": "left"}.get(field, 7)
    assert run(root, settings=dataclasses.replace(SETTINGS, **{field: value})).computed == 1


def test_another_text_model_dtype_layer_range_or_name_computes_anew(root) -> None:
    assert run(root, texts={("own", "eng_Latn"): {"a": "hello world", "b": "abd"}}).computed == 1
    assert run(root, texts={("other", "eng_Latn"): TEXTS["own", "eng_Latn"]}).computed == 1
    assert run(root, entry={"folder": root / "other"}).computed == 1
    assert run(root, entry={"dtype": "bfloat16"}).computed == 1
    assert run(root, entry={"layers": (1, 2)}).computed == 1
    renamed = run(root, name="renamed")
    assert renamed.computed == 1
    assert read_header(renamed.traces["own", "eng_Latn"]).model == "renamed"


@pytest.mark.parametrize("what", ["versions", "code"])
def test_other_libraries_or_code_compute_anew(root, monkeypatch, what) -> None:
    if what == "versions":
        monkeypatch.setattr(study.transformers, "__version__", "9")
    else:
        monkeypatch.setattr(study, "code_digest", lambda *_: "other code")
        monkeypatch.setattr(study, "locate", lambda *_: ModelSource(str(root / "tiny"), None, "d"))
        assert run(root).computed == 1
        monkeypatch.setattr(study, "code_digest", lambda *_: "newer code")
    assert run(root).computed == 1


def test_recorded_counts_add_one_language_at_a_time(tmp_path, real_data) -> None:
    source = real_data / "routing_counts" / "qwen3-30b-a3b"
    spec = RecordedModel(
        engine="recorded", url=f"https://x/{'0' * 40}/{{language}}", files="{language}", codes="iso639-1",
        sha256=dict.fromkeys(["eng_Latn", "deu_Latn"], "0" * 64), corpora=["mgsm"], languages="g",
        shape={"layers": 48, "experts": 128, "top_k": 8},
    )  # fmt: skip
    paths = Paths(tmp_path)
    for code, language in (("en", "eng_Latn"), ("de", "deu_Latn")):
        target = paths.recorded_counts("m", "mgsm", language)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((source / f"mgsm_{code}.json").read_bytes())
    assert study.import_recorded("m", spec, ["eng_Latn"], paths).computed == 1
    assert study.import_recorded("m", spec, ["eng_Latn", "deu_Latn"], paths).computed == 1
    again = study.import_recorded("m", spec, ["eng_Latn", "deu_Latn"], paths)
    assert (again.computed, again.summary()) == (0, "2 traces; 2 were finished before")
