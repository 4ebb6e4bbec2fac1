"""The stages `draw` and `nulls` on a tiny model and its traces."""

import dataclasses
import json
import shutil

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from pipeline.test_stages import load_script
from polyroute.artifacts import corpus
from polyroute.artifacts.trace import Trace
from polyroute.ground.files import digest, write_json
from polyroute.ground.paths import Paths
from polyroute.measures.divergence import routing_divergence
from polyroute.models.settings import ModelSettings
from polyroute.models.source import digest as checkpoint_digest
from polyroute.tracing.collect import TraceSettings, trace
from tiny import ROOT, make_model, make_tokenizer

TEXTS = {
    "eng_Latn": {"a": "the dog runs", "b": "a cat sleeps here", "c": "we see the house"},
    "deu_Latn": {"a": "der hund rennt", "b": "eine katze schlaeft hier", "c": "wir sehen das haus"},
}


@pytest.fixture
def study(tmp_path, monkeypatch):
    """What the stages before it leave, of the model `tiny`."""
    monkeypatch.chdir(tmp_path)
    model, tokenizer = make_model(), make_tokenizer()
    model.save_pretrained("models/tiny")
    tokenizer.save_pretrained("models/tiny")
    rows = [
        {"item_id": item, "language": code, "text": text}
        for code, items in TEXTS.items()
        for item, text in items.items()
    ]
    corpus.write(pd.DataFrame(rows), Paths().corpus("tiny", "own"))
    for code, items in TEXTS.items():
        made = trace(model, tokenizer, items, language=code, corpus="own", settings=TraceSettings())
        header = made.header.model_copy(update={"model": "tiny"})
        dataclasses.replace(made, header=header).save(Paths().trace("tiny", "own", code))
    settle()
    return tmp_path


def settle(**changes) -> None:
    """Settings of both stages."""
    spec = {"folder": "models/tiny", "dtype": "float32", "batch_tokens": 512, "max_tokens": 64}
    of_folder = checkpoint_digest("tiny", ModelSettings(**spec, digest=""))
    settings = {
        "name": "tiny", "draws": 19, "most_weights": 10**6, "model": spec | {"digest": of_folder}, "corpus": "own",
        "languages": list(TEXTS), "special_tokens": "exclude", "nearest": 5, "seed": 1,
    }  # fmt: skip
    write_json(Paths().stage_settings("tiny", "draw"), settings | changes)
    ranking = {key: settings[key] for key in ("name", "corpus", "languages", "nearest", "seed")}
    write_json(Paths().stage_settings("tiny", "nulls"), ranking | {"zones": None})


def run(stage: str, expect: int = 0) -> str:
    main = load_script(ROOT / "pipeline" / f"{stage}.py").main
    done = CliRunner().invoke(main, ["--model", "tiny"], catch_exceptions=False)
    assert done.exit_code == expect, done.output
    return done.output


def files(study) -> dict[str, bytes]:
    folder = study / "metrics" / "tiny"
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.*")}


def test_a_model_is_ranked_and_the_same_again_gives_the_same_bytes(study) -> None:
    assert "draw@tiny: 19 random initialisations\n" in run("draw")
    assert "nulls@tiny: 19 random initialisations; alignment in the middle " in run("nulls")
    before, drawn = files(study), Paths().draws("tiny").read_bytes()
    assert "draw@tiny: 19 random initialisations, 19 were finished before" in run("draw")
    run("nulls")
    assert (files(study), Paths().draws("tiny").read_bytes()) == (before, drawn)
    found = json.loads(before["nulls.json"])
    assert (found["items"], found["draws"], found["attainable_p"], len(found["alignment"])) == (3, 19, 0.05, 3)
    assert all(0.05 <= one["p"] <= 1 for one in found["quantities"].values())
    rows = pd.read_csv(study / "metrics" / "tiny" / "nulls.csv")
    assert len(rows) == 20 * (9 + 2 * 3)


def test_all_are_read_from_the_sentences_that_are_asked_for(study) -> None:
    run("draw")
    run("nulls")
    whole = pd.read_csv(study / "metrics" / "tiny" / "nulls.csv")
    settle(items=2)
    assert "finished before" not in run("draw"), "those are of three sentences"
    run("nulls")
    assert json.loads(files(study)["nulls.json"])["items"] == 2
    rows = pd.read_csv(study / "metrics" / "tiny" / "nulls.csv")
    assert rows.drop(columns="value").equals(whole.drop(columns="value"))
    own = rows["draw"].isna() & (rows["quantity"] == "divergence")
    code = list(TEXTS)[1]
    kept = [Trace.load(Paths().trace("tiny", "own", one)).select(np.array([0, 1])) for one in ("eng_Latn", code)]
    expected = routing_divergence(*(one.distributions("soft_mass") for one in kept)).mean(axis=0)
    assert rows.loc[own, "value"].to_numpy() == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize(
    ("changes", "reason"), [({"model": None}, "recorded"), ({"most_weights": 10}, "too_large")], ids=["counts", "large"]
)
def test_a_model_without_random_initialisations_says_why(study, changes, reason) -> None:
    settle(**changes)
    assert "no random initialisation" in run("draw") or reason == "too_large"
    assert "nulls@tiny: no random initialisation; nulls.json says why" in run("nulls")
    found = json.loads(files(study)["nulls.json"])
    assert (found["not_run"], found["verdict"]) == (reason, "not_run")
    assert files(study)["nulls.csv"] == b"quantity,layer,draw,value\n"


def test_traces_of_another_text_are_refused(study) -> None:
    place = Paths().corpus("tiny", "own")
    frame = corpus.read(place)
    corpus.write(frame.assign(text=frame["text"] + " too"), place)
    assert digest(corpus.texts(place, "eng_Latn")) != digest(TEXTS["eng_Latn"])
    run("draw")
    told = run("nulls", expect=1)
    assert "data/draws/tiny.json and trace of tiny on own in eng_Latn are not of the same text" in told


def test_other_zones_are_ranked_without_the_model(study) -> None:
    run("draw")
    run("nulls")
    before = json.loads(files(study)["nulls.json"])
    shutil.rmtree("models")
    settings = json.loads(Paths().stage_settings("tiny", "nulls").read_text())
    zones = {"early": [0, 0], "middle": [1, 1], "late": [2, 2]}
    write_json(Paths().stage_settings("tiny", "nulls"), settings | {"zones": zones})
    run("nulls")
    assert json.loads(files(study)["nulls.json"]) == before, "these are the zones of three layers by share of depth"
    write_json(Paths().stage_settings("tiny", "nulls"), settings | {"zones": zones | {"middle": [1, 2]}})
    run("nulls")
    after = json.loads(files(study)["nulls.json"])
    assert after["alignment"] == before["alignment"]
    assert after["quantities"]["early_minus_middle"] != before["quantities"]["early_minus_middle"]


def test_draws_that_are_damaged_or_absent_are_named(study) -> None:
    told = run("nulls", expect=1)
    assert "data/draws/tiny.json is absent: " in told
    place = Paths().draws("tiny")
    place.parent.mkdir(parents=True)
    place.write_text("{")
    assert "data/draws/tiny.json carries no checksum: it is damaged" in run("nulls", expect=1)
