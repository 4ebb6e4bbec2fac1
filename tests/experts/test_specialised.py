import json

import numpy as np
import pandas as pd
import pytest

from experts.made import make_trace, random_trace
from polyroute.experts.specialised import (
    ANY,
    AgainstGeneric,
    ExpertsError,
    experts_above,
    largest,
    overlap,
    size,
)
from polyroute.measures.specialisation import SpecialisationError, specialisation
from polyroute.results.experts import ExpertRow, MemberRow
from polyroute.stats.bootstrap import Bootstrap
from polyroute.stats.resampled import own_seed

DRAWING = {"resamples": 200, "confidence": 0.95, "seed": 0}
# One token a sentence, top-2 of 4 experts, two layers numbered 5 and 6.
GENERIC = make_trace([[[1, 1, 0, 0], [1, 1, 0, 0]]] * 10, [1] * 10, layers=(5, 6))
SUMS = make_trace(
    [[[1, 0, 1, 0], [0, 0, 1, 1]]] * 3 + [[[1, 1, 0, 0], [0, 0, 1, 1]]] * 7, [1] * 10, layers=(5, 6), corpus="sums"
)
GERMAN = make_trace(
    [[[1, 0, 0, 1], [1, 1, 0, 0]]] * 5 + [[[1, 1, 0, 0], [1, 1, 0, 0]]] * 5, [1] * 10, layers=(5, 6),
    language="deu_Latn",
)  # fmt: skip
SWAHILI = make_trace([[[1, 1, 0, 0], [1, 0, 1, 0]]] * 10, [1] * 10, layers=(5, 6), language="swh_Latn")


def test_sets_by_hand() -> None:
    found = AgainstGeneric(GENERIC, **DRAWING).of(SUMS)
    assert found.delta_LE.tolist() == [[0, -0.3, 0.3, 0], [-1, -1, 1, 1]]
    assert found.above(0.2) == {5: (2,), 6: (2, 3)}
    assert found.above(0.3) == {6: (2, 3)}, "Delta must exceed tau; 3 of 10 is 0.3 and not more"
    assert found.above(0.2, (5, 5)) == {5: (2,)}
    assert size(found.above(0.2)) == 3
    json.dumps(found.above(0.2))


def test_an_expert_at_tau_is_no_member() -> None:
    rows = AgainstGeneric(GENERIC, **DRAWING).of(SUMS).membership([0.3])
    at_tau = rows[(rows["layer"] == 5) & (rows["expert"] == 2)]
    assert at_tau["delta"].tolist() == [0.3], "shown, since it is above tau in some resamples"
    assert at_tau["member"].tolist() == [False]
    assert rows[rows["member"]][["layer", "expert"]].values.tolist() == [[6, 2], [6, 3]]


def test_multilingual_experts_are_those_of_any_language() -> None:
    against = AgainstGeneric(GENERIC, **DRAWING)
    found = largest(map(against.of, [GERMAN, SWAHILI]))
    assert (found.language, found.corpus) == (ANY, "text")
    assert found.above(0.4) == {5: (3,), 6: (2,)}
    parts = [against.of(GERMAN), against.of(SWAHILI)]
    assert experts_above(pd.concat([part.table() for part in parts]), 0.4) == found.above(0.4)
    np.testing.assert_array_equal(found.draws_RLE, np.maximum(parts[0].draws_RLE, parts[1].draws_RLE))


def test_a_set_survives_its_file(tmp_path) -> None:
    found = AgainstGeneric(random_trace(0, 30), **DRAWING).of(random_trace(1, 30, corpus="sums"))
    found.table().to_csv(tmp_path / "table.csv", index=False)
    again = pd.read_csv(tmp_path / "table.csv")
    assert list(again.columns) == ExpertRow.columns()[:-1]
    for tau in found.delta_LE.clip(0).ravel():
        assert experts_above(again, tau) == found.above(tau)


def test_delta_and_its_resamples_agree_with_the_slow_way() -> None:
    generic, german = random_trace(0, 9), random_trace(1, 9, language="deu_Latn")
    sums = random_trace(2, 6, corpus="sums")
    against = AgainstGeneric(generic, **DRAWING)
    counts = {
        name: Bootstrap(items, 200, 0.95, own_seed(0, name)).counts_RN.astype(int)
        for name, items in (("text", 9), ("sums", 6))
    }
    for domain in (german, sums):
        found = against.of(domain)
        assert found.delta_LE == pytest.approx(specialisation(domain, generic), abs=5.1e-5)
        for draw in (0, 17):
            theirs, ours = (
                trace.select(np.repeat(np.arange(len(trace.tokens)), counts[trace.header.corpus][draw]))
                for trace in (domain, generic)
            )
            expected = (theirs.topk_count / theirs.tokens[:, None, None]).mean(0) - (
                ours.topk_count / ours.tokens[:, None, None]
            ).mean(0)
            assert found.draws_RLE[draw] == pytest.approx(expected, abs=5.1e-5)
        table = found.table()
        low, high = np.quantile(found.draws_RLE, [0.025, 0.975], axis=0)
        assert table["low"].to_numpy() == pytest.approx(low.ravel(), abs=5.1e-5)
        assert table["high"].to_numpy() == pytest.approx(high.ravel(), abs=5.1e-5)


