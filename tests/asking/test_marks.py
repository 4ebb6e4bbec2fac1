"""Marks of thought and of the end of a turn are the template's, and templates get what they take."""

import pandas as pd
import pytest
from transformers import GenerationConfig

from asking.asked import HARMONY, QWEN, bytes_tokenizer
from asking.test_generation import PROMPTS, Scripted, asked, settings
from polyroute.asking import marks, prompts
from polyroute.asking.generation import generate
from polyroute.asking.prompts import Chat
from polyroute.asking.settings import Asking
from polyroute.ground.errors import AnswerError
from polyroute.scoring.written import score_numbers
from tiny import make_model

PLAIN = (
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
OPENED = PLAIN.replace("<|assistant|>{% endif %}", "<|assistant|><think>\n{% endif %}")
PARTS = (
    "{% for m in messages %}<|{{ m['role'] }}|>{% for c in m['content'] %}{% if c['type'] == 'text' %}{{ c['text'] }}"
    "{% endif %}{% endfor %}<|end|>{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
REFUSING = PARTS.replace(
    "{% for m in messages %}",
    "{% for m in messages %}{% if m['content'] is string %}{{ raise_exception('a list of parts') }}{% endif %}",
    1,
)
OWN = (
    "{% for m in messages %}<|{{ m.role }}|>"
    "{% if m.reasoning_content %}<plan>{{ m.reasoning_content }}</plan>{% endif %}"
    "{{ m.content }}{% endfor %}{% if add_generation_prompt %}<|assistant|><plan>{% endif %}"
)
TURNS = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def written(template: str, text: str, *special: str, stop: tuple[str, ...] = (), new: int = 90) -> pd.DataFrame:
    """What a model that writes a text is recorded to have said in a chat, and how that is scored."""
    cutter = bytes_tokenizer(template)
    if special:
        cutter.add_special_tokens({"additional_special_tokens": list(special)})
    how = settings(stop=stop, max_new_tokens=new, batch_tokens=4000)
    raw = generate(Scripted(cutter, text), cutter, asked(["9 eggs?"]), how, conversation=Chat(thinking=True))
    key = pd.DataFrame({"item_id": ["i0"], "language": ["eng_Latn"], "split": ["report"], "answer": ["18"]})
    return score_numbers(raw, key, "t")


@pytest.mark.parametrize(
    ("template", "text", "new"),
    [(OPENED, "16 - 3 = 13, and then there are 4", 20), (OPENED, "Perhaps it is 18", 90),
     (PLAIN, "<think>Perhaps it is 18", 90), (OWN, "Perhaps it is 18", 90)],
)  # fmt: skip
def test_an_answer_inside_a_thought_that_never_ends_is_wrong_and_unfinished(template, text, new) -> None:
    (row,) = written(template, text, new=new).itertuples()
    assert (row.extracted, row.correct, row.finished, row.first_box) == (None, False, False, False)


@pytest.mark.parametrize(
    ("template", "text"),
    [(OPENED, "16 - 3 = 13.\nQuestion: 9 eggs?\n</think>\n\n18\nQuestion: and 5?"),
     (PLAIN, "<think>\nQuestion: 9 eggs?\n</think>\n\n18\nQuestion: and 5?"),
     (OWN, "Question: 9 eggs?\nQuestion:</plan>18\nQuestion: and 5?")],
)  # fmt: skip
def test_a_stop_string_acts_outside_a_thought_alone(template, text) -> None:
    (row,) = written(template, text, stop=("\nQuestion:",)).itertuples()
    assert (row.extracted, row.correct, row.finished) == ("18", True, True)
    assert "and 5" not in row.output


def test_a_mark_that_the_template_only_speaks_of_opens_nothing() -> None:
    (row,) = written("Think inside <think> if you must." + PLAIN, "18").itertuples()
    assert (row.output, row.extracted, row.finished) == ("18", "18", True)


def test_a_turn_ends_where_the_template_ends_it() -> None:
    special = ("<|im_start|>", "<|im_end|>")
    (row,) = written(TURNS, "18<|im_end|>\n<|im_start|>user\nAnd for 5?", *special).itertuples()
    assert (row.output, row.extracted, row.finished) == ("18", "18", True)
    cutter = bytes_tokenizer(TURNS)
    assert marks.turn_ends(cutter, Chat()) == set()  # no special token
    cutter.add_special_tokens({"additional_special_tokens": list(special)})
    assert marks.turn_ends(cutter, Chat()) == {cutter.convert_tokens_to_ids("<|im_end|>")}
    assert marks.turn_ends(cutter, None) == set()


def test_marks_that_only_the_template_knows_are_spelt_as_others() -> None:
    found = marks.of(bytes_tokenizer(OWN), Chat())
    assert found.pairs == (("<plan>", "</plan>"),)
    assert found.spelt("<plan>a</plan>b") == "<think>a</think>b"
    assert found.opened("<|assistant|><plan>") == "<think>"
    assert marks.of(bytes_tokenizer(QWEN), Chat()).pairs == ()
    assert marks.of(bytes_tokenizer(HARMONY), Chat(variables={"reasoning_effort": "low"})).pairs == ()
    assert marks.of(bytes_tokenizer(OWN), None).pairs == ()


@pytest.mark.parametrize("template", [PARTS, REFUSING])
@pytest.mark.parametrize("ask", [prompts.question, prompts.answer_place])
def test_a_template_that_takes_parts_gets_parts(template, ask) -> None:
    assert ask(bytes_tokenizer(template), "2+2", Chat()) == "<|user|>2+2<|end|><|assistant|>"


@pytest.mark.parametrize(
    "template",
    ["{{ 'always the same' }}", "{% for m in messages %}{{ m.content | length }}{% endfor %}",
     "{{ raise_exception('never') }}"],
)  # fmt: skip
def test_a_question_that_is_lost_is_refused_before_the_model_is_asked(template) -> None:
    with pytest.raises(AnswerError, match=r"item i0 in eng_Latn: .* cannot ask this"):
        generate(make_model(), bytes_tokenizer(template), asked(["2+2"]), settings(), conversation=Chat())


@pytest.mark.parametrize("name", ["enable_thinking", "thinking"])
def test_thinking_has_each_of_its_names(name) -> None:
    template = PLAIN + f"{{{{ '<think>' if {name} else '</think>' }}}}"
    for thinking, mark in ((True, "<think>"), (False, "</think>")):
        assert prompts.question(bytes_tokenizer(template), "2+2", Chat(thinking=thinking)).endswith(mark)
    assert prompts.question(bytes_tokenizer(template), "2+2", Chat(variables={name: True})).endswith("<think>")


def test_any_variable_reaches_the_template() -> None:
    template = PLAIN + "{{ reasoning_effort }} {{ date }}"
    told = prompts.question(
        bytes_tokenizer(template), "2+2", Chat(variables={"reasoning_effort": "low", "date": "1 May"})
    )
    assert told.endswith("low 1 May")


def test_the_variables_of_params_are_written_only_where_there_are_some() -> None:
    how = {"chat": True, "thinking": False, "max_new_tokens": 8, "temperature": 0, "top_p": 1, "top_k": 0}
    assert "chat_template" not in Asking(**how).model_dump()
    assert Asking(**how, chat_template={"date": "1 May"}).model_dump()["chat_template"] == {"date": "1 May"}


@pytest.mark.parametrize(
    "wish",
    [{"suppress_tokens": [5, 6, 7]}, {"bad_words_ids": [[5], [6]]}, {"forced_eos_token_id": 1}, {"max_time": 1e-4},
     {"stop_strings": "a"}, {"min_new_tokens": 12}, {"min_length": 50}, {"sequence_bias": [[[5], -100.0]]},
     {"begin_suppress_tokens": [5]}, {"exponential_decay_length_penalty": [2, 5.0]}, {"guidance_scale": 3.0},
     {"num_return_sequences": 2}, {"prompt_lookup_num_tokens": 2}, {"token_healing": True}, {"penalty_alpha": 0.6},
     {"do_sample": True, "temperature": 3.0}, {"repetition_penalty": 5.0}, {"num_beams": 2}],
)  # fmt: skip
def test_nothing_of_a_checkpoints_configuration_but_its_end_tokens_acts(wish, tokenizer) -> None:
    expected = generate(make_model(seed=5), tokenizer, asked(PROMPTS[:2]), settings())
    model = make_model(seed=5)
    for name, value in wish.items():
        setattr(model.generation_config, name, value)
    kept = model.generation_config
    assert generate(model, tokenizer, asked(PROMPTS[:2]), settings()).equals(expected)
    assert model.generation_config is kept
    assert isinstance(kept, GenerationConfig)
