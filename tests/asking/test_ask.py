"""One model asked one task: what is kept, what is asked again and what is not, and what conditions do to routing."""

import re
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from pydantic import ValidationError
from transformers import PreTrainedTokenizerFast

from asking.asked import bytes_tokenizer
from asking.seated import ITEMS, LANGUAGES, NUMBERS, asker, loaded_model, questions
from models.tiny_models import tiny
from polyroute.artifacts import answers as answer_files
from polyroute.artifacts.key import Key, joined
from polyroute.artifacts.questions import Questions
from polyroute.asking import ask as module
from polyroute.asking import generation
from polyroute.asking.ask import MECHANISM_COLUMNS
from polyroute.asking.choices import COLUMNS as CHOSEN
from polyroute.asking.generation import COLUMNS as WRITTEN
from polyroute.ground import code
from polyroute.models.load import LoadedModel
from polyroute.models.routers import find_routers
from polyroute.readers.fetch import fetch_task
from polyroute.readers.local import LocalTask
from polyroute.scoring import accuracy
from polyroute.scoring.kinds import by_score, grade, scored
from polyroute.scoring.settings import Score
from polyroute.stats.paired import PairedScores
from polyroute.steering.condition import BASELINE, Condition
from polyroute.steering.mechanism import MechanismError
from polyroute.steering.plan import Plan

SHAPE = {"model": "tiny", "experts_per_layer": 8, "top_k": 2}
TINY = Condition("tiny", "dose", Plan(**SHAPE, rule="soft", strength=1e-6, experts={1: (1, 4)}))
MASK = Condition("mask", "exclusive", Plan(**SHAPE, rule="mask", experts={1: (0, 1, 2), 2: (3, 4, 5)}))
FEW = NUMBERS[NUMBERS["item_id"].isin(["i0", "i2"])]


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    return asker(tmp_path_factory.mktemp("parts"))


@pytest.fixture
def unasked(monkeypatch):
    """Makes the tiny model fail when it is called."""

    def forbid() -> None:
        monkeypatch.setattr(loaded_model().model, "forward", lambda *_, **__: pytest.fail("the model was called"))

    return forbid


# ------------------------------------------------------------------------------------- from questions to raw answers


@pytest.fixture(scope="module")
def short() -> LoadedModel:
    model = tiny("qwen3_moe", vocab_size=300, max_position_embeddings=64)
    return LoadedModel(model, bytes_tokenizer(), find_routers(model), "d" * 64)


def fetched(tmp_path: Path, mirror, kind: str) -> tuple[Questions, Key]:
    rows = pd.DataFrame({"item_id": [f"q{n}" for n in range(8)], "prompt": [f"ask {n}" for n in range(8)]})
    for language in LANGUAGES[:2]:
        rows.assign(answer="18").to_json(tmp_path / f"{language}.jsonl", orient="records", lines=True)
    spec = LocalTask(reader="local", files=str(tmp_path / "{language}.jsonl"), kind=kind)
    return fetch_task("mine", spec, LANGUAGES[:2], mirror)


@pytest.mark.parametrize("kind", ["number", "span", "translation"])
def test_what_is_written_goes_all_the_way(short, mirror, tmp_path, kind) -> None:
    task, key = fetched(tmp_path, mirror, kind)
    items, asked = joined(task, key), asker(tmp_path, task, loaded=short)
    halves = []
    for split in ("select", "report"):
        (raw,) = asked.ask(split, [BASELINE]).values()
        raw.write(tmp_path / "raw.parquet")
        assert list(raw.frame.columns) == WRITTEN
        grade(answer_files.read(tmp_path / "raw.parquet"), items, split).write(tmp_path / "scored.parquet")
        back = answer_files.read(tmp_path / "scored.parquet")
        half = items[items["split"] == split]
        pd.testing.assert_frame_equal(scored(back.frame[WRITTEN], half, "mine", kind), back.frame, check_dtype=False)
        halves.append(by_score(back.frame, kind, Score(choice="token").of(kind)))
    compared = pd.concat(halves, ignore_index=True)
    table = accuracy.table(compared)
    assert table["language"].tolist() == LANGUAGES[:2]
    assert table["items"].tolist() == [8, 8]
    assert table["accuracy"].between(0, 1).all()
    assert table["truncated"].notna().all()
    assert not PairedScores.from_tables(compared, compared).difference_NV.any()
    assert back.header.settings["generation.max_new_tokens"] == 4
    assert accuracy.in_short(table, None, "eng_Latn")["chance"] is None


