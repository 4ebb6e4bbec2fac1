"""Whether lm-evaluation-harness gives the same answers: the same checkpoint, the same items, both in one process.

- choices: the harness's own multiple-choice tasks, `acc` and `acc_norm`, beside `evaluation.choice` and its readings
- texts: greedy `generate_until` beside `evaluation.generation`, with the same stop strings
- numbers: the harness's MGSM filter `flexible-extract` and its exact match beside `evaluation.numbers`

Needs lm-evaluation-harness, which polyroute does not depend on: `pip install lm_eval` into an environment of its own
that has polyroute. The study's data sets come from the hub, or from a folder that `polyroute mirror` filled.
"""

import json
import logging
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np
import pandas as pd
import torch
import transformers
import yaml
from transformers import AutoModelForCausalLM, AutoTokenizer

from polyroute.artifacts.answers import KEY
from polyroute.artifacts.key import joined
from polyroute.asking import choices as choice
from polyroute.asking import generation
from polyroute.asking.generation import GenerationSettings
from polyroute.ground.hub import HubSource
from polyroute.params import file as params
from polyroute.readers.fetch import fetch_task
from polyroute.scoring import numbers
from polyroute.scoring.choices import score_choices

CHOICE_LANGUAGES = {
    "arithmetic": ["eng_Latn", "deu_Latn", "rus_Cyrl", "zho_Hans", "hin_Deva", "urd_Arab", "swh_Latn"],
    "knowledge": ["eng_Latn", "deu_Latn", "rus_Cyrl", "zho_Hans", "hin_Deva", "urd_Arab", "swh_Latn"],
    "belebele-reading": ["eng_Latn", "deu_Latn"],
}
STOPS = ("?", "？", "।", "\n")
NEW_TOKENS = 32
HARNESS_CODES = {
    "ben_Beng": "bn", "deu_Latn": "de", "eng_Latn": "en", "fra_Latn": "fr", "jpn_Jpan": "ja", "rus_Cyrl": "ru",
    "spa_Latn": "es", "swh_Latn": "sw", "tel_Telu": "te", "tha_Thai": "th", "zho_Hans": "zh",
}  # fmt: skip


class Sample(NamedTuple):
    """An answer that a model may write to a problem of MGSM."""

    language: str
    text: str
    right: str
    trait: str


SAMPLES = [
    Sample("eng_Latn", "She sells 9 eggs for $2 each. The answer is 18.", "18", "plain"),
    Sample("eng_Latn", "Answer: 114,200", "114200", "thousands"),
    Sample("eng_Latn", "The answer is $1,234,567.", "1234567", "thousands"),
    Sample("eng_Latn", "Answer: $18.00", "18", "cents of zero"),
    Sample("eng_Latn", "The answer is 3.5", "3.5", "decimal"),
    Sample("eng_Latn", "The temperature is -5", "-5", "sign"),
    Sample("eng_Latn", "16-9=7 eggs", "7", "calculation"),
    Sample("eng_Latn", "She makes 18 dollars...", "18", "points after it"),
    Sample("eng_Latn", "The answer is 18 dollars in 7 days", "18", "a number after it"),
    Sample("eng_Latn", "Answer: 5 boxes hold 40 apples, so 40", "40", "a number before it"),
    Sample("eng_Latn", r"So \boxed{18} after step 3", "18", "boxed"),
    Sample("deu_Latn", "Die Antwort lautet 18.", "18", "plain"),
    Sample("deu_Latn", "Antwort: 80.000 €", "80000", "thousands"),
    Sample("deu_Latn", "Antwort: 12,50 Euro", "12.5", "decimal"),
    Sample("deu_Latn", "Antwort: 18 Dollar in 7 Tagen", "18", "a number after it"),
    Sample("fra_Latn", "La réponse est 18.", "18", "plain"),
    Sample("fra_Latn", "Réponse : 70 000 $", "70000", "thousands by blanks"),
    Sample("rus_Cyrl", "Ответ: 70 тысяч долларов", "70000", "word for thousands"),
    Sample("rus_Cyrl", "Ответ: 18.", "18", "plain"),
    Sample("spa_Latn", "La respuesta es 70,000.", "70000", "thousands"),
    Sample("swh_Latn", "Jibu ni 18.", "18", "plain"),
    Sample("swh_Latn", "Jibu ni elfu 70.", "70000", "word before it"),
    Sample("zho_Hans", "答案是18。", "18", "plain"),
    Sample("zho_Hans", "答案是7万美元。", "70000", "word for thousands"),
    Sample("zho_Hans", "答案是十八。", "18", "characters"),
    Sample("jpn_Jpan", "答えは７０，０００ドルです。", "70000", "full-width digits"),
    Sample("jpn_Jpan", "答えは18です。", "18", "plain"),
    Sample("ben_Beng", "উত্তর: ১৮", "18", "native digits"),
    Sample("ben_Beng", "উত্তর: 1,14,200", "114200", "thousands of India"),
    Sample("tha_Thai", "คำตอบคือ 18 ดอลลาร์", "18", "plain"),
    Sample("tha_Thai", "คำตอบคือ ๑๘", "18", "native digits"),
    Sample("tel_Telu", "సమాధానం: 18", "18", "plain"),
    Sample("tel_Telu", "సమాధానం: ౧౮", "18", "native digits"),
]


