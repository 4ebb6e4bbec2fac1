"""Published accuracies against routing measured here: planted routing, and the recorded one of Qwen3-30B-A3B."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from pipeline.test_end_to_end import stage
from polyroute.artifacts.published_accuracies import read_published
from polyroute.artifacts.recorded_counts import Counts, CountsHeader
from polyroute.results.claims import ClaimsSummary
from polyroute.results.correlation import CorrelationMetrics, CorrelationSummary
from recorded import FILE
from tiny import ROOT, raw_params

QWEN = "Qwen/Qwen3-30B-A3B"
PUBLISHED = ROOT / "recorded" / "published_accuracies.csv"
ACCURACY = {code: one.accuracy for code, one in read_published(PUBLISHED, QWEN)["belebele"].items()}


def planted(sign: int) -> Counts:
    """Six layers of four experts, top 1, in the 22 languages: the worse the answers, the further from English in the
    middle two layers (the nearer where the sign is -1)."""
    rng = np.random.default_rng(0)
    codes = ["eng_Latn", *(code for code in ACCURACY if code != "eng_Latn")]
    tokens_V = rng.integers(10_000, 30_000, len(codes))
    counts_VLE = np.zeros((len(codes), 6, 4), np.int64)
    for place, code in enumerate(codes):
        for layer in range(6):
            away = 0.6 + sign * 0.5 * (0.65 - ACCURACY[code]) if layer in (2, 3) else 0.7
            share = 0 if code == "eng_Latn" else away + rng.uniform(-0.015, 0.015)
            moved = int(share * tokens_V[place])
            counts_VLE[place, layer, :2] = tokens_V[place] - moved, moved
    header = CountsHeader(
        model=QWEN, corpus="belebele", text="", languages=tuple(codes), layers=tuple(range(6)), source="here",
        commit=None, licence="none", experts=4, top_k=1,
        tokens=dict(zip(codes, tokens_V.tolist(), strict=True)),
    )  # fmt: skip
    return Counts.checked(header, counts_VLE, "planted")


def correlated(folder: Path, counts: Counts, zones: dict[str, list[int]], **entry: list[str]) -> Path:
    """Metrics of recorded counts, from fetch to claims; only what was published says how well the model answers."""
    header = counts.header
    raw = raw_params()
    raw["study"] |= {"models": ["own"], "extra": []}
    raw["languages"]["own"] = list(header.languages)
    raw["models"] = {
        "own": {
            "engine": "recorded", "file": "recorded/own.parquet", "corpora": [header.corpus], "languages": "own",
            "shape": {"layers": len(header.layers), "experts": header.experts, "top_k": header.top_k}, "zones": zones,
            "accuracies": "published", "published_as": QWEN,
        } | entry
    }  # fmt: skip
    raw["mask"]["tasks"] = {}
    (folder / "params.yaml").write_text(yaml.safe_dump(raw))
    (folder / "recorded").mkdir()
    counts.write(folder / "recorded" / "own.parquet")
    (folder / "recorded" / "published_accuracies.csv").symlink_to(PUBLISHED)
    (folder / "claims").symlink_to(ROOT / "claims")
    stage(folder, "resolve")
    for name in ("fetch", "trace", "align", "score", "correlate", "claims"):
        said = stage(folder, name, "--model", "own").stdout
        (folder / f"{name}.txt").write_text(said)
    return folder / "metrics" / "own"


ZONES = {"early": [0, 1], "middle": [2, 3], "late": [4, 5]}


@pytest.mark.parametrize(
    ("sign", "verdict", "code"), [(1, "negative", "replicated"), (-1, "positive", "not_replicated")]
)
def test_planted_routing_gets_its_verdict_and_nothing_is_asked(tmp_path: Path, sign, verdict, code) -> None:
    metrics = correlated(tmp_path, planted(sign), ZONES)
    held = CorrelationSummary.read(metrics).tasks["published-belebele"]
    assert (held.verdict, len(held.points), len(held.published), held.languages_needed) == (verdict, 21, 22, 11)
    assert abs(held.zones["middle"].r) > 0.95 > abs(held.zones["early"].r)
    assert "given resource: without ary_Arab, kir_Cyrl, of which it is unknown" in held.notes
    claim = ClaimsSummary.read(metrics).claims["p1.correlation"]
    assert claim.alone == code, claim
    assert {(one.kind, one.used) for one in claim.stand_ins} >= {("task", "published-belebele")}
    assert claim.items == 900


def test_groups_of_languages_are_correlated_with_and_without_those_at_chance(tmp_path: Path) -> None:
    groups, near_chance = ["published-12", "published-13", "published-14"], ["bam_Latn", "arb_Latn"]
    metrics = correlated(tmp_path, planted(1), ZONES, groups=groups, near_chance=near_chance)
    held = CorrelationSummary.read(metrics).tasks["published-belebele"]
    assert list(held.groups) == groups
    named = raw_params()["languages"]
    for name in groups:
        found, codes = held.groups[name], named[name][1:]
        assert found.lacking == []
        assert set(found.near_chance) == set(near_chance) & set(codes)
        for some, left_out in ((found.whole, ()), (found.without, near_chance)):
            points = [held.points[code] for code in codes if code not in left_out]
            expected = np.corrcoef([(one.divergence, one.accuracy) for one in points], rowvar=False)[0, 1]
            assert (some.languages, some.r) == (len(points), pytest.approx(expected, abs=2e-3))
            assert some.verdict == "negative"
    assert [held.groups[name].whole.languages for name in groups] == [12, 13, 14]
    assert [held.groups[name].without.languages for name in groups] == [11, 11, 12]


def test_the_recorded_counts_have_three_of_the_languages(tmp_path: Path) -> None:
    zones = {"early": [0, 4], "middle": [10, 39], "late": [43, 47]}
    metrics = correlated(tmp_path, Counts.read(FILE), zones)
    held = CorrelationSummary.read(metrics).tasks
    assert list(held) == ["published-belebele"], "of the other tasks no language was recorded"
    assert set(held["published-belebele"].points) == {"fra_Latn", "zho_Hans", "ben_Beng"}
    assert (held["published-belebele"].verdict, CorrelationMetrics.read(metrics).root) == (None, {})
    note = (
        "3 of at least 11 languages have both routing and a published accuracy: French, Bengali, Chinese (Simplified)"
    )
    assert held["published-belebele"].notes[0] == note
    assert note in (tmp_path / "correlate.txt").read_text()
    claim = ClaimsSummary.read(metrics).claims["p1.correlation"]
    assert (claim.code, claim.missing["r"].what) == ("cannot_be_tested", "3 of at least 11 languages")