def test_answers_are_written_and_read_back(tmp_path: Path) -> None:
    (answers,) = asker(tmp_path).ask("report", [BASELINE]).values()
    path = tmp_path / "baseline.parquet"
    answers.write(path)
    back = answer_files.read(path)
    assert back.header == answers.header
    assert back.frame.item_id.tolist() == answers.frame.item_id.tolist()
    assert list(back.frame.columns) == CHOSEN, "nothing of what is right"
    assert len(back.frame) == len(questions().half("report")) == 18
    # Scoring needs the file and the items, no model.
    half = ITEMS[ITEMS.split == "report"]
    graded = grade(back, ITEMS, "report").frame
    pd.testing.assert_frame_equal(scored(answers.frame, half, "task", "choice"), graded)


def test_answers_say_what_was_asked_of_whom_and_how(tmp_path: Path) -> None:
    found = asker(tmp_path).ask("report", [BASELINE, MASK])
    header = found["mask"].header
    assert (header.model, header.model_digest, header.task, header.kind) == ("tiny", "d" * 64, "task", "choice")
    assert list(header.questions) == LANGUAGES
    assert len(set(header.questions.values())) == 3
    assert (header.condition, header.scored, header.dtype, header.device) == ("mask", False, "float32", "cpu")
    assert len(header.condition_digest) == 64
    assert found["baseline"].header.condition_digest == ""
    answer_files.comparable(found["baseline"], found["mask"])
    select = asker(tmp_path).ask("select", [BASELINE])["baseline"]
    assert select.header.questions != header.questions


# --------------------------------------------------------------------------------------------- what is not asked again


def test_other_settings_are_other_answers(tmp_path: Path, unasked) -> None:
    asked = asker(tmp_path).ask("select", [BASELINE])
    unasked()
    again = asker(tmp_path).ask("select", [BASELINE])
    pd.testing.assert_frame_equal(asked["baseline"].frame, again["baseline"].frame)
    with pytest.raises(pytest.fail.Exception, match="called"):
        asker(tmp_path, batch_tokens=100).ask("select", [BASELINE])


def test_what_a_task_has_of_its_own_wins(tmp_path: Path) -> None:
    template = "{% for turn in messages %}{{ '[' + turn.content + ']' }}{% endfor %}"
    chatting = replace(loaded_model(), tokenizer=bytes_tokenizer(template))
    own = {"chat": False, "max_new_tokens": 2}
    common = asker(tmp_path, FEW, loaded=chatting, chat=True, batch_tokens=2000)
    apart = asker(tmp_path, FEW, loaded=chatting, chat=True, batch_tokens=2000, own=own)
    plain = asker(tmp_path, FEW, batch_tokens=2000, max_new_tokens=2)
    by_chat, by_own, without = (one.ask("report", [BASELINE])["baseline"] for one in (common, apart, plain))
    assert [one.header.settings["thinking"] for one in (by_chat, by_own, without)] == [False, None, None]
    assert [one.header.settings["generation.max_new_tokens"] for one in (by_chat, by_own)] == [4, 2]
    pd.testing.assert_frame_equal(by_own.frame, without.frame)
    assert len(apart.prompts("report", 1)[0]) < len(common.prompts("report", 1)[0])


