"""Files of the user's own, as they are, and what `polyroute check` says of them."""

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

from polyroute.cli.verbs import main
from polyroute.ground.hub import HubSource
from polyroute.languages.table import register
from polyroute.params.file import parse
from polyroute.readers.fetch import fetch_corpus, fetch_task
from polyroute.readers.local import LocalCorpus, LocalTask
from tiny import ROOT, raw_params

ENGLISH, GERMAN = "eng_Latn", "deu_Latn"
SENTENCES = {ENGLISH: ["One dog.", "Two cats.", "Three birds."], GERMAN: ["Ein Hund.", "Zwei Katzen.", "Drei Vögel."]}


@pytest.fixture(autouse=True)
def _no_language_left():
    yield
    register([])


def store(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    frame = pd.DataFrame(rows)
    match path.suffix:
        case ".tsv" | ".csv":
            frame.to_csv(path, sep="\t" if path.suffix == ".tsv" else ",", index=False)
        case ".jsonl":
            path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        case ".parquet":
            frame.to_parquet(path)
        case ".txt":
            path.write_text("".join(f"{next(iter(row.values()))}\n" for row in rows))


@pytest.fixture
def study(tmp_path, monkeypatch):
    """Writes params.yaml with corpora, tasks and more, one model that reads all of them, and goes there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models" / "m").mkdir(parents=True)
    (tmp_path / "models" / "m" / "config.json").write_text("{}")

    def write(corpora: dict, tasks: dict | None = None, languages: tuple = (ENGLISH, GERMAN), **more: Any) -> None:
        raw = raw_params()
        in_task = {task["text"] for task in (tasks or {}).values() if "text" in task}
        model = {
            "engine": "transformers", "folder": "models/m", "dtype": "float32", "batch_tokens": 8, "languages": "mine",
            "corpora": [name for name in corpora if name not in in_task] or list(corpora), "tasks": list(tasks or {}),
        }  # fmt: skip
        model["generic"] = model["corpora"][0]
        raw |= {
            "study": raw["study"] | {"models": ["m"], "extra": []}, "languages": {"mine": list(languages)},
            "corpora": corpora, "tasks": tasks or {}, "models": {"m": model}, "mask": raw["mask"] | {"tasks": {}},
        } | more  # fmt: skip
        (tmp_path / "params.yaml").write_text(yaml.safe_dump(raw))

    return write


def check() -> str:
    return CliRunner().invoke(main, ["check"]).output


@pytest.mark.parametrize("ending", ["tsv", "csv", "jsonl", "parquet"])
def test_a_column_a_language_named_as_the_user_names_it(tmp_path, ending) -> None:
    rows = [{"en": one, "de": other} for one, other in zip(*SENTENCES.values(), strict=True)]
    store(tmp_path / f"mine.{ending}", rows)
    spec = LocalCorpus(reader="local", files=str(tmp_path / f"mine.{ending}"), text="{language}")
    frame = fetch_corpus("mine", spec, [ENGLISH, GERMAN], HubSource())
    assert frame["item_id"].tolist()[::2] == ["0000001", "0000002", "0000003"]
    assert frame["text"].tolist()[:2] == ["One dog.", "Ein Hund."]


@pytest.mark.parametrize("ending", ["tsv", "csv", "jsonl", "parquet", "txt"])
def test_a_file_a_language_named_in_another_standard(tmp_path, ending) -> None:
    for name, texts in (("en-GB", SENTENCES[ENGLISH]), ("deu", SENTENCES[GERMAN])):
        store(tmp_path / "t" / f"{name}.{ending}", [{"text": text} for text in texts])
    spec = LocalCorpus(reader="local", files=str(tmp_path / "t" / f"{{language}}.{ending}"))
    frame = fetch_corpus("mine", spec, [GERMAN, ENGLISH], HubSource())
    assert frame["text"].tolist()[:2] == ["Ein Hund.", "One dog."]


@pytest.mark.parametrize("ending", ["tsv", "csv", "jsonl", "parquet"])
def test_a_language_column_in_another_standard_and_rows_without_ids(tmp_path, ending) -> None:
    rows = [{"lang": lang, "s": text} for code, lang in ((ENGLISH, "eng"), (GERMAN, "de")) for text in SENTENCES[code]]
    store(tmp_path / f"mine.{ending}", rows)
    spec = LocalCorpus(reader="local", files=str(tmp_path / f"mine.{ending}"), text="s", language="lang")
    frame = fetch_corpus("mine", spec, [ENGLISH, GERMAN], HubSource())
    assert frame["item_id"].tolist()[:2] == ["0000001", "0000001"]
    assert frame["text"].tolist()[:2] == ["One dog.", "Ein Hund."]


def test_a_task_in_fewer_languages_than_the_corpus_takes_those_that_are_there(tmp_path) -> None:
    rows = [{"prompt": f"{n}?", "answer": f"{n}"} for n in range(12)]
    for name in ("en", "fr"):
        store(tmp_path / f"{name}.tsv", rows)
    apart = LocalTask(reader="local", files=str(tmp_path / "{language}.tsv"), kind="number")
    assert apart.languages_of([ENGLISH, GERMAN, "fra_Latn"]) == ([ENGLISH, "fra_Latn"], [GERMAN])
    store(tmp_path / "all.jsonl", [row | {"language": code} for code in ("eng", "fra") for row in rows])
    together = LocalTask(reader="local", files=str(tmp_path / "all.jsonl"), kind="number")
    assert together.languages_of([ENGLISH, GERMAN, "fra_Latn"]) == ([ENGLISH, "fra_Latn"], [GERMAN])
    questions, _ = fetch_task("mine", together, [ENGLISH, "fra_Latn"], HubSource())
    assert set(questions.frame["language"]) == {ENGLISH, "fra_Latn"}


def test_check_reads_what_is_at_hand_and_says_what_it_takes(study, tmp_path) -> None:
    rows = [
        {"lang": lang, "text": text} for code, lang in ((ENGLISH, "en"), (GERMAN, "de-AT")) for text in SENTENCES[code]
    ]
    store(tmp_path / "text/mine.csv", [*rows, {"lang": "tlh", "text": "nuqneH"}])
    store(tmp_path / "text/q/en.jsonl", [{"prompt": f"{n}?", "answer": str(n)} for n in range(12)])
    study(
        {"mine": {"reader": "local", "files": "text/mine.csv", "language": "lang"}},
        {"sums": {"reader": "local", "files": "text/q/{language}.jsonl", "kind": "number"}},
    )
    told = check()
    assert "task sums: in 1 languages; it lacks deu_Latn" in told
    assert "corpora.mine: column `lang`: `en` is eng_Latn, `de-AT` is deu_Latn" in told
    assert "corpora.mine: column `lang`: `tlh` is no language that polyroute knows, and is passed over" in told
    assert "params.yaml is sound" in told


@pytest.mark.parametrize(
    ("rows", "more", "match"),
    [
        (None, {}, "corpora.mine: text/mine.jsonl is absent"),
        ([{"sentence": "x", "language": "en"}], {}, "no column `text`; there are sentence, language"),
        ([{"text": "x", "language": "en"}], {}, "no rows of deu_Latn; column `language` holds en"),
        (
            [{"item_id": 1, "text": f"x{n}", "language": code} for n in range(2) for code in ("en", "de")],
            {},
            "there twice: 1",
        ),
        (
            [{"text": "a", "language": "en"}, {"text": "b", "language": "en"}, {"text": "c", "language": "de"}],
            {},
            "deu_Latn (text/mine.jsonl): missing, though in another language: 0000002",
        ),
        ([{"text": "a", "language": "en"}, {"text": " ", "language": "de"}], {}, "empty text: 0000001"),
        ([{"text": "a", "language": "en"}], {"codes": {"deu_Latin": "en"}}, "`deu_Latin` is not a FLORES code"),
    ],
)
def test_check_finds_what_is_wrong_with_text_before_anything_runs(study, tmp_path, rows, more, match) -> None:
    if rows is not None:
        store(tmp_path / "text/mine.jsonl", rows)
    study({"mine": {"reader": "local", "files": "text/mine.jsonl"} | more})
    told = check()
    assert "the study cannot run:" in told
    assert match in told


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ("text/{lang}.txt", r"text/\{lang\}\.txt is absent: .*; a language is written `\{language\}` in it"),
        ("text/some", r"text/some is a folder: name the files in it, such as `text/some/\{language\}\.txt`"),
    ],
)
def test_a_path_that_means_no_file_is_told_how_it_is_written(study, tmp_path, files, said) -> None:
    (tmp_path / "text" / "some").mkdir(parents=True)
    study({"mine": {"reader": "local", "files": files}})
    assert re.search(said, check())


def test_check_finds_all_that_is_wrong_at_once(study, tmp_path) -> None:
    store(tmp_path / "text/q.tsv", [{"prompt": "?", "answer": "x"}] * 4)
    study(
        {"mine": {"reader": "local", "files": "text/{language}.txt"}},
        {"sums": {"reader": "local", "files": "text/q.tsv", "kind": "number", "languages": [ENGLISH]}},
    )
    told = check()
    assert "corpora.mine: text/eng_Latn.txt is absent" in told
    assert "tasks.sums: task `sums` cannot be used:\n  eng_Latn: answer is no plain decimal" in told


def test_in_task_text_that_is_the_generic_text_is_refused(study, tmp_path) -> None:
    for code, texts in SENTENCES.items():
        store(tmp_path / f"text/{code}.txt", [{"text": text} for text in texts])
    store(tmp_path / "text/copy.csv", [{"text": text} for text in SENTENCES[ENGLISH]])
    store(tmp_path / "text/some.csv", [{"text": text} for text in [*SENTENCES[ENGLISH][:1], "One plus one is two."]])
    store(tmp_path / "text/q.tsv", [{"prompt": f"{n}?", "answer": str(n)} for n in range(12)])
    task = {"reader": "local", "files": "text/q.tsv", "kind": "number", "languages": [ENGLISH]}
    mine = {"reader": "local", "files": "text/{language}.txt"}
    for text in ("copy", "some", "mine"):
        own = {text: {"reader": "local", "files": f"text/{text}.csv", "parallel": False}} if text != "mine" else {}
        study({"mine": mine} | own, {"sums": task | {"text": text}})
        told = check()
        if text == "some":
            assert "corpora.some: 1 of its 2 texts are in `mine` too" in told
            assert "params.yaml is sound" in told
        else:
            assert f"corpora.{text}: in-task text that is equal to the generic text `mine`" in told


def test_a_language_of_the_users_own_is_a_block_of_params(study, tmp_path) -> None:
    for code in (ENGLISH, "qaa_Latn"):
        store(tmp_path / f"text/{code}.txt", [{"text": f"{code} {n}"} for n in range(3)])
    mine = {"mine": {"reader": "local", "files": "text/{language}.txt"}}
    study(mine, languages=(ENGLISH, "qaa_Latn"), own_languages={"qaa_Latn": {"name": "Toki Pona"}})
    told = check()
    assert told.count("Toki Pona") == 1
    assert (
        "qaa_Latn (Toki Pona): family, branch, region not given, so it counts as one of its own; "
        "resource class unknown; no detector, so the language of its answers is not recognised" in told
    )
    assert "params.yaml is sound" in told
    study(mine, languages=(ENGLISH, "qaa_Latn"))
    assert "languages.mine: `qaa_Latn` is not a FLORES code" in check()
    study(mine, own_languages={GERMAN: {"name": "Mine"}})
    assert "own_languages: `deu_Latn` is in the table of languages already" in check()


def recipe(of: str) -> dict[str, Any]:
    """The YAML that docs/your-own.md shows under a heading."""
    text = (ROOT / "docs" / "your-own.md").read_text(encoding="utf-8")
    block = text[text.index(f"## {of}") :].split("```yaml\n")[1].split("```")[0]
    return yaml.safe_load(block)


@pytest.mark.parametrize("ending", ["txt", "tsv", "csv", "jsonl", "parquet"])
def test_the_recipe_of_a_corpus_runs_as_a_user_writes_it(study, tmp_path, ending) -> None:
    given = recipe("A language or text of your own")
    corpora, own = given["corpora"], given["own_languages"]
    mine = json.loads(json.dumps(corpora["mine"]).replace(".txt", f".{ending}"))
    table = corpora["table"]
    long = corpora["long"]
    (code,) = own
    codes = [ENGLISH, GERMAN, code]
    for name in ("en", "de", code):
        store(tmp_path / mine["files"].replace("{language}", name), [{"text": f"{name} {n}"} for n in range(3)])
    store(tmp_path / table["files"], [{name: f"{name} {n}" for name in ("en", "de", code)} for n in range(3)])
    rows = [
        {long["id"]: n, long["language"]: name, "text": f"{name} {n}"}
        for n in range(3)
        for name in ("eng", "deu", code)
    ]
    store(tmp_path / long["files"], rows)
    study({"mine": mine, "table": table, "long": long}, languages=tuple(codes), own_languages=own)
    assert "params.yaml is sound" in check()
    file = parse(yaml.safe_load((tmp_path / "params.yaml").read_text()))
    for name in ("mine", "table", "long"):
        frame = fetch_corpus(name, file.corpora[name], codes, HubSource())
        assert len(frame) == 9
    assert parse(yaml.safe_load((tmp_path / "params.yaml").read_text()) | {"corpora": corpora | {"mine": mine}})


@pytest.mark.parametrize("ending", ["tsv", "csv", "jsonl", "parquet"])
def test_the_recipe_of_a_task_runs_as_a_user_writes_it(study, tmp_path, ending) -> None:
    given = recipe("A task of your own")
    riddles = json.loads(json.dumps(given["tasks"]["riddles"]).replace(".tsv", f".{ending}"))
    exam = given["tasks"]["exam"]
    rows = [
        {"item_id": n, "prompt": f"What is {n}?", "choice_1": " this", "choice_2": " that", "answer": 1}
        for n in range(12)
    ]
    store(tmp_path / riddles["files"].replace("{language}", "en"), rows)
    asked = [
        {"question": f"{n}?", "a": "x", "b": "y", "right": "B", "language": name}
        for n in range(12)
        for name in ("en", "de")
    ]
    store(tmp_path / exam["files"], asked)
    for code, texts in SENTENCES.items():
        store(tmp_path / f"text/{code}.txt", [{"text": text} for text in texts])
    tasks = {"riddles": {key: value for key, value in riddles.items() if key != "text"}, "exam": exam}
    study({"own": {"reader": "local", "files": "text/{language}.txt"}}, tasks)
    told = check()
    assert "task riddles: in 1 languages; it lacks deu_Latn" in told
    assert "task exam: in 2 languages" in told
    assert "params.yaml is sound" in told
    questions, key = fetch_task("exam", LocalTask(**exam), [ENGLISH, GERMAN], HubSource())
    assert questions.frame["prompt"][0] == "0?\nA. x\nB. y\nAnswer:"
    assert set(key.frame["answer"]) == {1}
