"""Texts that a model writes, against a plain loop, whatever the batch."""

from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from functools import cache
from types import SimpleNamespace

import pandas as pd
import pytest
import torch

from asking.asked import HARMONY, QWEN, bytes_tokenizer
from models.tiny_models import tiny
from polyroute.asking import generation
from polyroute.asking.generation import GenerationSettings, generate, generate_under
from polyroute.asking.prompts import Chat
from polyroute.ground.errors import AnswerError
from polyroute.models.routers import find_routers
from polyroute.steering.apply import steer
from polyroute.steering.plan import Plan
from polyroute.steering.sweep import Sweep
from tiny import make_model

PROMPTS = ["abc", "a longer prompt", "x", "the prompt that is the longest of them all", "abd"]


def asked(prompts: list[str], language: str = "eng_Latn") -> pd.DataFrame:
    return pd.DataFrame(
        {"item_id": [f"i{number}" for number in range(len(prompts))], "language": language, "prompt": prompts}
    )


def settings(**changes) -> GenerationSettings:
    return GenerationSettings(**{"max_new_tokens": 12, "batch_tokens": 1000} | changes)


def slow_greedy(model, ids: list[int], new: int, ends: set[int]) -> list[int]:
    """One row, one token at a time, nothing cached."""
    written: list[int] = []
    with torch.no_grad():
        while len(written) < new and not ends & set(written):
            written.append(int(model(torch.tensor([ids + written])).logits[0, -1].argmax()))
    return written


class Scripted(torch.nn.Module):
    """Writes a text as bytes, whatever it reads."""

    def __init__(self, tokenizer, text: str):
        super().__init__()
        self.ids = tokenizer(text)["input_ids"] + [tokenizer.eos_token_id] * 50
        self.config = make_model().config
        self.generation_config = None
        self.embedding = torch.nn.Embedding(len(tokenizer), 1)
        self.width = 0

    def get_input_embeddings(self):
        return self.embedding

    def generate(self, input_ids, attention_mask, generation_config, custom_generate):
        self.width = input_ids.shape[1]
        custom_generate(self, input_ids, None, None, generation_config, attention_mask=attention_mask, use_cache=False)

    def prepare_inputs_for_generation(self, input_ids, attention_mask, **_):
        return {"input_ids": input_ids, "attention_mask": attention_mask}

    def _update_model_kwargs_for_generation(self, _output, kwargs):
        return kwargs

    def forward(self, input_ids, attention_mask, return_dict):
        assert return_dict
        assert len(attention_mask) == len(input_ids)
        logits = torch.zeros(len(input_ids), 1, max(self.ids) + 1)
        logits[:, :, self.ids[input_ids.shape[1] - self.width]] = 1
        return SimpleNamespace(logits=logits)


@pytest.fixture(scope="module", params=["qwen3_moe", "gpt_oss"])
def network(request):
    if request.param == "qwen3_moe":
        return make_model(seed=5)
    return tiny(request.param, max_position_embeddings=256)


@pytest.mark.parametrize("batch_tokens", [1, 80, 10_000])
def test_greedy_texts_are_those_of_a_plain_loop_in_any_batch(network, tokenizer, batch_tokens) -> None:
    # A checkpoint's own wishes must not change the text.
    network.generation_config.update(do_sample=True, temperature=0.3, top_k=3, repetition_penalty=5.0)
    told = []
    (found,) = generate_under(
        network, tokenizer, asked(PROMPTS), [None], (), settings(batch_tokens=batch_tokens), on_answers=told.append
    )
    assert list(found.columns) == generation.COLUMNS
    assert sum(told) == len(PROMPTS)
    ends = generation.end_tokens(network.generation_config, tokenizer)
    for row, prompt in zip(found.itertuples(), PROMPTS, strict=True):
        written = slow_greedy(network, tokenizer(prompt)["input_ids"][:-1], 12, ends)
        assert row.finished == bool(ends & set(written))
        assert row.tokens == len(written)
        assert row.output == tokenizer.decode(written[:-1] if row.finished else written)


