"""Activation frequency of every expert on what a task's prompts say and on what the model writes after them.

The stage `evaluate` keeps it. Controls match in that of prompts; how far languages diverge in either part is read off
both.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from polyroute.ground import again
from polyroute.ground.errors import AnswerError
from polyroute.ground.files import read_checked_table

FILE = "frequency.csv"
"""Name of the file, in the folder of a task's answers as the model is."""
Part = Literal["prompt", "generated"]
PROMPT: Final = "prompt"
GENERATED: Final = "generated"
COLUMNS = ("language", "part", "layer", "expert", "frequency", "tokens")
"""`frequency` is the share of a text's tokens that are sent to the expert, mean over texts (paper 1, Eq. 3); `tokens`
are those of all these texts together. Tasks that are answered by a choice have no part that is generated."""


def rows(
    language: str, part: Part, layers: Sequence[int], frequency_LE: NDArray[np.float64], tokens: int
) -> pd.DataFrame:
    """`COLUMNS` of one language and part."""
    experts = frequency_LE.shape[1]
    return pd.DataFrame(
        {
            "language": language, "part": part, "layer": np.repeat(layers, experts),
            "expert": np.tile(range(experts), len(layers)), "frequency": frequency_LE.ravel(), "tokens": tokens,
        }
    )  # fmt: skip


def table(path: Path) -> pd.DataFrame:
    """The file as it is.

    Raises:
        AnswerError: it is absent, damaged, in another's place, or older than what it holds now; names it.
    """
    try:
        found = read_checked_table(path, AnswerError)
    except FileNotFoundError:
        raise AnswerError(f"{path} is absent: {again.absent(path)}") from None
    if missing := [column for column in COLUMNS if column not in found]:
        raise AnswerError(f"{path} lacks the column `{missing[0]}`, as older ones do: run `evaluate` again")
    return found


def read(path: Path, layers: Sequence[int], experts: int, part: Part = PROMPT) -> dict[str, NDArray[np.float64]]:
    """Language -> (L, E) activation frequency.

    Args:
        path: of the file.
        layers: numbers of the model's L layers.
        experts: of each layer.
        part: of which texts.

    Raises:
        AnswerError: the file is absent, older, or of another model; names it.
    """
    whole = table(path)
    found = {}
    for language, of_language in whole[whole["part"] == part].groupby("language", sort=False):
        told = list(zip(of_language["layer"], of_language["expert"], strict=True))
        if told != [(layer, expert) for layer in layers for expert in range(experts)]:
            raise AnswerError(
                f"{path}: {language} does not hold {len(layers)} layers of {experts} experts: run `evaluate` again"
            )
        found[str(language)] = of_language["frequency"].to_numpy(np.float64).reshape(len(layers), experts)
    return found