def test_translations_are_resampled_together_and_other_texts_are_not() -> None:
    generic = random_trace(0, 50)
    against = AgainstGeneric(generic, **DRAWING)
    twin = make_trace(generic.topk_count, generic.tokens, language="deu_Latn")
    stranger = make_trace(generic.topk_count, generic.tokens, corpus="sums")
    assert (against.of(twin).draws_RLE == 0).all()
    # As many sentences, same seed: were the draws the same, this would be 0 too.
    spread = against.of(stranger).draws_RLE.std(axis=0)
    frequency = generic.topk_count / generic.tokens[:, None, None]
    assert spread == pytest.approx(np.sqrt(2 * frequency.var(axis=0) / 50), rel=0.25)


def test_intervals_cover_delta_as_often_as_they_say() -> None:
    many = [random_trace(seed, 4000, 1, 4, corpus=name) for seed, name in ((0, "text"), (1, "sums"))]
    truth = specialisation(many[1], many[0])
    hits = []
    for start in range(0, 4000, 40):
        part = np.arange(start, start + 40)
        table = AgainstGeneric(many[0].select(part), **DRAWING).of(many[1].select(part)).table()
        hits.append((table["low"] <= truth.ravel()) & (truth.ravel() <= table["high"]))
    assert 0.88 < np.mean(hits) < 0.98


def test_membership_says_how_surely() -> None:
    against = AgainstGeneric(GENERIC, **DRAWING)
    found = against.of(SUMS)
    table = found.membership([0.2, 0.5], (5, 6))
    assert list(table.columns) == MemberRow.columns()[:-1]
    sure = table[(table["layer"] == 6)]
    assert set(sure["expert"]) == {2, 3}
    assert (sure["share_of_resamples"] == 1).all()
    unsure = table[table["layer"] == 5].set_index("tau")
    # 3 of 10 sentences: more than 2 with chance P(Bin(10, 0.3) > 2), more than 5 with P(Bin > 5).
    assert unsure.loc[0.2, "share_of_resamples"] == pytest.approx(0.617, abs=0.1)
    assert unsure.loc[0.5, "share_of_resamples"] == pytest.approx(0.047, abs=0.05)
    assert unsure["member"].tolist() == [True, False], "an expert of some resamples is shown, as no member"
    assert unsure.loc[0.2, "share_of_resamples"] == (found.draws_RLE[:, 0, 2] > 0.2).mean()


def test_overlap_by_hand() -> None:
    against = AgainstGeneric(GENERIC, **DRAWING)
    table = overlap(against.of(SUMS), largest(map(against.of, [GERMAN, SWAHILI])), [0.2, 0.4]).set_index("tau")
    assert table.loc[0.2, ["task", "multilingual", "both"]].tolist() == [3, 2, 1]
    assert table.loc[0.2, "expected"] == 0.75, "1 x 1 / 4 in layer 5, 2 x 1 / 4 in layer 6"
    assert table.loc[0.2, "share_of_resamples"] == 1
    assert table.loc[0.2, "multilingual_low"] <= 2 <= table.loc[0.2, "multilingual_high"]
    assert table.loc[0.4, ["task", "multilingual", "both"]].tolist() == [2, 2, 1]
    only = overlap(against.of(SUMS), largest([against.of(GERMAN)]), [0.2], (6, 6)).iloc[0]
    assert only[["task", "multilingual", "both", "share_of_resamples", "expected"]].tolist() == [2, 0, 0, 0, 0]


def test_pooled_counts_and_single_sentences_have_no_intervals() -> None:
    pooled = AgainstGeneric(make_trace([[[3, 2, 1]]], [3], pooled=True), **DRAWING)
    single = AgainstGeneric(make_trace([[[3, 2, 1]]], [3]), **DRAWING)
    for against, is_pooled in ((pooled, True), (single, False)):
        found = against.of(make_trace([[[1, 2, 3]]], [3], pooled=is_pooled, language="deu_Latn"))
        assert found.above(0.5) == {0: (2,)}
        assert found.table()[["low", "high"]].isna().all(axis=None)
        assert found.membership([0.5])["share_of_resamples"].isna().all()
        row = overlap(found, largest([found]), [0.5]).iloc[0]
        assert row["both"] == 1
        assert np.isnan([row["both_low"], row["share_of_resamples"]]).all()


def test_what_cannot_be_is_refused() -> None:
    against = AgainstGeneric(GENERIC, **DRAWING)
    found = against.of(SUMS)
    with pytest.raises(ExpertsError, match="tau = 1"):
        found.above(1)
    with pytest.raises(ExpertsError, match=r"layers \[0, 4\] hold none of the traced layers 5 to 6"):
        found.above(0.2, (0, 4))
    with pytest.raises(ExpertsError, match="at least one language"):
        largest([])
    with pytest.raises(ExpertsError, match="of corpus text, others of sums"):
        largest([found, against.of(GERMAN)])
    with pytest.raises(ExpertsError, match="200 and 100 resamples"):
        overlap(found, AgainstGeneric(GENERIC, resamples=100, confidence=0.95, seed=0).of(GERMAN), [0.2])
    with pytest.raises(SpecialisationError, match="both corpus and language"):
        against.of(make_trace(SUMS.topk_count, SUMS.tokens, layers=(5, 6), corpus="sums", language="deu_Latn"))


def test_a_text_that_was_not_traced_has_no_experts() -> None:
    table = AgainstGeneric(GENERIC, **DRAWING).of(SUMS).table()
    with pytest.raises(ExpertsError, match="the text was not traced"):
        experts_above(table[table["layer"] == 99], 0.1)