def test_sampled_texts_depend_on_seed_and_prompt_and_not_on_the_batch(tokenizer) -> None:
    model = make_model(seed=5)
    drawn = {
        (seed, batch): generate(
            model, tokenizer, asked(PROMPTS), settings(temperature=1.0, seed=seed, batch_tokens=batch)
        )
        for seed in (0, 1) for batch in (1, 10_000)
    }  # fmt: skip
    assert drawn[0, 1].equals(drawn[0, 10_000])
    assert drawn[1, 1].equals(drawn[1, 10_000])
    assert not drawn[0, 1].equals(drawn[1, 1])
    state = torch.random.get_rng_state()
    shuffled = generate(model, tokenizer, asked(PROMPTS[::-1]), settings(temperature=1.0))
    assert shuffled["output"].tolist()[::-1] == drawn[0, 1]["output"].tolist()
    assert torch.equal(state, torch.random.get_rng_state())


def test_draws_follow_the_softmax() -> None:
    logits_V = torch.tensor([2.0, 1.0, 0.0, float("-inf")])
    model = make_model()
    with Sweep(model, [None], ()) as sweep:
        runner = generation._Runner(sweep, bytes_tokenizer(), settings(temperature=1.0), [])
        noise_BV = runner._noise([str(number) for number in range(4000)])(4)
    counts = Counter((logits_V + noise_BV).argmax(1).tolist())
    expected = logits_V.softmax(0)
    for token in range(4):
        # Three standard errors of a share of 4,000 draws are below 0.024.
        assert counts[token] / 4000 == pytest.approx(float(expected[token]), abs=0.024)
    assert counts[3] == 0


@pytest.mark.parametrize("narrow", [{"top_k": 1}, {"top_p": 1e-6}, {"temperature": 1e-6}])
def test_sampling_among_one_token_is_greedy(tokenizer, narrow) -> None:
    model = make_model(seed=5)
    greedy = generate(model, tokenizer, asked(PROMPTS), settings())
    assert generate(model, tokenizer, asked(PROMPTS), settings(**{"temperature": 1.0} | narrow)).equals(greedy)


@pytest.mark.parametrize(
    ("text", "stop", "output", "finished"),
    [
        ("18", (), "18", True),
        ("", (), "", True),
        ("18\nQuestion: next", ("\nQuestion:",), "18", True),
        ("১৮\nপ্রশ্ন: আর", ("\nপ্রশ্ন:",), "১৮", True),
        ("18 and 19, a and b", ("b", "and"), "18 ", True),
        (
            "eighteen and so on, for a very long while indeed",
            ("\n",),
            "eighteen and so on, for a very long whil",
            False,
        ),
    ],
)
def test_a_text_ends_at_its_end_or_at_a_stop_string_and_is_else_truncated(text, stop, output, finished) -> None:
    cutter = bytes_tokenizer()
    found = generate(Scripted(cutter, text), cutter, asked(["a", "bc"]), settings(stop=stop, max_new_tokens=40))
    assert found["output"].tolist() == [output] * 2
    assert found["finished"].tolist() == [finished] * 2


def test_tokens_count_up_to_what_ended_the_text() -> None:
    cutter = bytes_tokenizer()
    stopped = generate(Scripted(cutter, "18\nQ and more"), cutter, asked(["a"]), settings(stop=("\nQ",)))
    assert stopped["tokens"].tolist() == [4]
    ended = generate(Scripted(cutter, "18"), cutter, asked(["a"]), settings())
    assert ended["tokens"].tolist() == [3]  # with the end token


def test_every_end_token_of_the_checkpoint_counts(tokenizer) -> None:
    model = make_model()
    model.generation_config.eos_token_id = [7, 9]
    assert generation.end_tokens(model.generation_config, tokenizer) == {7, 9, tokenizer.eos_token_id}
    model.generation_config.eos_token_id = None
    assert generation.end_tokens(model.generation_config, tokenizer) == {tokenizer.eos_token_id}


def test_a_chat_is_what_the_model_goes_on_from(monkeypatch) -> None:
    cutter, seen = bytes_tokenizer(QWEN), []
    monkeypatch.setattr(
        generation._Runner, "run", lambda _, rows, texts, _batch: seen.extend(texts) or [[("", 1, True)] * len(rows)]
    )
    model = make_model(words=len(cutter))
    generate(model, cutter, asked(["2+2"]), settings(), conversation=Chat(thinking=True))
    generate(model, cutter, asked(["2+2"]), settings(), conversation=Chat(thinking=False))
    start = "<|im_start|>user\n2+2<|im_end|>\n<|im_start|>assistant\n"
    assert seen == [start, start + "<think>\n\n</think>\n\n"]


def test_special_tokens_inside_a_text_are_kept() -> None:
    cutter = bytes_tokenizer(HARMONY)
    cutter.add_special_tokens({"additional_special_tokens": ["<|channel|>", "<|message|>"]})
    text = "<|channel|>final<|message|>18"
    found = generate(Scripted(cutter, text), cutter, asked(["a"]), settings())
    assert found["output"].tolist() == [text]


