import json

import pytest
import torch

from polyroute.models.load import ModelError, load, locate
from polyroute.params import Hub, TransformersModel
from tiny import make_model, make_tokenizer

BASE = {
    "engine": "transformers", "dtype": "float32", "device": "cpu", "batch_tokens": 64, "corpora": ["c"],
    "languages": "g",
}  # fmt: skip
NO_MIRROR = Hub(mirror=None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    make_model().save_pretrained(folder)
    make_tokenizer().save_pretrained(folder)
    return folder


def spec(**changes) -> TransformersModel:
    return TransformersModel(**(BASE | changes))


def open_model(spec: TransformersModel, hub: Hub = NO_MIRROR):
    return load("tiny", spec, locate("tiny", spec, hub))


def test_a_folder_loads_with_its_routers_checked(folder) -> None:
    loaded = open_model(spec(folder=folder, shape={"layers": 3, "experts": 8, "top_k": 2}))
    assert [router.layer for router in loaded.routers] == [0, 1, 2]
    assert not loaded.model.training
    assert len(loaded.digest) == 64
    assert next(loaded.model.parameters()).dtype == torch.float32


def test_the_digest_tells_weights_apart(folder, tmp_path) -> None:
    make_model(seed=1).save_pretrained(tmp_path)
    make_tokenizer().save_pretrained(tmp_path)
    first, second = (locate("tiny", spec(folder=place), NO_MIRROR).digest for place in (folder, tmp_path))
    assert first != second
    assert first == locate("tiny", spec(folder=folder), NO_MIRROR).digest


def test_layers_narrow_the_routers(folder) -> None:
    assert [router.layer for router in open_model(spec(folder=folder, layers=(1, 2))).routers] == [1, 2]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shape": {"layers": 3, "experts": 16, "top_k": 2}}, r"says layers, experts, top_k = \(3, 16, 2\); the model"),
        ({"layers": (1, 7)}, r"models.tiny.layers: \[1, 7\] is outside the model.*layers 0 to 2"),
        (
            {"zones": {"early": (0, 0), "middle": (1, 1), "late": (5, 5)}},
            r"models.tiny.zones.late: \[5, 5\] is outside",
        ),
    ],
)
def test_an_entry_that_does_not_fit_the_model_is_refused(folder, changes, message) -> None:
    with pytest.raises(ModelError, match=message):
        open_model(spec(folder=folder, **changes))


def test_an_empty_folder_and_a_moving_revision_are_refused(tmp_path) -> None:
    with pytest.raises(ModelError, match="holds no checkpoint"):
        locate("tiny", spec(folder=tmp_path), NO_MIRROR)
    with pytest.raises(ModelError, match=r"models.tiny.revision is `main`, which moves: run `polyroute pin tiny`"):
        locate("tiny", spec(hub="org/model", revision="main"), NO_MIRROR)


def test_pinned_models_come_from_the_hub_unless_mirrored(folder, tmp_path) -> None:
    commit = "0" * 40
    assert locate("tiny", spec(hub="org/model", revision=commit), NO_MIRROR).digest == commit
    place = tmp_path / "hub" / "org" / "model"
    place.parent.mkdir(parents=True)
    place.symlink_to(folder)
    mirrored = locate("tiny", spec(hub="org/model", revision=commit), Hub(mirror=tmp_path))
    assert mirrored.place == str(place)
    assert len(load("tiny", spec(hub="org/model", revision=commit), mirrored).routers) == 3


def test_a_mirror_of_another_commit_is_refused(folder, tmp_path) -> None:
    place = tmp_path / "hub" / "org" / "model"
    place.parent.mkdir(parents=True)
    place.symlink_to(folder)
    entry = {"hub/org/model/config.json": {"revision": "1" * 40, "sha256": ""}}
    (tmp_path / "manifest.json").write_text(json.dumps({"files": entry}))
    with pytest.raises(ModelError, match=r"was mirrored at 1+, but params.yaml says 0+: run `polyroute mirror` again"):
        locate("tiny", spec(hub="org/model", revision="0" * 40), Hub(mirror=tmp_path))


def test_pickled_weights_are_not_read(folder, tmp_path) -> None:
    for path in folder.iterdir():
        if path.suffix != ".safetensors":
            (tmp_path / path.name).write_bytes(path.read_bytes())
    torch.save(make_model().state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(ModelError, match="cannot be loaded"):
        open_model(spec(folder=tmp_path))
