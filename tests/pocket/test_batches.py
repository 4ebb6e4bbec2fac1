import torch

from polyroute.miniworld import realise
from polyroute.pocket import batches
from polyroute.pocket.recipe import Plant


def test_a_batch_lines_up_targets_and_weights(recipe, cutter) -> None:
    data = batches.batch(recipe, cutter, 5)
    assert data.inputs.shape == data.targets.shape == data.weights.shape == (8, 32)
    assert torch.equal(data.inputs.flatten()[1:], data.targets.flatten()[:-1])
    assert data.inputs[0, 0] == cutter.bos_token_id
    assert set(data.weights.unique().tolist()) <= {1.0, 6.0}
    heavy = data.targets[data.weights == 6]
    assert not torch.isin(heavy, torch.tensor(cutter.all_special_ids)).any()
    assert torch.equal(batches.batch(recipe, cutter, 5).inputs, data.inputs)
    assert not torch.equal(batches.batch(recipe, cutter, 6).inputs, data.inputs)


def test_translations_are_of_different_training_events(recipe, cutter, trained_events) -> None:
    plant = Plant(layers=[0], pairs=4, temperature=0.5, weight=1.0)
    found = batches.translations(recipe, plant, cutter, 7)
    texts = [cutter.decode(row, skip_special_tokens=True) for row in found.inputs]
    english, others = texts[:4], texts[4:]
    assert len(set(english)) == 4
    for told, translated in zip(english, others, strict=True):
        assert translated in {realise.event(trained_events[told], code) for code in recipe.languages[1:]}
    assert torch.equal(found.inputs, batches.translations(recipe, plant, cutter, 7).inputs)
    assert found.counts.sum(1).tolist() == [len(cutter(text, add_special_tokens=False)["input_ids"]) for text in texts]


def test_shuffled_translations_are_those_of_the_next_sentence(recipe, cutter, trained_events) -> None:
    plant = Plant(layers=[0], pairs=4, temperature=0.5, weight=1.0)
    paired = batches.translations(recipe, plant, cutter, 7)
    shuffled = batches.translations(recipe, plant.model_copy(update={"shuffled": True}), cutter, 7)
    told, beside = (
        [cutter.decode(row, skip_special_tokens=True) for row in found.inputs] for found in (paired, shuffled)
    )
    assert beside[:4] == told[:4]
    for english, translated in zip([*told[1:4], told[0]], beside[4:], strict=True):
        assert translated in {realise.event(trained_events[english], code) for code in recipe.languages[1:]}
