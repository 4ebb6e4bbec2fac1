"""Presets: what they fill, what they leave, and that the values are those of the papers and their code."""

import copy
from typing import Any

import pytest

from polyroute.ground.frozen import ParamsError
from polyroute.params.file import parse
from polyroute.params.published import published
from polyroute.params.resolve import model_settings
from tiny import raw_params

QWEN, OLMOE = "Qwen/Qwen3-30B-A3B", "allenai/OLMoE-1B-7B-0125-Instruct"
FIFTEEN = [
    "eng_Latn", "bam_Latn", "fra_Latn", "tha_Thai", "pes_Arab", "arb_Arab", "arb_Latn", "ary_Arab", "hin_Deva",
    "zho_Hans", "srp_Cyrl", "lit_Latn", "ory_Orya", "ben_Beng", "asm_Beng",
]  # fmt: skip
"""As the code behind paper 1 lists them."""
ONE_BASED = {"qwen3-30b-a3b": (8, 35), "phi35-moe": (8, 17), "gpt-oss-20b": (4, 19)}
"""Layers that paper 1 steers, as it counts them."""


@pytest.fixture(scope="module")
def shipped() -> dict[str, Any]:
    return raw_params()


def with_entry(raw: dict[str, Any], **entry: Any) -> Any:
    raw = copy.deepcopy(raw)
    raw["models"]["mine"] = {"preset": "published", "hub": QWEN} | entry
    return raw


@pytest.mark.parametrize("model", ["qwen3-30b-a3b", "phi35-moe", "gpt-oss-20b", "olmoe-1b-7b"])
def test_every_model_of_paper_1_has_an_entry_of_two_keys(shipped, model) -> None:
    assert set(shipped["models"][f"{model}-published"]) - {"turns"} == {"preset", "hub"}  # a rival of our own
    spec, ours = (parse(shipped).models[name] for name in (f"{model}-published", model))
    assert (spec.hub, spec.revision, spec.shape) == (ours.hub, ours.revision, ours.shape)
    assert (spec.generic, spec.corpora, spec.languages) == ("published-passages", ["published-passages"], "published")
    assert (spec.evaluate.chat, spec.evaluate.max_new_tokens, spec.evaluate.temperature) == (False, 256, 0)
    assert spec.steer.std == "sample"
    assert spec.preset == "published"


@pytest.mark.parametrize("model", list(ONE_BASED))
def test_published_layers_are_one_less_than_the_paper_counts_them(shipped, model) -> None:
    first, last = ONE_BASED[model]
    file = parse(shipped)
    for name in (model, f"{model}-published"):
        assert {one.layers for one in file.models[name].published.values()} == {(first - 1, last - 1)}
    assert file.models[f"{model}-published"].middle == (first - 1, last - 1)
    (preset,) = (preset for preset in published().presets if preset.name == "published")
    (layers,) = (one for one in preset.of(file.models[model].hub) if one.key == "models.{model}.middle")
    assert layers.certainty == "inferred"
    # `range(8, 35)` leaves out its end; counted from 0 as if it were from 1; the successor's 7-34 counted from 1.
    assert layers.others == [[first - 1, last - 2], [first, last], [first - 2, last - 2]]


def test_published_languages_are_what_the_codes_keys_leave(shipped) -> None:
    by_key: dict[str, str] = {}
    for code in FIFTEEN:
        by_key[code.split("_")[0]] = code  # romanised Arabic takes the place of Arabic
    groups = parse(shipped).languages
    assert sorted(groups["published-13"]) == sorted(by_key.values())
    assert sorted(groups["published-12"]) == sorted(code for key, code in by_key.items() if key != "arb")
    assert groups["published-14"] == FIFTEEN
    assert [len(groups[f"published-{count}"]) - 1 for count in (12, 13, 14)] == [12, 13, 14]
    assert set(FIFTEEN) < set(groups["published"])
    brought = published().brings["languages"]
    assert {name: groups[name] for name in brought if name in groups} == {
        name: codes for name, codes in brought.items() if name in groups
    }


