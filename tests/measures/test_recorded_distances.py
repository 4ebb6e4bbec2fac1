"""What ships of three models, held against what its authors published and numbers computed here with numpy."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from polyroute.artifacts.recorded_distances import Distances, from_csv
from polyroute.artifacts.recording import RecordingError
from polyroute.measures.recorded_distances import compare
from tiny import ROOT

# Published: p of 2000 relabellings at seed 42, within / across families, Hindi-Urdu by Hindi to its branch.
PUBLISHED = {
    "olmoe-1b-7b-0125": (0.0080, 0.563, 0.56),
    "qwen1.5-moe-a2.7b": (0.0350, 0.835, 1.58),
    "deepseek-moe-16b-base": (0.0695, 0.840, 0.93),
}
HOW = {"shuffles": 199, "confidence": 0.95, "seed": 0}


def recorded(name: str) -> Distances:
    return Distances.read(ROOT / "recorded" / f"{name}-distances.parquet")


def hard(name: str) -> tuple[list[str], np.ndarray]:
    """The ten languages of India, and their mean distances by choices."""
    table = pd.read_parquet(ROOT / "recorded" / f"{name}-distances.parquet")
    table = table[(table["language_a"] != "eng_Latn") & (table["language_b"] != "eng_Latn")]
    mean = table.groupby(["language_a", "language_b"], sort=False)["topk_count"].mean()
    return list(dict.fromkeys([*table["language_a"], *table["language_b"]])), mean.to_numpy()


def gap(distance: np.ndarray, dravidian: np.ndarray) -> float:
    first, second = np.triu_indices(len(dravidian), 1)
    same = dravidian[first] == dravidian[second]
    return distance[~same].mean() - distance[same].mean()


def test_the_published_p_comes_out_again() -> None:
    rng = np.random.default_rng(42)
    for name, (p, _, _) in PUBLISHED.items():
        codes, distance = hard(name)
        assert codes[6:] == ["tam_Taml", "tel_Telu", "mal_Mlym", "kan_Knda"]
        seen, drawn = gap(distance, np.arange(10) > 5), []
        for _ in range(2000):
            order, labels = rng.permutation(10), np.zeros(10, bool)
            labels[order[6:]] = True
            drawn.append(gap(distance, labels))
        assert round((1 + np.sum(np.array(drawn) >= seen)) / 2001, 4) == p


@pytest.mark.parametrize("name", PUBLISHED)
def test_families_under_every_null(name: str) -> None:
    _, ratio, pair = PUBLISHED[name]
    found = compare(recorded(name), "eng_Latn", **HOW)["readings"]["topk_count"]
    families = found["families"]
    assert families["ratio"] == pytest.approx(ratio, abs=6e-4)
    assert found["pair_ratio"] == pytest.approx(pair, abs=6e-3)
    codes, distance = hard(name)
    # All 210 ways to call four of ten languages Dravidian.
    every = [np.isin(np.arange(10), chosen) for chosen in combinations(range(10), 4)]
    seen = gap(distance, np.arange(10) > 5)
    drawn = np.array([gap(distance, labels) for labels in every])
    assert (families["relabellings"], families["groups"]) == (210, {"Dravidian": 4, "Indo-European": 6})
    assert families["p"] == pytest.approx((drawn >= seen - 1e-12).mean(), abs=1e-4)
    # Every script but Devanagari has one language, and its two are of one family: nothing can be exchanged.
    assert (families["within_script_relabellings"], families["within_script_p"]) == (1, None)
    # Hindi and Marathi are the only pair of one script.
    first, second = np.triu_indices(10, 1)
    other = ~np.array([{codes[a], codes[b]} == {"hin_Deva", "mar_Deva"} for a, b in zip(first, second, strict=True)])
    same = (first > 5) == (second > 5)
    apart = distance[other & ~same].mean() - distance[other & same].mean()
    assert families["other_script_gap"] == pytest.approx(apart, abs=6e-5)
    without = []
    for place in range(10):
        kept = (first != place) & (second != place)
        without.append(distance[kept & ~same].mean() - distance[kept & same].mean())
    half = stats.t.ppf(0.975, 9) * np.sqrt(8 / 20 * np.sum((np.array(without) - np.mean(without)) ** 2))
    assert [families["low"], families["high"]] == pytest.approx([seen - half, seen + half], abs=6e-5)


def test_what_becomes_of_the_published_findings() -> None:
    held = {name: compare(recorded(name), "eng_Latn", **HOW)["readings"]["topk_count"] for name in PUBLISHED}
    of = {name: one["families"] for name, one in held.items()}
    assert {name: one["p"] for name, one in of.items()} == {
        "olmoe-1b-7b-0125": 0.0048, "qwen1.5-moe-a2.7b": 0.0381, "deepseek-moe-16b-base": 0.0667,
    }  # fmt: skip
    # Pairs that share a language are not independent: the intervals of two of the models hold 0.
    assert [one["low"] > 0 for one in of.values()] == [True, False, False]


def test_hard_and_soft_agree_and_the_shape_is_told() -> None:
    published = {"olmoe-1b-7b-0125": 0.974, "qwen1.5-moe-a2.7b": 0.893, "deepseek-moe-16b-base": 0.965}
    for name, rho in published.items():
        found = compare(recorded(name), "eng_Latn", **HOW)
        assert found["hard_against_soft"]["rho"] == pytest.approx(rho, abs=6e-4)
        layers = recorded(name).header.layers
        assert len(found["hard_against_soft"]["by_layer"]) == len(layers)
        assert (found["depth"]["early"][0], found["depth"]["late"][1]) == (layers[0], layers[-1])
        assert len(found["readings"]["soft_mass"]["linkage"]) == 10


def test_what_ships_is_what_was_published(real_data: Path, tmp_path: Path) -> None:
    for name in PUBLISHED:
        shipped = recorded(name)
        about = shipped.header.model_dump(exclude={"languages", "layers", "files", "format", "unit"})
        made = from_csv(real_data / "routing_distances" / f"{name}.csv", **about)
        assert made.header == shipped.header
        assert all(np.array_equal(made.by_reading_LP[of], shipped.by_reading_LP[of]) for of in made.by_reading_LP)
        made.write(tmp_path / "a.parquet")
        assert (tmp_path / "a.parquet").read_bytes() == (ROOT / "recorded" / f"{name}-distances.parquet").read_bytes()


def test_a_lacking_pair_and_a_distance_that_cannot_be_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    head = "layer,language_a,language_b,jsd_bits_topk_count,jsd_bits_soft_mass\n"
    about = {"model": "m", "corpus": "c", "text": "", "source": "s", "commit": None, "licence": "MIT"}
    rows = ["0,eng_Latn,deu_Latn,0.1,0.1", "0,eng_Latn,fra_Latn,0.1,0.1"]
    path.write_text(head + "\n".join(rows))
    with pytest.raises(RecordingError, match="layer 0 lacks the pair deu_Latn, fra_Latn"):
        from_csv(path, **about)
    path.write_text(head + "\n".join([*rows, "0,deu_Latn,fra_Latn,1.5,0.1"]))
    with pytest.raises(RecordingError, match=r"layer 0, deu_Latn and fra_Latn: 1.5 is no distance from 0 to 1 bit"):
        from_csv(path, **about)
    path.write_text("layer,language_a,language_b,jsd_bits_topk_count,jsd_bits_soft_mass\n0,deu_Latn,eng_Latn,0.1,0.1\n")
    with pytest.raises(RecordingError, match=r"cannot be named so: `model`: '\.\./a' is no name of a model"):
        from_csv(path, **about | {"model": "../a"})
