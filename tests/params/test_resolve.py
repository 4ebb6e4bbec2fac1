"""Each key of params.yaml changes the settings of the stages that read it, and of no others."""

import copy
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from polyroute.params.file import parse
from polyroute.params.resolve import resolve
from tiny import ROOT, raw_params

DISTANCES = "olmoe-1b-7b-0125-distances"
PLAIN, QWEN, COUNTS, IDLE = "pocket-plain", "qwen3-30b-a3b", "qwen3-30b-a3b-counts", "olmoe-1b-7b"
DIGESTS = {PLAIN: "a" * 64, QWEN: "b" * 40}
RUN = "trace draw evaluate tune steer mask"
ASK = "evaluate tune steer mask"
SCORED = "score choose steer judge"
MEASURED = "fetch trace align draw nulls experts similarity correlate multiverse"
ALL = (
    "fetch trace align draw nulls experts turns similarity evaluate score correlate plan tune choose steer mask judge "
    "claims multiverse figures"
)


def everywhere(stages: str) -> dict[str, str]:
    return dict.fromkeys((PLAIN, QWEN, COUNTS), stages) | {"": "track"}


def run_here(stages: str) -> dict[str, str]:
    return dict.fromkeys((PLAIN, QWEN), stages) | {"": "track"}


# What the report says beside the results, which it reads as they are.
REPORTED = {
    "study.name", "study.models", "study.distances", "study.pivot", "study.seed", "intervals.resamples",
    "intervals.confidence",
    f"models.{QWEN}.revision", f"models.{COUNTS}.file", f"models.{COUNTS}.commit",
}  # fmt: skip
# Key -> another value, and what it changes: model -> stages, and `track` of no model; `REPORTED` apart.
STUDY: dict[str, tuple[Any, dict[str, str]]] = {
    "study.name": ("other", {"": "track"}),
    "study.models": ([PLAIN, QWEN], {COUNTS: ALL, "": "track"}),
    "study.distances": (
        [DISTANCES, "qwen15-moe-distances"], {"qwen15-moe-distances": "distances"},
    ),
    "study.extra": ([], {}),  # only `make study` reads it
    # Masks are asked in the order of their own group.
    "study.pivot": (
        "deu_Latn",
        {
            PLAIN: f"{MEASURED} evaluate tune steer {SCORED} plan",
            QWEN: f"{MEASURED} evaluate tune steer {SCORED} plan",
            COUNTS: f"{MEASURED} {SCORED} plan", DISTANCES: "distances", "": "track",
        },
    ),
    "study.seed": (
        1,
        everywhere(" ".join(stage for stage in ALL.split() if stage not in ("fetch", "score", "figures")))
        | {DISTANCES: "distances"},
    ),
    "trace.pairs": (65, everywhere("trace")),
    "trace.head": (13, everywhere("trace")),
    "trace.special_tokens": ("include", everywhere("trace draw")),
    "intervals.resamples": (999, everywhere("align experts judge multiverse")),
    "intervals.confidence": (0.9, everywhere("align experts turns correlate judge multiverse")),
    "align.nearest": (9, everywhere("align draw nulls")),
    "nulls.draws": (20, everywhere("draw")),
    "nulls.most_weights": (5, everywhere("draw")),
    "nulls.items": (99, everywhere("draw")),
    "experts.taus": ([0.1], everywhere("experts")),
    "experts.multilingual.beside": ([], everywhere("experts")),
    "experts.multilingual.halved": ([], everywhere("experts multiverse")),
    "turns.resamples": (99, {PLAIN: "turns", QWEN: "turns", COUNTS: "turns"}),
    "turns.sets": (99, {PLAIN: "turns", QWEN: "turns", COUNTS: "turns"}),
    "turns.tau": (0.2, {PLAIN: "turns", QWEN: "turns", COUNTS: "turns"}),
    "similarity.resamples": (201, everywhere("similarity")),
    "similarity.confidence": (0.9, everywhere("similarity") | {DISTANCES: "distances"}),
    "similarity.shuffles": (2000, everywhere("similarity multiverse") | {DISTANCES: "distances"}),
    "similarity.shared.k": ([15], everywhere("similarity")),
    "similarity.shared.thr": ([0.4], everywhere("similarity")),
    "evaluate.chat": (False, everywhere(ASK)),
    "evaluate.thinking": (True, everywhere(ASK)),
    "evaluate.max_new_tokens": (513, everywhere(ASK)),
    "evaluate.temperature": (0.5, everywhere(ASK)),
    "evaluate.top_p": (0.5, everywhere(ASK)),
    "evaluate.top_k": (1, everywhere(ASK)),
    "evaluate.chat_template": ({"reasoning_effort": "low"}, everywhere(ASK)),
    "score.choice": ("token", run_here(SCORED)),
    "score.span": ("f1", {QWEN: SCORED, "": "track"}),
    "score.number": ("flexible_extract", {QWEN: SCORED, "": "track"}),
    "steer.taus": ([0.1], everywhere("plan choose")),
    "steer.strengths": ([0.5], everywhere("plan choose")),
    "steer.doses": ([0.5], everywhere("choose")),
    "steer.draws": (4, everywhere("choose")),
    "steer.std": ("sample", everywhere("plan choose")),
    "steer.eps": ("std", everywhere("plan choose")),
    "steer.magnitude.k": (21, everywhere("plan choose")),
    "steer.magnitude.thr": (0.6, everywhere("plan choose")),
    "steer.magnitude.strengths": ([0.3], everywhere("plan choose")),
    "steer.mechanism_items": (6, everywhere("steer")),
    "mask.k": (16, run_here("plan")),
    "mask.thr": (0.5, run_here("plan")),
    "mask.width": (6, run_here("plan")),
    "mask.tasks.xquad.k": (33, {QWEN: "plan", "": "track"}),
    "mask.tasks.xquad.thr": (0.4, {QWEN: "plan", "": "track"}),
    "mask.tasks.xquad.width": (11, {QWEN: "plan", "": "track"}),
    "mask.draws": (3, run_here("plan")),
    "mask.mechanism_items": (6, everywhere("mask")),
    # No stage's: results do not depend on it.
    "engine.workers": (2, {"": "engine"}),
    "engine.gpus_per_worker": (0.5, {"": "engine"}),
    "engine.ray.address": ("auto", {"": "engine"}),
    "engine.ray.patience": (60, {"": "engine"}),
}  # fmt: skip
ENTRIES: dict[str, tuple[Any, dict[str, str]]] = {
    "languages.pocket-masked": (["eng_Latn", "deu_Latn"], {PLAIN: "plan mask judge"}),
    "languages.recorded": (["eng_Latn", "deu_Latn"], {COUNTS: MEASURED}),
    # Of Bambara there is no more than Belebele, which is not masked, and what the tasks lack is said.
    "languages.flores": (
        ["eng_Latn", "deu_Latn", "fra_Latn", "spa_Latn", "rus_Cyrl", "zho_Hans", "jpn_Jpan", "tha_Thai", "ben_Beng",
         "swh_Latn", "yor_Latn"],
        {QWEN: f"{MEASURED} evaluate score tune steer mask plan judge"},
    ),
    "corpora.pocket-sentences.items": (401, {PLAIN: "fetch"}),
    "corpora.sib200.items": (1005, {QWEN: "fetch"}),
    "corpora.flores-plus.items": (1013, {}),
    "tasks.arithmetic.items": (21, {PLAIN: "fetch"}),
    "tasks.arithmetic.edited": (5, {PLAIN: "fetch tune choose steer mask judge"}),
    "tasks.arithmetic.pivots": (["fra_Latn"], {PLAIN: "fetch trace experts plan choose multiverse"}),
    "tasks.arithmetic.text": ("pocket-knowledge", {PLAIN: "fetch trace experts plan choose multiverse"}),
    "tasks.mgsm.prompt": ("cot", {QWEN: "fetch"}),
    "tasks.mgsm.chat": (False, {QWEN: f"fetch {ASK}"}),
    "tasks.mgsm.max_new_tokens": (256, {QWEN: f"fetch {ASK}"}),
    "tasks.mgsm.temperature": (0.7, {QWEN: f"fetch {ASK}"}),
    "tasks.mgsm.score": ("flexible_extract", {QWEN: f"fetch {SCORED}"}),
    # It is not among the tasks that are masked.
    "tasks.belebele-reading.chat": (False, {QWEN: "fetch evaluate tune steer"}),
    f"models.{PLAIN}.engine": ("vllm", {PLAIN: "evaluate tune steer mask", "": "track"}),
    f"models.{PLAIN}.folder": ("models/other", {PLAIN: RUN, "": "track"}),
    f"models.{PLAIN}.dtype": ("bfloat16", {PLAIN: RUN, "": "track"}),
    f"models.{PLAIN}.device": ("cpu", {PLAIN: RUN, "": "track"}),
    f"models.{PLAIN}.experts": ("eager", {PLAIN: RUN, "": "track"}),
    f"models.{PLAIN}.batch_tokens": (4000, {PLAIN: RUN, "": "track"}),
    f"models.{PLAIN}.max_tokens": (4000, {PLAIN: RUN, "": "track"}),
    f"models.{PLAIN}.layers": ([0, 7], {PLAIN: RUN, "": "track"}),
    f"models.{PLAIN}.zones": (
        {"early": [0, 1], "middle": [2, 5], "late": [6, 7]}, {PLAIN: "align nulls similarity", "": "track"},
    ),
    f"models.{PLAIN}.middle": ([2, 5], {PLAIN: "experts", "": "track"}),
    f"models.{PLAIN}.tasks": (
        ["arithmetic"],
        {PLAIN: f"fetch trace experts evaluate tune steer plan {SCORED} claims multiverse", "": "track"},
    ),
    f"models.{PLAIN}.dominant": (["eng_Latn", "fra_Latn"], {PLAIN: "plan choose multiverse", "": "track"}),
    f"models.{PLAIN}.mask.tasks": (["knowledge"], {PLAIN: "plan mask judge", "": "track"}),
    f"models.{PLAIN}.interventions": (False, {PLAIN: "plan tune choose steer mask judge", "": "track"}),
    f"models.{QWEN}.corpora": (["sib200", "belebele"], {QWEN: "fetch trace align similarity", "": "track"}),
    f"models.{QWEN}.revision": ("0" * 40, {QWEN: "trace align draw evaluate tune steer mask", "": "track"}),
    f"models.{QWEN}.published.mgsm.tau": (0.3, {QWEN: "choose", "": "track"}),
    f"models.{QWEN}.published_shared.polymath.k": (21, {QWEN: "plan choose", "": "track"}),
    f"models.{COUNTS}.file": ("recorded/other.parquet", {COUNTS: "fetch trace", "": "track"}),
    f"models.{COUNTS}.commit": ("0" * 40, {COUNTS: "fetch trace align", "": "track"}),
    f"models.{COUNTS}.zones.late": ([40, 47], {COUNTS: "align nulls similarity", "": "track"}),
    f"models.{IDLE}.dtype": ("float32", {}),
    f"pocket.{PLAIN}.falloff": (0.7, {PLAIN: "correlate claims multiverse"}),
    f"pocket.{PLAIN}.tokens": (1, {}),
}  # fmt: skip