def test_published_tasks_are_asked_in_the_papers_languages(shipped) -> None:
    settings = model_settings(parse(shipped), "qwen3-30b-a3b-published", "0" * 40)
    asked = {task: set(one.languages) for task, one in settings["evaluate"].tasks.items()}
    mgsm = "ben_Beng deu_Latn eng_Latn spa_Latn fra_Latn rus_Cyrl swh_Latn tel_Telu tha_Thai jpn_Jpan zho_Hans"
    assert asked["published-mgsm"] == set(mgsm.split())
    medical = (
        "arb_Arab ben_Beng deu_Latn eng_Latn spa_Latn fra_Latn hin_Deva ind_Latn ita_Latn jpn_Jpan kor_Hang por_Latn "
        "swh_Latn yor_Latn zho_Hans"
    )
    assert set(medical.split()) == asked["published-medical"]
    assert settings["evaluate"].chat is False
    assert settings["evaluate"].max_new_tokens == 256
    assert settings["choose"].steer.std == "sample"
    correlate = settings["correlate"]
    assert {name: len(codes) for name, codes in correlate.groups.items()} == {
        "published-13": 13, "published-12": 12, "published-14": 14,
    }  # fmt: skip
    assert correlate.near_chance == ["bam_Latn", "arb_Latn"]


def test_what_an_entry_says_wins_to_the_key(shipped) -> None:
    raw = with_entry(
        shipped, languages="flores", corpora=["sib200"], tasks=["mgsm"], evaluate={"max_new_tokens": 9},
        published={"mgsm": {"tau": 0.3, "gain": 0.02}}, revision="a" * 40,
    )  # fmt: skip
    spec = parse(raw).models["mine"]
    assert (spec.languages, spec.corpora, spec.generic, spec.tasks) == ("flores", ["sib200"], "sib200", ["mgsm"])
    assert (spec.evaluate.max_new_tokens, spec.evaluate.chat) == (9, False)
    assert spec.revision == "a" * 40
    # The task that plays the part of mathematics is the entry's own; without a medical one nothing is said of it.
    assert set(spec.published) == {"mgsm"}
    steering = spec.published["mgsm"]
    assert (steering.layers, steering.tau, steering.rule, steering.strength, steering.gain) == (
        (7, 34), 0.3, "soft", 0.5, 0.02,
    )  # fmt: skip


def test_corpora_and_tasks_are_brought_where_the_study_has_none_of_the_name(shipped) -> None:
    assert "published-passages" not in shipped["corpora"]
    file = parse(shipped)
    assert file.corpora["published-passages"].items == 488
    assert (file.corpora["published-maths"].take, file.corpora["published-medicine"].take) == (500, 500)
    assert file.tasks["published-medical"].positions == "published"
    raw = copy.deepcopy(shipped)
    raw["corpora"]["published-passages"] = shipped["corpora"]["belebele-passages-chat"] | {"take": 7}
    assert parse(raw).corpora["published-passages"].take == 7
    del raw["languages"]["published"]
    assert len(parse(raw).languages["published"]) == 26, "a group is brought as well"


def test_a_study_of_one_preset_fills_the_models_that_it_knows(shipped) -> None:
    raw = copy.deepcopy(shipped)
    raw["study"]["preset"] = "published"
    raw["models"]["mine"] = {"hub": OLMOE}
    file = parse(raw)
    assert file.models["mine"].generic == "published-passages"
    assert file.models["pocket-plain"] == parse(shipped).models["pocket-plain"], "no paper has it"
    ours = file.models["qwen3-30b-a3b"]
    assert (ours.corpora, ours.middle, ours.evaluate.chat) == (["sib200"], (7, 34), False)


def test_nothing_changes_without_a_preset(shipped) -> None:
    raw = {**shipped, "models": {name: entry for name, entry in shipped["models"].items() if "preset" not in entry}}
    file = parse(raw)
    assert not any(name.startswith("published-") for name in [*file.corpora, *file.tasks])
    assert all(getattr(spec, "preset", None) is None for spec in file.models.values())