def test_prompts_that_do_not_fit_name_language_and_item(model, tokenizer) -> None:
    with pytest.raises(AnswerError, match=r"item i1 in tha_Thai: its prompt has 7 tokens, more than max_tokens = 6"):
        generate(model, tokenizer, asked(["a", "abcdef"], "tha_Thai"), settings(max_tokens=6))
    with pytest.raises(AnswerError, match=r"item i0 in eng_Latn: .* max_new_tokens = 254 are more than the 256"):
        generate(model, tokenizer, asked(["abc"]), settings(max_new_tokens=254))
    with pytest.raises(AnswerError, match=r"item i0 in eng_Latn: its prompt gives no tokens"):
        generate(model, bytes_tokenizer(), asked([""]), settings())
    with pytest.raises(AnswerError, match="has no chat template"):
        generate(model, tokenizer, asked(["a"]), settings(), conversation=Chat())


@pytest.mark.parametrize(
    "wrong", [{"max_new_tokens": 0}, {"temperature": -1}, {"top_p": 0}, {"top_p": 1.1}, {"top_k": -1}, {"stop": ("",)}]
)
def test_settings_that_cannot_be_are_refused(wrong) -> None:
    with pytest.raises(AnswerError):
        settings(**wrong)


def test_all_settings_but_the_limit_of_prompts_determine_texts() -> None:
    assert set(settings().determining()) == {
        "max_new_tokens", "batch_tokens", "stop", "temperature", "top_k", "top_p", "seed"
    }  # fmt: skip


# ------------------------------------------------------------------------------------------- many conditions together


CONDITIONS = [
    None,
    *(
        Plan(model="tiny", experts_per_layer=8, top_k=2, rule=rule, strength=strength, experts={layer: (1, 6)})
        for rule, strength, layer in [
            ("soft", 0.0, 1), ("soft", 3.0, 1), ("mask", None, 2), ("activate", None, 1), ("soft", -2.0, 2),
        ]
    ),
]  # fmt: skip


@pytest.fixture(
    scope="module", params=["qwen3_moe", "gpt_oss", "phimoe", "deepseek_v3", "olmoe", "qwen3_next"]
)  # the last one's state is not keys and values
def steerable(request):
    model = tiny(request.param, vocab_size=300, max_position_embeddings=256)
    return model, find_routers(model)


def with_ends(**changes) -> GenerationSettings:
    """A stop that some texts come to sooner than others, as to the ends of `alone`."""
    return settings(stop=("k",), **changes)


@pytest.fixture(scope="module")
def alone(steerable) -> Callable[[float], list[pd.DataFrame]]:
    """By temperature, what is written under each condition by itself; on the batch it does not depend."""
    model, routers = steerable
    model.generation_config.eos_token_id = list(range(60))

    @cache
    def written(temperature: float) -> list[pd.DataFrame]:
        texts = []
        for plan in CONDITIONS:
            with nullcontext() if plan is None else steer(model, plan, routers=routers):
                texts.append(generate(model, bytes_tokenizer(), asked(PROMPTS), with_ends(temperature=temperature)))
        return texts

    return written


@pytest.mark.parametrize("temperature", [0.0, 0.7])
@pytest.mark.parametrize("batch_tokens", [60, 10_000])
def test_a_text_among_other_conditions_is_its_text_alone(steerable, alone, batch_tokens, temperature) -> None:
    model, routers = steerable
    how = with_ends(batch_tokens=batch_tokens, temperature=temperature)
    together = generate_under(model, bytes_tokenizer(), asked(PROMPTS), CONDITIONS, routers, how)
    for found, expected in zip(together, alone(temperature), strict=True):
        pd.testing.assert_frame_equal(found, expected)
    assert together[1].equals(together[0]), "strength 0 is the baseline"
    assert not together[2].equals(together[0])
    assert together[0]["tokens"].nunique() > 1, "rows leave the batch at different steps"


def test_answers_are_told_of_all_conditions(steerable) -> None:
    model, routers = steerable
    told: list[int] = []
    generate_under(
        model, bytes_tokenizer(), asked(PROMPTS), CONDITIONS, routers, settings(batch_tokens=99), on_answers=told.append
    )  # fmt: skip
    assert sum(told) == len(PROMPTS) * len(CONDITIONS)
