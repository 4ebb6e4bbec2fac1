"""Branches become commits, and nothing else in params.yaml changes."""

import re
from pathlib import Path

import huggingface_hub
import pytest
import yaml
from huggingface_hub import errors

from polyroute.cli.pin import Change, PinError, pin
from polyroute.ground.frozen import ParamsError
from tiny import raw_params

ROOT = Path(__file__).parents[2]
HEAD = "89abcdef0123456789abcdef0123456789abcdef"
OLD = "f" * 40
UNPINNED = [
    "utter-project/EuroMoE-2.6B-A0.6B-Instruct-2512", "AIDC-AI/Marco-Nano-Instruct", "AIDC-AI/Marco-Mini-Global-Base",
]  # fmt: skip
"""Of which no commit was known when their entries were written; they are refused until `polyroute pin`."""


def resolve(repository, kind, revision):
    assert kind in ("model", "dataset")
    return HEAD


@pytest.fixture
def path(tmp_path):
    """The repository's params.yaml at old commits, and one corpus more that is at a branch."""
    raw = raw_params()
    raw["corpora"] = raw["corpora"] | {
        "one": {"reader": "medinstruct", "hub": "o/one", "revision": "main", "files": "a.jsonl", "items": 1},
        "two": {"reader": "medinstruct", "hub": "o/two", "revision": OLD, "files": "a.jsonl", "items": 1},
    }
    for section in ("corpora", "tasks", "models"):
        for entry in raw[section].values():
            if "revision" in entry and entry.get("hub") != "o/one":
                entry["revision"] = OLD
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(raw, sort_keys=False))
    return path


def rewrite(path, old, new, count=1):
    text = path.read_text()
    assert text.count(old) >= count
    path.write_text(text.replace(old, new, count))


def test_a_branch_becomes_its_commit_and_a_commit_stays(path):
    before = path.read_text()
    assert pin(path, resolve=resolve) == [Change("corpora.one.revision", "o/one", "main", HEAD)]
    assert path.read_text() == before.replace("revision: main", f"revision: {HEAD}")
    assert pin(path, resolve=lambda *_: pytest.fail("asked the hub")) == []


def test_the_repositorys_own_params_keep_comments_and_layout(tmp_path):
    path = tmp_path / "params.yaml"
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    text = re.sub(r"(revision: )[0-9a-f]{40}", r"\1main", text)
    path.write_text(text, encoding="utf-8")
    changes = pin(path, resolve=resolve)
    assert len(changes) == text.count("revision: main") > 0
    assert path.read_text(encoding="utf-8") == text.replace("revision: main", f"revision: {HEAD}")