def test_a_section_of_its_own_is_the_studys_where_it_says_nothing(shipped) -> None:
    raw = copy.deepcopy(shipped)
    raw["models"]["pocket-plain"]["evaluate"] = {"chat": False}
    raw["models"]["pocket-plain"]["steer"] = {"draws": 19}
    file = parse(raw)
    settings = model_settings(file, "pocket-plain", "0" * 64)
    assert settings["evaluate"].chat is False
    assert settings["evaluate"].max_new_tokens == shipped["evaluate"]["max_new_tokens"]
    assert (settings["choose"].steer.draws, settings["choose"].steer.doses) == (19, shipped["steer"]["doses"])
    assert model_settings(file, "pocket-planted", "0" * 64)["evaluate"].chat is True


def test_paper_2_fills_its_own(shipped) -> None:
    spec = parse(shipped).models["qwen3-30b-a3b-published-paper2"]
    shared = spec.published_shared["published-polymath"]
    assert (shared.layers, shared.k, shared.thr, shared.strengths) == (
        (10, 39), 20, 0.7, {"eng_Latn": 0.022, "zho_Hans": 0.034},
    )  # fmt: skip
    asked = spec.evaluate
    assert (asked.chat, asked.thinking, asked.temperature, asked.top_p, asked.top_k, asked.max_new_tokens) == (
        True, False, 0.7, 0.8, 20, 4096,
    )  # fmt: skip
    assert spec.dominant == ("eng_Latn", "zho_Hans")


def test_paper_2_counts_on_belebele_for_masks_and_on_mgsm_for_polymath(shipped) -> None:
    settings = model_settings(parse(shipped), "qwen3-30b-a3b-published-paper2", "0" * 40)
    plan = settings["plan"]
    assert (plan.generic, plan.mask_corpus) == ("published-questions", "published-questions")
    assert {task: one.shared_corpus for task, one in plan.tasks.items() if one.shared_corpus} == {
        "published-polymath": "published-problems"
    }
    assert settings["trace"].corpora["published-problems"] == ["eng_Latn", "zho_Hans"], "of the dominant pair alone"
    assert len(plan.among) == 10, "shares are among ten languages"
    eight = {"ben_Beng", "deu_Latn", "eng_Latn", "spa_Latn", "fra_Latn", "jpn_Jpan", "swh_Latn", "zho_Hans"}
    assert set(plan.masked["published-mgsm-paper2"].languages) == eight, "and eight are masked, each in all"
    assert set(plan.masked) == {"published-mgsm-paper2", "published-xquad", "published-translation"}
    assert (plan.mask.k, plan.mask.thr, plan.mask.width) == (15, 0.4, 5)
    own = plan.mask.tasks["published-xquad"]
    assert (own.k, own.thr, own.width) == (32, 0.5, 10)
    asked = {task: set(one.languages) for task, one in settings["mask"].tasks.items()}
    assert asked["published-mgsm-paper2"] == asked["published-translation"] == eight


def test_paper_2_asks_xquad_under_own_masks_and_all_in_its_languages(shipped) -> None:
    file = parse(shipped)
    settings = model_settings(file, "qwen3-30b-a3b-published-paper2", "0" * 40)
    five = {"arb_Arab", "ell_Grek", "eng_Latn", "rus_Cyrl", "tur_Latn"}
    xquad = settings["plan"].masked["published-xquad"]
    assert (set(xquad.languages), xquad.own_only, len(xquad.among)) == (five, True, 13)
    assert not settings["plan"].masked["published-translation"].own_only
    asked = {task: set(one.languages) for task, one in settings["evaluate"].tasks.items()}
    assert asked["published-xquad"] == five
    six = {"jpn_Jpan", "swh_Latn", "fra_Latn", "spa_Latn", "ben_Beng", "deu_Latn"}
    assert asked["published-polymath"] == six | {"eng_Latn", "zho_Hans"}
    # Entries of params.yaml of a like name are other texts: the first hundred of SIB-200, say.
    translation = file.tasks["published-translation"]
    assert (translation.layout, translation.splits, translation.take) == ("flores_plus", ["dev"], None)


