"""What is right without reading the question: the level that accuracy is held against.

Of a choice, guessing gets 1 / options; but choices that stand in order make one place likely, and a model that always
takes it looks as if it had learned. So chance is what the better of two gets: guessing evenly, and the best constant
answer, the same place or the same words in every item. It is chosen on the items that it is counted on, so it lies
above the constant's true share, the more the fewer items there are: the careful side.
"""

from __future__ import annotations

import pandas as pd


def by_language(items: pd.DataFrame) -> pd.DataFrame:
    """Chance in each language of a task.

    Args:
        items: with `language`, `answer`, and of choice tasks `choices`; the answer is then an index, else text.

    Returns:
        Indexed by language, in the order of the items: `uniform`, what guessing evenly gets, NaN where the answer is
        written; `constant`, what the best constant answer gets; `chance`, the larger.
    """
    rows = {}
    for language, group in items.groupby("language", sort=False):
        constants, uniform = [group["answer"]], float("nan")
        if "choices" in group:
            uniform = float((1 / group["choices"].map(len)).mean())
            told = [choices[place].strip() for choices, place in zip(group["choices"], group["answer"], strict=True)]
            constants.append(pd.Series(told))
        constant = max(float(one.value_counts(normalize=True).iloc[0]) for one in constants)
        rows[language] = {"uniform": uniform, "constant": constant}
    found = pd.DataFrame.from_dict(rows, orient="index")
    return found.assign(chance=found[["uniform", "constant"]].max(axis=1))