def test_the_repository_reads_nothing_that_moves_but_what_it_names(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_bytes((ROOT / "params.yaml").read_bytes())
    asked = []

    def note(repository, kind, revision):
        asked.append(repository)
        return HEAD

    pin(path, resolve=note)
    assert asked == UNPINNED


def test_a_tasks_branch_becomes_the_commit_of_its_data_set(path):
    raw = yaml.safe_load(path.read_text())
    raw["tasks"]["mgsm"]["revision"] = "v1"
    path.write_text(yaml.safe_dump(raw, sort_keys=False))
    before = path.read_text()
    asked = []

    def resolve(*what):
        asked.append(what)
        return HEAD

    assert pin(path, ["mgsm"], resolve) == [Change("tasks.mgsm.revision", "juletxara/mgsm", "v1", HEAD)]
    assert asked == [("juletxara/mgsm", "dataset", "v1")]
    assert path.read_text() == before.replace("revision: v1", f"revision: {HEAD}")
    with pytest.raises(PinError, match="`arithmetic` is no corpus, task or model of the hub"):
        pin(path, ["arithmetic"], resolve)


@pytest.mark.parametrize(
    ("written", "pinned"),
    [
        ("revision: 'main'", f"revision: '{HEAD}'"),
        ('revision: "main"  # a comment', f'revision: "{HEAD}"  # a comment'),
        ("revision:    main # a comment", f"revision:    {HEAD} # a comment"),
    ],
)
def test_quotes_comments_and_blanks_stay(path, written, pinned):
    rewrite(path, "revision: main", written)
    before = path.read_text()
    pin(path, resolve=resolve)
    assert path.read_text() == before.replace(written, pinned)


def test_line_ends_and_flow_style_stay(path):
    block = "  one:\n    reader: medinstruct\n    hub: o/one\n    revision: main\n    files: a.jsonl\n    items: 1\n"
    flow = "  one: {reader: medinstruct, hub: o/one, revision: main, files: a.jsonl, items: 1}\n"
    rewrite(path, block, flow)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    before = path.read_bytes()
    pin(path, resolve=resolve)
    assert path.read_bytes() == before.replace(b"revision: main", b"revision: " + HEAD.encode())


def test_only_the_named_entries_are_pinned(path):
    rewrite(path, f"revision: {OLD}", "revision: v1.0")
    first = path.read_text()
    assert [change.key for change in pin(path, ["one"], resolve)] == ["corpora.one.revision"]
    assert path.read_text() == first.replace("revision: main", f"revision: {HEAD}")
    message = r"`won` is no corpus, task or model of the hub in params.yaml; did you mean two or one\?"
    with pytest.raises(PinError, match=message):
        pin(path, ["won"], resolve)


def test_a_shared_value_is_not_pinned_for_two_repositories_at_once(path):
    rewrite(path, "revision: main", "revision: &here main")
    rewrite(path, f"hub: o/two\n    revision: {OLD}", "hub: o/two\n    revision: *here")
    before = path.read_text()
    with pytest.raises(PinError, match=r"anchors .*\n  corpora.one.revision: .*\n  corpora.two.revision: "):
        pin(path, resolve=lambda repository, *_: HEAD if repository == "o/one" else OLD)
    assert path.read_text() == before


def test_an_answer_that_is_no_commit_changes_nothing(path):
    before = path.read_text()
    with pytest.raises(PinError, match="o/one: the hub resolves `main` to `refs/pr/1`, which is no commit"):
        pin(path, resolve=lambda *_: "refs/pr/1")
    assert path.read_text() == before


def test_params_that_cannot_be_used_are_an_error(path, tmp_path):
    rewrite(path, "revision: main", "revizion: main")
    with pytest.raises(ParamsError, match="revizion"):
        pin(path, resolve=resolve)
    with pytest.raises(ParamsError, match="is absent"):
        pin(tmp_path / "none.yaml", resolve=resolve)


class Info:
    sha = HEAD


def answer(status):
    response = errors.Response(status)
    response.request = type("Request", (), {"url": "u", "method": "GET"})()
    return response


def test_the_hub_is_asked_for_the_branch_of_the_data_set(path, monkeypatch):
    asked = []

    def repo_info(_self, repository, **what):
        asked.append((repository, what))
        return Info

    monkeypatch.setattr(huggingface_hub.HfApi, "repo_info", repo_info)
    pin(path)
    assert asked == [("o/one", {"repo_type": "dataset", "revision": "main"})]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (lambda: errors.RevisionNotFoundError("x", response=answer(404)), "o/one has no branch, tag or commit `main`"),
        (
            lambda: errors.RepositoryNotFoundError("x", response=answer(401)),
            "o/one is not on the hub as a dataset, or is private",
        ),
        (lambda: errors.HTTPError("no route"), r"o/one: the hub cannot be reached \(no route\)"),
        (lambda: OSError("offline"), r"o/one: the hub cannot be reached \(offline\)"),
    ],
)
def test_the_hubs_refusals_say_what_to_do(path, monkeypatch, error, message):
    def repo_info(*_, **__):
        raise error()

    monkeypatch.setattr(huggingface_hub.HfApi, "repo_info", repo_info)
    before = path.read_text()
    with pytest.raises(PinError, match=message):
        pin(path)
    assert path.read_text() == before
