import pytest
from transformers import AutoTokenizer

from polyroute.miniworld import corpus, tables
from polyroute.pocket import tokenizer


@pytest.fixture(scope="module")
def cutter(recipe, tmp_path_factory):
    every = recipe.model_copy(update={"languages": ["eng_Latn", *set(tables.available()) - {"eng_Latn"}]})
    folder = tmp_path_factory.mktemp("tokenizer")
    tokenizer.train(every).save_pretrained(folder)
    return AutoTokenizer.from_pretrained(folder)


@pytest.mark.parametrize("language", tables.available())
def test_text_survives_the_round_trip(cutter, language) -> None:
    for text in corpus.parallel_corpus("select", 20, [language], 0).text:
        ids = cutter(text)["input_ids"]
        assert ids[0] == cutter.bos_token_id
        assert cutter.decode(ids, skip_special_tokens=True) == text


def test_special_tokens_and_size(cutter, recipe) -> None:
    assert (cutter.bos_token, cutter.eos_token, cutter.pad_token) == ("<s>", "</s>", "<pad>")
    assert len(cutter) == recipe.vocabulary
    assert cutter(["a", "a b"], padding=True)["input_ids"][0][-1] == cutter.pad_token_id


def test_numbers_are_the_same_tokens_in_every_language(cutter) -> None:
    english = cutter("Answer: 17.", add_special_tokens=False).tokens()
    chinese = cutter("答案：17。", add_special_tokens=False).tokens()
    number = cutter("17", add_special_tokens=False).tokens()
    assert english[-1 - len(number) : -1] == number
    assert "".join(number) in "".join(chinese)
    assert [token for token in chinese if token.isdigit()] == number


def test_a_prompt_and_its_answer_are_cut_as_one_text(cutter) -> None:
    for prompt, answer in [("Answer:", " 17."), ("Where? Answer:", " in the forest."), ("答案：", "森林里。")]:
        apart = [cutter(part, add_special_tokens=False)["input_ids"] for part in (prompt, answer)]
        assert cutter(prompt + answer, add_special_tokens=False)["input_ids"] == apart[0] + apart[1]


def test_languages_with_little_data_are_cut_finer(recipe) -> None:
    skewed = recipe.model_copy(
        update={"vocabulary": 1500, "languages": ["eng_Latn", "deu_Latn", "nld_Latn"], "falloff": 0.05}
    )
    cut = tokenizer.train(skewed)
    frame = corpus.parallel_corpus("select", 50, ["deu_Latn", "nld_Latn"], 0)
    tokens = frame.text.map(lambda text: len(cut(text)["input_ids"])).groupby(frame.language).mean()
    assert tokens["nld_Latn"] > 1.3 * tokens["deu_Latn"]


def test_training_is_deterministic(recipe) -> None:
    first, second = (tokenizer.train(recipe).backend_tokenizer.to_str() for _ in range(2))
    assert first == second
