"""The claim on prompts and generated tokens, by hand."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from claims.made import LANGUAGES, LAYERS, asked, committed
from polyroute.claims.asked import Asked, Found
from polyroute.claims.generated import prompt_and_generated

CLAIM = committed().get("own.prompt_and_generated")
GENERATED = np.array([0.3, 0.1, 0.4, 0.2, 0.6, 0.5, 0.8, 0.7])
"""Middle D of what is written; that of prompts rises from language to language."""


@pytest.fixture
def made(tmp_path: Path) -> Asked:
    return asked(tmp_path)


def with_parts(one: Asked, rows: pd.DataFrame | None) -> Asked:
    return replace(one, results=replace(one.results, generated=rows))


def found(one: Asked) -> Found:
    gathered = Found(CLAIM)
    prompt_and_generated(one, gathered)
    return gathered


def parts(one: Asked, task: str = "arithmetic") -> pd.DataFrame:
    middle, rows = one.layers_of("middle"), []
    for place, code in enumerate(one.codes):
        for layer in range(LAYERS):
            far = 0.0 if layer in middle else 0.05 + 0.01 * place
            rows.append((task, "prompt", code, layer, 0.1 + 0.1 * place + far, 90))
            rows.append((task, "generated", code, layer, GENERATED[place] + far, 20))
    return pd.DataFrame(rows, columns=["task", "part", "language", "layer", "divergence", "tokens"])


def test_order_and_early_arm(made) -> None:
    told = found(with_parts(made, parts(made)))
    assert told.values["agreement.value"] == pytest.approx(stats.spearmanr(range(LANGUAGES), GENERATED)[0])
    assert told.values["em_generated.value"] == pytest.approx(0.05 + 0.01 * (LANGUAGES - 1) / 2)
    assert told.languages == LANGUAGES
    assert [(one.kind, one.meant) for one in told.stand_ins] == [("task", "mgsm"), ("reading", "soft_mass by sentence")]


def test_languages_without_a_generated_token_are_left_out(made) -> None:
    rows = parts(made)
    lost = made.codes[:2]
    told = found(with_parts(made, rows[~(rows["language"].isin(lost) & (rows["part"] == "generated"))]))
    assert told.languages == LANGUAGES - 2
    assert told.values["agreement.value"] == pytest.approx(stats.spearmanr(range(LANGUAGES - 2), GENERATED[2:])[0])


def test_a_task_answered_by_choices_cannot_say(made) -> None:
    for rows in (parts(made, "another"), parts(made)[:0]):
        told = found(with_parts(made, rows))
        assert {why.what for why in told.missing.values()} == {"in mathematics that is answered in writing"}
    older = found(with_parts(made, None))
    assert not older.values
    assert not older.missing, "the claim says which stages run again"
