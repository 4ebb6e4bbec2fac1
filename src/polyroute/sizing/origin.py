"""Where the numbers of a model come from: a config.json, or the shapes that are known here."""

from __future__ import annotations

from pathlib import Path

from polyroute.params.file import ParamsFile
from polyroute.params.models import TransformersModel
from polyroute.sizing.shape import ModelShape, SizingError, find, table


def origin(file: ParamsFile, model: str | None, config: Path | None = None) -> Path | ModelShape:
    """A config.json, or the folder that holds one, or the known shape of a model.

    Args:
        file: params.yaml.
        model: an entry of `models`, or a name of `shapes.toml`; None with `config`.
        config: a config.json that takes the place of what is known.

    Raises:
        SizingError: neither is known.
    """
    if config is not None:
        return config
    spec = file.models.get(model or "")
    if isinstance(spec, TransformersModel):
        if spec.folder is not None:
            if not (spec.folder / "config.json").is_file():
                raise SizingError(
                    f"models.{model}: {spec.folder} holds no config.json: put the checkpoint there, or name its "
                    "config.json with --config"
                )
            return spec.folder
        assert spec.hub is not None, "an entry has a folder or a hub name"
        if (found := find(spec.hub)) is not None:
            return found
        raise SizingError(
            f"models.{model}: the shape of {spec.hub} is not known here: name its config.json with --config"
        )
    if spec is not None:
        raise SizingError(f"models.{model} was recorded elsewhere: there is no model to run; name an entry that is run")
    if model in table():
        return table()[model]
    raise SizingError(
        f"`{model}` is neither an entry of `models` in params.yaml nor a known shape ({', '.join(table())}): "
        "name its config.json with --config"
    )
