"""The published preset of paper 2 on tiny random models of four architectures, on files in the data sets' own layouts.

Whose counts feed what, and XQuAD's languages under their own masks; each model has a chat template in its own style.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

from models.tiny_models import tiny
from pipeline.test_end_to_end import stage
from polyroute.artifacts.answers import read as read_answers
from polyroute.artifacts.trace import Trace
from polyroute.cli.verbs import main
from polyroute.interventions.mask_plans import MaskPlans
from polyroute.params.published import published
from polyroute.readers.polymath import CODES
from polyroute.readers.xquad import LANGUAGES as IN_XQUAD
from polyroute.results.masking import MaskingSummary, MaskRow
from polyroute.results.steering import SteeringSummary
from readers.corpus_files import jsonl
from tiny import ROOT, raw_params
from tracing.chats import HARMONY, OLMOE, PHI, QWEN3, chat_tokenizer

MODELS = {"qwen3_moe": QWEN3, "phimoe": PHI, "gpt_oss": HARMONY, "olmoe": OLMOE}
WHOLE = "qwen3_moe"
"""The paper's own: all of its tasks, up to verdicts; of the others masks of two tasks."""
NAME = "rerun"
MGSM, POLYMATH, XQUAD, FLORES = (
    f"published-{task}" for task in ("mgsm-paper2", "polymath", "xquad", "translation")
)  # fmt: skip
FIVE = ["arb_Arab", "ell_Grek", "eng_Latn", "rus_Cyrl", "tur_Latn"]
THREE = ["eng_Latn", "swh_Latn", "zho_Hans"]
"""Of the eight, to be quick; tests/params has all."""
EIGHT = ["ben_Beng", "deu_Latn", "eng_Latn", "spa_Latn", "fra_Latn", "jpn_Jpan", "swh_Latn", "zho_Hans"]
TO_MASKS = ("fetch", "trace", "align", "experts", "evaluate", "plan", "mask")
REST = ("score", "tune", "choose", "steer", "judge")
PURPOSES = ("evaluate", "tune", "mask")
ITEMS = 3
HALF_SEEN = 6
"""Problems of MGSM; the first `ITEMS` are PolyMath's too."""


def put_data(hub: Path) -> None:
    """A few rows of each data set, where the preset looks for them."""
    brought = published().brings
    tasks, corpora = brought["tasks"], brought["corpora"]

    def put(entry: dict, path: str) -> Path:
        file = hub / entry["hub"] / path
        file.parent.mkdir(parents=True, exist_ok=True)
        return file

    for code in brought["languages"]["published-paper2-all"]:
        rows = [
            {
                "link": f"page{place}", "question_number": "1", "question": f"{code} {place}?", "dialect": code,
                "flores_passage": f"{code[:3]} town {place}. {code[4:]} river {place}.",
                **{f"mc_answer{option}": f"{code} {option}" for option in range(1, 5)}, "correct_answer_num": "1",
            }
            for place in range(ITEMS)
        ]  # fmt: skip
        put(corpora["published-questions"], f"data/{code}.jsonl").write_text(jsonl(*rows))
    for code in EIGHT:
        short, named = CODES[code], {"zho_Hans": "cmn_Hans"}.get(code, code)
        problems = [f"{short}: {place} + 2?" for place in range(HALF_SEEN)]
        lines = "".join(f"{problem}\t{place + 2}\n" for place, problem in enumerate(problems))
        put(tasks[MGSM], f"mgsm_{short}.tsv").write_text(lines)
        low = [
            {"id": f"low-{short}-{place}", "question": problem, "answer": str(place + 2)}
            for place, problem in enumerate(problems[:ITEMS])
        ]
        pd.DataFrame(low).to_parquet(put(tasks[POLYMATH], f"{short}/low.parquet"))
        sentences = [
            {"id": str(place), "iso_639_3": named[:3], "iso_15924": named[4:], "text": f"{named} says {place}."}
            for place in range(ITEMS)
        ]
        put(tasks[FLORES], f"dev/{named}.jsonl").write_text(jsonl(*sentences))
    for code in FIVE:
        asked = [
            {"id": str(place), "context": f"{code} {place}.", "question": f"{code}?",
             "answers": {"text": [str(place)], "answer_start": [0]}}
            for place in range(ITEMS)
        ]  # fmt: skip
        path = tasks[XQUAD]["files"].replace("{language}", IN_XQUAD[code].code)
        pd.DataFrame(asked).to_parquet(put(tasks[XQUAD], path))


