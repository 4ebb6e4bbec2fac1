"""Finished parts are taken up exactly where nothing that determines their numbers has changed."""

import pytest

from polyroute.artifacts.recorded_counts import Counts
from polyroute.artifacts.trace import TraceError, read_header
from polyroute.ground.paths import Paths
from polyroute.models.settings import Checkpoint
from polyroute.models.source import ModelError, digest
from polyroute.tracing import study
from polyroute.tracing.settings import TracingSettings
from recorded import FILE
from tiny import make_model, make_tokenizer

TEXTS = {("own", "eng_Latn"): {"a": "hello world", "b": "abc"}}
SETTINGS = {
    "pairs": 4,
    "head": 3,
    "special_tokens": "exclude",
    "seed": 0,
    "counts": None,
    "corpora": {"own": ["eng_Latn"]},
}
ENTRY = {"dtype": "float32", "device": "cpu", "batch_tokens": 64, "max_tokens": 4096}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    for name, seed in (("tiny", 0), ("other", 1)):
        make_model(seed).save_pretrained(folder / name)
        make_tokenizer().save_pretrained(folder / name)
    run(folder)
    return folder


def run(root, *, name="tiny", entry=(), texts=TEXTS, **settings):
    model = ENTRY | {"folder": root / "tiny"} | dict(entry)
    told = {key: value for key, value in model.items() if key in Checkpoint.model_fields}
    model = {"digest": digest(name, Checkpoint.model_validate(told))} | model
    settings = TracingSettings.model_validate(SETTINGS | {"name": name, "model": model} | settings)
    return study.trace_model(settings, texts, Paths(root))


def test_the_same_again_computes_nothing(root) -> None:
    assert run(root).computed == 0
    assert run(root, entry={"max_tokens": 99}).computed == 0


def test_tokens_are_counted_whether_traces_are_new_or_taken_up(root, tokenizer) -> None:
    ids = tokenizer.convert_tokens_to_ids(list("helo wrdabc"))
    again = run(root).vocabulary["own", "eng_Latn"]
    assert again == dict(zip(ids, [1, 1, 3, 2, 1, 1, 1, 1, 1, 1, 1], strict=True))


@pytest.mark.parametrize(
    "change",
    [{"entry": {"batch_tokens": 7}}, {"pairs": 7}, {"head": 7}, {"seed": 7}, {"special_tokens": "include"}],
    ids=lambda change: next(iter(change)),
)
def test_each_setting_that_determines_numbers_computes_anew(root, change) -> None:
    assert run(root, **change).computed == 1


def test_a_checkpoint_that_changed_since_its_settings_were_made_is_refused(root) -> None:
    with pytest.raises(ModelError, match=r"others than settings/tiny was made for: run `dvc repro resolve`"):
        run(root, entry={"digest": "0" * 64})


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
        assert run(root).computed == 1
        monkeypatch.setattr(study, "code_digest", lambda *_: "newer code")
    assert run(root).computed == 1


def test_recorded_counts_add_one_language_at_a_time(tmp_path) -> None:
    counts = {"file": str(FILE), "shape": {"layers": 48, "experts": 128, "top_k": 8}}

    def imported(*languages: str) -> study.FinishedTraces:
        given = SETTINGS | {"name": "m", "model": None, "counts": counts, "corpora": {"mgsm": list(languages)}}
        return study.import_recorded(TracingSettings.model_validate(given), paths)

    paths = Paths(tmp_path)
    Counts.read(FILE).write(paths.recorded_counts("m", "mgsm"))
    assert imported("eng_Latn").computed == 1
    assert imported("eng_Latn", "ben_Beng").computed == 1
    again = imported("eng_Latn", "ben_Beng")
    assert (again.computed, again.summary()) == (0, "2 traces; 2 were finished before")


def test_a_corpus_is_traced_as_a_chat_where_its_settings_say_so(root) -> None:
    tokenizer = make_tokenizer()
    tokenizer.chat_template = "{% for m in messages %}{{ 'u' + m.content + 'e' }}{% endfor %}"
    make_model(2).save_pretrained(root / "chatting")
    tokenizer.save_pretrained(root / "chatting")
    texts = {("own", "eng_Latn"): {"a": "hello"}, ("talk", "eng_Latn"): {"a": (("user", "hi"), ("assistant", "ho"))}}
    corpora = {"own": ["eng_Latn"], "talk": ["eng_Latn"]}
    entry = {"folder": root / "chatting"}
    chat = {"talk": {"counted": "rendered"}}
    done = run(root, name="chatting", entry=entry, texts=texts, corpora=corpora, chats=chat)
    headers = {corpus: read_header(path) for (corpus, _), path in done.traces.items()}
    assert "text" not in headers["own"].settings
    assert headers["talk"].settings["counted"] == "rendered"
    assert [sum(done.vocabulary[corpus, "eng_Latn"].values()) for corpus in corpora] == [5, 8]
    for change in ({"counted": "content"}, {"roles": "user"}, {"roles": "assistant", "request": "say"}):
        again = run(root, name="chatting", entry=entry, texts=texts, corpora=corpora, chats={"talk": change})
        assert again.computed == 1
    with pytest.raises(TraceError, match="has no chat template"):
        run(root, texts=texts, corpora=corpora, chats=chat)
