import hashlib
import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import Qwen3MoeConfig, Qwen3MoeForCausalLM

from polyroute.ground.hub import SourceError
from polyroute.models.load import load
from polyroute.models.settings import Checkpoint
from polyroute.models.source import ModelError, locate
from polyroute.models.taps import RouterError
from tiny import make_model, make_tokenizer

BASE = {"dtype": "float32", "device": "cpu"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    make_model().save_pretrained(folder)
    make_tokenizer().save_pretrained(folder)
    return folder


def spec(**changes) -> Checkpoint:
    return Checkpoint(**(BASE | changes))


def open_model(spec: Checkpoint):
    return load("tiny", spec, locate("tiny", spec))


def test_a_folder_loads_with_its_routers_checked(folder) -> None:
    loaded = open_model(spec(folder=folder, shape={"layers": 3, "experts": 8, "top_k": 2}))
    assert [router.layer for router in loaded.routers] == [0, 1, 2]
    assert not loaded.model.training
    assert len(loaded.digest) == 64
    assert next(loaded.model.parameters()).dtype == torch.float32


def test_the_digest_tells_weights_apart(folder, tmp_path) -> None:
    make_model(seed=1).save_pretrained(tmp_path)
    make_tokenizer().save_pretrained(tmp_path)
    first, second = (locate("tiny", spec(folder=place)).digest for place in (folder, tmp_path))
    assert first != second
    assert first == locate("tiny", spec(folder=folder)).digest


@pytest.fixture(scope="module")
def refused_by_its_kernel(tmp_path_factory):
    """Experts 10 wide in float32: their rows are no multiple of 16 bytes, which grouped_mm needs."""
    config = Qwen3MoeConfig(
        vocab_size=64, hidden_size=18, intermediate_size=10, moe_intermediate_size=10, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=1, head_dim=8, num_experts=8, num_experts_per_tok=2,
    )  # fmt: skip
    torch.manual_seed(0)
    place = tmp_path_factory.mktemp("strides")
    Qwen3MoeForCausalLM(config).save_pretrained(place)
    make_tokenizer().save_pretrained(place)
    return place


def test_experts_that_their_kernel_does_not_take_run_without_it_and_that_is_said(refused_by_its_kernel, caplog) -> None:
    loaded = open_model(spec(folder=refused_by_its_kernel))
    assert loaded.model.config._experts_implementation == "eager"
    assert len(loaded.routers) == 2
    assert "kernel grouped_mm does not take this model" in caplog.text


def test_a_kernel_that_the_entry_names_is_not_exchanged(refused_by_its_kernel) -> None:
    with pytest.raises(RouterError, match="set `experts: eager`"):
        open_model(spec(folder=refused_by_its_kernel, experts="grouped_mm"))


def test_layers_narrow_the_routers(folder) -> None:
    assert [router.layer for router in open_model(spec(folder=folder, layers=(1, 2))).routers] == [1, 2]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shape": {"layers": 3, "experts": 16, "top_k": 2}}, r"says layers, experts, top_k = \(3, 16, 2\); the model"),
        ({"layers": (1, 7)}, r"models.tiny.layers: \[1, 7\] is outside the model.*layers 0 to 2"),
    ],
)
def test_an_entry_that_does_not_fit_the_model_is_refused(folder, changes, message) -> None:
    with pytest.raises(ModelError, match=message):
        open_model(spec(folder=folder, **changes))


def test_an_empty_folder_and_a_moving_revision_are_refused(tmp_path) -> None:
    with pytest.raises(ModelError, match="holds no checkpoint"):
        locate("tiny", spec(folder=tmp_path))
    with pytest.raises(ModelError, match=r"models.tiny.revision is `main`, which moves: run `polyroute pin tiny`"):
        locate("tiny", spec(hub="org/model", revision="main"))


@pytest.fixture
def mirror(folder, tmp_path):
    """A mirror that holds the checkpoint as `org/model`, without a manifest."""
    place = tmp_path / "hub" / "org" / "model"
    shutil.copytree(folder, place)
    return tmp_path


def write_manifest(mirror, revision: str) -> None:
    place = mirror / "hub" / "org" / "model"
    files = {
        f"hub/org/model/{path.name}": {"revision": revision, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        for path in place.iterdir()
    }
    (mirror / "manifest.json").write_text(json.dumps({"files": files}))


PINNED = spec(hub="org/model", revision="0" * 40)


def test_a_pinned_model_is_its_commit_on_the_hub_and_in_a_mirror_that_vouches_for_it(mirror) -> None:
    assert locate("tiny", PINNED).digest == "0" * 40
    write_manifest(mirror, "0" * 40)
    mirrored = locate("tiny", PINNED, mirror)
    assert (mirrored.digest, mirrored.local_files_only) == ("0" * 40, True)
    assert len(load("tiny", PINNED, mirrored).routers) == 3


def test_a_mirror_without_a_manifest_is_known_by_its_files(mirror) -> None:
    assert len(locate("tiny", PINNED, mirror).digest) == 64


def test_a_mirror_of_another_commit_or_with_a_changed_file_is_refused(mirror) -> None:
    write_manifest(mirror, "1" * 40)
    with pytest.raises(SourceError, match=r"mirrored at 1+, but params.yaml says 0+; run `polyroute mirror` again"):
        locate("tiny", PINNED, mirror)
    write_manifest(mirror, "0" * 40)
    (mirror / "hub" / "org" / "model" / "config.json").write_text("{}")
    with pytest.raises(SourceError, match="its checksum is not the one in the mirror's"):
        locate("tiny", PINNED, mirror)


def test_a_mirror_without_the_model_leaves_the_local_cache_but_not_the_network(tmp_path) -> None:
    assert locate("tiny", PINNED, tmp_path).local_files_only


def test_a_checkpoint_that_lacks_weights_is_refused(folder, tmp_path) -> None:
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    weights = load_file(tmp_path / "model.safetensors")
    del weights["model.layers.1.mlp.gate.weight"]
    save_file(weights, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelError, match=r"not whole: 1 missing keys, such as model.layers.1.mlp.gate.weight"):
        open_model(spec(folder=tmp_path))


def test_code_in_the_folder_counts_where_it_may_run(folder, tmp_path) -> None:
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    trusting = spec(folder=tmp_path, trust_remote_code=True)
    before = locate("tiny", trusting).digest
    (tmp_path / "modeling_own.py").write_text("x = 1")
    assert locate("tiny", trusting).digest != before


def test_layers_without_a_router_are_refused(folder) -> None:
    with pytest.raises(ModelError, match="outside the model"):
        open_model(spec(folder=folder, layers=(5, 6)))


def test_pickled_weights_are_not_read(folder, tmp_path) -> None:
    for path in folder.iterdir():
        if path.suffix != ".safetensors":
            (tmp_path / path.name).write_bytes(path.read_bytes())
    torch.save(make_model().state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"holds no weights.*pickled ones \(.bin, .pt\) are not read"):
        open_model(spec(folder=tmp_path))