def write_params(folder: Path, whole: bool) -> None:
    raw = raw_params()
    brought = published().brings
    for name in (MGSM, POLYMATH, XQUAD, FLORES):
        raw["tasks"][name] = brought["tasks"][name] | {"items": HALF_SEEN if name == MGSM else ITEMS}
    for name in (MGSM, POLYMATH, FLORES):
        raw["tasks"][name]["asked_in"] = THREE
    for name in ("questions", "problems"):
        name = f"published-{name}"
        raw["corpora"][name] = brought["corpora"][name] | {"items": ITEMS if "questions" in name else HALF_SEEN}
    low = {"k": 15, "thr": 0.05, "width": 5}
    entry = {
        "preset": "published-paper2", "hub": "Qwen/Qwen3-30B-A3B", "dtype": "float32", "device": "cpu",
        "batch_tokens": 1024, "shape": {"layers": 3, "experts": 8, "top_k": 2}, "zones": None, "middle": [1, 1],
        "published_shared": {POLYMATH: {"layers": [0, 2], "k": 4}},
        "evaluate": {"max_new_tokens": 2}, "mask": {"own": {XQUAD: {"thr": 0.02}}},
        "steer": {
            "taus": [0.0], "strengths": [0.5], "doses": [1.0], "draws": 1, "mechanism_items": 1,
            "magnitude": {"k": 64, "thr": 0.9, "strengths": [0.03]},
        },
    }  # fmt: skip
    if not whole:
        del entry["published_shared"]
        entry["tasks"] = [MGSM, XQUAD]
    raw["models"] = {NAME: entry}
    raw["study"] = {"name": "rerun", "models": [NAME], "extra": [], "pivot": "eng_Latn", "seed": 1}
    raw["pocket"], raw["distances"] = {}, {}
    raw["mask"] = raw["mask"] | low | {"tasks": {}, "draws": 1, "mechanism_items": 1}
    raw["intervals"]["resamples"] = 100
    (folder / "params.yaml").write_text(yaml.safe_dump(raw))


