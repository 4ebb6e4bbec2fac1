"""What a checkpoint's folder holds, checked before it is loaded: one sentence for each thing that cannot be.

Only names, JSON and the headers of safetensors files are read, a few kilobytes in all; no torch is needed. Weights lie
beside config.json: what an index names elsewhere would be in no digest.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from polyroute.ground.errors import PolyrouteError

INDEX = "model.safetensors.index.json"
SINGLE = "model.safetensors"
OBJECTS = (
    "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
    "added_tokens.json", "vocab.json", "preprocessor_config.json", "processor_config.json",
)  # fmt: skip
"""JSON files that transformers reads as an object."""
VOCABULARIES = (
    "tokenizer.json", "*.model", "vocab.json", "vocab.txt", "tekken.json", "*.tiktoken", "spiece.*", "vocab-*.json",
)  # fmt: skip
"""One of these holds a tokenizer's vocabulary."""
_TOP_K = ("num_experts_per_tok", "num_experts_per_token", "top_k_experts", "moe_topk", "moe_top_k", "moe_k")
_EXPERTS = ("num_experts", "n_routed_experts", "num_local_experts", "moe_num_experts")
_OF_BYTES = ("ByT5", "Perceiver", "Canine")
"""Tokenizers that need no vocabulary."""
_UNSCALED = {"F8_E4M3", "F8_E5M2", "F8_E8M0", "F4"}
"""Types that mean nothing without the scales beside them."""
_LONGEST_HEADER = 100_000_000
"""Bytes that safetensors reads of a header at most."""


class ModelError(PolyrouteError):
    """A model cannot be loaded, or is not what its entry in params.yaml says."""


def check_folder(name: str, folder: Path, *, weights: bool = True, tokenizer: bool = True) -> None:
    """Check that a checkpoint's files are there, whole and agree with one another.

    Args:
        name: of the model in params.yaml.
        folder: of the checkpoint.
        weights: whether they and config.json have to be there.
        tokenizer: whether one has to be there.

    Raises:
        ModelError: the first thing that cannot be; names the file, the key where there is one, and what to do.
    """
    check_links(name, folder)
    held = {path.name: _json(name, path) for path in sorted(folder.glob("*.json"))}
    for file in OBJECTS:
        if file in held and not isinstance(held[file], dict):
            raise ModelError(
                f"models.{name}: {folder / file} is no JSON object but {_kind(held[file])}: fetch it again from the "
                "release"
            )
    if "config.json" in held:
        _check_config(name, folder / "config.json", held["config.json"])
    elif weights:
        raise ModelError(f"models.{name}: {folder} holds no checkpoint (no config.json)")
    if weights:
        _check_weights(name, folder, held)
    if tokenizer:
        _check_tokenizer(name, folder, held)


def check_links(name: str, folder: Path) -> None:
    """Links to files are followed; one that leads nowhere is named.

    Raises:
        ModelError: a link's file is not there.
    """
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path.is_symlink() and not path.exists():
            raise ModelError(
                f"models.{name}: {path} is a link to a file that is not there ({path.readlink()}): fetch that file "
                "again, or correct the link"
            )


def check_place(name: str, folder: Path) -> None:
    """A folder below the first one of its path must not be a link: DVC follows links to files, not to folders.

    Raises:
        ModelError: it is; says which and how to link the files instead.
    """
    if folder.is_absolute():
        return
    for place in [*reversed(folder.parents), folder][2:]:
        if place.is_symlink() and place.is_dir():
            raise ModelError(
                f"models.{name}: {place} is a symbolic link to a folder, in which DVC sees no change: make it a folder "
                f"of links to files instead (`cp -rs {place.resolve()} NEW && rm {place} && mv NEW {place}`)"
            )


def _json(name: str, path: Path) -> Any:
    content = path.read_bytes()
    try:
        return json.loads(content.decode())
    except (ValueError, RecursionError) as error:
        raise ModelError(
            f"models.{name}: {path} {_other(content[:200], path) or f'is no JSON ({error})'}: fetch it again from the "
            "release"
        ) from None


def _other(start: bytes, path: Path) -> str | None:
    """What stands in a file in place of what should; None where it is nothing that we know."""
    if not start:
        return "is empty"
    if start.startswith(b"version https://git-lfs"):
        return f"is a Git LFS pointer, not the file itself (run `git lfs pull --include {path.name}` in its folder)"
    if start.lstrip()[:15].lower().startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        return "is a web page, not the file itself (was a login or a consent asked for?)"
    return None


def _kind(value: object) -> str:
    return {list: "a list", str: "a string", type(None): "null"}.get(type(value), "a number or a truth value")


