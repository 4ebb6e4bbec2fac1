"""What `dvc repro` takes where nothing is to be done, in a study of many models and languages.

The stages are those of dvc.yaml, with everything that they read and write: of each folder so many files as there are
languages, for each of three corpora or tasks. What the files hold does not matter, since DVC looks at content only
where size or time of a file are others than it noted.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import chdir
from pathlib import Path

import click
from dvc.repo import Repo
from timing import spread

from polyroute.ground import yaml12
from polyroute.languages import table

ROOT = Path(__file__).parents[1]
PARTS = 3
"""Corpora, or tasks."""
DONE = "Data and pipelines are up to date."


@click.command()
@click.option("--models", default=4, show_default=True)
@click.option("--languages", default=200, show_default=True)
@click.option("--rounds", default=5, show_default=True)
def main(models: int, languages: int, rounds: int) -> None:
    """Print seconds of `dvc repro` and of `dvc status`: median (least to most)."""
    with tempfile.TemporaryDirectory() as name, chdir(name):
        folder = Path(name)
        lay_out(folder, [f"model-{number}" for number in range(models)])
        with Repo() as repo:
            stages = list(repo.index.stages)
        fill(folder, stages, languages)
        dvc("commit", "--force", "--quiet")
        files = sum(path.is_file() for path in (folder / "data").rglob("*"))
        print(f"{models} models, {languages} languages: {len(stages)} stages, {files:,} files in data/")
        for verb in ("repro", "status"):
            print(f"dvc {verb}: {taken(verb, rounds)}")


def lay_out(folder: Path, models: list[str]) -> None:
    """The repository without what stages wrote, for these models."""
    for name in ("pipeline", "src/polyroute", "claims", "recorded", "text", ".dvc/plots"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("dvc.yaml", ".dvcignore", ".dvc/config"):
        shutil.copyfile(ROOT / name, folder / name)
    params = yaml12.load((ROOT / "params.yaml").read_text())
    params["study"]["models"] = models
    (folder / "params.yaml").write_text(yaml12.dump(params))
    subprocess.run(["git", "init", "--quiet"], check=True)


def fill(folder: Path, stages: list, languages: int) -> None:
    """Whatever the stages read and write: a file, or a folder of files of so many languages."""
    for stage in stages:
        for one in (*stage.deps, *stage.outs):
            path = Path(one.fs_path)
            if path.suffix:
                path.parent.mkdir(parents=True, exist_ok=True)
                if not path.exists():
                    path.write_text(path.name)
            elif folder / "data" in path.parents:
                for part in range(PARTS):
                    (path / str(part)).mkdir(parents=True, exist_ok=True)
                    for code in list(table.codes())[:languages]:
                        (path / str(part) / code).write_text(f"{path.name} {part} {code}")
            else:
                path.mkdir(parents=True, exist_ok=True)
                (path / "here").touch()


def dvc(*arguments: str) -> str:
    """What a command of DVC says."""
    return subprocess.run([sys.executable, "-m", "dvc", *arguments], capture_output=True, text=True, check=True).stdout


def taken(verb: str, rounds: int) -> str:
    """Seconds of a verb of DVC that finds nothing to do."""
    seconds = []
    for _ in range(rounds):
        begun = time.perf_counter()
        told = dvc(verb)
        seconds.append(time.perf_counter() - begun)
        assert DONE in told, f"{verb} found something to do: {told[-500:]}"
    return f"{spread(seconds)} s"


if __name__ == "__main__":
    main()
