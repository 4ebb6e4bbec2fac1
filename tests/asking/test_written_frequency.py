"""How often experts are chosen on what a model writes, against reading each finished text once more."""

import numpy as np
import pandas as pd
import pytest
import torch

from asking.asked import bytes_tokenizer
from asking.seated import LANGUAGES, NUMBERS, asker
from models.tiny_models import tiny
from polyroute.artifacts import frequency as file
from polyroute.asking.generation import GenerationSettings, generate_under
from polyroute.asking.written_frequency import Tally, TallyStore, Written, together
from polyroute.ground.files import write_checked_table
from polyroute.models.routers import find_routers, observe
from polyroute.steering.condition import BASELINE
from polyroute.steering.plan import Plan

PROMPTS = ["abc", "a longer prompt", "x", "the prompt that is the longest of them all", "abd"]


def items(prompts=PROMPTS) -> pd.DataFrame:
    return pd.DataFrame({"item_id": [str(n) for n in range(len(prompts))], "language": "eng_Latn", "prompt": prompts})


def slow(model, tokenizer, routers, lengths: list[int]) -> Written:
    """Every text written alone, token by token, and then read once as a whole."""
    shares, texts, tokens = np.zeros((len(routers), routers[0].experts)), 0, 0
    for prompt, length in zip(PROMPTS, lengths, strict=True):
        start = tokenizer(prompt)["input_ids"]
        ids = list(start)
        with torch.no_grad():
            while len(ids) < len(start) + length:
                ids.append(int(model(torch.tensor([ids])).logits[0, -1].argmax()))
            read = range(len(start), len(ids) - 1)  # the last token is read by no step
            calls = []
            with observe(routers, lambda _router, call, calls=calls: calls.append(call.ids_TK)):
                model(input_ids=torch.tensor([ids]))
        if read:
            texts, tokens = texts + 1, tokens + len(read)
            for layer, ids_TK in enumerate(calls):
                for expert in ids_TK[list(read)].flatten().tolist():
                    shares[layer, expert] += 1 / len(read)
    return Written(shares, texts, tokens)


@pytest.mark.parametrize("architecture", ["qwen3_moe", "gpt_oss", "deepseek_v3"])
@pytest.mark.parametrize("batch_tokens", [1, 110, 1000])
def test_as_reading_each_text_again(architecture, batch_tokens) -> None:
    model, tokenizer = tiny(architecture, vocab_size=300), bytes_tokenizer()
    routers = find_routers(model)
    # Stops end some texts early, so that rows leave the batch.
    how = GenerationSettings(max_new_tokens=9, batch_tokens=batch_tokens, stop=("e", "Q", "\u00fc"))
    tally = Tally(routers, len(PROMPTS))
    (given,) = generate_under(model, tokenizer, items(), [None], routers, how, on_step=tally.step)
    found, expected = tally.written(), slow(model, tokenizer, routers, given["tokens"].tolist())
    assert (found.texts, found.tokens) == (expected.texts, expected.tokens)
    assert found.tokens == (given["tokens"] - 1).sum()
    np.testing.assert_allclose(found.shares_LE, expected.shares_LE, atol=1e-12)
    np.testing.assert_allclose(found.shares_LE.sum(axis=1), routers[0].top_k * found.texts)


def test_counting_changes_no_text_and_steered_texts_are_not_counted() -> None:
    model, tokenizer = tiny("qwen3_moe", vocab_size=300), bytes_tokenizer()
    routers = find_routers(model)
    how = GenerationSettings(max_new_tokens=6, batch_tokens=1000)
    plan = Plan(model="tiny", layers=3, experts_per_layer=8, top_k=2, rule="activate", experts={1: (0, 1)})
    alone, beside = Tally(routers, len(PROMPTS)), Tally(routers, len(PROMPTS))
    (plain,) = generate_under(model, tokenizer, items(), [None], routers, how)
    (watched,) = generate_under(model, tokenizer, items(), [None], routers, how, on_step=alone.step)
    pair = generate_under(model, tokenizer, items(), [plan, None], routers, how, on_step=beside.step)
    assert watched.equals(plain)
    assert pair[1].equals(plain)
    np.testing.assert_array_equal(alone.written().shares_LE, beside.written().shares_LE)


def test_nothing_written_counts_nothing() -> None:
    routers = find_routers(tiny("qwen3_moe", vocab_size=300))
    found = Tally(routers, 3).written()
    assert (found.texts, found.tokens, found.shares_LE.sum()) == (0, 0, 0)
    both = together([found, Written(np.ones((3, 8)), 2, 5)])
    assert (both.texts, both.tokens, both.shares_LE.tolist()) == (2, 5, np.ones((3, 8)).tolist())


def evaluated(folder):
    asked = asker(folder, NUMBERS)
    return type(asked)(asked.loaded, asked.settings, "evaluate", asked.task, asked.questions, asked.parts)


def test_a_task_keeps_both_parts_and_a_rerun_takes_them_up(tmp_path) -> None:
    asked, kept = evaluated(tmp_path), []
    for split in ("select", "report"):
        asked.ask(split, [BASELINE], kept=kept.append)
    assert kept == [0] * 2 * len(LANGUAGES)
    table = asked.frequency()
    assert tuple(table.columns) == file.COLUMNS
    write_checked_table(tmp_path / file.FILE, [table], file.COLUMNS)
    prompts, written = (file.read(tmp_path / file.FILE, (0, 1, 2), 8, part) for part in ("prompt", "generated"))
    assert list(prompts) == list(written) == LANGUAGES
    for of_language in (*prompts.values(), *written.values()):
        np.testing.assert_allclose(of_language.sum(axis=1), 2, atol=1e-9)
    assert not np.allclose(prompts["deu_Latn"], written["deu_Latn"])

    again = evaluated(tmp_path)
    for split in ("select", "report"):
        again.ask(split, [BASELINE], kept=kept.append)
    assert sum(kept) == len(NUMBERS), "nothing is asked again"
    assert again.frequency().equals(table)

    (tmp_path / "written").rename(tmp_path / "lost")
    third: list[int] = []
    lacking = evaluated(tmp_path)
    assert set(lacking.frequency()["part"]) == {"prompt"}
    lacking.ask("select", [BASELINE], kept=third.append)
    lacking.ask("report", [BASELINE], kept=third.append)
    assert sum(third) == 0, "answers beside which nothing was counted are asked again"
    assert lacking.frequency().equals(table)


def test_another_purpose_and_choices_count_nothing(tmp_path) -> None:
    asked = asker(tmp_path, NUMBERS)
    asked.ask("report", [BASELINE])
    assert not (tmp_path / "written").exists()
    assert set(asked.frequency()["part"]) == {"prompt"}


def test_a_damaged_file_is_as_none(tmp_path) -> None:
    store = TallyStore(tmp_path, "this")
    store.put(items(), Written(np.ones((1, 2)), 3, 9))
    assert store.get(items()).tokens == 9
    assert store.get(items(PROMPTS[:2])) is None
    (path,) = (tmp_path / "written").iterdir()
    path.write_text("{")
    assert store.get(items()) is None
    assert not path.exists()
