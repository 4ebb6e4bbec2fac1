"""Section `engine` of params.yaml; needs no torch and no Ray."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, ValidationError, model_validator

from polyroute.ground.console import SettingsError
from polyroute.ground.frozen import Frozen
from polyroute.ground.paths import Paths

Address = Annotated[str, Field(pattern=r"^(auto|[^\s:/]+:[0-9]+)$")]


class Ray(Frozen):
    """The cluster whose workers are used, and how long they are waited for."""

    address: Address | None = None
    """`host:port` of the cluster's head, or `auto` on a machine that is in the cluster; `null` starts one on this
    machine for as long as the stage runs."""
    patience: float = Field(default=3600, gt=0)
    """Seconds without any progress, in loading too, after which a stage ends with a sentence."""


class Engine(Frozen):
    """Where the stages `trace`, `draw`, `turns`, `evaluate`, `tune`, `steer` and `mask` run a model.

    No result depends on it, so no stage is run again when it changes.
    """

    workers: int = Field(default=1, ge=1)
    """Processes that hold the model at the same time; 1 without a `ray.address` runs it in the stage's own process."""
    gpus_per_worker: float | None = Field(default=None, ge=0)
    """GPUs of each, a share of one below 1; `null` gives one where the cluster has any."""
    ray: Ray = Ray()

    @property
    def spread(self) -> bool:
        """Whether models run in workers."""
        return self.workers > 1 or self.ray.address is not None

    @model_validator(mode="after")
    def _whole_gpus(self) -> Self:
        gpus = self.gpus_per_worker or 0
        if gpus > 1 and gpus != int(gpus):
            raise ValueError(f"`gpus_per_worker: {gpus:g}`: above 1 it is a whole number")
        return self

    @classmethod
    def of(cls, paths: Paths) -> Engine:
        """What `resolve` made of params.yaml; where it made nothing, models run in the stage's own process.

        Raises:
            SettingsError: the file is of another version.
        """
        path = paths.stage_settings("engine")
        try:
            return cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return cls()
        except ValidationError as error:
            raise SettingsError(
                f"{path} is of another version ({error.errors()[0]['msg']}): run `dvc repro resolve`"
            ) from None


HERE = Engine()
"""The stage's own process."""
