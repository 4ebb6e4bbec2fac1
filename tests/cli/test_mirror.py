"""A mirror: filled with what a study needs, taken up again, and vouched for."""

import json
from pathlib import Path

import pytest

from polyroute.artifacts.questions import TaskError
from polyroute.cli.mirror import fill
from polyroute.ground.hub import HubSource, SourceError
from polyroute.params import file as params
from polyroute.readers.fetch import fetch_corpus, fetch_task
from tiny import raw_params

COMMIT = "0123456789abcdef0123456789abcdef01234567"
PLACES = {
    "hub/D/sib/deu_Latn/a.tsv",
    "hub/D/sib/deu_Latn/b.tsv",
    "hub/D/sib/eng_Latn/a.tsv",
    "hub/D/sib/eng_Latn/b.tsv",
    "hub/D/sib/pol_Latn/a.tsv",
    "hub/D/sib/pol_Latn/b.tsv",
    "hub/o/g/train.jsonl",
    "hub/o/sums/mgsm_de.tsv",
    "hub/o/sums/mgsm_en.tsv",
}


def tsv(*rows: tuple[object, str]) -> str:
    """Rows of a SIB-200 file."""
    return "index_id\tcategory\ttext\n" + "".join(f"{number}\ttravel\t{text}\n" for number, text in rows)


def study(revision: str = COMMIT, task: dict[str, object] | None = None) -> params.ParamsFile:
    """The repository's params.yaml with corpora, tasks and models of the test's own."""
    raw = raw_params()
    sib = {"reader": "sib200", "hub": "D/sib", "revision": revision, "files": "{language}/{split}.tsv", "items": 2}
    sums = {
        "reader": "mgsm", "hub": "o/sums", "revision": COMMIT, "files": "mgsm_{language}.tsv", "items": 8,
        "prompt": "direct", "text": "gsm",
    }  # fmt: skip
    traced = {
        "engine": "transformers", "folder": "models/m", "dtype": "float32", "batch_tokens": 8, "languages": "all",
        "corpora": ["sib", "mine", "made"], "generic": "sib", "tasks": ["sums", "mine", "made"],
    }  # fmt: skip
    counts = {
        "engine": "recorded", "file": "recorded/counts.parquet", "corpora": ["mgsm"], "languages": "recorded",
        "shape": {"layers": 1, "experts": 2, "top_k": 1},
    }  # fmt: skip
    return params.parse(
        raw
        | {
            "study": raw["study"] | {"models": ["traced", "counts"], "extra": []},
            "languages": {"all": ["eng_Latn", "deu_Latn", "pol_Latn"], "recorded": ["eng_Latn", "deu_Latn"]},
            "corpora": {
                "sib": sib | {"splits": ["a", "b"]},
                "unused": sib | {"hub": "D/unused"},
                "gsm": {
                    "reader": "datasets",
                    "hub": "o/g",
                    "revision": COMMIT,
                    "files": "train.jsonl",
                    "items": 1,
                    "text": "question",
                    "parallel": False,
                    "languages": ["eng_Latn"],
                },
                "mine": {"reader": "local", "files": "text/mine.tsv"},
                "made": {"reader": "miniworld", "content": "generic", "split": "report", "items": 1, "seed": 0},
            },
            "tasks": {
                "sums": sums | (task or {}),
                "mine": {"reader": "local", "files": "text/{language}.tsv", "kind": "choice"},
                "made": {"reader": "miniworld", "content": "arithmetic", "items": 1, "seed": 0},
                "unused": sums | {"hub": "o/unused", "revision": "main"},
            },
            "models": {"traced": traced, "counts": counts},
            "mask": raw["mask"] | {"tasks": {}},
        }
    )