def test_a_variable_of_the_template_may_be_a_tasks_own(tmp_path: Path) -> None:
    template = "{% for turn in messages %}{{ effort ~ turn.content }}{% endfor %}"
    chatting = replace(loaded_model(), tokenizer=bytes_tokenizer(template))
    how = {"loaded": chatting, "chat": True, "chat_template": {"effort": "low"}}
    common, apart = asker(tmp_path, FEW, **how), asker(tmp_path, FEW, **how, own={"chat_template": {"effort": "high"}})
    texts = [chatting.tokenizer.decode(one.prompts("report", 1)[0]) for one in (common, apart)]
    assert [text.split("eng")[0] for text in texts] == ["low", "high"]


@pytest.mark.parametrize(
    ("template", "how", "said"),
    [
        ("{{ messages }}", {"chat": True}, []),
        ("{{ messages }}{{ enable_thinking }}", {"chat": True, "thinking": True}, []),
        ("{{ messages }}{{ thinking }}", {"chat": True, "thinking": True}, []),
        ("{{ messages }}", {"chat": True, "thinking": True}, ["`thinking` changes nothing: .* no such variable"]),
        ("{{ messages }}{{ effort }}", {"chat": True, "chat_template": {"effort": 1}}, []),
        (
            "{{ messages }}{{ efforts }}",
            {"chat": True, "chat_template": {"effort": 1}},
            ["`chat_template.effort` changes"],
        ),
        (None, {"chat": True}, []),
        (None, {"chat": True, "thinking": True}, ["`thinking` changes nothing where no chat template"]),
        ("{{ messages }}", {"chat": False, "thinking": True}, ["`thinking` changes nothing where no chat template"]),
    ],
)
def test_settings_that_change_nothing_for_a_model_are_said(tmp_path: Path, template, how, said) -> None:
    chatting = replace(loaded_model(), tokenizer=bytes_tokenizer(template))
    found = asker(tmp_path, FEW, loaded=chatting, **how).unheard()
    assert len(found) == len(said)
    assert all(re.search(pattern, sentence) for pattern, sentence in zip(said, found, strict=True))


def test_what_is_no_variable_of_a_template_is_refused(tmp_path: Path) -> None:
    for name in ("tokenize", "messages", "add_generation_prompt"):
        with pytest.raises(ValidationError, match=f"`{name}` is no variable of a template"):
            asker(tmp_path, FEW, chat=True, chat_template={name: True})


def test_a_tokenizer_that_converses_by_code_of_its_own_is_asked_in_a_chat(tmp_path: Path) -> None:
    class Own(PreTrainedTokenizerFast):
        def apply_chat_template(self, conversation, tokenize=True, **_):
            return "".join(f"<{turn['content']}>" for turn in conversation)

    plain = bytes_tokenizer()
    own = Own(tokenizer_object=plain.backend_tokenizer, pad_token="<pad>", eos_token="<end>")
    asked = asker(tmp_path, FEW, loaded=replace(loaded_model(), tokenizer=own), chat=True)
    assert asked.conversation is not None
    assert own.decode(asked.prompts("report", 1)[0]).startswith("<eng")


def test_a_condition_of_the_same_experts_is_answered_once(tmp_path: Path, unasked) -> None:
    before = asker(tmp_path).ask("report", [MASK])["mask"]
    unasked()
    renamed = Condition("another-name", "chosen", MASK.plan, (1, 1))
    after = asker(tmp_path).ask("report", [renamed])["another-name"]
    assert after.header.condition == "another-name"
    pd.testing.assert_frame_equal(before.frame, after.frame)


def test_fewer_languages_ask_nothing_again(tmp_path: Path, unasked) -> None:
    whole = asker(tmp_path).ask("report", [BASELINE])["baseline"]
    unasked()
    some = asker(tmp_path, ITEMS[ITEMS["language"] != "deu_Latn"]).ask("report", [BASELINE])["baseline"]
    expected = whole.only(["eng_Latn", "swh_Latn"])
    assert some.header == expected.header
    pd.testing.assert_frame_equal(some.frame, expected.frame)


