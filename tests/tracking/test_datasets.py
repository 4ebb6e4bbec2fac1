import hashlib
import json

from polyroute.ground.paths import Paths
from polyroute.tracking import datasets, store
from tracking.small_study import STUDY, client, write_results

ENTRY = {
    "reader": "sib200",
    "hub": "Davlan/sib200",
    "revision": "a" * 40,
    "files": "data/{language}.tsv",
    "items": 1004,
}
READ = {
    "corpora": {"text": {"entry": ENTRY, "languages": ["eng_Latn", "deu_Latn"]}},
    "tasks": {"sums": {"entry": {"reader": "miniworld", "items": 20}, "languages": ["eng_Latn"]}},
    "counts": {
        "entry": {"file": "recorded/a.parquet", "commit": "b" * 40},
        "corpus": "told",
        "languages": ["eng_Latn"],
    },
}


def test_a_data_set_says_where_it_is_from_and_in_which_languages(tmp_path) -> None:
    text, told, sums = datasets.of_model(Paths(tmp_path), "tiny", READ)
    assert (text.name, text.kind, text.use) == ("text", "hugging_face", "traced")
    assert json.loads(text.source)["revision"] == "a" * 40
    assert json.loads(text.profile) == {
        "languages": 2, "codes": "eng_Latn deu_Latn", "items": 1004, "reader": "sib200",
        "digest_of": "entry in params.yaml",
    }  # fmt: skip
    assert (told.kind, told.use, json.loads(told.source)["uri"]) == ("local", "recorded", "recorded/a.parquet")
    assert (sums.kind, sums.use) == ("code", "asked")


def test_the_digest_is_of_the_data_where_it_is_there(tmp_path) -> None:
    paths = Paths(tmp_path)
    without = datasets.of_model(paths, "tiny", READ)[0]
    paths.corpora("tiny").mkdir(parents=True)
    paths.corpus("tiny", "text").write_bytes(b"text")
    held = datasets.of_model(paths, "tiny", READ)[0]
    assert held.digest == hashlib.sha256(b"text").hexdigest()[:32] != without.digest
    assert json.loads(held.profile)["digest_of"] == "data"


def test_runs_hold_the_data_sets_of_their_language(database: Paths) -> None:
    write_results(database)
    found = datasets.of_study(database, {"tiny": READ})
    store.log_study(database, STUDY, ["tiny"], {}, found)
    mlflow = client(database)
    runs = mlflow.search_runs([mlflow.get_experiment_by_name(STUDY).experiment_id])
    held = {
        run.data.tags["polyroute.key"]: {one.dataset.name: one.tags[0].value for one in run.inputs.dataset_inputs}
        for run in runs
    }
    assert held["tiny"] == {"text": "traced", "told": "recorded", "sums": "asked"}
    assert held["tiny/deu_Latn"] == {"text": "traced"}
    assert held["tiny/swh_Latn"] == {}
