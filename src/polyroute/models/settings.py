"""What it takes to find and load a model; needs no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from polyroute.ground.frozen import Frozen
from polyroute.ground.layers import LayerRange, check_range
from polyroute.ground.names import PathBelow


class Shape(Frozen):
    """What the model's release says of its routers; checked against the model when it is loaded."""

    layers: int = Field(ge=1)
    experts: int = Field(ge=2)
    top_k: int = Field(ge=1)

    @model_validator(mode="after")
    def _enough(self) -> Self:
        if self.top_k > self.experts:
            raise ValueError(f"`top_k: {self.top_k}` is more than `experts: {self.experts}`")
        return self


class Checkpoint(Frozen):
    """A model that runs here, in transformers."""

    hub: PathBelow | None = None
    """`organisation/model` on the hub."""
    revision: str | None = None
    """Commit of the model on the hub; `polyroute pin` turns a branch into one."""
    folder: Path | None = None
    """A checkpoint folder on disk, instead of `hub`."""
    dtype: Literal["float32", "bfloat16", "float16"]
    device: str = Field(default="auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")
    """`auto` (every GPU there is, else CPU), `cpu`, `cuda:0`, ..."""
    experts: Literal["auto", "eager", "grouped_mm", "batched_mm"] = "auto"
    """Experts implementation of transformers."""
    layers: LayerRange | None = None
    """Layers to trace; `null` traces all."""
    trust_remote_code: bool = False
    """Run code that the model repository ships. Only by naming it here."""
    shape: Shape | None = None
    """Layers, experts and top-k; `null` takes the model's word."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.hub is None) == (self.folder is None):
            raise ValueError("give exactly one of `hub` and `folder`")
        if self.hub is not None and self.revision is None:
            raise ValueError("`hub` needs a `revision`: a commit, or a branch for `polyroute pin`")
        if self.folder is not None and self.revision is not None:
            raise ValueError("`revision` belongs to `hub`; a folder has none")
        if self.layers:
            check_range("layers", self.layers)
        return self


class ModelSettings(Checkpoint):
    """A model that a stage runs."""

    digest: str
    """The commit that it is pinned at, or a digest of its folder's files."""
    batch_tokens: int = Field(ge=1)
    """Padded tokens in one batch."""
    max_tokens: int = Field(ge=2)
    """Longer texts are an error, never truncated."""
