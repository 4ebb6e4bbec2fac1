import copy
from typing import Any

import pytest
import yaml

from polyroute.ground.frozen import ParamsError
from polyroute.params.file import parse, read
from tiny import ROOT, raw_params

NAN, INFINITY = float("nan"), float("inf")


@pytest.fixture(scope="module")
def shipped() -> dict[str, Any]:
    raw = raw_params()
    raw["languages"]["alone"] = [raw["study"]["pivot"]]
    return raw


def changed(raw: dict[str, Any], key: str, value: object) -> dict[str, Any]:
    """A copy with the value at a dotted key replaced, or dropped where it is `...`."""
    raw = copy.deepcopy(raw)
    *folders, last = key.split(".")
    place = raw
    for folder in folders:
        place = place[folder]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return raw


def test_the_shipped_file_is_sound() -> None:
    file = read(ROOT / "params.yaml")
    assert file.study.models[0] == "qwen3-30b-a3b-counts", "figures of real models come first"
    shipped = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]["train-pocket"]["matrix"]["model"]
    run = {name for name in file.study.models if file.models[name].engine != "recorded"}
    assert run <= set(shipped), "the default study needs nothing but the repository"
    assert {"qwen3-30b-a3b-counts", "qwen3-30b-a3b", "phi35-moe", "gpt-oss-20b", "olmoe-1b-7b"} <= set(file.models)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("study.modles", [], "study.modles: unknown key; did you mean models?"),
        ("study.seed", ..., "study.seed: missing key"),
        ("study.models", ["pocket"], "study.models: `pocket` is not an entry of `models`; did you mean pocket-"),
        ("study.models", ["pocket-plain"] * 2, "study.models: listed twice: pocket-plain"),
        ("study.pivot", "eng", "study.pivot: `eng` is not a FLORES code; did you mean eng_Latn?"),
        ("aling", {}, "aling: unknown key; did you mean align?"),
        ("intervals.resamples", 3, "intervals.resamples: Input should be greater than or equal to 100"),
        ("similarity.resamples", 99, "similarity.resamples: Input should be greater than or equal to 100"),
        ("similarity.shuffels", 99, "similarity.shuffels: unknown key; did you mean shuffles?"),
        ("similarity.shared", ..., "similarity.shared: missing key"),
        ("similarity.shared.tau", [0.1], "similarity.shared.tau: unknown key; there is k, thr"),
        ("similarity.shared.k", [], "similarity.shared.k: List should have at least 1 item"),
        ("similarity.shared.k", [4, 4], "similarity.shared: k: listed twice: 4"),
        ("similarity.shared.k", [129], "similarity.shared.k.0: Input should be less than or equal to 128"),
        ("similarity.shared.thr", [1.0], "similarity.shared.thr.0: Input should be less than 1"),
        ("steer.magnitude.k", 0, "steer.magnitude.k: Input should be greater than or equal to 1"),
        ("steer.magnitude.strengths", [0.1, 0.1], "steer.magnitude: strengths: listed twice: 0.1"),
        ("mask.k", 129, "mask.k: Input should be less than or equal to 128"),
        ("mask.width", 49, "mask.width: Input should be less than or equal to 48"),
        (
            "mask.tasks.xqaud",
            {"k": 1, "thr": 0.1, "width": 1},
            "mask.tasks: `xqaud` is not an entry of `tasks`",
        ),
        ("mask.tasks.xquad.width", ..., "mask.tasks.xquad.width: missing key"),
        (
            "models.pocket-plain.dominant",
            ["eng_Latn", "tha_Thai"],
            "dominant: `tha_Thai` is not a language of",
        ),
        ("models.pocket-plain.dominant", ["eng_Latn"] * 2, "models.pocket-plain.dominant: listed twice: eng_Latn"),
        (
            "models.pocket-plain.mask.languages",
            "alone",
            "mask.languages: group `alone` holds one language",
        ),
        (
            "models.pocket-plain.mask.languages",
            "flores",
            "mask.languages: flores: `tha_Thai` is not a language of",
        ),
        ("models.pocket-plain.mask.tasks", ["mgsm"], "models.pocket-plain.mask.tasks: `mgsm` is not a task of the"),
        (
            "models.qwen3-30b-a3b.published_shared.polymath.strengths",
            {"deu_Latn": 0.1},
            "published_shared.polymath.strengths: `deu_Latn` is not one of `models.qwen3-30b-a3b.dominant`",
        ),
        ("intervals.confidence", "much", "intervals.confidence: Input should be a valid number"),
        ("languages.pocket", ["eng_Latn", "xyz_Latn"], "languages.pocket: `xyz_Latn` is not a FLORES code"),
        ("languages.pocket", ["eng_Latn", "eng_Latn"], "languages.pocket: listed twice: eng_Latn"),
        ("languages.pocket", ["deu_Latn", "fra_Latn"], "group `pocket` lacks eng_Latn, against whose generic text"),
        ("study.pivot", "tha_Thai", "counts.languages: group `recorded` lacks the pivot tha_Thai"),
        ("models.pocket-plain.languages", "pokcet", "models.pocket-plain.languages: `pokcet` is not a group of"),
        (
            "models.pocket-plain.corpora",
            ["pocket-sentences", "pile"],
            "models.pocket-plain.corpora: `pile` is not an entry of `corpora`",
        ),
        ("models.pocket-plain.tasks", ["maths"], "models.pocket-plain.tasks: `maths` is not an entry of `tasks`"),
        ("models.pocket-plain.dtyp", "float32", "models.pocket-plain.dtyp: unknown key; did you mean dtype?"),
        ("models.pocket-plain.dtype", ..., "models.pocket-plain.dtype: missing key"),
        ("models.pocket-plain.dtype", "int4", "models.pocket-plain.dtype: Input should be 'float32', 'bfloat16' or"),
        (
            "models.pocket-plain.engine",
            "jax",
            "models.pocket-plain.engine: `jax` is not known; there is 'transformers', 'vllm', 'recorded'",
        ),
        ("models.pocket-plain.layers", [5, 2], "`layers: [5, 2]`: the first layer comes after the last"),
        ("models.pocket-plain.languages", "alone", "group `alone` holds one language; add another to compare"),
        ("models.pocket-plain.folder", "/tmp/m", "models.pocket-plain.folder: `/tmp/m` is not below `models/`"),
        ("models.pocket-plain.device", "gpu", "models.pocket-plain.device: String should match"),
        (
            "models.pocket-plain.corpora",
            ["pocket-sentences", "pocket-arithmetic"],
            "`pocket-arithmetic` is in-task text, not parallel",
        ),
        ("models.pocket-plain.engine", ..., "models.pocket-plain.engine: missing key"),
        ("models.pocket-plain.hub", "a/b", "models.pocket-plain: give exactly one of `hub` and `folder`"),
        ("models.olmoe-1b-7b.revision", ..., "`hub` needs a `revision`"),
        (
            "models.qwen3-30b-a3b-counts.zones.late",
            [43, 48],
            "`zones.late: [43, 48]` is outside .* 0 and 47",
        ),
        ("models.qwen3-30b-a3b.zones.late", [47, 43], "`zones.late: [47, 43]`: the first layer comes after"),
        ("models.qwen3-30b-a3b-counts.zones.early", [0, 20], "early [0, 20] ends in or after middle [10, 39]"),
        ("models.qwen3-30b-a3b-counts.zones.late", [39, 47], "middle [10, 39] ends in or after late [39, 47]"),
        ("models.pocket-plain.shape.top_k", 64, "pocket-plain.shape: `top_k: 64` is more than `experts: 32`"),
        (
            "models.pocket-plain.folder",
            "",
            "models.pocket-plain.folder: `.` names nothing; name a place below `models/`",
        ),
        ("corpora.own", {"reader": "local", "files": "."}, "corpora.own.files: `.` names nothing"),
        ("study.seed", True, "study.seed: `true` is a truth value, and a number belongs here"),
        ("study.seed", "5", "study.seed: `5` is text, and a number belongs here"),
        ("study.name", 5, "study.name: `5` is a number, and text belongs here: put it in quotes"),
        ("study.name", " ", "study.name: it is empty; MLflow needs a name"),
        ("pocket.pocket-plain.betas", [0.9, True], "pocket.pocket-plain.betas.1: Input should be less than 1"),
        ("pocket.pocket-plain.clip", True, "pocket.pocket-plain.clip: `true` is a truth value, and a number belongs"),
        ("models.olmoe-1b-7b.trust_remote_code", 1, "trust_remote_code: `1` is a number, and a truth value belongs"),
        ("models.olmoe-1b-7b.trust_remote_code", "yes", "trust_remote_code: `yes` is text, and a truth value belongs"),
        ("pocket.pocket-plain.learning_rate", INFINITY, "pocket.pocket-plain.learning_rate: Input should be a finite"),
        ("pocket.pocket-plain.betas", [NAN, 2], "pocket.pocket-plain.betas.0: Input should be a finite"),
        ("evaluate.temperature", INFINITY, "evaluate.temperature: Input should be a finite"),
        (
            "pocket.pocket-plain.english_mixture",
            {"generic": 0, "arithmetic": 0.0, "knowledge": 0},
            "pocket.pocket-plain.english_mixture: every share is 0",
        ),
        *(
            (
                "languages.mine",
                ["eng_Latn", code],
                f"languages.mine: `{code}` is not a FLORES code; did you mean {right}",
            )
            for code, right in {
                "no": "nob_Latn or nno_Latn",
                "swa": "swh_Latn",
                "nb": "nob_Latn",
                "fa": "pes_Arab",
                "sq": "als_Latn",
                "Swahili": "swh_Latn",
                "Norwegian": "nno_Latn or nob_Latn",
                "zh": "zho_Hans",
                "deu_latn": "deu_Latn",
                "pt-BR": "por_Latn",
                "kur": "kmr_Latn",
                "english": "eng_Latn",
            }.items()
        ),
        ("models.qwen3-30b-a3b-counts.corpora", ["a", "b"], "corpora: one name: `file` is of one recording"),
        ("models.qwen3-30b-a3b.zones.lat", [43, 48], "models.qwen3-30b-a3b.zones.lat: unknown key; did you mean late"),
        ("models.qwen3-30b-a3b.shape.top", 8, "models.qwen3-30b-a3b.shape.top: unknown key; did you mean top_k"),
        ("models.qwen3-30b-a3b-counts.tasks", [], "models.qwen3-30b-a3b-counts.tasks: unknown key"),
        ("models.qwen3-30b-a3b-counts.file", "text/a.parquet", "file: `text/a.parquet` is not below `recorded/`"),
        ("models.qwen3-30b-a3b-counts.file", "recorded/../../a.parquet", "a.parquet` is not below `recorded/`"),
        ("models.qwen3-30b-a3b-counts.file", "recorded/{split}.parquet", "`recorded/{split}.parquet`: {split} means"),
        ("models.qwen3-30b-a3b-counts.file", "recorded/{language}.parquet", "{language} means nothing here: one file"),
        ("models.qwen3-30b-a3b-counts.corpora", ["../../../elsewhere"], "counts.corpora: `corpus`: '../../../elsewh"),
        ("models.qwen3-30b-a3b-counts.corpora", ["/elsewhere"], "is no name of a text"),
        ("models.qwen3-30b-a3b-counts.files", "text/counts.json", "models.qwen3-30b-a3b-counts.files: unknown key"),
        ("models.My.Model", {}, "models.My.Model: a name is lower case letters, digits and hyphens"),
        ("corpora.sib200.split", ["dev"], "corpora.sib200.split: unknown key; did you mean splits?"),
        (
            "corpora.sib200.reader",
            "sib",
            "corpora.sib200.reader: `sib` is not known; there is 'belebele', 'datasets'",
        ),
        ("corpora.gsm8k.items", 0, "corpora.gsm8k.items: Input should be greater"),
        (
            "tasks.mgsm.text",
            "gsm8",
            "tasks.mgsm.text: `gsm8` is not an entry of `corpora`; did you mean gsm8k or gsm8k-instruct or",
        ),
        ("tasks.mgsm.reader", "msgm", "tasks.mgsm.reader: `msgm` is not known; there is 'belebele', 'datasets'"),
        ("tasks.mgsm.reader", ..., "tasks.mgsm.reader: missing key"),
        ("tasks.mgsm.prompt", ..., "tasks.mgsm.prompt: missing key"),
        ("tasks.mgsm.prompt", "few-shot", "tasks.mgsm.prompt: Input should be 'direct', 'cot' or 'harness'"),
        ("tasks.mgsm.hub", "mgsm", "tasks.mgsm.hub: `mgsm` is no name on the hub"),
        ("tasks.mgsm.files", "mgsm_en.tsv", "tasks.mgsm.files: no `{language}` in it"),
        ("tasks.mgsm.per_subject", 60, "tasks.mgsm.per_subject: unknown key; there is"),
        ("tasks.mgsm.item", 250, "tasks.mgsm.item: unknown key; did you mean items?"),
        ("tasks.global-mmlu-medical.subjects", [], "tasks.global-mmlu-medical.subjects: List should have at least 1"),
        ("tasks.global-mmlu-medical.per_subject", 0, "tasks.global-mmlu-medical.per_subject: Input should be greater"),
        ("tasks.global-mmlu-medical.per_subject", 9, "`per_subject`: leave it out with `positions: published`"),
        ("tasks.global-mmlu-medical.positions", "first", "`per_subject`: is needed by `positions: first`"),
        ("tasks.global-mmlu-medical.positions", "some", "medical.positions: Input should be 'published', 'first' or"),
        ("tasks.global-mmlu-medical.splits", ["dev"], "`positions: published` are of the split test: name it alone"),
        ("tasks.global-mmlu-medical.subjects", ["anatomy"], "`anatomy` is not a subject with published positions;"),
        ("tasks.belebele-reading.revision", ..., "tasks.belebele-reading.revision: missing key"),
        ("tasks.arithmetic.content", "generic", "tasks.arithmetic.content: Input should be 'arithmetic' or 'know"),
        ("tasks.own", {"reader": "local", "files": "text/a.tsv"}, "tasks.own.kind: missing key"),
        (
            "tasks.own",
            {"reader": "local", "files": "items/a.tsv", "kind": "choice"},
            "tasks.own.files: `items/a.tsv` is not below `text/`",
        ),
        ("models.qwen3-30b-a3b.tasks", ["mgsm", "mgsm"], "models.qwen3-30b-a3b.tasks: listed twice: mgsm"),
        (
            "models.qwen3-30b-a3b.published.arithmetic",
            {"layers": [7, 34], "tau": 0.4, "rule": "activate"},
            "models.qwen3-30b-a3b.published: `arithmetic` is not among `models.qwen3-30b-a3b.tasks`; there is mgsm",
        ),
        (
            "models.qwen3-30b-a3b.published.mgsm.layers",
            [7, 48],
            "`models.qwen3-30b-a3b.published.mgsm.layers: [7, 48]` is outside the model: both between 0 and 47",
        ),
        (
            "models.qwen3-30b-a3b.published.mgsm.layers",
            [34, 7],
            "models.qwen3-30b-a3b.published.mgsm: `layers: [34, 7]`: the first layer comes after the last",
        ),
        (
            "models.pocket-plain.middle",
            [2, 8],
            "`models.pocket-plain.middle: [2, 8]` is outside the model: both between 0 and 7",
        ),
        ("models.qwen3-30b-a3b.middle", [9, 2], "`models.qwen3-30b-a3b.middle: [9, 2]`: the first layer comes after"),
        ("tasks.mgsm.pivots", ["deu_Latn"], "tasks.mgsm.pivots: `gsm8k` is in English alone; leave them out"),
        ("models.qwen3-30b-a3b.published.mgsm.tau", 1, "published.mgsm.tau: Input should be less than 1"),
        ("models.qwen3-30b-a3b.published.mgsm.rule", "strong", "published.mgsm.rule: Input should be 'soft', "),
        ("models.qwen3-30b-a3b.published.mgsm.strength", ..., "published.mgsm: `strength`: is needed by soft"),
        ("models.qwen3-30b-a3b.published.mgsm.strength", 0, "published.mgsm: `strength`: 0 is no strength"),
        ("models.qwen3-30b-a3b.published.mgsm.strength", NAN, "published.mgsm.strength: Input should be a finite"),
        ("models.qwen3-30b-a3b.published.mgsm.rule", "activate", "published.mgsm: `strength`: activate takes none"),
        ("models.qwen3-30b-a3b.published.mgsm.layer", [1, 2], "mgsm.layer: unknown key; did you mean layers?"),
        ("experts.taus", [], "experts.taus: List should have at least 1 item"),
        ("experts.taus", [0.1, 1.0], "experts.taus.1: Input should be less than 1"),
        ("experts.multilingual.beside", ["sd"], "multilingual.beside.0: Input should be 'three_sd' or 'weighted_mean'"),
        ("experts.multilingual.halved", ["bam"], "experts.multilingual.halved: `bam` is not a FLORES code; did you"),
        ("experts.multilingual.layers", [4, 2], "experts.multilingual: `layers: [4, 2]`: the first layer comes after"),
        ("experts.tau", [0.1], "experts.tau: unknown key; did you mean taus?"),
        ("score.choice", "mean", "score.choice: Input should be 'sum', 'token' or 'character'"),
        (
            "hub",
            {"mirror": None},
            "hub: no longer a key; a mirror is named by the environment variable POLYROUTE_MIRROR",
        ),
        ("align.resamples", 1000, "align.resamples: no longer a key; it is now `intervals.resamples`"),
        ("align.shuffles", 50, "align.shuffles: no longer a key; it is now `align.nearest`"),
        ("align.confidence", 0.95, "align.confidence: no longer a key; it is now `intervals.confidence`"),
        ("evaluate.likeliest", "sum", "evaluate.likeliest: no longer a key; it is now `score.choice`"),
        ("evaluate.span", "f1", "evaluate.span: no longer a key; it is now `score.span`"),
        ("models.olmoe-1b-7b.generic", "belebele", "generic: `belebele` is not among `models.olmoe-1b-7b.corpora`;"),
        ("study.pivot", None, "study.pivot: `null` is no value, and text belongs here"),
        ("study.pivot", True, "study.pivot: `true` is a truth value, and text belongs here"),
        ("evaluate.max_new_tokens", 0, "evaluate.max_new_tokens: Input should be greater than or equal to 1"),
        ("evaluate.temperature", -1, "evaluate.temperature: Input should be greater than or equal to 0"),
        ("evaluate.top_p", 0, "evaluate.top_p: Input should be greater than 0"),
        ("evaluate.top_q", 0, "evaluate.top_q: unknown key; did you mean top_"),
        ("evaluate.chat", ..., "evaluate.chat: missing key"),
        ("steer.taus", [-0.1], "steer.taus.0: Input should be greater than or equal to 0"),
        ("steer.taus", [1], "steer.taus.0: Input should be less than 1"),
        ("steer.taus", [0.1, 0.1], "steer: taus: listed twice: 0.1"),
        ("steer.strengths", [0.5, 0], "steer: `strengths`: 0 is no strength; 0 is the baseline, which always runs"),
        ("steer.strengths", [NAN], "steer.strengths.0: Input should be a finite"),
        ("steer.doses", [INFINITY], "steer.doses.0: Input should be a finite"),
        ("steer.doses", [0.5, 0.5], "steer: doses: listed twice: 0.5"),
        ("steer.std", "both", "steer.std: Input should be 'population' or 'sample'"),
        ("steer.draws", 0, "steer.draws: Input should be greater than or equal to 1"),
        ("steer.eps", ..., "steer.eps: missing key"),
    ],
)
def test_a_breach_names_its_key_and_what_would_be_right(shipped, key, value, message) -> None:
    if key == "models.My.Model":
        raw = copy.deepcopy(shipped)
        raw["models"]["My.Model"] = raw["models"]["pocket-plain"]
    else:
        raw = changed(shipped, key, value)
    with pytest.raises(ParamsError, match=message.replace("[", r"\[").replace("?", r"\?").replace("{", r"\{")):
        parse(raw)


