"""What the tree of languages is said to follow, and what goes with the distances."""

import pytest

from polyroute.ground.layers import ZONES
from polyroute.report import families, words
from polyroute.results.similarity import CorpusSimilarity, Headline, LabelAgreement, ZoneSimilarity
from report.shown import rows


def zones(**p: float | None) -> dict:
    """Three zones; p of `<zone>_<label>`, 0.8 where not given, and an index the larger the smaller p."""
    held = {}
    for zone in ZONES:
        labels = {}
        for label in families.LABELS:
            value = p.get(f"{zone}_{label}", 0.8)
            labels[label] = {"rand": None if value is None else 1 - value, "p": value, "note": None}
            if value is None:
                labels[label]["note"] = "all languages are Latn: there are no groups to tell apart"
        agreed = {label: LabelAgreement.model_construct(**told) for label, told in labels.items()}
        held[zone] = ZoneSimilarity.model_construct(labels=agreed)
    return held


def test_labels_are_told_by_q_over_all_zones_the_largest_index_first() -> None:
    table = families.agreement(zones(late_script=0.001, late_family=0.0005, early_family=0.03))
    assert families.verdict(table, "late") == "follows family, script"
    assert families.verdict(table, "early") == words.NOT_SIGNIFICANT, "0.03 of twelve tests is q 0.12"
    assert table.loc[("early", "family"), "q"] == pytest.approx(0.03 * 12 / 3)


def test_labels_that_say_nothing_count_for_no_test() -> None:
    nothing = {f"{zone}_{label}": None for zone in ZONES for label in ("branch", "script", "region")}
    table = families.agreement(zones(early_family=0.03, **nothing))
    assert table.loc[("early", "family"), "q"] == pytest.approx(0.09), "three tests are left"
    nothing |= {"early_family": None}
    table = families.agreement(zones(**nothing))
    assert families.verdict(table, "early").startswith("not tested: all languages are Latn")


def test_the_headline_is_in_plain_words() -> None:
    held = CorpusSimilarity.model_construct(headline=Headline(measure="jsd", reading="soft_mass"))
    assert families.headline(held) == "Jensen-Shannon divergence of soft_mass"
    assert families.called("vocabulary") == "shared tokens"
    assert families.called("family") == "family"


def test_families_are_told_by_zone_with_q_and_verdict(measured) -> None:
    early, middle, late, *counts = rows(families.tree_table(measured))
    assert [row["zone"] for row in (early, middle, late)] == ["early (0)", "middle (2-4)", "late (7)"]
    assert early["family"].startswith("1.00, q 0.0")
    assert early["the tree"].startswith("follows family")
    assert middle["the tree"] == "not distinguishable from chance"
    assert float(early["mean distance"]) > float(middle["mean distance"])
    assert counts[0]["family"] == "–"
    assert counts[0]["the tree"].startswith("not tested: ")


def test_rivals_are_told_alone_and_given_the_others(measured) -> None:
    early, *_, last = rows(families.rivals_table(measured))
    assert early["family"] == "0.98, p 0.005; given others 1.00, p 0.005"
    assert early["shared tokens"] == last["family"] == "–"