def shipped() -> dict[str, Any]:
    raw = raw_params()
    raw["study"] |= {"models": [PLAIN, QWEN, COUNTS], "distances": [DISTANCES]}
    raw["models"][QWEN]["mask"]["languages"] = "flores"
    return raw


def resolved(raw: dict[str, Any], digests: dict[str, str] = DIGESTS) -> dict[str, object]:
    return {name: settings.model_dump(mode="json") for name, settings in resolve(parse(raw), digests).items()}


@pytest.fixture(scope="module")
def before() -> dict[str, object]:
    """What `shipped` resolves to."""
    return resolved(shipped())


def differing(before: dict[str, object], after: dict[str, object]) -> set[str]:
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def listed(stages: dict[str, str]) -> set[str]:
    return {f"{model}/{stage}".strip("/") for model, names in stages.items() for stage in names.split()}


def leaves(section: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[str]:
    for key, value in section.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, (*path, key))
        else:
            yield ".".join((*path, key))


@pytest.mark.parametrize(("key", "value", "stages"), [(key, *row) for key, row in (STUDY | ENTRIES).items()])
def test_a_key_changes_the_settings_of_those_that_read_it(key, value, stages, before) -> None:
    after = shipped()
    *folders, last = key.split(".")
    place = after
    for folder in folders:
        place = place[folder]
    assert place.get(last) != value
    place[last] = value
    digests = DIGESTS | ({QWEN: value} if key.endswith("revision") else {})
    expected = listed(stages) | ({"report"} if key in REPORTED else set())
    # MLflow has what a model reads, and which distances were recorded.
    if any(name.endswith(("/fetch", "/distances")) for name in expected):
        expected.add("track")
    assert differing(before, resolved(after, digests)) == expected