@click.command()
@click.option("--model", type=click.Path(exists=True, path_type=Path), default=Path("models/pocket-plain"))
@click.option("--mirror", type=click.Path(exists=True, path_type=Path), help="Read data sets here, not on the hub.")
@click.option("--worked", type=click.Path(exists=True, path_type=Path), help="Answers of GSM8K, JSON lines.")
@click.option("--items", default=30, show_default=True, help="Of a task, in each language.")
def main(model: Path, mirror: Path | None, worked: Path | None, items: int) -> None:
    """Print what agrees, and where what does not differs."""
    try:
        import lm_eval
        from lm_eval.models.huggingface import HFLM
    except ImportError as error:
        raise click.ClickException(f"{error}: `pip install lm_eval` into an environment that has polyroute") from error
    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    torch.set_num_threads(1)
    net = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(model)
    harness = HFLM(pretrained=net, tokenizer=tokenizer, batch_size=16, device="cpu")
    print(f"lm_eval {lm_eval.__version__}, torch {torch.__version__}, transformers {transformers.__version__}")
    study, source = params.read(Path("params.yaml")), HubSource(mirror)
    for name, languages in CHOICE_LANGUAGES.items():
        frame = joined(*fetch_task(name, study.tasks[name], languages, source))
        fits = frame["prompt"].map(lambda prompt: len(tokenizer(prompt)["input_ids"])) < harness.max_length - 8
        left_out = int((~fits).sum())
        frame = frame[fits].groupby("language", sort=False).head(items)
        print(f"\n{name}: {len(frame)} items in {frame['language'].nunique()} languages, {left_out} are too long")
        theirs = []
        for _, group in frame.groupby("language", sort=False):
            task = (
                belebele_task(group, source, study.tasks[name]) if name.startswith("belebele") else pocket_task(group)
            )
            theirs.append(asked_by_harness(harness, group, *task))
        ours = score_choices(choice.score(net, tokenizer, frame, batch_tokens=4096), frame, name)
        compare_choices(ours.merge(frame[[*KEY, "prompt"]]), pd.concat(theirs))
    frame = joined(*fetch_task("arithmetic", study.tasks["arithmetic"], CHOICE_LANGUAGES["arithmetic"], source))
    compare_texts(net, tokenizer, harness, frame.groupby("language", sort=False).head(items))
    compare_numbers(SAMPLES)
    if worked is not None:
        compare_worked(worked)


