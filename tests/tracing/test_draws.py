import pytest
import torch
from transformers import PretrainedConfig

from polyroute.tracing import draws
from polyroute.tracing.collect import TraceSettings
from polyroute.tracing.draws import Material, read_random
from polyroute.tracing.random_init import FIRST_SEED, NoRandomModelError, RandomSettings, read_model

TEXTS = {
    "eng_Latn": {"a": "hello world", "b": "the fox jumps", "c": "a dog and a cat"},
    "deu_Latn": {"a": "hallo welt", "b": "der fuchs springt", "c": "ein hund und eine katze"},
}


def settings(**changes) -> RandomSettings:
    told = {"draws": 3, "most_weights": 10**6, "nearest": 5, "seed": 0, "trace": TraceSettings()}
    return RandomSettings(**(told | changes))


@pytest.fixture
def read(model, tokenizer, tmp_path, monkeypatch):
    build = draws.build

    def read(name="tiny", texts=TEXTS, **changes):
        computed, told = [], []
        monkeypatch.setattr(
            draws, "build", lambda name, config, draw: computed.append(draw) or build(name, config, draw)
        )
        found = read_random(
            Material(name, model.config, tokenizer), texts, settings(**changes), tmp_path, advance=told.append
        )
        assert told == [1] * len(computed)
        return found, computed

    return read


def test_each_draw_is_the_architecture_with_the_weights_of_its_seed(read, model, tokenizer) -> None:
    found, _ = read()
    assert len(found) == 3
    assert found[0] != found[1]
    torch.manual_seed(FIRST_SEED + 1)
    again = type(model)(model.config).eval()
    assert read_model(again, tokenizer, TEXTS, settings()) == found[1]


def test_the_same_again_computes_nothing_under_any_name_and_more_draws_add_to_it(read) -> None:
    found, computed = read()
    assert sorted(computed) == [0, 1, 2]
    assert read(name="other") == (found, [])
    more, computed = read(draws=5)
    assert (more[:3], sorted(computed)) == (found, [3, 4])


def test_models_begin_at_different_draws(read, tmp_path) -> None:
    firsts = {read(name=name, seed=seed)[1][0] for seed, name in enumerate("abcdefgh")}
    assert len(firsts) > 1


def test_a_killed_run_goes_on_where_it_stopped(read, monkeypatch) -> None:
    whole, order = read(seed=1)
    keep, kept = draws.keep, []

    def killed(part, curves):
        if len(kept) == 2:
            raise KeyboardInterrupt
        kept.append(part)
        keep(part, curves)

    monkeypatch.setattr(draws, "keep", killed)
    with pytest.raises(KeyboardInterrupt):
        read()
    monkeypatch.setattr(draws, "keep", keep)
    assert read()[1] == order[2:]
    assert [draw.layers for draw in read()[0]] == [draw.layers for draw in whole]


def test_a_damaged_part_is_computed_again(read, tmp_path) -> None:
    found, _ = read()
    next(tmp_path.rglob("1.json")).write_text("{")
    assert read() == (found, [1])


@pytest.mark.parametrize(
    "change",
    [{"nearest": 7}, {"seed": 7}, {"trace": TraceSettings(batch_tokens=7)},
     {"layers": (0, 1)}, {"texts": TEXTS | {"deu_Latn": TEXTS["deu_Latn"] | {"a": "hallo werk"}}}],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_each_thing_that_determines_numbers_computes_anew(read, change) -> None:
    read()
    assert len(read(**change)[1]) == 3


def test_the_callers_random_numbers_and_configuration_stay(read, model) -> None:
    told = model.config.to_dict()
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    read()
    assert torch.rand(1) == expected
    assert model.config.to_dict() == told


def test_an_architecture_too_large_is_refused_by_its_size(read) -> None:
    told = r"models\.tiny: a random initialisation has [\d,]+ weights, more than nulls\.most_weights = 100: raise it"
    with pytest.raises(NoRandomModelError, match=told) as refused:
        read(most_weights=100)
    assert refused.value.code == "too_large"


def test_an_architecture_that_is_unknown_is_refused(tokenizer, tmp_path) -> None:
    config = PretrainedConfig(model_type="no-such-model")
    with pytest.raises(NoRandomModelError, match=r"models\.tiny: its architecture cannot be built") as refused:
        read_random(Material("tiny", config, tokenizer), TEXTS, settings(), tmp_path)
    assert refused.value.code == "cannot_build"


def test_only_the_layers_that_are_asked_for_are_read(read) -> None:
    found, _ = read(layers=(1, 2))
    assert found[0].layers == [1, 2]
    assert len(found[0].alignment) == 2