@pytest.mark.parametrize("task", ["mgsm", "polymath"])
def test_experts_are_not_told_on_the_items_that_are_reported(shipped, task) -> None:
    raw = copy.deepcopy(shipped)
    raw["corpora"]["problems"] = published().brings["corpora"]["published-problems"] | {"chat": None}
    entry = raw["models"]["qwen3-30b-a3b"]
    entry["shared_corpus"] = {task: "problems"}
    with pytest.raises(ParamsError, match=rf"shared_corpus.{task}: `problems` holds the items that `{task}` asks"):
        parse(raw)
    del entry["shared_corpus"]
    raw["tasks"][task]["text"] = "problems"
    with pytest.raises(ParamsError, match=rf"tasks.{task}.text: `problems` holds the items that `{task}` asks"):
        parse(raw)


def test_the_other_levels_of_polymath_are_no_items_of_mgsm(shipped) -> None:
    task = parse(shipped).tasks["polymath"]
    assert task.items_of() == "mgsm"
    assert task.model_copy(update={"levels": ["high"]}).items_of() == "polymath"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"own": {"knowledge": {"languages": "pocket"}}}, "mask: own: `knowledge` is not among `tasks`"),
        ({"own": {"arithmetic": {"languages": "pocke"}}}, "mask.own.arithmetic.languages: `pocke` is not a group"),
        (
            {"own": {"arithmetic": {"languages": "pocket", "among": "pocket-masked"}}},
            "mask.own.arithmetic.languages: pocket: `spa_Latn` is not in `pocket-masked`",
        ),
    ],
)
def test_own_masks_name_tasks_and_groups_that_are_there(shipped, change, message) -> None:
    raw = copy.deepcopy(shipped)
    raw["models"]["pocket-plain"]["mask"] = raw["models"]["pocket-plain"]["mask"] | change
    with pytest.raises(ParamsError) as raised:
        parse(raw)
    assert message in str(raised.value)


def test_a_task_is_asked_in_its_own_languages_the_pivot_among_them(shipped) -> None:
    raw = copy.deepcopy(shipped)
    raw["tasks"]["arithmetic"]["asked_in"] = ["deu_Latn", "eng_Latn"]
    settings = model_settings(parse(raw), "pocket-plain", "0" * 64)
    assert settings["evaluate"].tasks["arithmetic"].languages == ["eng_Latn", "deu_Latn"]
    assert settings["plan"].masked["arithmetic"].lacking == []
    for codes, message in ((["deu_Latn", "fra_Latn"], "lacks the pivot eng_Latn"), (["eng_Latn", "xx"], "`xx` is not")):
        raw["tasks"]["arithmetic"]["asked_in"] = codes
        with pytest.raises(ParamsError, match=message):
            parse(raw)


def test_paper_1_is_traced_as_chats_and_asked_as_the_harness_asks(shipped) -> None:
    file = parse(shipped)
    passages, maths, medicine = (file.corpora[f"published-{name}"] for name in ("passages", "maths", "medicine"))
    told = {"counted": "rendered", "keep": "all", "roles": "own"}
    assert all(told.items() <= one.chat.model_dump().items() for one in (passages, maths, medicine))
    assert [(one.take, one.take_seed) for one in (maths, medicine)] == [(500, 0), (500, 0)]
    assert (maths.reader, medicine.turns, medicine.input) == ("gsm8k_instruct", True, "dropped")
    settings = model_settings(file, "olmoe-1b-7b-published", "0" * 40)
    assert {name: chat.counted for name, chat in settings["trace"].chats.items()} == dict.fromkeys(
        ["published-passages", "published-maths", "published-medicine"], "rendered"
    )
    asked = settings["evaluate"].tasks["published-mgsm"]
    assert (file.tasks["published-mgsm"].prompt, asked.own) == (
        "harness", {"chat": False, "max_new_tokens": 256, "temperature": 0}
    )  # fmt: skip


def test_paper_2_asks_mgsm_in_its_own_way(shipped) -> None:
    file = parse(shipped)
    spec = file.models["qwen3-30b-a3b-published-paper2"]
    asked = model_settings(file, "qwen3-30b-a3b-published-paper2", "0" * 40)["evaluate"]
    assert "published-mgsm" not in spec.tasks
    assert file.tasks["published-mgsm-paper2"].own_asking() == {}
    assert (asked.chat, asked.max_new_tokens, asked.temperature) == (True, 4096, 0.7)
    assert [file.corpora[f"published-{name}"].chat.counted for name in ("questions", "problems")] == ["rendered"] * 2


