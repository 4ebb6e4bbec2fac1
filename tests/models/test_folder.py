"""Checkpoints as they arrive: cut short, pointers, pages, links, configurations of others. Each is one sentence."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from polyroute.models.folder import ModelError, check_folder
from polyroute.models.load import load
from polyroute.models.settings import Checkpoint
from polyroute.models.source import digest, locate
from tiny import make_model, make_tokenizer

INDEX, SINGLE = "model.safetensors.index.json", "model.safetensors"
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 123\n"
PAGE = "\n<!DOCTYPE html><html>log in first</html>"


def spec(folder: Path) -> Checkpoint:
    return Checkpoint(dtype="float32", device="cpu", folder=folder)


def open_model(folder: Path):
    return load("tiny", spec(folder), locate("tiny", spec(folder)))


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> dict[str, Path]:
    """A checkpoint in one file, and one in shards."""
    folders = {}
    for name, size in [("single", "1GB"), ("shards", "15KB")]:
        folders[name] = tmp_path_factory.mktemp(name)
        make_model().save_pretrained(folders[name], max_shard_size=size)
        make_tokenizer().save_pretrained(folders[name])
    return folders


@pytest.fixture
def single(sound, tmp_path) -> Path:
    return Path(shutil.copytree(sound["single"], tmp_path / "tiny"))


@pytest.fixture
def shards(sound, tmp_path) -> Path:
    return Path(shutil.copytree(sound["shards"], tmp_path / "sharded"))


def configure(folder: Path, **changes) -> None:
    """Other entries of config.json; None takes one away."""
    path = folder / "config.json"
    held = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({key: value for key, value in held.items() if value is not None}))


def test_sound_folders_pass(single, shards) -> None:
    check_folder("tiny", single)
    check_folder("tiny", shards)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (lambda whole: whole[:9], "is cut short: it ends within its header, after 9 bytes"),
        (lambda whole: whole[:2000], "is cut short: it ends within its header"),
        (lambda whole: whole[:-1], r"is cut short: it has [\d,]+ of [\d,]+ bytes"),
        (lambda whole: whole + b"\0", "is damaged: it has"),
        (lambda _: b"", "is empty"),
        (lambda _: POINTER.encode(), r"is a Git LFS pointer, not the file itself \(run `git lfs pull"),
        (lambda _: PAGE.encode(), "is a web page"),
        (lambda _: b"PK\x03\x04" + bytes(500), r"is no safetensors file|is cut short"),
        (lambda whole: whole[:8] + b"[" + whole[9:], "is no safetensors file"),
        (lambda whole: whole[:8] + b"{" + whole[20:], "is no safetensors file|is cut short"),
    ],
)
@pytest.mark.parametrize("file", [SINGLE, "model-00002-of-00005.safetensors"])
def test_weights_that_are_not_whole(file, content, said, single, sound, tmp_path) -> None:
    folder = single if file == SINGLE else Path(shutil.copytree(sound["shards"], tmp_path / "shards"))
    path = folder / file
    path.write_bytes(content(path.read_bytes()))
    with pytest.raises(ModelError, match=rf"models.tiny: {path} ({said})"):
        open_model(folder)


@pytest.mark.parametrize(
    "file", ["config.json", "tokenizer.json", "tokenizer_config.json", "generation_config.json", INDEX]
)
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (lambda whole: whole[: len(whole) // 2], "is no JSON"),
        (lambda _: "", "is empty"),
        (lambda _: POINTER, "is a Git LFS pointer"),
        (lambda _: PAGE, "is a web page"),
        (lambda _: "[]", r"is no JSON object but a list|has no `weight_map`"),
        (lambda _: '"text"', r"is no JSON object but a string|has no `weight_map`"),
        (lambda _: "3", r"is no JSON object but a number|has no `weight_map`"),
    ],
)
def test_json_that_is_not_whole_is_named(file, content, said, shards) -> None:
    path = shards / file
    path.write_text(content(path.read_text()))
    with pytest.raises(ModelError, match=rf"models.tiny: {path} ({said})"):
        open_model(shards)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_json_in_another_encoding_is_named(encoding, single) -> None:
    path = single / "config.json"
    path.write_text(path.read_text(), encoding=encoding)
    with pytest.raises(ModelError, match=rf"{path} is no JSON"):
        open_model(single)


@pytest.mark.parametrize(
    ("index", "said"),
    [
        ({"metadata": {}}, "has no `weight_map`"),
        ({"weight_map": {}}, "has no `weight_map`"),
        ({"weight_map": [1]}, "has no `weight_map`"),
        ({"weight_map": {"lm_head.weight": 1}}, "has no `weight_map`"),
        (
            {"weight_map": {"w": "../../elsewhere.safetensors"}},
            r"looks for w in `\.\./\.\./elsewhere.safetensors`; only",
        ),
        ({"weight_map": {"w": "weights/one.safetensors"}}, "looks for w in `weights/one.safetensors`; only"),
        ({"weight_map": {"w": "/etc/one.safetensors"}}, "looks for w in `/etc/one.safetensors`; only"),
        ({"weight_map": {"w": "pytorch_model.bin"}}, "looks for w in `pytorch_model.bin`; only"),
        ({"weight_map": {"w": "absent.safetensors"}}, "lists absent.safetensors, which is not in"),
    ],
)
def test_an_index_that_cannot_be(index, said, shards) -> None:
    (shards / INDEX).write_text(json.dumps(index))
    with pytest.raises(ModelError, match=rf"models.tiny: {shards / INDEX} {said}"):
        open_model(shards)


def test_two_sets_of_weights_are_refused(single, sound) -> None:
    for path in sound["shards"].glob("model*"):
        shutil.copy(path, single)
    with pytest.raises(
        ModelError, match=r"holds two sets of weights, model.safetensors and the 5 files that model.saf"
    ):
        open_model(single)


def test_no_weights_and_no_tokenizer_are_refused(single) -> None:
    (single / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match="has no tokenizer"):
        open_model(single)
    (single / SINGLE).unlink()
    with pytest.raises(ModelError, match=r"holds no weights.*pickled ones \(.bin, .pt\) are not read"):
        open_model(single)


@pytest.mark.parametrize("content", ["{}", '{"model": null}', '{"added_tokens": []}'])
def test_a_tokenizer_without_a_model_is_refused(content, single) -> None:
    (single / "tokenizer.json").write_text(content)
    with pytest.raises(ModelError, match=r"tokenizer.json holds no tokenizer \(`model` is missing\)"):
        open_model(single)


@pytest.mark.parametrize("file", [SINGLE, "config.json", "tokenizer.json"])
def test_a_link_to_nowhere_is_named(file, single) -> None:
    (single / file).unlink()
    (single / file).symlink_to("/nonexistent/file")
    with pytest.raises(ModelError, match=rf"{single / file} is a link to a file that is not there|no config.json"):
        open_model(single)


def test_links_to_files_are_followed_by_loading_and_by_the_digest(single, tmp_path) -> None:
    linked = tmp_path / "linked"
    linked.mkdir()
    for path in single.iterdir():
        (linked / path.name).symlink_to(path)
    assert digest("tiny", spec(linked)) == digest("tiny", spec(single))
    assert len(open_model(linked).routers) == 3
    before = digest("tiny", spec(linked))
    make_model(seed=1).save_pretrained(single)
    assert digest("tiny", spec(linked)) != before


@pytest.mark.parametrize("link", ["models/tiny", "models/group"])
def test_a_linked_folder_in_which_dvc_sees_no_change_is_refused(link, single, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    place = Path("models/tiny" if link == "models/tiny" else "models/group/tiny")
    Path("models").mkdir()
    Path(link).symlink_to(single if link == "models/tiny" else single.parent)
    with pytest.raises(ModelError, match=rf"models.tiny: {link} is a symbolic link to a folder.*cp -rs"):
        digest("tiny", spec(place))
    # Models that are all elsewhere: DVC follows what its dependency itself links to.
    Path(link).unlink()
    Path("models").rmdir()
    Path("models").symlink_to(single.parent)
    assert digest("tiny", spec(Path("models/tiny"))) == digest("tiny", spec(single))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"num_experts_per_tok": 0}, r"config.json: `num_experts_per_tok` is 0 of 8 experts"),
        ({"num_experts_per_tok": -1}, r"config.json: `num_experts_per_tok` is -1 of 8 experts"),
        ({"num_experts_per_tok": 9}, r"config.json: `num_experts_per_tok` is 9 of 8 experts"),
        ({"num_experts": None, "num_local_experts": None}, r"`num_experts` is 128 \(default\).* is stored as \(8, "),
        ({"hidden_size": 32}, r"`hidden_size` is 32\) where .* is stored as \(64, 16\)"),
        ({"vocab_size": 60}, r"`vocab_size` is 60\) where .* is stored as \(64, 16\)"),
        ({"hidden_size": "16"}, r"the configuration of .*config.json cannot be loaded.*'hidden_size' expected int"),
        ({"hidden_act": "swigloo"}, r"config.json: `hidden_act` is `swigloo`, which transformers .* does not know"),
        (
            {"rope_parameters": {"rope_type": "yarnn", "rope_theta": 1e4}},
            r"config.json: `rope_parameters.rope_type` is `yarnn`, which transformers .* does not know",
        ),
        ({"model_type": "no-such-model"}, r"the configuration of .*config.json cannot be loaded"),
        ({"model_type": "clip"}, r"which transformers has no language model for"),
        ({"num_hidden_layers": 5}, r"is not whole: \d+ missing keys"),
    ],
)
def test_a_configuration_that_cannot_be_names_its_key(changes, said, single) -> None:
    configure(single, **changes)
    with pytest.raises(ModelError, match=said) as refused:
        open_model(single)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 700


def test_weights_that_the_model_does_not_take_are_told(single, caplog) -> None:
    configure(single, num_hidden_layers=2, layer_types=None)
    assert [router.layer for router in open_model(single).routers] == [0, 1]
    assert "weights that the model does not take, such as model.layers.2." in caplog.text


@pytest.mark.parametrize("kind", [torch.float8_e4m3fn, torch.float8_e5m2])
def test_quantised_weights_without_their_configuration_are_refused(kind, single) -> None:
    weights = load_file(single / SINGLE)
    name = next(name for name in weights if "down_proj" in name)
    weights[name] = weights[name].to(kind)
    save_file(weights, single / SINGLE, {"format": "pt"})
    with pytest.raises(ModelError, match=rf"holds {name} in F8_.*no `quantization_config`"):
        open_model(single)


@pytest.mark.parametrize("end", ["weight_scale_inv", "weight_scale", "absmax"])
def test_scales_that_nobody_takes_are_refused(end, single) -> None:
    weights = load_file(single / SINGLE)
    weights[f"model.layers.0.self_attn.q_proj.{end}"] = torch.ones(1, 1)
    save_file(weights, single / SINGLE, {"format": "pt"})
    with pytest.raises(ModelError, match=r"holds 1 scales of quantised weights.*lacks its `quantization_config`"):
        open_model(single)
