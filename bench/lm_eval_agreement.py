"""Whether lm-evaluation-harness gives the same answers: the same checkpoint, the same items, both in one process.

- choices: the harness's tasks `belebele_{language}` and `global_mmlu_full_{language}_{subject}`, without a chat
  template and with one, and the mini world's as tasks of its own: `acc` and `acc_norm` beside `asking.choices`
- MGSM: `mgsm_direct_{language}` beside `prompt: harness`: prompts, stops, texts, what `flexible-extract` takes of them
- texts: greedy `generate_until` beside `asking.generation`, with the same stop strings
- numbers: the filter `flexible-extract` and its exact match beside our own reader, `scoring.numbers`

Needs lm-evaluation-harness, which polyroute does not depend on: `pip install '.[harness]'`. The study's data sets come
from the hub, or from a folder that `polyroute mirror` filled. Nothing of the harness goes to the hub: its tasks are
given the rows of the same files.
"""

import csv
import json
import logging
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np
import pandas as pd
import torch
import transformers
from transformers import AutoModelForCausalLM, AutoTokenizer

from polyroute.artifacts.answers import KEY
from polyroute.artifacts.key import joined
from polyroute.asking import choices as choice
from polyroute.asking import generation
from polyroute.asking.generation import GenerationSettings
from polyroute.asking.prompts import Chat
from polyroute.ground.hub import HubSource
from polyroute.languages import table as languages
from polyroute.params import file as params
from polyroute.readers import global_mmlu
from polyroute.readers.belebele import BelebeleTask
from polyroute.readers.fetch import fetch_task
from polyroute.readers.global_mmlu import GlobalMMLUTask
from polyroute.readers.mgsm import MGSMTask
from polyroute.readers.spec import TaskSpec
from polyroute.scoring import flexible_extract, numbers
from polyroute.scoring.choices import score_choices