def _check_config(name: str, path: Path, config: Mapping[str, Any]) -> None:
    for part, of in [("", config), ("text_config.", config.get("text_config"))]:
        if not isinstance(of, dict):
            continue
        top = {key: of[key] for key in _TOP_K if _whole(of.get(key))}
        every = [of[key] for key in _EXPERTS if _whole(of.get(key))]
        if every and max(every) < 1:
            continue  # no layer routes, which is said when routers are looked for
        for key, count in top.items():
            if count < 1 or (every and count > max(every)):
                experts = f" of {max(every)} experts" if every else ""
                raise ModelError(
                    f"models.{name}: {path}: `{part}{key}` is {count}{experts}; a token goes to 1 expert at least and "
                    "to all at most: copy config.json from the release"
                )


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _check_weights(name: str, folder: Path, held: Mapping[str, Any]) -> None:
    single = (folder / SINGLE).is_file()
    shards: list[str] = []
    if INDEX in held:
        index = folder / INDEX
        shards = _shards(name, index, held[INDEX])
        if single and SINGLE not in shards:
            raise ModelError(
                f"models.{name}: {folder} holds two sets of weights, {SINGLE} and the {len(shards)} files that {INDEX} "
                "lists: remove the one that is not meant"
            )
        for shard in shards:
            if not (folder / shard).is_file():
                raise ModelError(
                    f"models.{name}: {index} lists {shard}, which is not in {folder}: fetch it from the release"
                )
    elif not single:
        raise ModelError(
            f"models.{name}: {folder} holds no weights (neither {SINGLE} nor {INDEX}); pickled ones (.bin, .pt) are "
            "not read: save them as safetensors"
        )
    quantised = any(
        isinstance(of, dict) and of.get("quantization_config")
        for of in (held["config.json"], held["config.json"].get("text_config"))
    )
    for file in shards or [SINGLE]:
        for weight, kind in _header(name, folder / file):
            if kind in _UNSCALED and not quantised:
                raise ModelError(
                    f"models.{name}: {folder / file} holds {weight} in {kind}, but config.json has no "
                    "`quantization_config` that says how it is scaled: copy config.json from the release"
                )


def _shards(name: str, path: Path, index: Any) -> list[str]:
    files = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(files, dict) or not files or not all(isinstance(file, str) for file in files.values()):
        raise ModelError(
            f"models.{name}: {path} has no `weight_map` that says which file holds which weight: fetch it again from "
            "the release"
        )
    for weight, file in files.items():
        if file != Path(file).name or not file.endswith(".safetensors") or "\\" in file:
            raise ModelError(
                f"models.{name}: {path} looks for {weight} in `{file}`; only safetensors files beside it are read: put "
                "the file there and its bare name into `weight_map`"
            )
    return sorted(set(files.values()))


def _header(name: str, path: Path) -> Iterator[tuple[str, str]]:
    """Weights of a safetensors file with their types; the file is as long as its header says."""

    def refuse(what: str) -> ModelError:
        return ModelError(f"models.{name}: {path} {what}: fetch it again from the release")

    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(200)
        if (other := _other(start, path)) is not None:
            raise refuse(other)
        length = int.from_bytes(start[:8], "little")
        if size < 8 or (8 + length > size and length <= _LONGEST_HEADER):
            raise refuse(f"is cut short: it ends within its header, after {size:,} bytes")
        if length > _LONGEST_HEADER or start[8:9] != b"{":
            raise refuse("is no safetensors file")
        file.seek(8)
        content = file.read(length)
    try:
        header = json.loads(content)
        header.pop("__metadata__", None)
        weights = {weight: (str(entry["dtype"]), int(entry["data_offsets"][1])) for weight, entry in header.items()}
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        raise refuse("is no safetensors file: its header cannot be read") from None
    whole = 8 + length + max((end for _, end in weights.values()), default=0)
    if size < whole:
        raise refuse(f"is cut short: it has {size:,} of {whole:,} bytes")
    if size > whole:
        raise refuse(f"is damaged: it has {size:,} bytes where its header accounts for {whole:,}")
    yield from ((weight, kind) for weight, (kind, _) in weights.items())


def _check_tokenizer(name: str, folder: Path, held: Mapping[str, Any]) -> None:
    settings = held.get("tokenizer_config.json", {})
    needs_none = "auto_map" in settings or str(settings.get("tokenizer_class")).startswith(_OF_BYTES)
    if not needs_none and not any(path.is_file() for pattern in VOCABULARIES for path in folder.glob(pattern)):
        raise ModelError(
            f"models.{name}: {folder} has no tokenizer (tokenizer.json, or a vocabulary such as tokenizer.model): copy "
            "it from the release"
        )
    if "tokenizer.json" in held and not isinstance(held["tokenizer.json"].get("model"), dict):
        raise ModelError(
            f"models.{name}: {folder / 'tokenizer.json'} holds no tokenizer (`model` is missing): copy it from the "
            "release"
        )
    for path in sorted(folder.glob("*.model")):
        with path.open("rb") as file:
            other = _other(file.read(200), path)
        if other is not None:
            raise ModelError(f"models.{name}: {path} {other}: fetch it again from the release")
