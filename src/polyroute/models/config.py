"""A model's configuration alone, without its weights."""

from typing import Any

from polyroute.models.settings import Checkpoint
from polyroute.models.source import ModelError, ModelSource


def load_config(name: str, spec: Checkpoint, source: ModelSource) -> Any:
    """Load what a model's architecture is built from.

    Args:
        name: the model's name in params.yaml.
        spec: its entry.
        source: from `locate`.

    Raises:
        ModelError: it cannot be loaded.
    """
    from transformers import AutoConfig

    try:
        return AutoConfig.from_pretrained(
            source.place,
            revision=source.revision,
            trust_remote_code=spec.trust_remote_code,
            local_files_only=source.local_files_only,
        )
    except (OSError, ValueError, ImportError) as error:
        raise ModelError(f"models.{name}: the configuration of {source.place} cannot be loaded: {error}") from error