def test_what_was_answered_before_is_counted(tmp_path: Path) -> None:
    kept: list[int] = []
    asker(tmp_path).ask("report", [BASELINE], kept=kept.append)
    assert sum(kept) == 0
    advanced: list[int] = []
    asker(tmp_path).ask("report", [BASELINE, MASK], advanced.append, kept.append)
    assert sum(kept) == len(questions().half("report"))
    assert sum(advanced) == 2 * sum(kept)


def test_other_stop_strings_ask_again_in_their_language_alone(tmp_path: Path, monkeypatch) -> None:
    asker(tmp_path, FEW).ask("report", [BASELINE])
    written: list[str] = []
    write = generation.generate_under

    def noted(model, tokenizer, items, plans, routers, settings, **options):
        written.extend(items["language"].unique())
        assert settings.stop == ("\nFrage:",)
        return write(model, tokenizer, items, plans, routers, settings, **options)

    monkeypatch.setattr(generation, "generate_under", noted)
    task = replace(questions(FEW), stops={"deu_Latn": ("\nFrage:",)})
    asker(tmp_path, task).ask("report", [BASELINE])
    assert written == ["deu_Latn"]


@pytest.fixture
def counted(tmp_path: Path):
    """An asker of few numbers, to which the model wrote "I count 18", and these answers."""
    write = generation.generate_under

    def counting(*args, **kwargs):
        return [told.assign(output="I count 18", finished=True) for told in write(*args, **kwargs)]

    asked = asker(tmp_path, FEW, max_new_tokens=1)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(generation, "generate_under", counting)
        return asked, asked.ask("report", [BASELINE])["baseline"]


def test_a_mended_scorer_asks_nothing_again(counted, unasked, monkeypatch) -> None:
    asked, raw = counted
    before = grade(raw, FEW, "report").frame
    assert before["correct"].all()
    unasked()
    monkeypatch.setattr("polyroute.scoring.numbers.extract", lambda text, language: "17")
    again = asked.ask("report", [BASELINE])["baseline"]
    assert again.header == raw.header
    pd.testing.assert_frame_equal(again.frame, raw.frame)
    after = grade(again, FEW, "report").frame
    assert after["extracted"].tolist() == ["17"] * len(FEW)
    assert not after["correct"].any()


def test_a_corrected_key_asks_nothing_again(counted, unasked) -> None:
    asked, raw = counted
    key = Key("number", FEW[["item_id", "language", "answer"]])
    assert grade(raw, joined(asked.questions, key), "report").frame["correct"].all()
    unasked()
    wrong = key.frame["language"] == "deu_Latn"
    corrected = Key("number", key.frame.assign(answer=key.frame["answer"].mask(wrong, "17")))
    again = asked.ask("report", [BASELINE])["baseline"]
    assert again.header == raw.header
    after = grade(again, joined(asked.questions, corrected), "report").frame
    assert after.groupby("language")["correct"].all().to_dict() == {
        "deu_Latn": False, "eng_Latn": True, "swh_Latn": True,
    }  # fmt: skip


@pytest.fixture
def deciding(asked, monkeypatch) -> list[str]:
    """The modules whose code decides answers."""
    named: list[str] = []
    monkeypatch.setattr(module, "code_digest", lambda *names: named.extend(names))
    asked._determining("eng_Latn")
    return named


@pytest.mark.parametrize(
    ("room", "decides"),
    [("asking", True), ("steering", True), ("models", True), ("scoring", False), ("interventions", False)],
)
def test_a_changed_source_asks_again_only_where_it_decides_answers(deciding, monkeypatch, room, decides) -> None:
    files = code.closure(*deciding)
    assert any(path.parent.name == room for path in files) == decides
    digest, read = code.code_digest.__wrapped__, code._read
    before = digest(*deciding)

    def changed(path):
        return read(path)._replace(decisive="changed") if path.parent.name == room else read(path)

    monkeypatch.setattr(code, "_read", changed)
    assert (digest(*deciding) != before) == decides