def test_no_key_of_the_sections_is_left_out() -> None:
    raw = shipped()
    own = {
        name: raw[name]
        for name in raw
        if name not in ("languages", "corpora", "tasks", "models", "distances", "pocket")
    }
    assert set(leaves(own)) == set(STUDY)


def test_another_corpus_as_the_generic_text_changes_what_is_told_against_it() -> None:
    raw = shipped()
    raw["models"][QWEN]["corpora"] = ["sib200", "belebele"]
    after = copy.deepcopy(raw)
    after["models"][QWEN]["generic"] = "belebele"
    changed = differing(resolved(raw), resolved(after))
    assert changed == listed({QWEN: "draw nulls experts correlate plan choose claims multiverse", "": "track"})


def test_a_task_with_the_harness_prompts_is_asked_and_scored_as_the_harness_does() -> None:
    raw = shipped()
    raw["tasks"]["mgsm"]["prompt"] = "harness"
    raw["evaluate"]["temperature"] = 0.7
    settings = resolve(parse(raw), DIGESTS)
    ask = settings[f"{QWEN}/evaluate"]
    own, others = ask.asking("mgsm"), ask.asking("polymath")
    assert (own.chat, own.max_new_tokens, own.temperature, own.top_p) == (False, 256, 0, 1)
    assert (others.chat, others.max_new_tokens, others.temperature) == (True, 512, 0.7)
    assert settings[f"{QWEN}/score"].tasks["mgsm"].score == "flexible_extract"
    assert settings[f"{QWEN}/steer"].scores["mgsm"] == "flexible_extract"
    assert settings[f"{QWEN}/score"].tasks["polymath"].score == "correct"
    raw["tasks"]["mgsm"] |= {"chat": True, "max_new_tokens": 512, "temperature": None, "score": "correct"}
    settings = resolve(parse(raw), DIGESTS)
    own = settings[f"{QWEN}/evaluate"].asking("mgsm")
    assert (own.chat, own.max_new_tokens, own.temperature) == (True, 512, 0.7)
    assert settings[f"{QWEN}/score"].tasks["mgsm"].score == "correct"


