"""A study computed in one clone and taken up in another through a remote, by DVC's own push, pull and repro.

The stages run in this process; all else is DVC's. The second clone has no model: its mirror is gone.
"""

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest
import yaml
from dvc import dvcfile
from dvc.exceptions import ReproductionError
from dvc.repo import Repo
from dvc.stage import run
from dvc.stage.exceptions import StageCmdFailedError

from pipeline.test_end_to_end import TEXTS, items_of, stage
from pipeline.test_stages import STAGES
from polyroute.ground.hub import MIRROR_VARIABLE
from report.shown import svg_alone
from tiny import ROOT, make_model, make_tokenizer, raw_params

RUN_A_MODEL = {"trace", "draw", "turns", "evaluate", "tune", "steer", "mask"}
LANGUAGES = ["eng_Latn", "deu_Latn"]


def write_study(folder: Path) -> None:
    """A study of a tiny model that lies on the hub, at the smallest size that every stage takes."""
    raw = raw_params()
    raw["study"] = {"name": "test", "models": ["tiny"], "distances": [], "pivot": "eng_Latn", "seed": 1}
    raw["models"] = {
        "tiny": {
            "engine": "transformers", "hub": "here/tiny", "revision": "0" * 40, "dtype": "float32", "device": "cpu",
            "batch_tokens": 64, "corpora": ["own"], "generic": "own", "tasks": ["own-task"], "languages": "few",
            "middle": [1, 1],
        }
    }  # fmt: skip
    raw["languages"] = {"few": LANGUAGES}
    raw["corpora"] = {
        "own": {"reader": "local", "files": "text/{language}.txt"},
        "problems": {"reader": "local", "files": "text/problems.txt", "parallel": False},
    }
    raw["tasks"] = {
        "own-task": {"reader": "local", "files": "text/{language}.tsv", "kind": "choice", "text": "problems"}
    }
    raw |= {"distances": {}, "pocket": {}}
    raw["intervals"]["resamples"] = raw["similarity"]["resamples"] = 100
    raw["similarity"]["shuffles"] = 100
    raw["steer"] |= {"taus": [0.0], "strengths": [0.5], "doses": [0.5], "draws": 5}
    raw["mask"]["tasks"] = {}
    (folder / "params.yaml").write_text(yaml.safe_dump(raw, sort_keys=False))
    (folder / "text").mkdir()
    for language in LANGUAGES:
        (folder / "text" / f"{language}.txt").write_text("\n".join(TEXTS[language]) + "\n")
        (folder / "text" / f"{language}.tsv").write_text(items_of(TEXTS[language]))
    (folder / "text" / "problems.txt").write_text("two and two\nthree and one\n")
    for name in ("claims", "pipeline", "recorded", ".dvc/plots"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in (".gitignore", ".dvcignore", ".dvc/config"):
        shutil.copyfile(ROOT / name, folder / name)
    # Pocket models are trained elsewhere; code is that of the repository.
    left = {"stages": {name: about for name, about in STAGES.items() if name not in ("train-pocket", "distances")}}
    (folder / "dvc.yaml").write_text(yaml.safe_dump(left, sort_keys=False, width=1000))
    for name in ("models", "src/polyroute"):
        (folder / name).mkdir(parents=True)
        (folder / name / "here").touch()


@contextmanager
def rewritten(path: str, **_: object) -> Iterator[dict]:
    """A lock file with its changes; DVC's own way keeps comments, and takes half a second a stage for that."""
    file = Path(path)
    held = yaml.load(file.read_text(), Loader=yaml.CSafeLoader) if file.exists() else {}
    yield held
    plain = json.loads(json.dumps(held))  # DVC puts ordered dictionaries into it
    file.write_text(yaml.dump(plain, Dumper=yaml.CSafeDumper, sort_keys=False))


class Clone:
    """A clone of the study, in which DVC runs stages and says which."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.ran: list[str] = []

    def git(self, *arguments: str) -> str:
        who = ["-c", "user.name=a", "-c", "user.email=a@b"]
        done = subprocess.run(["git", *who, *arguments], cwd=self.folder, capture_output=True, text=True, check=True)
        return done.stdout

    def dvc(self, method: str, *arguments: object, **options: object) -> object:
        with chdir(self.folder), Repo() as repo:
            return getattr(repo, method)(*arguments, **options)

    def repro(self, **options: object) -> set[str]:
        """Names of the stages that `dvc repro` ran."""
        self.ran.clear()
        with patch.object(run, "_run", self._run), patch.object(dvcfile, "modify_yaml", rewritten):
            self.dvc("reproduce", **options)
        return set(self.ran)

    def _run(self, _executable: str, command: str, **_: object) -> None:
        _python, script, *arguments = shlex.split(command)
        name = Path(script).stem
        self.ran.append(arguments[arguments.index("--purpose") + 1] if "--purpose" in arguments else name)
        with svg_alone():
            done = stage(self.folder, name, *arguments, check=False)
        if done.returncode:
            raise StageCmdFailedError(f"{command}: {done.stderr}")

    def files(self, *names: str) -> dict[str, bytes]:
        found = (path for name in names for path in (self.folder / name).rglob("*") if path.is_file())
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in found}

    def clone(self, to: Path) -> "Clone":
        self.git("clone", "--quiet", str(self.folder), str(to))
        return Clone(to)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone where the model is, with everything computed and pushed to a folder."""
    folder = tmp_path_factory.mktemp("sharing")
    mirrored = folder / "mirror" / "hub" / "here" / "tiny"
    make_model().save_pretrained(mirrored)
    make_tokenizer().save_pretrained(mirrored)
    clone = Clone(folder / "first")
    (clone.folder / ".dvc").mkdir(parents=True)
    write_study(clone.folder)
    clone.git("init", "--quiet")
    config = clone.folder / ".dvc" / "config"
    remote = f"['remote \"store\"']\n    url = {folder / 'store'}\n"
    config.write_text(config.read_text().replace("[core]\n", "[core]\n    remote = store\n") + remote)
    os.environ[MIRROR_VARIABLE] = str(folder / "mirror")
    try:
        assert clone.repro() >= RUN_A_MODEL | {"resolve", "track"}
    finally:
        del os.environ[MIRROR_VARIABLE]
    clone.git("add", "--all")
    clone.git("commit", "--quiet", "--message", "Study")
    assert clone.dvc("push") > 0
    return clone


@pytest.fixture(scope="module")
def second(first: Clone) -> Clone:
    """A clone without the model."""
    clone = first.clone(first.folder.with_name("second"))
    clone.dvc("pull")
    return clone


DATA = ("data/traces", "data/answers", "data/plans", "data/chosen", "data/draws", "data/inputs", "data/scored")


def test_what_was_computed_is_there_and_nothing_is_computed_again(first, second) -> None:
    assert second.files(*DATA) == first.files(*DATA)
    assert any("traces" in name for name in second.files(*DATA))
    # MLflow's runs are on the machine where they were logged; here they are logged anew.
    assert second.repro() == {"track"}
    assert (second.folder / "mlflow.db").exists()
    assert second.git("status", "--short") == ""


def test_other_zones_and_claims_run_what_follows_and_no_model(second) -> None:
    params = yaml.safe_load((second.folder / "params.yaml").read_text())
    params["models"]["tiny"]["zones"] = {"early": [0, 0], "middle": [1, 1], "late": [2, 2]}
    (second.folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    with (second.folder / "claims" / "own.yaml").open("a") as file:
        file.write("# one line more\n")
    before = second.files(*DATA)
    ran = second.repro()
    # Of three layers there are no other zones than these: figures come out as they were.
    assert ran >= {"resolve", "align", "nulls", "similarity", "claims", "multiverse", "track"}
    assert not ran & RUN_A_MODEL
    assert second.files(*DATA) == before
    assert second.repro() == set()
    second.git("checkout", "--quiet", ".")
    assert second.repro() <= {"track"}, "the way back is in git and in the cache"


def test_a_damaged_file_is_named_with_what_brings_it_back(first, second) -> None:
    place = second.folder / "data/traces/tiny/own/deu_Latn.safetensors"
    whole = place.read_bytes()
    place.unlink()
    place.write_bytes(whole[:-9])
    told = stage(second.folder, "align", "--model", "tiny", check=False).stderr
    assert "own/deu_Latn.safetensors is damaged: its content is not what its checksum says" in told
    assert "`dvc pull --force data/traces/tiny` brings it whole from the remote `store`" in told
    second.dvc("pull", ["data/traces/tiny"], force=True)
    assert place.read_bytes() == whole
    shutil.rmtree(place.parent)
    told = stage(second.folder, "align", "--model", "tiny", check=False).stderr
    assert "eng_Latn.safetensors is absent: `dvc pull data/traces/tiny` brings it from the remote `store`" in told
    second.dvc("pull", ["data/traces/tiny"])
    assert place.read_bytes() == whole


def test_a_stage_that_fails_leaves_what_was_there(second) -> None:
    before = second.files("data", "metrics", "plans", "figures")
    with pytest.raises(ReproductionError):
        second.repro(targets=["trace@tiny"], force=True, single_item=True)
    assert second.files("data", "metrics", "plans", "figures") == before


def test_a_remote_that_holds_a_part_is_pulled_without_an_error(first, tmp_path) -> None:
    shutil.copytree(first.folder.parent / "store", tmp_path / "store")
    clone = first.clone(tmp_path / "third")
    (clone.folder / ".dvc" / "config.local").write_text(f"['remote \"store\"']\n    url = {tmp_path / 'store'}\n")
    lock = yaml.safe_load((clone.folder / "dvc.lock").read_text())["stages"]
    gone = lock["tune@tiny"]["outs"][0]["md5"]
    (tmp_path / "store" / "files" / "md5" / gone[:2] / gone[2:]).unlink()
    clone.dvc("pull", allow_missing=True)
    assert clone.files("data/traces") == first.files("data/traces")
    assert not (clone.folder / "data/answers/tiny/tune").exists()
    assert clone.repro(allow_missing=True) == set()


def test_through_s3(first, tmp_path, monkeypatch) -> None:
    """Against moto's server, which stands for S3."""
    pytest.importorskip("dvc_s3", reason="polyroute[s3] is not installed")
    server = pytest.importorskip("moto.server", reason="moto is not installed").ThreadedMotoServer(port=0)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    server.start()
    try:
        host, port = server.get_host_and_port()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        import boto3

        boto3.client("s3").create_bucket(Bucket="study")
        config = "['remote \"store\"']\n    url = s3://study/store\n"
        (first.folder / ".dvc" / "config.local").write_text(config)
        assert first.dvc("push") > 0
        clone = first.clone(tmp_path / "fourth")
        (clone.folder / ".dvc" / "config.local").write_text(config)
        clone.dvc("pull")
        assert clone.files(*DATA) == first.files(*DATA)
    finally:
        (first.folder / ".dvc" / "config.local").unlink(missing_ok=True)
        server.stop()