def test_a_breach_of_the_section_evaluate_is_said_of_it_and_not_of_every_model(shipped) -> None:
    with pytest.raises(ParamsError) as told:
        parse(changed(shipped, "evaluate.top_p", 0))
    assert str(told.value).count("evaluate.top_p") == 1


def test_a_language_that_a_corpus_lacks(shipped) -> None:
    raw = changed(shipped, "models.olmoe-1b-7b.languages", "wide")
    raw["languages"]["wide"] = ["eng_Latn", "deu_Latn"]
    raw["languages"]["wide"].append("ace_Latn")
    raw["models"]["olmoe-1b-7b"] |= {"corpora": ["belebele"], "generic": "belebele", "dominant": None, "mask": None}
    with pytest.raises(ParamsError, match=r"olmoe-1b-7b.languages: wide: `ace_Latn` is not a language of belebele"):
        parse(raw)


def test_every_breach_is_told_at_once(shipped) -> None:
    raw = changed(changed(shipped, "study.seed", -1), "intervals.resamples", 3)
    with pytest.raises(ParamsError, match=r"(?s)study.seed.*intervals.resamples"):
        parse(raw)


def test_a_file_that_is_absent_or_no_yaml(tmp_path) -> None:
    with pytest.raises(ParamsError, match=r"params\.yaml is absent: run this in the root .* `polyroute init`"):
        read(tmp_path / "params.yaml")
    (tmp_path / "params.yaml").write_text("study: [")
    with pytest.raises(ParamsError, match="is not valid YAML"):
        read(tmp_path / "params.yaml")