LANGUAGES = {
    "arithmetic": ["eng_Latn", "deu_Latn", "rus_Cyrl", "zho_Hans", "hin_Deva", "urd_Arab", "swh_Latn"],
    "knowledge": ["eng_Latn", "deu_Latn", "rus_Cyrl", "zho_Hans", "hin_Deva", "urd_Arab", "swh_Latn"],
    "belebele-reading": ["eng_Latn", "deu_Latn"],
    "global-mmlu-medical": ["eng_Latn", "arb_Arab", "hin_Deva", "rus_Cyrl", "zho_Hans"],
    "mgsm": ["eng_Latn", "deu_Latn", "fra_Latn", "zho_Hans", "swh_Latn", "tel_Telu"],
}
STOPS = ("?", "？", "।", "\n")
NEW_TOKENS = 32
CHAT = (
    "{{ bos_token or '' }}"
    "{% for turn in messages %}{{ '<|im_start|>' + turn.role + '\n' + turn.content + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
"""Stands in for the template of a checkpoint that has none. Without BOS in it, the harness would put one before it."""


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


class Theirs(NamedTuple):
    """One of the harness's tasks, on some of our items."""

    task: Any
    """A `ConfigurableTask`."""
    items: pd.DataFrame
    """Ours, in the order of its documents."""


@click.command()
@click.option("--model", type=click.Path(exists=True, path_type=Path), default=Path("models/pocket-plain"))
@click.option("--mirror", type=click.Path(exists=True, path_type=Path), help="Read data sets here, not on the hub.")
@click.option("--worked", type=click.Path(exists=True, path_type=Path), help="Answers of GSM8K, JSON lines.")
@click.option("--items", default=30, show_default=True, help="Of a task, in each language.")
@click.option("--texts", default=5, show_default=True, help="Of MGSM, in each language; its answers are long.")
def main(model: Path, mirror: Path | None, worked: Path | None, items: int, texts: int) -> None:
    """Print what agrees, and where what does not differs."""
    try:
        import lm_eval
    except ImportError as error:
        raise click.ClickException(f"{error}: `pip install '.[harness]'`") from error
    torch.set_num_threads(1)
    net = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(model)
    print(f"lm_eval {lm_eval.__version__}, torch {torch.__version__}, transformers {transformers.__version__}")
    study, source = params.read(Path("params.yaml")), HubSource(mirror)
    specs = {name: released(study.tasks[name]) for name in LANGUAGES}
    for name in ("arithmetic", "knowledge", "belebele-reading", "global-mmlu-medical"):
        frame = joined(*fetch_task(name, specs[name], LANGUAGES[name], source))
        for chat in (False, True) if name in ("belebele-reading", "global-mmlu-medical") else (False,):
            asking = AutoTokenizer.from_pretrained(model)
            asking.chat_template = asking.chat_template or CHAT
            some, left_out = fitting(frame, asking, net, 64 if chat else 8, items)
            title = f"{name}{', in a chat' if chat else ''}"
            print(f"\n{title}: {len(some)} items in {some['language'].nunique()} languages, {left_out} are too long")
            compare_choices(*by_both(net, asking, some, specs[name], source, chat), chat)
    frame = joined(*fetch_task("mgsm", specs["mgsm"], LANGUAGES["mgsm"], source))
    some, left_out = fitting(frame, tokenizer, net, 256, texts)
    print(f"\nmgsm: {len(some)} items in {some['language'].nunique()} languages, {left_out} are too long")
    compare_problems(net, tokenizer, some, specs["mgsm"], source)
    frame = joined(*fetch_task("arithmetic", specs["arithmetic"], LANGUAGES["arithmetic"], source))
    compare_texts(net, tokenizer, frame.groupby("language", sort=False).head(items))
    compare_numbers(SAMPLES)
    if worked is not None:
        compare_worked(worked)


def released(spec: TaskSpec) -> TaskSpec:
    """A task as the harness has it; of Global-MMLU the small split, which is enough to compare on."""
    if isinstance(spec, MGSMTask):
        return MGSMTask.model_validate(spec.model_dump(exclude_none=True) | {"prompt": "harness"})
    if isinstance(spec, GlobalMMLUTask):
        same = spec.model_dump(include={"reader", "hub", "revision", "files", "subjects"})
        return GlobalMMLUTask.model_validate(same | {"splits": ["dev"], "items": 285, "per_subject": 5})
    return spec


def fitting(frame: pd.DataFrame, tokenizer: Any, net: Any, room: int, count: int) -> tuple[pd.DataFrame, int]:
    """The first items of each language that leave room in the context, and how many do not."""
    longest = net.config.max_position_embeddings - room
    fits = frame["prompt"].map(lambda prompt: len(tokenizer(prompt)["input_ids"])) < longest
    return frame[fits].groupby("language", sort=False).head(count), int((~fits).sum())


# ------------------------------------------------------------------------------------------------ the harness's tasks


def harness(net: Any, tokenizer: Any) -> Any:
    """The harness's own way to run a model; it thinks no more in a chat than we let it."""
    from lm_eval.models.huggingface import HFLM

    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    return HFLM(pretrained=net, tokenizer=tokenizer, batch_size=16, device="cpu", enable_thinking=False)


def their_tasks(frame: pd.DataFrame, spec: TaskSpec, source: HubSource) -> list[Theirs]:
    """The harness's tasks that ask our items: one a language, or of Global-MMLU one a language and subject."""
    found = []
    for language, items in frame.groupby("language", sort=False):
        code = str(language)
        if isinstance(spec, GlobalMMLUTask):
            rows = release(spec, code, source)
            for subject, part in items.groupby(items["item_id"].str.split("/").str[0], sort=False):
                found.append(_task(config(spec, code, str(subject)), rows, part))
        elif isinstance(spec, (BelebeleTask, MGSMTask)):
            found.append(_task(config(spec, code), release(spec, code, source), items))
        else:
            found.append(_task(*_of_ours(items, code), items))
    return found


def config(spec: TaskSpec, language: str, subject: str = "") -> dict[str, Any]:
    """What the harness's own file says of a task."""
    import lm_eval.tasks
    from lm_eval.tasks._yaml_loader import load_yaml

    if isinstance(spec, BelebeleTask):
        name = f"belebele/belebele_{language}"
    elif isinstance(spec, GlobalMMLUTask):
        code = global_mmlu.CODES[language]
        name = f"global_mmlu/full/{code}/global_mmlu_full_{code}_{subject}"
    else:
        name = f"mgsm/direct/mgsm_direct_{languages.code_in(language, 'iso639-1')}"
    found: dict[str, Any] = load_yaml(Path(lm_eval.tasks.__file__).parent / f"{name}.yaml")
    return found


def release(spec: TaskSpec, language: str, source: HubSource) -> dict[str, dict[str, Any]]:
    """Our id of an item -> its row as the hub's loader hands it to the harness."""
    assert isinstance(spec, (BelebeleTask, GlobalMMLUTask, MGSMTask)), "only these are in the harness"
    (file,) = (source.file(spec.hub, spec.revision, path) for path in spec.paths(language))
    if isinstance(spec, BelebeleTask):
        with file.open(encoding="utf-8") as opened:
            return {f"{row['link']}#{row['question_number']}": row for row in map(json.loads, opened)}
    if isinstance(spec, GlobalMMLUTask):
        read = ["sample_id", "subject", "question", *(f"option_{letter}" for letter in "abcd"), "answer"]
        table = pd.read_parquet(file, columns=read).to_dict("records")
        ids = [row["sample_id"].rpartition("/") for row in table]
        return {f"{place}/{int(number):04d}": row for (place, _, number), row in zip(ids, table, strict=True)}
    with file.open(encoding="utf-8", newline="") as opened:
        cells = list(csv.reader(opened, delimiter="\t", quotechar='"'))
    return {
        f"{number:03d}": {
            "question": question, "answer": None, "answer_number": int(answer.replace(",", "")),
            "equation_solution": None,
        }
        for number, (question, answer) in enumerate(cells)
    }  # fmt: skip


def _of_ours(items: pd.DataFrame, language: str) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """A task of the harness's kind that asks items of the mini world."""
    blank = all(told.startswith(" ") for choices in items["choices"] for told in choices)
    asked = {
        "task": f"pocket_{language}", "output_type": "multiple_choice", "test_split": "test", "doc_to_text": "prompt",
        "doc_to_choice": "choices", "doc_to_target": "answer", "target_delimiter": " " if blank else "",
        "metric_list": [{"metric": "acc"}, {"metric": "acc_norm"}],
    }  # fmt: skip
    rows = items[["prompt", "answer"]].assign(choices=[[told.strip() for told in row] for row in items["choices"]])
    return asked, dict(zip(items["item_id"], rows.to_dict("records"), strict=True))


def _task(asked: dict[str, Any], rows: dict[str, dict[str, Any]], items: pd.DataFrame) -> Theirs:
    import datasets
    from lm_eval.api.task import ConfigurableTask

    held = dict.fromkeys(
        ("train", "dev", "test"), datasets.Dataset.from_list([rows[item_id] for item_id in items["item_id"]])
    )
    return Theirs(ConfigurableTask(config=asked | {"custom_dataset": lambda **_: held, "num_fewshot": 0}), items)


def asked_by_harness(lm: Any, tasks: list[Theirs], chat: bool = False) -> pd.DataFrame:
    """What the harness makes of items, by its own evaluator.

    Returns:
        item_id, language, asked (the prompt); of choices nats, acc, acc_norm (NaN where the task lacks it) and the
        likeliest by both; of texts text, taken (by `flexible-extract`), exact_match.
    """
    from lm_eval.evaluator import evaluate

    named = {one.task.config.task: one for one in tasks}
    told = evaluate(
        lm, {"tasks": {name: one.task for name, one in named.items()}, "groups": {}}, bootstrap_iters=0,
        log_samples=True, apply_chat_template=chat, verbosity="ERROR",
    )  # fmt: skip
    found = []
    for name, one in named.items():
        samples = [sample for sample in told["samples"][name] if sample["filter"] in ("none", "flexible-extract")]
        samples.sort(key=lambda sample: sample["doc_id"])
        for sample, row in zip(samples, one.items.itertuples(), strict=True):
            made = {"item_id": row.item_id, "language": row.language, "asked": sample["arguments"][0][0]}
            answered = _chosen if one.task.OUTPUT_TYPE == "multiple_choice" else _written
            found.append(made | answered(one.task, sample))
    return pd.DataFrame(found)


def _chosen(task: Any, sample: dict[str, Any]) -> dict[str, Any]:
    nats = np.array([float(response[0][0]) for response in sample["resps"]])
    lengths = np.array([len(told) for told in task.doc_to_choice(sample["doc"])])
    likeliest = {"likeliest_acc": int(nats.argmax()), "likeliest_acc_norm": int((nats / lengths).argmax())}
    return {"nats": nats, "acc": sample["acc"], "acc_norm": sample.get("acc_norm", np.nan)} | likeliest


def _written(_task: Any, sample: dict[str, Any]) -> dict[str, Any]:
    ((text,),) = sample["resps"]
    return {"text": text, "taken": sample["filtered_resps"][0], "exact_match": bool(sample["exact_match"])}


# ------------------------------------------------------------------------------------------------- beside one another


def by_both(
    net: Any, tokenizer: Any, frame: pd.DataFrame, spec: TaskSpec, source: HubSource, chat: bool = False
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Choices scored by us, with the prompt as it was asked, and by the harness."""
    conversation = Chat(thinking=False) if chat else None
    nats = choice.score(net, tokenizer, frame, batch_tokens=4096, conversation=conversation)
    ours = score_choices(nats, frame, "task").merge(frame[[*KEY, "prompt"]])
    if conversation is not None:
        ours["prompt"] = [choice.prompts.question(tokenizer, prompt, conversation) for prompt in ours["prompt"]]
    return ours, asked_by_harness(harness(net, tokenizer), their_tasks(frame, spec, source), chat)


def apart(ours: pd.DataFrame, theirs: pd.DataFrame, chat: bool = False) -> np.ndarray:
    """Largest difference of a log likelihood, item by item, in nats.

    In a chat the harness moves the line break that ends the template's opening of a turn to the choice: a summand that
    all choices of an item share. So they are compared less their item's mean.
    """
    both = ours.merge(theirs, on=KEY, validate="one_to_one")
    assert len(both) == len(ours) == len(theirs)
    differences = [np.subtract(*pair) for pair in zip(both["log_likelihoods"], both["nats"], strict=True)]
    return np.array([np.abs(one - one.mean() if chat else one).max() for one in differences])


def compare_choices(ours: pd.DataFrame, theirs: pd.DataFrame, chat: bool = False) -> None:
    """Log likelihoods, the likeliest choices, and accuracy by both."""
    both = ours.merge(theirs, on=KEY, validate="one_to_one")
    print(f"prompts alike: {(both['prompt'] == both['asked']).mean():.1%}")
    what = "between choices" if chat else "of a log likelihood"
    print(f"largest difference {what}: {apart(ours, theirs, chat).max():.1e} nats")
    for reading, column, metric in (("sum", "", "acc"), ("character", "_by_character", "acc_norm")):
        if both[metric].isna().all():
            continue
        same = (both[f"extracted{column}"] == both[f"likeliest_{metric}"]).mean()
        right = both[f"correct{column}"]
        alike = (right == (both[metric] == 1)).mean()
        print(
            f"by {reading}: the same likeliest choice in {same:.1%}; accuracy {right.mean():.4f}, "
            f"{metric} {both[metric].mean():.4f}; right or wrong alike in {alike:.1%}"
        )


def problems_by_both(
    net: Any, tokenizer: Any, frame: pd.DataFrame, spec: MGSMTask, source: HubSource
) -> Iterator[pd.DataFrame]:
    """MGSM answered by us and by the harness, a language at a time: output beside text, and what is taken of both."""
    lm = harness(net, tokenizer)
    for theirs in their_tasks(frame, spec, source):
        (language,) = theirs.items["language"].unique()
        settings = GenerationSettings(
            max_new_tokens=spec.max_new_tokens or 0, batch_tokens=4096, stop=spec.stops(language)
        )
        ours = generation.generate(net, tokenizer, theirs.items, settings)
        taken = [flexible_extract.extract(text) for text in ours["output"]]
        pairs = zip(taken, theirs.items["answer"], strict=True)
        ours["right"] = [flexible_extract.matches(*pair) for pair in pairs]
        ours["extracted"] = ["[invalid]" if one is None else one for one in taken]
        yield ours.assign(prompt=theirs.items["prompt"].tolist()).merge(asked_by_harness(lm, [theirs]), on=KEY)


def compare_problems(net: Any, tokenizer: Any, frame: pd.DataFrame, spec: TaskSpec, source: HubSource) -> None:
    """Prompts, texts, numbers and right answers of MGSM by both."""
    assert isinstance(spec, MGSMTask), "MGSM is asked"
    both = pd.concat(problems_by_both(net, tokenizer, frame, spec, source))
    taken, found = both["extracted"] == both["taken"], both["extracted"] != "[invalid]"
    print(
        f"prompts alike: {(both['prompt'] == both['asked']).mean():.1%}; texts: "
        f"{(both['output'] == both['text']).mean():.1%}; numbers taken: {taken.mean():.1%}; right or wrong alike: "
        f"{(both['right'] == both['exact_match']).mean():.1%}; {found.mean():.1%} have a number"
    )


def compare_texts(net: Any, tokenizer: Any, frame: pd.DataFrame) -> None:
    """Greedy texts after whole prompts, and after their first halves, where the model has more to say."""
    from lm_eval.api.instance import Instance

    lm = harness(net, tokenizer)
    halves = frame["prompt"].map(lambda prompt: prompt[: len(prompt) // 2])
    settings = GenerationSettings(max_new_tokens=NEW_TOKENS, batch_tokens=2048, stop=STOPS)
    asked = {"until": list(STOPS), "max_gen_toks": NEW_TOKENS, "do_sample": False}
    for told, prompts in (("whole", frame["prompt"]), ("half", halves)):
        ours = generation.generate(net, tokenizer, frame.assign(prompt=prompts), settings)
        requests = [Instance("generate_until", {}, (prompt, asked), place) for place, prompt in enumerate(prompts)]
        theirs = lm.generate_until(requests, disable_tqdm=True)
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
        found, harness_right = by_harness(languages.code_in(language, "iso639-1"), text, number)
        assert (found, harness_right) == by_our_rule(text, number), text
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

    [[found]] = flexible_filter(code).apply([[text]], [{}])
    score = exact_match_hf_evaluate([found], [number], ignore_case=True, ignore_punctuation=True)
    return found, bool(score["exact_match"] == 1)


def by_our_rule(text: str, number: str) -> tuple[str, bool]:
    """The same by `scoring.flexible_extract`."""
    found = flexible_extract.extract(text)
    return found or "[invalid]", flexible_extract.matches(found, number)


@cache
def flexible_filter(code: str) -> Any:
    """The harness's filter as its MGSM task has it."""
    import lm_eval.tasks
    from lm_eval.filters.extraction import RegexFilter
    from lm_eval.tasks._yaml_loader import load_yaml

    asked = load_yaml(Path(lm_eval.tasks.__file__).parent / f"mgsm/direct/mgsm_direct_{code}.yaml")
    filters = {entry["name"]: entry["filter"] for entry in asked["filter_list"]}
    return RegexFilter(**{key: value for key, value in filters["flexible-extract"][0].items() if key != "function"})


def compare_worked(file: Path) -> None:
    """The same on real answers in English: GSM8K's, less their last line and the calculator's marks."""
    told = pd.read_json(file, lines=True)["answer"].str.extract(r"(?s)(?P<text>.*)\n#### (?P<right>.*)")
    texts = told["text"].str.replace(r"<<[^>]*>>", "", regex=True)
    rights = told["right"].str.replace(",", "")
    ours = [numbers.extract(text, "eng_Latn") == right for text, right in zip(texts, rights, strict=True)]
    theirs = [by_harness("en", text, right)[1] for text, right in zip(texts, rights, strict=True)]
    assert theirs == [by_our_rule(text, right)[1] for text, right in zip(texts, rights, strict=True)]
    both = pd.crosstab(pd.Series(theirs, name="harness"), pd.Series(ours, name="polyroute"))
    print(f"\nworked answers of GSM8K: {len(texts)}, taken for right\n{both}")
    for place in np.flatnonzero(np.greater(theirs, ours)):
        print(f"  harness alone right ({rights[place]}): {texts[place][-90:]!r}")
    cents = texts[np.greater(ours, theirs)].str.contains(r"\.00\D*$")
    print(f"  polyroute alone right: {len(cents)}, of which end in an amount with .00: {cents.sum()}")


if __name__ == "__main__":
    main()
