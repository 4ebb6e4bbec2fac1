"""The stage `similarity` on hand-made traces."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from experts.made import random_trace
from pipeline.test_stages import load_script
from polyroute.artifacts import vocabulary
from polyroute.ground.files import write_json
from tiny import ROOT

CODES = ["eng_Latn", "deu_Latn", "nld_Latn", "rus_Cyrl", "ukr_Cyrl", "jpn_Jpan"]


@pytest.fixture
def study(tmp_path, monkeypatch):
    settings = {
        "name": "tiny", "languages": CODES, "corpora": ["text"], "zones": None, "seed": 0, "resamples": 100,
        "confidence": 0.95, "shuffles": 100, "shared": {"k": [30, 32], "thr": [0.4, 0.7]},
    }  # fmt: skip
    write_json(tmp_path / "settings" / "tiny" / "similarity.json", settings)
    counts = {("text", code): {number // 2: 3, 7: 1, number: 2} for number, code in enumerate(CODES)}
    vocabulary.write(tmp_path / "data" / "traces" / "tiny" / "vocabulary.parquet", counts)
    for number, code in enumerate(CODES):
        shift = np.random.default_rng(number // 2).normal(size=(3, 8))
        trace = random_trace(number, 10, shift_LE=shift, language=code, corpus="text")
        trace.save(tmp_path / "data" / "traces" / "tiny" / "text" / f"{code}.safetensors")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_writes_tables_and_what_they_say(study) -> None:
    main = load_script(ROOT / "pipeline" / "similarity.py").main
    done = CliRunner().invoke(main, ["--model", "tiny"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert "text, late: best-matching grouping" in done.output
    folder = study / "metrics" / "tiny"
    table = pd.read_csv(folder / "similarity.csv")
    assert len(table) == 15 * (3 * 4 + 3)
    assert set(table["measure"]) == {"jsd", "divergence", "cosine", "jaccard"}
    found = json.loads((folder / "similarity.json").read_text())["corpora"]["text"]
    assert found["languages"] == CODES
    assert found["headline"] == {"measure": "jsd", "reading": "topk_count"}
    for zone in ("early", "middle", "late"):
        told = found["zones"][zone]
        assert len(told["linkage"]) == 5
        assert set(told["labels"]) == {"family", "branch", "script", "region"}
        assert told["labels"]["family"]["groups"] == 2
        assert sum(told["relatedness"]["groups"].values()) == 5, "the pivot apart"
        assert told["rivals"]["vocabulary"]["mantel"] is not None
        assert {(row["measure"], row["reading"]) for row in told["sensitivity"]} == {
            ("divergence", "topk_count"), ("cosine", "topk_count"), ("jaccard", "topk_count"),
        }  # fmt: skip
    shared = pd.read_csv(folder / "shared.csv", keep_default_na=False)
    assert set(zip(shared["k"], shared["thr"], strict=True)) == {(2, 0.4), (2, 0.7)}, "both keep 2 of 8"
    assert not shared[["language", "layer", "k", "thr"]].duplicated().any()
    assert set(pd.read_csv(folder / "utilisation.csv")["layer"]) == {0, 1, 2}
    assert set(pd.read_csv(folder / "rise.csv")["zone"]) == {"early", "middle", "late"}
