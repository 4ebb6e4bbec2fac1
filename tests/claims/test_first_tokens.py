"""Claims at equal token budgets and equal positions, and of tokens far apart, by hand."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from scipy import stats

from claims.made import LANGUAGES, LAYERS, asked, committed
from polyroute.claims import correlation, first_tokens, routing
from polyroute.claims.asked import Asked, Found
from polyroute.results.alignment import FirstTokens, FirstTokensDepth
from polyroute.results.claims import StandIn

CLAIMS = committed()


@pytest.fixture
def bare(tmp_path: Path) -> Asked:
    return asked(tmp_path)


def corpus(one: Asked, **changed: Any) -> Asked:
    summary = one.results.alignment
    changed_corpus = one.alignment.model_copy(update=changed)
    summary = summary.model_copy(update={"corpora": {one.corpus: changed_corpus}})
    return replace(one, results=replace(one.results, alignment=summary))


@pytest.fixture
def made(bare) -> Asked:
    """Middle D of the first tokens in the reverse order of languages; the arms rise by a hundredth a language."""
    languages = {}
    for place, code in enumerate(bare.codes):
        whole = bare.alignment.languages[code].model_copy(update={"middle": 0.2 + 0.01 * place})
        arms = {
            f"{zone}_minus_middle": whole.early_minus_middle.model_copy(update={"value": height + 0.01 * place})
            for zone, height in (("early", 0.1), ("late", -0.2))
        }
        told = whole.model_dump(exclude={"tokens_per_sentence", *arms}) | {"middle": 0.4 - 0.01 * place}
        arms = {name: arm.model_dump() for name, arm in arms.items()}
        languages[code] = FirstTokensDepth.model_validate(told | arms | {"sentences": 40 + place})
    over = bare.alignment.over_languages
    rows = [row.model_copy(update={"value": row.value / 2, "low": 0.01}) for row in over.alignment]
    first = FirstTokens(
        tokens=12, languages=languages, left_out=[], over_languages=over.model_copy(update={"alignment": rows})
    )
    whole = {
        code: one.model_copy(update={"middle": 0.2 + 0.01 * place})
        for place, (code, one) in enumerate(bare.alignment.languages.items())
    }
    return corpus(bare, first_tokens=first, languages=whole)


def found(name: str, provider: Any, one: Asked) -> Found:
    gathered = Found(CLAIMS.get(name))
    provider(one, gathered)
    return gathered


def test_the_u_at_equal_budgets(made) -> None:
    told = found("own.equal_budget", first_tokens.equal_budget, made)
    assert told.values["em.value"] == pytest.approx(0.1 + 0.01 * (LANGUAGES - 1) / 2)
    assert told.values["lm.value"] == pytest.approx(-0.2 + 0.01 * (LANGUAGES - 1) / 2)
    assert told.values["em.low"] < told.values["em.value"] < told.values["em.high"]
    assert (told.languages, told.items) == (LANGUAGES, 40)
    used = "the first 12 of each sentence (40 of 50 or more are so long)"
    assert told.stand_ins == [StandIn(kind="budget", used=used, meant="the fewest over languages")]
    other = found("own.not_fertility", correlation.not_fertility, made).values
    assert (other["u_budget.em.value"], other["u_budget.lm.value"]) == (
        told.values["em.value"],
        told.values["lm.value"],
    )
    assert other["d_budget.value"] == pytest.approx(-1), "languages are in the reverse order"


def test_alignment_at_equal_positions_is_of_the_best_middle_layer(made) -> None:
    rows = [row for row in made.alignment.over_languages.alignment if row.layer in made.layers_of("middle")]
    told = found("own.equal_positions", first_tokens.equal_positions, made).values
    assert told["a_positions.value"] == pytest.approx(max(row.value for row in rows) / 2)
    assert told["a_positions.low"] == 0.01
    nearest = found("own.translation_nearest", routing.translation_nearest, made).values
    assert nearest["a_budget.value"] == told["a_positions.value"]


def test_entropy_at_equal_budgets(made) -> None:
    layers = made.results.layers
    entropy = layers[layers["measure"] == "entropy"].assign(reading="head_mass")
    slope = entropy["language"].map({code: place + 2 for place, code in enumerate(made.codes)}).fillna(1)
    entropy = entropy.assign(value=3 - 0.1 * slope * entropy["layer"])
    one = replace(made, results=replace(made.results, layers=pd.concat([layers, entropy])))
    told = found("p1.entropy_by_depth", routing.entropy_by_depth, one).values
    first, last = made.layers_of("early")[0], made.layers_of("late")[0]
    assert (first, last) == (0, LAYERS - 1)
    assert told["steeper_budget.value"] == pytest.approx(0.1 * last * (1 + (LANGUAGES - 1) / 2))


def test_without_first_tokens_nothing_is_claimed_and_pooled_counts_say_why(bare) -> None:
    told = found("own.equal_budget", first_tokens.equal_budget, bare)
    assert not told.values
    assert not told.missing, "the claim says that the stage `trace` runs again"
    pooled = found("own.equal_budget", first_tokens.equal_budget, corpus(bare, sentences=None))
    assert {why.kind for why in pooled.missing.values()} == {"few"}


@pytest.mark.parametrize("without", [0, 2, 6])
def test_consistency_of_tokens_far_apart(bare, without) -> None:
    layers, codes = bare.results.layers, bare.codes
    shares = {code: 0.5**place for place, code in enumerate(codes)}
    heights = dict(zip(codes, [0.3, 0.1, 0.4, 0.2, 0.6, 0.5, 0.8, 0.7], strict=True))
    rows = layers[(layers["measure"] == "entropy") & layers["language"].isin(codes)]
    rows = rows.assign(reading="topk_ids", value=rows["language"].map(heights))
    far = rows.assign(measure="consistency_far")
    far.loc[far["language"].isin(codes[:without]), "value"] = None  # sentences of no more than 20 tokens
    layers = pd.concat([layers, rows.assign(measure="consistency"), far])
    one = replace(bare, settings=bare.settings.model_copy(update={"text_shares": shares}))
    one = replace(one, results=replace(one.results, layers=layers))
    told = found("p1.consistency_low_resource", routing.consistency, one)
    expected = stats.spearmanr(list(heights.values())[without:], list(shares.values())[without:])[0]
    if without == 6:
        assert told.missing["far"].what == "5 languages with pairs of tokens so far apart (here 2)"
    else:
        assert told.values["far.value"] == pytest.approx(expected)