def test_a_file_in_another_encoding_and_a_section_pasted_twice(tmp_path) -> None:
    (tmp_path / "params.yaml").write_bytes("study: {name: Zürich}".encode("latin-1"))
    with pytest.raises(ParamsError, match="is not UTF-8"):
        read(tmp_path / "params.yaml")
    text = (ROOT / "params.yaml").read_text()
    (tmp_path / "params.yaml").write_text(text + "\nmodels:\n  mine: {}\n")
    with pytest.raises(ParamsError, match=r"the key `models` twice, in lines \d+ and \d+: put both parts under one"):
        read(tmp_path / "params.yaml")


def test_zones_must_lie_in_the_traced_layers(shipped) -> None:
    raw = changed(shipped, "models.pocket-plain.layers", [4, 7])
    raw["models"]["pocket-plain"]["zones"] = {"early": [0, 1], "middle": [4, 5], "late": [6, 7]}
    with pytest.raises(ParamsError, match=r"`zones.early: \[0, 1\]` holds no layer of"):
        parse(raw)


def test_every_kind_of_task_can_be_named(shipped) -> None:
    raw = changed(shipped, "tasks.own", {"reader": "local", "files": "text/{language}.tsv", "kind": "number"})
    tasks = parse(raw).tasks
    kinds = {type(task).__name__: task.kind for task in tasks.values()}
    assert kinds == {
        "MiniworldTask": "choice", "MGSMTask": "number", "GlobalMMLUTask": "choice", "BelebeleTask": "choice",
        "XQuADTask": "span", "PolyMathTask": "number", "TranslationTask": "translation", "LocalTask": "number",
    }  # fmt: skip


