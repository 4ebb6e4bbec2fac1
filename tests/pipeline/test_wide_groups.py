"""Fifty languages through the stages, up to figures and tables: SIB-200's real sentences in a tiny random model."""

from pathlib import Path

import pandas as pd
import pytest
import yaml
from click.testing import CliRunner
from tokenizers import ByteLevelBPETokenizer
from transformers import PreTrainedTokenizerFast

from pipeline.test_end_to_end import ASKING, items_of, stage
from polyroute.cli.verbs import main
from polyroute.params.file import read
from polyroute.results.similarity import DistanceRow, SimilaritySummary
from tiny import ROOT, make_model, raw_params

SENTENCES = 4
NEARBY = {"dan_Latn": ("swe_Latn", "öä", "øæ"), "afr_Latn": ("nld_Latn", "jz", "ys")}
"""Two that the data at hand lack, written as a neighbour with some letters replaced."""
AFTER_ALIGN = (
    "experts", "similarity", "evaluate", "score", "correlate", "plan", "tune", "choose", "steer", "mask", "judge",
    "claims", "figures",
)  # fmt: skip


def sentences(folder: Path, language: str) -> list[str]:
    rows = pd.read_csv(folder / language / "train.tsv", sep="\t")
    return [str(text) for text in rows["text"][:SENTENCES]]


def mirrored(data: Path, folder: Path) -> list[str]:
    """Lay out the data at hand as a mirror of the hub, the two others beside them."""
    held = data / "hub" / "Davlan" / "sib200" / "data"
    for language in held.iterdir():
        (folder / language.name).symlink_to(language)
    for language, (neighbour, old, new) in NEARBY.items():
        (folder / language).mkdir()
        for file in (held / neighbour).glob("*.tsv"):
            header, _, rows = file.read_text().partition("\n")
            changed = rows.translate(str.maketrans(old, new))
            (folder / language / file.name).write_text(f"{header}\n{changed}")
    return sorted((path.name for path in folder.iterdir()), key=lambda code: (code != "eng_Latn", code))


def save_model(folder: Path, texts: list[str]) -> None:
    """A random model of three layers, and byte pairs of the text itself."""
    tokenizer = ByteLevelBPETokenizer()
    tokenizer.train_from_iterator(texts, vocab_size=1500, special_tokens=["<pad>", "<eos>"], show_progress=False)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer._tokenizer, pad_token="<pad>", eos_token="<eos>")
    make_model(words=len(fast), context=2048).save_pretrained(folder)
    fast.save_pretrained(folder)


def write_params(folder: Path, languages: list[str]) -> None:
    raw = raw_params()
    sib200 = raw["corpora"]["sib200"] | {"take": SENTENCES}
    # It says which languages it holds, so that a rule can name it.
    endings = {"reader": "local", "files": "text/{language}.tsv", "kind": "choice", "text": "problems"}
    raw["corpora"] = {
        "sib200": sib200,
        "problems": {"reader": "local", "files": "text/problems.txt", "parallel": False},
    }
    raw["tasks"] = {"endings": endings | {"languages": languages}}
    raw["languages"] = {"fifty": {"covered_by": ["sib200", "endings"]}, "few": ["eng_Latn", "deu_Latn"]}
    raw["models"] = {
        "tiny": {
            "engine": "transformers", "folder": "models/tiny", "dtype": "float32", "device": "cpu",
            "batch_tokens": 4096, "corpora": ["sib200"], "generic": "sib200", "tasks": ["endings"],
            "languages": "fifty", "mask": {"languages": "few", "tasks": ["endings"]},
        }
    }  # fmt: skip
    raw["study"] = {"name": "wide", "models": ["tiny"], "pivot": "eng_Latn", "seed": 1}
    raw["steer"] |= {"taus": [0.0], "strengths": [0.5], "doses": [0.5], "draws": 1, "mechanism_items": 1}
    raw["steer"]["magnitude"]["strengths"] = [0.3]
    raw["mask"] |= {"k": 64, "draws": 1, "tasks": {}, "mechanism_items": 1}
    raw["intervals"]["resamples"], raw["similarity"]["resamples"], raw["similarity"]["shuffles"] = 100, 100, 100
    raw["distances"], raw["pocket"] = {}, {}
    (folder / "params.yaml").write_text(yaml.safe_dump(raw))


@pytest.fixture(scope="module")
def study(tmp_path_factory, real_data) -> Path:
    folder = tmp_path_factory.mktemp("wide")
    data = folder / "mirror" / "hub" / "Davlan" / "sib200" / "data"
    data.mkdir(parents=True)
    languages = mirrored(real_data, data)
    assert len(languages) >= 50
    languages = languages[:50]
    texts = {language: sentences(data, language) for language in languages}
    (folder / "text").mkdir()
    for language, few in texts.items():
        short = [" ".join(text.replace("\t", " ").split()[:4]) for text in few[:1]]
        (folder / "text" / f"{language}.tsv").write_text(items_of([text if " " in text else "a b" for text in short]))
    (folder / "text" / "problems.txt").write_text("".join(f"{one} and {one + 2}\n" for one in range(30)))
    save_model(folder / "models" / "tiny", [text for few in texts.values() for text in few])
    write_params(folder, languages)
    (folder / "claims").symlink_to(ROOT / "claims")
    stage(folder, "resolve")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POLYROUTE_MIRROR", str(folder / "mirror"))
        stage(folder, "fetch", "--model", "tiny")
    for name in ("trace", "align", *AFTER_ALIGN):
        script, purpose = ("ask", ["--purpose", name]) if name in ASKING else (name, [])
        stage(folder, script, *purpose, "--model", "tiny")
    return folder


def test_a_group_by_rule_holds_fifty(study) -> None:
    assert len(read(study / "params.yaml").languages["fifty"]) == 50


def test_every_pair_of_languages_is_compared(study) -> None:
    found = SimilaritySummary.read(study / "metrics" / "tiny").corpora["sib200"]
    assert len(found.languages) == 50
    for zone in found.zones.values():
        assert len(zone.linkage) == 49
        assert zone.labels["family"].p is not None
        assert zone.relatedness is not None
        assert zone.relatedness.p is not None
    table = DistanceRow.read(study / "metrics" / "tiny")
    assert len(table[table["zone"] == "middle"].groupby(["language_a", "language_b"])) == 50 * 49 // 2


def test_figures_are_drawn_and_large_ones_stay_small_files(study) -> None:
    drawn = {path.name: path.stat().st_size for path in (study / "figures" / "tiny").iterdir()}
    assert {"divergence-sib200.svg", "tree-sib200.svg", "shared-sib200.svg", "rivals-sib200.svg"} <= set(drawn)
    assert max(drawn.values()) < 4_000_000


def test_tables_are_printed(study, monkeypatch) -> None:
    monkeypatch.chdir(study)
    told = CliRunner().invoke(main, ["findings"])
    assert told.exit_code == 0, told.output
    assert "| tiny | sib200 |" in told.output