def compare_choices(ours: pd.DataFrame, theirs: pd.DataFrame) -> None:
    """Log likelihoods, the likeliest choices, and accuracy by both."""
    both = ours.merge(theirs, on=KEY, validate="one_to_one")
    assert len(both) == len(ours) == len(theirs)
    apart = [np.abs(np.subtract(*pair)).max() for pair in zip(both["log_likelihoods"], both["nats"], strict=True)]
    print(f"prompts alike: {(both['prompt'] == both['asked']).mean():.1%}")
    print(f"largest difference of a log likelihood: {max(apart):.1e} nats")
    for reading, column, metric in (("sum", "", "acc"), ("character", "_by_character", "acc_norm")):
        same = (both[f"extracted{column}"] == both[f"likeliest_{metric}"]).mean()
        right = both[f"correct{column}"]
        alike = (right == (both[metric] == 1)).mean()
        print(
            f"by {reading}: the same likeliest choice in {same:.1%}; accuracy {right.mean():.4f}, "
            f"{metric} {both[metric].mean():.4f}; right or wrong alike in {alike:.1%}"
        )


def asked_by_harness(harness: Any, frame: pd.DataFrame, config: dict[str, Any], rows: list[Any]) -> pd.DataFrame:
    """What the harness makes of items of one language: `rows`, in the order of `frame`, under a task's `config`."""
    import datasets
    import lm_eval
    from lm_eval.api.task import ConfigurableTask

    held = {"test": datasets.Dataset.from_list(rows)}
    task = ConfigurableTask(config=config | {"custom_dataset": lambda **_: held, "num_fewshot": 0})
    told = lm_eval.simple_evaluate(harness, tasks=[task], bootstrap_iters=0, log_samples=True)
    found = []
    samples = sorted(told["samples"][config["task"]], key=lambda sample: sample["doc_id"])
    for sample, row in zip(samples, frame.itertuples(), strict=True):
        nats = np.array([float(response[0][0]) for response in sample["resps"]])
        lengths = np.array([len(told) for told in task.doc_to_choice(sample["doc"])])
        found.append(
            {
                "item_id": row.item_id, "language": row.language, "nats": nats, "asked": sample["arguments"][0][0],
                "acc": sample["acc"], "acc_norm": sample["acc_norm"], "likeliest_acc": int(nats.argmax()),
                "likeliest_acc_norm": int((nats / lengths).argmax()),
            }
        )  # fmt: skip
    return pd.DataFrame(found)


def pocket_task(frame: pd.DataFrame) -> tuple[dict[str, Any], list[Any]]:
    """A task of the harness that asks our items."""
    blank = all(told.startswith(" ") for choices in frame["choices"] for told in choices)
    config = {
        "task": "pocket", "output_type": "multiple_choice", "test_split": "test", "doc_to_text": "prompt",
        "doc_to_choice": "choices", "doc_to_target": "answer", "target_delimiter": " " if blank else "",
        "metric_list": [{"metric": "acc"}, {"metric": "acc_norm"}],
    }  # fmt: skip
    rows = frame[["prompt", "answer"]].assign(choices=[[told.strip() for told in row] for row in frame["choices"]])
    return config, rows.to_dict("records")


def belebele_task(frame: pd.DataFrame, source: HubSource, spec: Any) -> tuple[dict[str, Any], list[Any]]:
    """The harness's own task and template on the release's rows."""
    import lm_eval.tasks

    (language,) = frame["language"].unique()
    template = Path(lm_eval.tasks.__file__).parent / "belebele/_default_template_yaml"
    config = yaml.safe_load(template.read_text()) | {"task": f"belebele_{language}", "test_split": "test"}
    file = source.file(spec.hub, spec.revision, spec.files.replace("{language}", language))
    release = {f"{row['link']}#{row['question_number']}": row for row in map(json.loads, file.open())}
    return config, [release[item_id] for item_id in frame["item_id"]]