def test_published_layers_are_not_held_against_a_shape_that_is_not_given(shipped) -> None:
    raw = changed(shipped, "models.qwen3-30b-a3b.published.mgsm.layers", [7, 99])
    raw = changed(raw, "models.qwen3-30b-a3b.shape", None)
    assert parse(raw).models["qwen3-30b-a3b"].published["mgsm"].layers == (7, 99)


def test_models_that_are_not_run_do_not_hinder_another_pivot(shipped) -> None:
    raw = changed(shipped, "study.pivot", "ita_Latn")
    raw["study"] |= {"models": ["pocket-plain"], "extra": []}
    assert parse(raw).study.pivot == "ita_Latn"


def test_recorded_counts_are_of_a_commit_or_of_none(shipped) -> None:
    assert parse(shipped).models["qwen3-30b-a3b-counts"].commit is not None
    raw = changed(shipped, "models.qwen3-30b-a3b-counts.commit", ...)
    assert parse(raw).models["qwen3-30b-a3b-counts"].commit is None
    with pytest.raises(ParamsError, match=r"qwen3-30b-a3b-counts.commit: String should match"):
        parse(changed(shipped, "models.qwen3-30b-a3b-counts.commit", "main"))


def test_an_entry_that_is_not_there_is_named_with_what_is_close() -> None:
    file = read(ROOT / "params.yaml")
    assert file.model("pocket-plain").dtype == "float32"
    assert file.recipe("pocket-plain").layers == 8
    with pytest.raises(
        ParamsError, match=r"models: `pocket-plan` is not an entry of `models`; did you mean pocket-plan"
    ):
        file.model("pocket-plan")


def test_parameters_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        read(ROOT / "params.yaml").models["pocket-plain"].dtype = "bfloat16"


def test_which_corpus_is_generic_is_said_where_there_are_several() -> None:
    raw = raw_params()
    del raw["models"]["olmoe-1b-7b"]["generic"]
    assert parse(raw).models["olmoe-1b-7b"].generic == "sib200"
    raw["models"]["olmoe-1b-7b"]["corpora"] = ["sib200", "flores-plus"]
    with pytest.raises(ParamsError, match=r"olmoe-1b-7b.generic: missing key; name the corpus among `corpora` that is"):
        parse(raw)
