"""Recorded counts of Qwen3-30B-A3B through every stage, held against numbers computed here with numpy alone."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from numpy.typing import NDArray
from scipy import stats

from pipeline.test_end_to_end import stage
from polyroute.claims.claim import read_claims
from polyroute.results.alignment import AlignmentSummary, LayerRow
from polyroute.results.claims import ClaimsSummary
from polyroute.results.nulls import NullsSummary
from polyroute.results.similarity import DistanceRow, SharedRow, SimilaritySummary
from recorded import ALL, FILE
from tiny import ROOT, raw_params

MODEL = "qwen3-30b-a3b-counts"
FAMILY = {"ben_Beng": "IE", "deu_Latn": "IE", "fra_Latn": "IE", "spa_Latn": "IE"}
"""Of the seven languages beside English, those of one family; each other is the only one of its own."""
EARLY, MIDDLE, LATE = slice(0, 5), slice(10, 40), slice(43, 48)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped entry alone, with fewer shuffles; every stage that dvc.yaml gives a model."""
    folder = tmp_path_factory.mktemp("study")
    raw = raw_params()
    raw["study"] |= {"models": [MODEL], "extra": []}
    raw["similarity"]["shuffles"] = 100
    (folder / "params.yaml").write_text(yaml.safe_dump(raw))
    (folder / "claims").symlink_to(ROOT / "claims")
    (folder / "recorded").symlink_to(ROOT / "recorded")
    stage(folder, "resolve")
    said = {}
    for name in yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]:
        if name not in ("train-pocket", "resolve", "report", "track", "distances"):
            script, purpose = ("ask", ["--purpose", name]) if name in ("evaluate", "tune", "mask") else (name, [])
            said[name] = stage(folder, script, *purpose, "--model", MODEL).stdout
    (folder / "said").mkdir()
    for name, text in said.items():
        (folder / "said" / name).write_text(text)
    return folder


@pytest.fixture(scope="module")
def metrics(study: Path) -> Path:
    return study / "metrics" / MODEL


@pytest.fixture(scope="module")
def counts_VLE() -> NDArray[np.int64]:
    table = pd.read_parquet(FILE)
    return table["count"].to_numpy().reshape(len(ALL), 48, 128)


def entropy(p_E: NDArray[np.float64]) -> NDArray[np.float64]:
    return -np.where(p_E > 0, p_E * np.log(np.where(p_E > 0, p_E, 1)), 0).sum(axis=-1)


def jsd(p_E: NDArray[np.float64], q_E: NDArray[np.float64]) -> NDArray[np.float64]:
    return entropy((p_E + q_E) / 2) - (entropy(p_E) + entropy(q_E)) / 2


@pytest.fixture(scope="module")
def divergence_VL(counts_VLE: NDArray[np.int64]) -> NDArray[np.float64]:
    """Eq. 2 of paper 1, of the seven languages and English."""
    p_VLE = counts_VLE / counts_VLE.sum(axis=-1, keepdims=True)
    english, others = p_VLE[0], p_VLE[1:]
    room_VL = np.log(128) - (entropy(english) + entropy(others)) / 2
    return jsd(english, others) / room_VL


def t_interval(values_V: NDArray[np.float64]) -> list[float]:
    half = stats.t.ppf(0.975, len(values_V) - 1) * values_V.std(ddof=1) / np.sqrt(len(values_V))
    return [values_V.mean(), values_V.mean() - half, values_V.mean() + half]


def test_divergence_by_language_and_layer(metrics: Path, divergence_VL: NDArray[np.float64]) -> None:
    layers = LayerRow.read(metrics)
    rows = layers[layers["measure"] == "divergence_pooled"]
    assert set(rows["reading"]) == {"topk_count"}
    found = rows.pivot(index="language", columns="layer", values="value").loc[list(ALL[1:])]
    assert np.abs(found.to_numpy() - divergence_VL).max() < 6e-5


def test_the_u_over_languages_and_over_families(metrics: Path, divergence_VL: NDArray[np.float64]) -> None:
    held = AlignmentSummary.read(metrics).corpora["mgsm"].over_languages
    middle_V = divergence_VL[:, MIDDLE].mean(axis=1)
    known = {
        "early_minus_middle": (EARLY, [0.1295, 0.0947, 0.1644]),
        "late_minus_middle": (LATE, [0.1838, 0.1240, 0.2436]),
    }
    for name, (zone, published) in known.items():
        values_V = divergence_VL[:, zone].mean(axis=1) - middle_V
        found = getattr(held, name)
        assert t_interval(values_V) == pytest.approx(published, abs=5e-5)
        assert [found.value, found.low, found.high] == pytest.approx(t_interval(values_V), abs=6e-5)
        family_V = np.array([FAMILY.get(code, code) for code in ALL[1:]])
        without_G = np.array([values_V[family_V != family].mean() for family in np.unique(family_V)])
        error = np.sqrt(3 / 4 * ((without_G - values_V.mean()) ** 2).sum())
        half = stats.t.ppf(0.975, 3) * error
        by_family = getattr(held.by_family, name)
        assert len(without_G) == held.by_family.families == 4
        assert [by_family.low, by_family.high] == pytest.approx(
            [values_V.mean() - half, values_V.mean() + half], abs=6e-5
        )
    assert (held.languages, held.shape, held.by_family.agrees) == (7, "U", True)