def test_shares_may_be_among_more_languages_than_are_masked(shipped) -> None:
    raw = copy.deepcopy(shipped)
    entry = raw["models"]["pocket-plain"]
    entry["mask"] |= {"among": "pocket", "corpus": "pocket-sentences"}
    settings = model_settings(parse(raw), "pocket-plain", "0" * 64)
    assert settings["plan"].among == raw["languages"]["pocket"]
    assert settings["plan"].masked["arithmetic"].languages == raw["languages"]["pocket-masked"]
    entry["mask"] |= {"languages": "pocket", "among": "pocket-masked"}
    with pytest.raises(ParamsError, match=r"mask.languages: pocket: `spa_Latn` is not in `pocket-masked`"):
        parse(raw)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"preset": "publshed"}, "models.mine.preset: `publshed` is no preset; did you mean published"),
        ({"hub": "a/b"}, "models.mine.preset: `published` has no model `a/b`; name one of its as `hub`: Qwen/Qwen3"),
        ({"preset": "published-paper2", "hub": OLMOE}, "`published-paper2` has no model `allenai/OLMoE"),
        ({"groups": ["publ"]}, "models.mine.groups: `publ` is not a group of `languages`; did you mean published"),
        ({"near_chance": ["bam"]}, "models.mine.near_chance: `bam` is not a FLORES code; did you mean bam_Latn"),
        ({"evaluate": {"chta": True}}, "models.mine.evaluate.chta: unknown key; did you mean chat"),
        ({"shared_corpus": {"mgsm": "sib200"}}, "models.mine.shared_corpus: `mgsm` is not among `models.mine.tasks`"),
        ({"shared_corpus": {"published-mgsm": "gsm8k"}}, "shared_corpus.published-mgsm: `gsm8k` is in-task text, not"),
        ({"shared_corpus": {"published-mgsm": "sib"}}, "shared_corpus.published-mgsm: `sib` is not an entry of `corp"),
        ({"steer": {"std": "both"}}, "models.mine.steer.std: Input should be 'population' or 'sample'"),
    ],
)
def test_what_cannot_be_is_named(shipped, entry, message) -> None:
    with pytest.raises(ParamsError, match=message):
        parse(with_entry(shipped, **entry))


def test_a_study_names_a_preset_that_is_there(shipped) -> None:
    raw = copy.deepcopy(shipped)
    raw["study"]["preset"] = "paper1"
    with pytest.raises(ParamsError, match=r"study.preset: `paper1` is no preset"):
        parse(raw)


def test_every_place_is_in_a_source_and_every_role_is_there() -> None:
    held = published()
    for preset in held.presets:
        known = set(preset.roles) | {"model"}
        for model in preset.models.values():
            for setting in preset.of(model.hub):
                named = {part.split("}")[0] for part in setting.key.split("{")[1:]}
                assert named <= known, setting.key
                if setting.certainty in ("read", "stated"):
                    assert any(setting.source.startswith(name) for name in held.sources), setting.key


def test_the_reading_is_the_papers(shipped) -> None:
    file = parse(shipped)
    read = {
        name: model_settings(file, name, "0" * 40)["align"].importance for name in file.models if "-published" in name
    }
    assert set(read.values()) == {"soft_mass"}
    raw = with_entry(shipped, hub="openai/gpt-oss-20b", importance="softmax_of_weights")
    assert model_settings(parse(raw), "mine", "0" * 40)["align"].importance == "softmax_of_weights"
    assert model_settings(file, "qwen3-30b-a3b", "0" * 40)["experts"].domain_divergence == ["pooled", "pairs"]


def test_every_paper_says_what_its_readers_must_know() -> None:
    first, second = (preset.notes for preset in published().presets)
    assert any("one run" in note for note in first)
    for word in ("FLORES, Chinese", "problems 0-124 of MGSM", "XQuAD"):
        assert any(word in note for note in second)


def test_nothing_that_a_preset_brings_moves() -> None:
    entries = [*published().brings["corpora"].values(), *published().brings["tasks"].values()]
    assert all(len(entry["revision"]) == 40 for entry in entries)
