"""Where files come from, and what is kept when they do not come whole."""

import hashlib
import json

import huggingface_hub
import pytest
from huggingface_hub import errors

from polyroute.ground.hub import ATTEMPTS, HubSource, SourceError, mirror_folder
from readers.corpus_files import COMMIT


def test_a_branch_is_refused_before_anything_is_downloaded():
    def fetch(*_):
        raise AssertionError("went to the network")

    with pytest.raises(SourceError, match=r"o/d: revision `main` is no commit .* run `polyroute pin`"):
        HubSource(fetch=fetch).file("o/d", "main", "a.tsv")


def test_a_file_comes_from_the_hub_at_its_commit(tmp_path):
    asked = []

    def fetch(*arguments):
        asked.append(arguments)
        return str(tmp_path / "a.tsv")

    assert HubSource(fetch=fetch).file("o/d", COMMIT, "data/a.tsv") == tmp_path / "a.tsv"
    assert asked == [("o/d", COMMIT, "data/a.tsv", "dataset")]


def test_a_download_that_keeps_breaking_says_what_to_do():
    tried, waits = [], []

    def fetch(*_):
        tried.append(1)
        raise OSError("reset")

    with pytest.raises(SourceError, match=r"o/d `a.tsv`: the download broke 4 times, last with: reset"):
        HubSource(fetch=fetch, sleep=waits.append).file("o/d", COMMIT, "a.tsv")
    assert (len(tried), waits) == (ATTEMPTS, [1.0, 2.0, 4.0])


def test_a_mirror_is_read_whatever_the_revision_and_never_the_network(mirror, put):
    path = put("o/d/a.tsv", "text\n")
    assert mirror.file("o/d", "main", "a.tsv") == path
    with pytest.raises(
        SourceError, match=r"o/d `b.tsv` is not in the mirror \(.*hub/o/d/b.tsv\); .*`polyroute mirror`"
    ):
        mirror.file("o/d", "main", "b.tsv")


def test_a_manifest_is_held_against_every_file(tmp_path, put):
    path = put("o/d/a.tsv", "text\n")
    put("o/d/b.tsv", "text\n")
    entry = {"revision": COMMIT, "sha256": hashlib.sha256(b"text\n").hexdigest()}
    (tmp_path / "mirror" / "manifest.json").write_text(json.dumps({"files": {"hub/o/d/a.tsv": entry}}))
    source = HubSource(tmp_path / "mirror")
    assert source.file("o/d", COMMIT, "a.tsv") == path
    with pytest.raises(SourceError, match=r"b.tsv: not in the mirror's manifest.json"):
        source.file("o/d", COMMIT, "b.tsv")
    with pytest.raises(SourceError, match=rf"a.tsv: mirrored at {COMMIT}, but params.yaml says {'f' * 40}"):
        source.file("o/d", "f" * 40, "a.tsv")
    path.write_text("texT\n")
    with pytest.raises(SourceError, match=r"a.tsv: its checksum is not the one in the mirror's manifest.json"):
        source.file("o/d", COMMIT, "a.tsv")


def test_a_broken_manifest_is_an_error(tmp_path, put):
    put("o/d/a.tsv", "text\n")
    (tmp_path / "mirror" / "manifest.json").write_text('{"files": ["a"]}')
    with pytest.raises(SourceError, match="not a manifest of `polyroute mirror`"):
        HubSource(tmp_path / "mirror").file("o/d", COMMIT, "a.tsv")


def answer(status: int) -> object:
    response = errors.Response(status)
    response.request = type("Request", (), {"url": "u", "method": "GET"})()
    return response


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (lambda: errors.GatedRepoError("x", response=answer(403)), r"o/d is gated: accept its terms at .* HF_TOKEN"),
        (
            lambda: errors.LocalEntryNotFoundError("x"),
            r"o/d: the hub cannot be reached and `a.tsv` is not .* POLYROUTE_MIRROR",
        ),
        (lambda: errors.RevisionNotFoundError("x", response=answer(404)), rf"o/d has no commit {COMMIT}"),
        (lambda: errors.RemoteEntryNotFoundError("x", response=answer(404)), r"o/d has no `a.tsv` at"),
        (lambda: errors.RepositoryNotFoundError("x", response=answer(401)), r"o/d is not on the hub, or is private"),
        (
            lambda: errors.HfHubHTTPError("forbidden", response=answer(403)),
            r"o/d: the hub answers forbidden for `a.tsv`",
        ),
    ],
)
def test_the_hubs_refusals_say_what_to_do(monkeypatch, error, message):
    tried = []

    def download(*_, **__):
        tried.append(1)
        raise error()

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    with pytest.raises(SourceError, match=message):
        HubSource(sleep=lambda _: None).file("o/d", COMMIT, "a.tsv")
    assert len(tried) == 1


@pytest.mark.parametrize(
    "error",
    [
        lambda: errors.HTTPError("cut"),
        lambda: OSError("cut"),
        lambda: errors.HfHubHTTPError("cut", response=answer(502)),
    ],
)
def test_a_broken_connection_to_the_hub_is_tried_again(monkeypatch, tmp_path, error):
    tried = []

    def download(repository, path, **where):
        tried.append((repository, path, where))
        if len(tried) < 3:
            raise error()
        return str(tmp_path / path)

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    assert HubSource(sleep=lambda _: None).file("o/d", COMMIT, "a.tsv") == tmp_path / "a.tsv"
    assert tried == [("o/d", "a.tsv", {"repo_type": "dataset", "revision": COMMIT})] * 3


def test_the_mirror_is_a_matter_of_the_machine(monkeypatch, tmp_path):
    monkeypatch.delenv("POLYROUTE_MIRROR", raising=False)
    assert mirror_folder() is None
    monkeypatch.setenv("POLYROUTE_MIRROR", str(tmp_path))
    assert mirror_folder() == tmp_path
