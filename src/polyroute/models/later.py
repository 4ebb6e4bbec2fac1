"""A model that another engine runs: tokenizer and configuration at once, the rest when it is first asked for."""

from __future__ import annotations

from functools import cached_property, partial
from typing import Any, cast

from torch import nn

from polyroute.models.limits import context
from polyroute.models.load import LoadedModel, load
from polyroute.models.routers import Router
from polyroute.models.settings import Checkpoint
from polyroute.models.source import ModelSource


class LoadedLater:
    """Stands where a `LoadedModel` stands, and loads the model in transformers only if that is needed."""

    def __init__(self, name: str, spec: Checkpoint, source: ModelSource):
        """Load what is needed at once.

        Args:
            name: its name in params.yaml.
            spec: its entry.
            source: from `locate`.

        Raises:
            ModelError: it cannot be loaded.
        """
        from polyroute.models.without_weights import load_config, load_tokenizer

        self.source, self.digest = source, source.digest
        self.tokenizer: Any = load_tokenizer(name, spec, source)
        self.config: Any = load_config(name, spec, source)
        self._load = partial(load, name, spec, source)

    @cached_property
    def _whole(self) -> LoadedModel:
        return self._load()

    @property
    def context(self) -> int:
        """Most tokens that its configuration allows, as `limits.context`."""
        return context(cast(nn.Module, self))  # which reads nothing but `config`

    @property
    def model(self) -> nn.Module:
        """The model in transformers, checked as `load` checks it."""
        return self._whole.model

    @property
    def routers(self) -> tuple[Router, ...]:
        """Its routers in transformers."""
        return self._whole.routers