def test_divergence_by_layer_and_zone_over_languages(metrics: Path, divergence_VL: NDArray[np.float64]) -> None:
    held = AlignmentSummary.read(metrics).corpora["mgsm"].over_languages.divergence
    assert [row.layer for row in held.layers] == list(range(48))
    for place, row in enumerate(held.layers):
        assert [row.value, row.low, row.high] == pytest.approx(t_interval(divergence_VL[:, place]), abs=2e-4)
    for zone, inside in (("early", EARLY), ("middle", MIDDLE), ("late", LATE)):
        values_V, row = divergence_VL[:, inside].mean(axis=1), held.zones[zone]
        assert [row.value, row.low, row.high] == pytest.approx(t_interval(values_V), abs=2e-4)
        assert row.family_low < row.low < row.high < row.family_high


def test_distances_of_all_pairs(metrics: Path, counts_VLE: NDArray[np.int64]) -> None:
    p_VLE = counts_VLE / counts_VLE.sum(axis=-1, keepdims=True)
    table = DistanceRow.read(metrics)
    table = table[(table["measure"] == "jsd") & table["layer"].isna()]
    assert len(table) == 3 * 28
    for zone, inside in (("early", EARLY), ("middle", MIDDLE), ("late", LATE)):
        rows = table[table["zone"] == zone]
        places = [(ALL.index(a), ALL.index(b)) for a, b in zip(rows["language_a"], rows["language_b"], strict=True)]
        expected = [jsd(p_VLE[a, inside], p_VLE[b, inside]).mean() for a, b in places]
        assert np.abs(rows["distance"].to_numpy() - expected).max() < 1e-6


@pytest.mark.parametrize("k", [15, 20])
@pytest.mark.parametrize("thr", [0.4, 0.7])
def test_shared_and_exclusive_experts(metrics: Path, counts_VLE: NDArray[np.int64], k: int, thr: float) -> None:
    """The release's rule: of each language its k largest, an expert's share among them, held against thr."""
    tokens_V = counts_VLE.sum(axis=(1, 2)) / counts_VLE.shape[1] / 8
    frequency_VLE = counts_VLE / tokens_V[:, None, None]
    order_VLE = np.argsort(-frequency_VLE, axis=-1, kind="stable")
    kept_VLE = np.zeros_like(frequency_VLE)
    np.put_along_axis(
        kept_VLE, order_VLE[..., :k], np.take_along_axis(frequency_VLE, order_VLE[..., :k], axis=-1), axis=-1
    )
    share_VLE = kept_VLE / (kept_VLE.sum(axis=0) + 1e-10)
    exclusive_VL = (share_VLE > thr).sum(axis=-1)
    shared_L = ((share_VLE > 0).any(axis=0) & (share_VLE < thr).all(axis=0)).sum(axis=-1)
    table = SharedRow.read(metrics)
    table = table[(table["k"] == k) & (table["thr"] == thr)]
    whole = table[table["language"] == ""].sort_values("layer")
    assert whole["shared"].tolist() == shared_L.tolist()
    of = table[table["language"] != ""].pivot(index="language", columns="layer", values="exclusive").loc[list(ALL)]
    assert np.array_equal(of.to_numpy(), exclusive_VL)


def test_the_claim_on_the_u_has_these_numbers(metrics: Path) -> None:
    found = ClaimsSummary.read(metrics).claims["p1.u_shape"]
    assert (found.values["em.value"], found.values["lm.value"], found.languages) == (0.1295, 0.1838, 7)
    assert found.missing["share_u"].what == "sentences and router logits, which recorded counts do not hold"
    assert len(ClaimsSummary.read(metrics).claims) == len(read_claims(ROOT / "claims").by_id)


def test_what_counts_do_not_hold_is_said(study: Path, metrics: Path) -> None:
    held = AlignmentSummary.read(metrics).corpora["mgsm"]
    assert held.lacking == ["soft_mass", "sentences", "token_pairs"]
    assert (held.reading, held.sentences, held.split_half) == ("topk_count", None, None)
    assert NullsSummary.read(metrics).not_run == "recorded"
    said = {path.name: path.read_text() for path in (study / "said").iterdir()}
    assert "counts alone, so nothing that needs soft_mass, sentences, token_pairs" in said["align"]
    for name in ("evaluate", "tune", "steer", "mask"):
        assert "no tasks: nothing to ask (recorded counts: there is no model here)" in said[name], name
    assert "(MIT)" in said["fetch"]


def test_languages_are_compared_and_drawn(study: Path, metrics: Path) -> None:
    assert SimilaritySummary.read(metrics).corpora["mgsm"].languages == list(ALL)
    drawn = {path.stem for path in (study / "figures" / MODEL).glob("*.png")}
    of_text = {f"{name}-mgsm" for name in ("divergence", "entropy", "rivals", "shared", "tree", "utilisation")}
    assert {name for name in drawn if not name.startswith("multiverse-")} == of_text
    assert "multiverse-p1-u-shape" in drawn