def compare_texts(net: Any, tokenizer: Any, harness: Any, frame: pd.DataFrame) -> None:
    """Greedy texts after whole prompts, and after their first halves, where the model has more to say."""
    from lm_eval.api.instance import Instance

    halves = frame["prompt"].map(lambda prompt: prompt[: len(prompt) // 2])
    settings = GenerationSettings(max_new_tokens=NEW_TOKENS, batch_tokens=2048, stop=STOPS)
    asked = {"until": list(STOPS), "max_gen_toks": NEW_TOKENS, "do_sample": False}
    for told, prompts in (("whole", frame["prompt"]), ("half", halves)):
        ours = generation.generate(net, tokenizer, frame.assign(prompt=prompts), settings)
        requests = [Instance("generate_until", {}, (prompt, asked), place) for place, prompt in enumerate(prompts)]
        theirs = harness.generate_until(requests, disable_tqdm=True)
        same = [one == other for one, other in zip(ours["output"], theirs, strict=True)]
        print(
            f"\n{told} prompts: {np.mean(same):.1%} of {len(same)} greedy texts alike; {ours['tokens'].mean():.1f} "
            f"tokens on average, {ours['finished'].mean():.1%} finished"
        )
        for place in np.flatnonzero(~np.array(same))[:3]:
            print(f"  {prompts.iloc[place]!r}: {ours['output'][place]!r}, harness {theirs[place]!r}")


def compare_numbers(samples: list[Sample]) -> None:
    """Which answers each takes for right."""
    print(f"\nnumbers: {len(samples)} answers")
    right: dict[str, list[bool]] = {"harness": [], "polyroute": []}
    for language, text, number, trait in samples:
        found, harness_right = by_harness(HARNESS_CODES[language], text, number)
        ours = numbers.extract(text, language)
        right["harness"].append(harness_right)
        right["polyroute"].append(ours == number)
        if not (harness_right and ours == number):
            marks = {True: "right", False: "wrong"}
            print(
                f"  {language} {text!r} ({trait}): harness {found!r} {marks[harness_right]}, polyroute {ours!r} "
                f"{marks[ours == number]}"
            )
    print(", ".join(f"{name} {sum(values)} of {len(values)} right" for name, values in right.items()))


def by_harness(code: str, text: str, number: str) -> tuple[str, bool]:
    """What the filter `flexible-extract` of MGSM takes, and whether its exact match counts it as right."""
    from lm_eval.api.metrics import exact_match_hf_evaluate

    [[found]] = flexible_extract(code).apply([[text]], [{}])
    score = exact_match_hf_evaluate([found], [number], ignore_case=True, ignore_punctuation=True)
    return found, bool(score["exact_match"] == 1)


@cache
def flexible_extract(code: str) -> Any:
    """The harness's filter as its MGSM task has it."""
    import lm_eval.tasks
    from lm_eval.filters.extraction import RegexFilter

    path = Path(lm_eval.tasks.__file__).parent / f"mgsm/native_cot/mgsm_native_cot_{code}.yaml"
    filters = {entry["name"]: entry["filter"] for entry in yaml.safe_load(path.read_text())["filter_list"]}
    return RegexFilter(**{key: value for key, value in filters["flexible-extract"][0].items() if key != "function"})


def compare_worked(file: Path) -> None:
    """The same on real answers in English: GSM8K's, less their last line and the calculator's marks."""
    told = pd.read_json(file, lines=True)["answer"].str.extract(r"(?s)(?P<text>.*)\n#### (?P<right>.*)")
    texts = told["text"].str.replace(r"<<[^>]*>>", "", regex=True)
    rights = told["right"].str.replace(",", "")
    ours = [numbers.extract(text, "eng_Latn") == right for text, right in zip(texts, rights, strict=True)]
    theirs = [by_harness("en", text, right)[1] for text, right in zip(texts, rights, strict=True)]
    both = pd.crosstab(pd.Series(theirs, name="harness"), pd.Series(ours, name="polyroute"))
    print(f"\nworked answers of GSM8K: {len(texts)}, taken for right\n{both}")
    for place in np.flatnonzero(np.greater(theirs, ours)):
        print(f"  harness alone right ({rights[place]}): {texts[place][-90:]!r}")
    cents = texts[np.greater(ours, theirs)].str.contains(r"\.00\D*$")
    print(f"  polyroute alone right: {len(cents)}, of which end in an amount with .00: {cents.sum()}")


if __name__ == "__main__":
    main()