def test_a_changed_checkpoint_changes_the_stages_that_run_that_model() -> None:
    raw = shipped()
    changed = differing(resolved(raw), resolved(raw, DIGESTS | {PLAIN: "c" * 64}))
    assert changed == listed({PLAIN: RUN})


def test_what_no_model_of_the_study_uses_changes_nothing() -> None:
    raw = shipped()
    after = copy.deepcopy(raw)
    after["languages"]["more"] = ["eng_Latn", "deu_Latn"]
    after["tasks"]["unused"] = raw["tasks"]["mgsm"]
    after["corpora"]["unused"] = raw["corpora"]["sib200"]
    after["models"]["unused"] = raw["models"][IDLE]
    assert differing(resolved(raw), resolved(after)) == set()


def test_groups_of_languages_are_expanded_and_the_pivot_comes_first() -> None:
    raw = shipped()
    raw["languages"]["recorded"] = ["deu_Latn", "eng_Latn"]
    found = resolved(raw)
    assert found[f"{COUNTS}/align"]["languages"] == ["eng_Latn", "deu_Latn"]
    assert found[f"{COUNTS}/fetch"]["counts"]["languages"] == ["eng_Latn", "deu_Latn"]
    assert found[f"{COUNTS}/evaluate"] | {"tasks": {}, "model": None} == found[f"{COUNTS}/evaluate"]


def test_the_tasks_keep_the_order_of_the_entry() -> None:
    raw = shipped()
    for stage in ("evaluate", "experts", "score", "steer"):
        assert list(resolved(raw)[f"{QWEN}/{stage}"]["tasks"]) == raw["models"][QWEN]["tasks"], stage


def test_masks_are_asked_in_their_own_languages_and_the_lacking_are_named() -> None:
    found = resolved(shipped())
    assert found[f"{QWEN}/mask"]["tasks"]["xquad"]["languages"] == [
        "eng_Latn", "deu_Latn", "spa_Latn", "rus_Cyrl", "zho_Hans", "tha_Thai",
    ]  # fmt: skip
    lacking = ["fra_Latn", "jpn_Jpan", "ben_Beng", "swh_Latn", "yor_Latn", "bam_Latn"]
    assert found[f"{QWEN}/judge"]["masked"]["xquad"]["lacking"] == lacking
    assert found[f"{QWEN}/plan"]["mask"]["tasks"].keys() == {"xquad"}
    assert found[f"{PLAIN}/plan"]["mask"]["tasks"] == {}


def test_a_model_that_is_not_edited_is_asked_its_tasks_as_it_is() -> None:
    raw = shipped()
    raw["models"][PLAIN]["interventions"] = False
    found = resolved(raw)
    for stage in ("plan", "tune", "choose", "steer", "mask", "judge"):
        assert found[f"{PLAIN}/{stage}"]["tasks"] == {}, stage
    assert (found[f"{PLAIN}/plan"]["mask"], found[f"{PLAIN}/judge"]["masked"]) == (None, {})
    for stage in ("evaluate", "score", "experts"):
        assert list(found[f"{PLAIN}/{stage}"]["tasks"]) == ["arithmetic", "knowledge"], stage


def test_settings_are_worked_out_without_torch() -> None:
    script = "import sys\nimport polyroute.params.resolve, polyroute.models.source\nassert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)


def test_the_page_on_the_harness_sets_what_it_says() -> None:
    page = (ROOT / "docs" / "harness.md").read_text(encoding="utf-8")
    raw = shipped()
    raw["tasks"] |= yaml.safe_load(page.split("```yaml\n")[1].split("```")[0])["tasks"]
    settings = resolve(parse(raw), DIGESTS)
    ask, score = settings[f"{QWEN}/evaluate"], settings[f"{QWEN}/score"]
    assert ask.tasks["mgsm"].own == {"chat": False, "max_new_tokens": 256, "temperature": 0}
    assert ask.tasks["belebele-reading"].own == {"chat": False}
    assert score.tasks["mgsm"].score == "flexible_extract"
