"""What a model is loaded of besides its weights: its configuration and its tokenizer."""

from pathlib import Path
from typing import Any

from polyroute.models.building import explained
from polyroute.models.folder import check_folder
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

    tokenizer = _load(AutoTokenizer, "tokenizer", name, spec, source)
    # Of files that are not there transformers makes a tokenizer of no words.
    if not set(tokenizer.get_vocab()) - set(tokenizer.all_special_tokens):
        raise ModelError(
            f"models.{name}: {source.place} has no tokenizer, or one without words: copy tokenizer.json (or the "
            "vocabulary) from the release"
        )
    return tokenizer


def _load(kind: Any, called: str, name: str, spec: Checkpoint, source: ModelSource) -> Any:
    if Path(source.place).is_dir():
        check_folder(name, Path(source.place), weights=False, tokenizer=called == "tokenizer")
    try:
        return kind.from_pretrained(
            source.place,
            revision=source.revision,
            trust_remote_code=spec.trust_remote_code,
            local_files_only=source.local_files_only,
        )
    # Whatever a file that is not what it should be makes of transformers.
    except Exception as error:
        raise explained(name, source, called, error) from error
