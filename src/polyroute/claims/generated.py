"""Quantities of the claim on prompts and generated tokens, from generated.csv."""

from __future__ import annotations

import pandas as pd

from polyroute.claims.asked import Asked, Found
from polyroute.claims.estimates import correlation, over_languages
from polyroute.results.claims import Missing, StandIn


def prompt_and_generated(asked: Asked, found: Found) -> None:
    """own.prompt_and_generated: do languages keep their order, and is what is written still nearer in the middle?"""
    names = ("agreement", "em_generated")
    table = asked.results.generated
    if table is None:
        return
    task = asked.task("maths")
    rows = table[table["task"] == (task or "")]
    if rows.empty:
        found.lack(names, Missing(kind="task", what="in mathematics that is answered in writing"))
        return
    asked.read(found, "maths")
    used = "a language's mean activation frequency over a task's texts"
    found.stand_in(StandIn(kind="reading", used=used, meant="soft_mass by sentence"))
    prompt, generated = (_by_layer(rows, part) for part in ("prompt", "generated"))
    codes = [code for code in prompt.index if code in generated.index]
    found.languages = len(codes)
    middle = list(asked.layers_of("middle"))
    of_prompts, of_texts = (curves.loc[codes, middle].mean(axis=1).to_numpy() for curves in (prompt, generated))
    found.put("agreement", correlation(of_prompts, of_texts, seed=asked.settings.seed, ranks=True))
    early = generated.loc[codes, list(asked.layers_of("early"))].mean(axis=1).to_numpy()
    found.put("em_generated", over_languages(early - of_texts))


def _by_layer(rows: pd.DataFrame, part: str) -> pd.DataFrame:
    curves: pd.DataFrame = rows[rows["part"] == part].pivot(index="language", columns="layer", values="divergence")
    return curves
