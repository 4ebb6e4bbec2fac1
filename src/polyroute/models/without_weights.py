"""What a model is loaded of besides its weights: its configuration and its tokenizer."""

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

    return _load(AutoConfig, "configuration", name, spec, source)


def load_tokenizer(name: str, spec: Checkpoint, source: ModelSource) -> Any:
    """Load the tokenizer that a model's texts are traced with.

    Args:
        name: the model's name in params.yaml.
        spec: its entry.
        source: from `locate`.

    Raises:
        ModelError: it cannot be loaded.
    """
    from transformers import AutoTokenizer

    return _load(AutoTokenizer, "tokenizer", name, spec, source)


def _load(kind: Any, called: str, name: str, spec: Checkpoint, source: ModelSource) -> Any:
    try:
        return kind.from_pretrained(
            source.place,
            revision=source.revision,
            trust_remote_code=spec.trust_remote_code,
            local_files_only=source.local_files_only,
        )
    except (OSError, ValueError, ImportError) as error:
        raise ModelError(f"models.{name}: the {called} of {source.place} cannot be loaded: {error}") from error
