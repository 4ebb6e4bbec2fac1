"""The stage `similarity` on hand-made traces, with a shipped tokenizer."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

from experts.made import random_trace
from pipeline.test_stages import load_script
from tiny import ROOT

CODES = ["eng_Latn", "deu_Latn", "nld_Latn", "rus_Cyrl", "ukr_Cyrl", "jpn_Jpan"]


@pytest.fixture
def study(tmp_path, monkeypatch):
    raw = yaml.safe_load((ROOT / "params.yaml").read_text())
    model = {"engine": "transformers", "folder": "models/pocket-plain", "dtype": "float32", "batch_tokens": 64}
    raw["models"] = {
        "tiny": model
        | {"corpora": ["pocket-sentences"], "generic": "pocket-sentences", "tasks": [], "languages": "few"}
    }
    raw["study"]["models"], raw["languages"] = ["tiny"], {"few": CODES}
    raw["similarity"] |= {"resamples": 100, "shuffles": 100, "shared": {"k": [30, 32], "thr": [0.4, 0.7]}}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(raw))
    (tmp_path / "models").symlink_to(ROOT / "models")
    (tmp_path / "data" / "corpora").mkdir(parents=True)
    rows = [(f"text-{n}", code, f"{code} is number {n}") for code in CODES for n in range(10)]
    corpus = tmp_path / "data" / "corpora" / "pocket-sentences.parquet"
    pd.DataFrame(rows, columns=["item_id", "language", "text"]).to_parquet(corpus)
    for number, code in enumerate(CODES):
        shift = np.random.default_rng(number // 2).normal(size=(3, 8))
        trace = random_trace(number, 10, shift_LE=shift, language=code, corpus="text")
        trace.save(tmp_path / "data" / "traces" / "tiny" / "pocket-sentences" / f"{code}.safetensors")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_writes_tables_and_what_they_say(study) -> None:
    main = load_script(ROOT / "pipeline" / "similarity.py").main
    done = CliRunner().invoke(main, ["--model", "tiny"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert "pocket-sentences, late: label nearest the tree" in done.output
    folder = study / "metrics" / "tiny"
    table = pd.read_csv(folder / "similarity.csv")
    assert len(table) == 15 * (3 * 4 + 3)
    assert set(table["measure"]) == {"jsd", "divergence", "cosine", "jaccard"}
    found = json.loads((folder / "similarity.json").read_text())["corpora"]["pocket-sentences"]
    assert found["languages"] == CODES
    assert found["headline"] == {"measure": "jsd", "reading": "topk_count"}
    for zone in ("early", "middle", "late"):
        told = found["zones"][zone]
        assert len(told["linkage"]) == 5
        assert set(told["labels"]) == {"family", "branch", "script", "region"}
        assert told["labels"]["family"]["groups"] == 2
        assert told["rivals"]["vocabulary"]["mantel"] is not None
        assert {(row["measure"], row["reading"]) for row in told["sensitivity"]} == {
            ("divergence", "topk_count"), ("cosine", "topk_count"), ("jaccard", "topk_count"),
        }  # fmt: skip
    shared = pd.read_csv(folder / "shared.csv", keep_default_na=False)
    assert set(zip(shared["k"], shared["thr"], strict=True)) == {(2, 0.4), (2, 0.7)}, "both keep 2 of 8"
    assert not shared[["language", "layer", "k", "thr"]].duplicated().any()
    assert set(pd.read_csv(folder / "utilisation.csv")["layer"]) == {0, 1, 2}
    assert set(pd.read_csv(folder / "rise.csv")["zone"]) == {"early", "middle", "late"}