@pytest.fixture(scope="module")
def mirror(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("mirror")
    put_data(folder / "hub")
    return folder


def study_of(architecture: str, mirror: Path, folder: Path) -> Path:
    """A study of one model, run up to its masks."""
    write_params(folder, whole=architecture == WHOLE)
    place = mirror / "hub" / "Qwen" / "Qwen3-30B-A3B"
    tiny(architecture, vocab_size=300, max_position_embeddings=1024).save_pretrained(place)
    chat_tokenizer(MODELS[architecture]).save_pretrained(place)
    for name in ("claims", "recorded"):
        (folder / name).symlink_to(ROOT / name)
    stage(folder, "resolve")
    run(folder, TO_MASKS)
    return folder


def run(folder: Path, names: tuple[str, ...]) -> None:
    for name in names:
        script, purpose = ("ask", ["--purpose", name]) if name in PURPOSES else (name, [])
        stage(folder, script, *purpose, "--model", NAME)


def expected(folder: Path, task: str, among: list[str], k: int, thr: float) -> dict[str, dict[int, list[int]]]:
    """Language -> layer -> its exclusive experts, by the definition: the k most chosen of each language, their share of
    choices held against that of all languages that keep them."""
    kept = {}
    for code in among:
        trace = Trace.load(folder / "data" / "traces" / NAME / "published-questions" / f"{code}.safetensors")
        count_LE = trace.topk_count.sum(axis=0)
        frequency_LE = count_LE / trace.tokens.sum()
        kept[code] = np.zeros(frequency_LE.shape)
        for layer, count_E in enumerate(count_LE):
            most = np.argsort(-count_E, kind="stable")[:k]
            kept[code][layer, most] = frequency_LE[layer, most]
    with np.errstate(invalid="ignore"):
        share = {code: one / sum(kept.values()) for code, one in kept.items()}
    return {
        code: {layer: np.flatnonzero(one[layer] > thr).tolist() for layer in range(3) if (one[layer] > thr).any()}
        for code, one in share.items()
    }


def check(folder: Path, whole: bool) -> None:
    traces = folder / "data" / "traces" / NAME
    counted_on = {path.stem for path in (traces / "published-problems").glob("*.safetensors")}
    assert counted_on == ({"eng_Latn", "zho_Hans"} if whole else set()), "for PolyMath alone, in its two languages"
    groups = published().brings["languages"]
    ten, thirteen = groups["published-paper2"], groups["published-paper2-all"]
    assert {path.stem for path in (traces / "published-questions").glob("*.safetensors")} == set(thirteen)
    for task, among, targets, k, thr in (
        (MGSM, ten, THREE, 1, 0.05), (FLORES, ten, THREE, 1, 0.05), (XQUAD, thirteen, FIVE, 2, 0.02),
    ):  # fmt: skip
        if task == FLORES and not whole:
            continue
        plans = MaskPlans.load(folder / "data" / "plans" / NAME / "mask" / f"{task}.json")
        assert (set(plans.among), set(plans.targets)) == (set(among), set(targets))
        assert (plans.k, plans.own_only) == (k, task == XQUAD)
        exclusive = expected(folder, task, list(plans.among), k, thr)
        made = {one.name: one for one in plans.conditions if one.kind == "exclusive"}
        for target in targets:
            ours = made[f"early-{target}"].plan.experts if f"early-{target}" in made else {}
            first, last = plans.ranges["early"]
            assert {layer: sorted(experts) for layer, experts in ours.items()} == {
                layer: experts for layer, experts in exclusive[target].items() if first <= layer <= last
            }, f"{task}, {target}"
        answers = folder / "data" / "answers" / NAME / "mask" / task / "report"
        for name, mask in made.items():
            met = set(read_answers(answers / f"{name}.parquet").frame["language"])
            assert met == ({mask.target} if task == XQUAD else set(targets))
        assert set(read_answers(answers / "baseline.parquet").frame["language"]) == set(targets)


@pytest.mark.parametrize("architecture", [name for name in MODELS if name != WHOLE])
def test_masks_rest_on_belebele_and_xquad_meets_its_own(architecture: str, mirror: Path, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("POLYROUTE_MIRROR", str(mirror))
    check(study_of(architecture, mirror, tmp_path), whole=False)


def test_the_papers_own_model_runs_to_the_table_of_published_numbers(mirror: Path, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("POLYROUTE_MIRROR", str(mirror))
    check(study_of(WHOLE, mirror, tmp_path), whole=True)
    run(tmp_path, REST)
    found = MaskingSummary.read(tmp_path / "metrics" / NAME).tasks
    assert {task: one.own_only for task, one in found.items()} == {MGSM: False, FLORES: False, XQUAD: True}
    for means in found[XQUAD].headline["accuracy"].values():
        assert (means.off_diagonal.pairs, means.beyond_others) == (0, None)
    rows = MaskRow.read(tmp_path / "metrics" / NAME)
    rows = rows[rows["task"] == XQUAD]
    assert len(rows)
    assert (rows["evaluated"] == rows["target"]).all()
    shared = SteeringSummary.read(tmp_path / "metrics" / NAME).tasks[POLYMATH]
    assert shared is not None
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["published", NAME], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert "Note: FLORES, Chinese: the published column is no measurement" in done.stdout
    rows = json.loads(CliRunner().invoke(main, ["published", NAME, "--json"], catch_exceptions=False).stdout)["numbers"]
    assert rows