def test_how_a_model_is_loaded_and_steered_decides_its_answers(deciding) -> None:
    files = {f"{path.parent.name}/{path.name}" for path in code.closure(*deciding)}
    assert {"models/load.py", "models/taps.py", "steering/apply.py", "steering/sweep.py"} <= files
    assert {"asking/choices.py", "asking/generation.py", "asking/prompts.py"} <= files


# ------------------------------------------------------------------------------------------- what it does to routing


def test_every_condition_has_a_row_for_each_layer_that_it_edits(asked) -> None:
    found = asked.mechanism([BASELINE, TINY, MASK], by_language=False)
    assert tuple(found.columns) == MECHANISM_COLUMNS
    assert list(zip(found["condition"], found["layer"], found["experts"], strict=True)) == [
        ("tiny", 1, 2), ("mask", 1, 3), ("mask", 2, 3),
    ]  # fmt: skip
    assert set(found["evaluated"]) == {""}


def test_a_tiny_push_sends_no_token_elsewhere_and_a_mask_all_of_them(tmp_path: Path) -> None:
    found = asker(tmp_path, mechanism_items=3).mechanism([TINY, MASK], by_language=False)
    found = found.set_index(["condition", "layer"])
    tiny = found.loc["tiny", 1]
    assert tiny["rerouted"] == 0
    assert 0 < tiny["edit_size"] < 1e-4
    assert tiny["share_before"] == tiny["share_after"]
    mask = found.loc["mask"]
    assert (mask["share_after"] == 0).all()
    assert (mask["share_before"] > 0).all()
    # A token that chose a masked expert must choose another; K = 2, so they are between before and 2 before.
    assert (mask["rerouted"] >= mask["share_before"]).all()
    assert (mask.loc[1, "rerouted"]) <= 2 * mask.loc[1, "share_before"]


def test_only_the_languages_that_are_asked_for_count(asked, tmp_path: Path) -> None:
    lengths = {language: [len(row) for row in asked.prompts("report", 2, [language])] for language in LANGUAGES}
    assert all(len(one) == 2 for one in lengths.values())
    for chosen in (["deu_Latn"], ["eng_Latn", "swh_Latn"], LANGUAGES):
        some = asker(tmp_path, ITEMS[ITEMS["language"].isin(chosen)])
        pooled = some.mechanism([TINY, MASK], by_language=False)
        assert set(pooled["tokens"]) == {sum(sum(lengths[language]) for language in chosen)}
        apart = some.mechanism([TINY, MASK], by_language=True)
        assert len(apart) == 3 * len(chosen)
        assert list(apart["evaluated"].drop_duplicates()) == chosen
        for language, rows in apart.groupby("evaluated"):
            assert set(rows["tokens"]) == {sum(lengths[language])}


def test_prompts_are_the_first_of_the_report_half(asked) -> None:
    decode = asked.loaded.tokenizer.decode
    assert [decode(row) for row in asked.prompts("report", 2)] == [f"{code} {n}" for code in LANGUAGES for n in (0, 2)]
    assert [decode(row) for row in asked.prompts("select", 1, ["swh_Latn"])] == ["swh_Latn 1"]


def test_a_baseline_alone_gives_no_row(asked) -> None:
    for by_language in (False, True):
        found = asked.mechanism([BASELINE], by_language=by_language)
        assert found.empty
        assert tuple(found.columns) == MECHANISM_COLUMNS


@pytest.mark.parametrize(("by_language", "where"), [(True, "eng_Latn"), (False, "all languages")])
def test_a_mask_that_does_not_reach_the_model_is_an_error(asked, monkeypatch, by_language, where) -> None:
    monkeypatch.setattr("polyroute.steering.mechanism.steer", lambda *_, **__: nullcontext())
    with pytest.raises(MechanismError, match=rf"mask mask in layer 1: .*% of the choices in {where} fall on masked"):
        asked.mechanism([TINY, MASK], by_language=by_language)
