"""Where files come from, and what is kept when they do not come whole."""

import contextlib
import hashlib
import http.client
import io
import json
import urllib.error

import huggingface_hub
import pytest
from huggingface_hub import errors

from polyroute.ground.hub import ATTEMPTS, HubSource, SourceError, mirror_folder
from polyroute.tracing.settings import RecordedCounts
from readers.corpus_files import COMMIT

CONTENT = b'{"0": {}}'


def spec(content: bytes = CONTENT) -> RecordedCounts:
    return RecordedCounts(
        url=f"https://example.org/{COMMIT}/mgsm_{{language}}.json",
        files="counts/mgsm_{language}.json",
        codes="iso639-1",
        sha256={"deu_Latn": hashlib.sha256(content).hexdigest()},
        shape={"layers": 1, "experts": 2, "top_k": 1},
    )


class Web:
    """Answers one URL with what it is told to, one thing a try."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []
        self.waits = []

    def open(self, url):
        self.asked.append(url)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return contextlib.closing(io.BytesIO(answer))

    def source(self):
        return HubSource(open_url=self.open, sleep=self.waits.append)


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


def test_a_download_that_breaks_is_tried_again_then_kept_whole(tmp_path):
    web = Web(OSError("reset"), http.client.IncompleteRead(b"{"), CONTENT)
    spec().fetch("deu_Latn", web.source(), tmp_path / "new" / "deu.json")
    assert (tmp_path / "new" / "deu.json").read_bytes() == CONTENT
    assert web.asked == [f"https://example.org/{COMMIT}/mgsm_de.json"] * 3
    assert web.waits == [1.0, 2.0]
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["deu.json"]


def test_a_download_that_keeps_breaking_leaves_nothing(tmp_path):
    web = Web(*[OSError("reset")] * ATTEMPTS)
    with pytest.raises(SourceError, match=r"mgsm_de.json: the download broke 4 times, last with: reset"):
        spec().fetch("deu_Latn", web.source(), tmp_path / "deu.json")
    assert list(tmp_path.iterdir()) == []


def test_an_answer_that_will_not_change_is_not_asked_for_again(tmp_path):
    web = Web(urllib.error.HTTPError("u", 404, "Not Found", http.client.HTTPMessage(), None))
    with pytest.raises(SourceError, match="the server answers 404 Not Found"):
        spec().fetch("deu_Latn", web.source(), tmp_path / "deu.json")
    assert len(web.asked) == 1


def test_a_busy_server_is_asked_again(tmp_path):
    web = Web(urllib.error.HTTPError("u", 503, "Busy", http.client.HTTPMessage(), None), CONTENT)
    spec().fetch("deu_Latn", web.source(), tmp_path / "deu.json")
    assert (tmp_path / "deu.json").read_bytes() == CONTENT


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_wrong_checksum_leaves_what_was_there(tmp_path, mirrored):
    target = tmp_path / "deu.json"
    target.write_bytes(b"old")
    if mirrored:
        (tmp_path / "counts").mkdir()
        (tmp_path / "counts" / "mgsm_de.json").write_bytes(CONTENT[:-1])
    source = HubSource(tmp_path) if mirrored else Web(CONTENT[:-1]).source()
    with pytest.raises(SourceError, match=r"mgsm_de.json: its SHA-256 is .*, but params.yaml says .* of recorded"):
        spec().fetch("deu_Latn", source, target)
    assert target.read_bytes() == b"old"


def test_a_language_that_was_not_recorded_is_an_error(tmp_path):
    with pytest.raises(SourceError, match="no counts of fra_Latn are recorded; there are deu_Latn"):
        spec().fetch("fra_Latn", HubSource(tmp_path), tmp_path / "fra.json")


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
