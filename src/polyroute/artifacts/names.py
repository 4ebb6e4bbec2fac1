"""What a recording is of is named as on a hub or in params.yaml; a path, which would leave a folder, is no name."""

import re

_PART = r"[A-Za-z0-9][A-Za-z0-9._+-]*"
_MODEL = re.compile(rf"{_PART}(/{_PART})?")
_CORPUS = re.compile(_PART)


def check_names(model: str, corpus: str) -> None:
    """The names of a model and of a text.

    Raises:
        ValueError: names the one that is none.
    """
    if not _MODEL.fullmatch(model) or ".." in model:
        raise ValueError(f"`model`: {model[:80]!r} is no name of a model, such as `organisation/model`")
    check_corpus(corpus)


def check_corpus(corpus: str) -> None:
    """The short name of a text, which is part of paths.

    Raises:
        ValueError: it is none.
    """
    if not _CORPUS.fullmatch(corpus) or ".." in corpus:
        raise ValueError(
            f"`corpus`: {corpus[:80]!r} is no name of a text: letters, digits, dots, hyphens and underscores, no path"
        )
