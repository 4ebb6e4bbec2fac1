"""Stage resolve: params.yaml, checkpoints and code -> what a stage depends on: its settings, and a digest of its code.

A digest of all that a script imports stands for some seventy files: DVC reads one line where it would read them all,
and a comment or a docstring runs nothing again.
"""

import json
import shutil
from pathlib import Path

import click

from polyroute.ground import console
from polyroute.ground.code import code_digest, imports
from polyroute.ground.files import write_atomically
from polyroute.ground.paths import Paths
from polyroute.models.source import shared_digest
from polyroute.params.file import read
from polyroute.params.models import TransformersModel
from polyroute.params.resolve import resolve

# The first stages; others depend on them.
UNDIGESTED = {"resolve", "train_pocket"}


@click.command(cls=console.Command)
@console.log_level_option
def main() -> None:
    """Write what each stage reads; what comes out as before is left alone."""
    paths = Paths()
    file = read(paths.params)
    entries = {model: file.models[model] for model in file.study.models}
    digests = {
        model: shared_digest(model, spec, paths.stage_settings(model, "trace"))
        for model, spec in entries.items()
        if isinstance(spec, TransformersModel)
    }
    wanted = {
        paths.stage_settings(*name.split("/")): json.dumps(settings.model_dump(mode="json"), indent=1)
        for name, settings in resolve(file, digests).items()
    }
    scripts = {path.stem: path for path in Path(__file__).parent.glob("*.py") if path.stem not in UNDIGESTED}
    wanted |= {paths.code(name): code_digest(*sorted(imports(path))) for name, path in scripts.items()}
    changed = 0
    for path, text in wanted.items():
        content = f"{text}\n".encode()
        if not path.is_file() or path.read_bytes() != content:
            write_atomically(path, content)
            changed += 1
    # DVC keeps this output between runs, so that a mistake in params.yaml takes nothing away.
    for path in paths.settings.rglob("*"):
        if path.is_file() and path not in wanted:
            path.unlink()
    for folder in paths.settings.iterdir():
        if folder.is_dir() and not any(folder.iterdir()):
            shutil.rmtree(folder)
    console.summary("resolve", f"settings of {len(entries)} models; {changed} of {len(wanted)} files are new or other")


if __name__ == "__main__":
    main()
