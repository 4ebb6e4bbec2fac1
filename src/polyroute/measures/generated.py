"""Divergence from the pivot in prompts and in what the model writes after them, by layer.

A language's distribution over the experts of a layer is its mean activation frequency over a task's texts (paper 1,
Eq. 3), divided by its sum: every text counts the same, and there is one distribution a language. D (Eq. 2) of it and
the pivot's is that of pooled counts, not a mean over sentences: it is smaller, and few tokens make it larger than many
would. So `tokens` says how many there are; the same task is asked in every language.

A model that reasons in English writes alike in all languages whatever the prompt was: the generated part then says what
is routed and not what the language is.

Unit of resampling over languages: the language.
"""

from __future__ import annotations

import pandas as pd

from polyroute.artifacts import frequency
from polyroute.artifacts.importance import normalise
from polyroute.measures.divergence import routing_divergence


def by_part(table: pd.DataFrame, pivot: str) -> pd.DataFrame:
    """Divergence of each language from the pivot in both parts.

    Args:
        table: `artifacts.frequency.COLUMNS` of one task.
        pivot: FLORES code of the language that divergence is measured from.

    Returns:
        part, language, layer, divergence, tokens (the fewer of the language's and the pivot's); no row where a part or
        the pivot's is not there, and none at all of a task in which nothing was generated.
    """
    found = []
    if (table["part"] == frequency.GENERATED).any():
        for part, of_part in table.groupby("part", sort=True):
            wide = of_part.pivot(index=["language", "layer"], columns="expert", values="frequency")
            tokens = of_part.groupby("language")["tokens"].first()
            if pivot not in tokens.index:
                continue
            pivot_LE = normalise(wide.loc[pivot])
            for language in (code for code in of_part["language"].unique() if code != pivot):
                own = wide.loc[language]
                found.append(
                    pd.DataFrame(
                        {
                            "part": part, "language": language, "layer": own.index,
                            "divergence": routing_divergence(pivot_LE, normalise(own)),
                            "tokens": int(min(tokens[language], tokens[pivot])),
                        }
                    )
                )  # fmt: skip
    columns = ["part", "language", "layer", "divergence", "tokens"]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=columns)