@pytest.fixture
def source(tmp_path) -> HubSource:
    """Another mirror, in the place of the hub."""
    contents: dict[str, bytes] = {"hub/o/g/train.jsonl": b'{"question": "1 + 1?"}\n'}
    for code in ("eng_Latn", "deu_Latn", "pol_Latn"):
        contents[f"hub/D/sib/{code}/a.tsv"] = tsv((1, f"one {code}")).encode()
        contents[f"hub/D/sib/{code}/b.tsv"] = tsv((2, f"two {code}")).encode()
    for code in ("de", "en"):
        contents[f"hub/o/sums/mgsm_{code}.tsv"] = "".join(f"{n} + 1?\t{n + 1}\n" for n in range(8)).encode()
    for place, content in contents.items():
        target = tmp_path / "mirror" / place
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return HubSource(tmp_path / "mirror")


def held(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_mirror_holds_what_the_models_need_and_can_be_read(tmp_path, source):
    folder = tmp_path / "filled"
    filled = fill(study(), ["traced", "counts"], folder, source)
    assert set(filled.files) == PLACES
    assert filled.fetched == len(PLACES)
    assert filled.bytes == sum((folder / place).stat().st_size for place in PLACES)
    assert held(folder) == PLACES | {"manifest.json"}
    manifest = json.loads((folder / "manifest.json").read_text())["files"]
    assert set(manifest) == PLACES
    assert {entry["revision"] for entry in manifest.values()} == {COMMIT}
    frame = fetch_corpus("sib", study().corpora["sib"], ["eng_Latn", "deu_Latn"], HubSource(folder))
    assert frame["text"].tolist() == ["one eng_Latn", "one deu_Latn", "two eng_Latn", "two deu_Latn"]
    asked = fetch_task("sums", study().tasks["sums"], ["eng_Latn", "deu_Latn"], HubSource(folder))
    assert len(asked[0].frame) == len(asked[1].frame) == 2 * 8


def test_filling_twice_changes_nothing(tmp_path, source):
    folder = tmp_path / "filled"
    fill(study(), ["traced", "counts"], folder, source)
    before = {place: (folder / place).stat().st_mtime_ns for place in PLACES}
    manifest = (folder / "manifest.json").read_bytes()
    assert fill(study(), ["traced", "counts"], folder, source).fetched == 0
    assert {place: (folder / place).stat().st_mtime_ns for place in PLACES} == before
    assert (folder / "manifest.json").read_bytes() == manifest


def test_another_model_adds_to_the_mirror(tmp_path, source):
    folder = tmp_path / "filled"
    assert fill(study(), ["counts"], folder, source).files == [], "counts are in the repository"
    assert fill(study(), ["traced"], folder, source).fetched == len(PLACES)
    assert set(json.loads((folder / "manifest.json").read_text())["files"]) == PLACES


def test_a_changed_file_is_fetched_again(tmp_path, source):
    folder = tmp_path / "filled"
    fill(study(), ["traced"], folder, source)
    (folder / "hub/D/sib/eng_Latn/a.tsv").write_text("cut off")
    assert fill(study(), ["traced"], folder, source).fetched == 1
    HubSource(folder).file("D/sib", COMMIT, "eng_Latn/a.tsv")


def test_another_commit_is_fetched_again(tmp_path, source):
    folder = tmp_path / "filled"
    fill(study(), ["traced"], folder, source)
    assert fill(study("f" * 40), ["traced"], folder, source).fetched == 6
    with pytest.raises(SourceError, match=f"mirrored at {'f' * 40}"):
        HubSource(folder).file("D/sib", COMMIT, "eng_Latn/a.tsv")


def test_a_fill_that_breaks_has_no_manifest_and_goes_on(tmp_path, source):
    folder = tmp_path / "filled"
    last = tmp_path / "mirror" / "hub" / "o" / "g" / "train.jsonl"
    content = last.read_bytes()
    last.unlink()
    with pytest.raises(SourceError, match=r"o/g `train.jsonl` is not in the mirror"):
        fill(study(), ["counts", "traced"], folder, source)
    assert held(folder) == {place for place in PLACES if place < "hub/o/g/train.jsonl"}
    last.write_bytes(content)
    fill(study(), ["counts", "traced"], folder, source)
    assert held(folder) == PLACES | {"manifest.json"}


def test_a_mirror_cannot_be_filled_from_itself(tmp_path):
    with pytest.raises(SourceError, match="cannot be filled from itself"):
        fill(study(), ["traced"], tmp_path, HubSource(tmp_path))


def test_an_unknown_model_is_an_error(tmp_path, source):
    with pytest.raises(SourceError, match=r"`tracd` is no entry of `models`; did you mean traced\?"):
        fill(study(), ["tracd"], tmp_path, source)


def test_a_branch_is_not_mirrored_from_the_hub(tmp_path):
    with pytest.raises(SourceError, match="run `polyroute pin`"):
        fill(study("main"), ["traced"], tmp_path, HubSource(fetch=lambda *_: pytest.fail("went to the network")))


def test_a_task_is_mirrored_at_its_commit_alone(tmp_path, source):
    with pytest.raises(TaskError, match=r"tasks.sums.revision is `main`, which moves: run `polyroute pin sums`"):
        fill(study(task={"revision": "main"}), ["traced"], tmp_path / "filled", source)
    assert fill(study(task={"revision": "main"}), ["counts"], tmp_path / "filled", source).fetched == 0


def test_a_file_that_is_needed_at_two_commits_is_an_error(tmp_path, source):
    raw = study().model_dump(mode="json")
    again = {"reader": "belebele", "hub": "D/sib", "revision": "f" * 40, "files": "{language}/a.tsv", "items": 2}
    raw["tasks"]["sums"] = again
    with pytest.raises(SourceError, match=f"D/sib/.*a.tsv is needed at two commits, {COMMIT} and {'f' * 40}"):
        fill(params.parse(raw), ["traced"], tmp_path / "filled", source)
    raw["tasks"]["sums"] = again | {"revision": COMMIT}
    assert len(fill(params.parse(raw), ["traced"], tmp_path / "filled", source).files) == 6


def test_a_models_checkpoint_is_mirrored_without_pickles_and_variants(tmp_path):
    raw = study().model_dump(mode="json")
    del raw["models"]["counts"], raw["models"]["traced"]["folder"]
    raw["models"]["traced"] |= {"hub": "o/m", "revision": COMMIT, "corpora": ["made"], "generic": "made", "tasks": []}
    raw["study"]["models"] = ["traced"]
    released = tmp_path / "released"
    released.mkdir()
    for name in ("config.json", "model.safetensors"):
        (released / name).write_text(name)

    def on_hub(model, revision):
        assert (model, revision) == ("o/m", COMMIT)
        return ["config.json", "model.safetensors", "pytorch_model.bin", "onnx/config.json", "README.md"]

    def download(repository, revision, path, kind):
        assert (repository, revision, kind) == ("o/m", COMMIT, "model")
        return str(released / path)

    source = HubSource(fetch=download, list_files=on_hub)
    filled = fill(params.parse(raw), ["traced"], tmp_path / "filled", source)
    assert filled.files == ["hub/o/m/config.json", "hub/o/m/model.safetensors"]
    assert (tmp_path / "filled" / "hub/o/m/model.safetensors").read_text() == "model.safetensors"
    assert fill(params.parse(raw), ["traced"], tmp_path / "other", source, checkpoints=False).files == []


def test_a_model_without_config_is_no_checkpoint(tmp_path):
    source = HubSource(fetch=lambda *_: pytest.fail("downloaded"), list_files=lambda *_: ["weights.safetensors"])
    with pytest.raises(SourceError, match="o/m holds no checkpoint"):
        source.checkpoint_files("o/m", COMMIT)
    with pytest.raises(SourceError, match="run `polyroute pin`"):
        source.checkpoint_files("o/m", "main")
