"""The shape of a mixture-of-experts transformer: what its weights, its memory and its speed are worked out from.

Of this repository's table (`shapes.toml`), or of a config.json. A type of model is taken from a config.json only if
tests hold its count of weights against transformers, so that a number is never a guess about an architecture.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from polyroute.ground.errors import PolyrouteError
from polyroute.ground.frozen import Frozen


class SizingError(PolyrouteError):
    """Something that cannot be estimated; the message says why and what to do."""


Stored = Literal["float32", "bfloat16", "float16", "float8", "mxfp4"]
BYTES: dict[Stored, float] = {"float32": 4, "bfloat16": 2, "float16": 2, "float8": 1, "mxfp4": 4.25 / 8}
"""Bytes a weight; MXFP4 has 4 bits and, for every 32 of them, 8 bits of scale."""


class Latent(Frozen):
    """Widths of latent attention (DeepSeek)."""

    query: int | None = Field(default=None, ge=1)
    """Rank of queries; None projects them directly."""
    key_value: int = Field(ge=1)
    """Rank of keys and values."""
    rotary: int = Field(ge=1)
    """Of a head's keys, the part with rotary positions, shared by all heads."""
    plain: int = Field(ge=1)
    """Of a head's keys, the part without."""
    value: int = Field(ge=1)
    """Width of a head's values."""


class ModelShape(Frozen):
    """The numbers of a config.json that count."""

    hub: str | None = None
    type: str
    """`model_type` of transformers."""
    layers: int = Field(ge=1)
    hidden: int = Field(ge=1)
    experts: int = Field(ge=2)
    """Routed experts of a layer."""
    top_k: int = Field(ge=1)
    """Routed experts a token is sent to."""
    expert_width: int = Field(ge=1)
    """Inner width of one expert."""
    heads: int = Field(ge=1)
    kv_heads: int = Field(ge=1)
    head_dim: int = Field(ge=1)
    vocabulary: int = Field(ge=1)
    tied: bool = False
    """Whether the output shares the weights of the input embedding."""
    dense_layers: int = Field(default=0, ge=0)
    """Layers without experts."""
    dense_width: int = Field(default=0, ge=0)
    """Inner width of these."""
    shared_width: int = Field(default=0, ge=0)
    """Inner width of what every token passes beside its experts."""
    latent: Latent | None = None
    """None of ordinary attention."""
    renormalised: bool | None = None
    """Whether the weights of the chosen experts are made to add up to 1, where config.json says it (`norm_topk_prob`):
    it changes no size, and is proved in a rehearsal."""
    stored: Stored | None = None
    """Of the released files; None where it is not known."""
    source: str = ""
    certainty: Literal["default", "read", "inferred"] = "read"

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.top_k > self.experts:
            raise ValueError(f"`top_k: {self.top_k}` is more than `experts: {self.experts}`")
        if self.dense_layers >= self.layers:
            raise ValueError("`dense_layers`: no layer with experts is left")
        return self


@cache
def table() -> dict[str, ModelShape]:
    """Name -> shape, of `shapes.toml`."""
    held = tomllib.loads((files("polyroute.sizing") / "shapes.toml").read_text(encoding="utf-8"))
    return {name: ModelShape(**entry) for name, entry in held.items()}


def find(hub: str) -> ModelShape | None:
    """The shape of a model of the hub, by its `organisation/model`; None where the table lacks it."""
    return next((shape for shape in table().values() if shape.hub == hub), None)


_EXPERTS = ("num_local_experts", "num_experts", "n_routed_experts")
_HELD: dict[str, tuple[str, ...]] = {
    "olmoe": ("intermediate_size",),
    "gpt_oss": ("intermediate_size",),
    "mixtral": ("intermediate_size",),
    "phimoe": ("intermediate_size",),
    "granitemoe": ("intermediate_size",),
    "qwen3_moe": ("moe_intermediate_size",),
    "qwen2_moe": ("moe_intermediate_size",),
    "deepseek_v3": ("moe_intermediate_size",),
}
"""Type of model whose count of weights tests hold against transformers -> keys of an expert's width."""


def from_config(config: Mapping[str, Any], place: str) -> ModelShape:
    """The shape of a config.json.

    Args:
        config: its content, defaults of its class filled in.
        place: of the file, for messages.

    Raises:
        SizingError: of a type that is not held against transformers, or a number is missing or no number.
    """
    kind = str(config.get("model_type"))
    if kind not in _HELD:
        raise SizingError(
            f"{place}: `model_type` is `{kind}`, whose weights this arithmetic does not count (it counts "
            f"{', '.join(sorted(_HELD))}): `polyroute rehearse` builds any model and measures it"
        )

    def number(*keys: str) -> int:
        for key in keys:
            if isinstance(value := config.get(key), int) and not isinstance(value, bool):
                return value
        raise SizingError(f"{place}: `{keys[0]}` is missing: copy config.json from the release")

    layers, hidden, heads = number("num_hidden_layers"), number("hidden_size"), number("num_attention_heads")
    width = number(*_HELD[kind])
    dense, dense_width, shared, latent = 0, 0, 0, None
    if kind in ("qwen2_moe", "qwen3_moe"):
        step, alone = config.get("decoder_sparse_step") or 1, config.get("mlp_only_layers") or []
        dense = sum(layer in alone or (layer + 1) % step != 0 for layer in range(layers))
        dense_width = number("intermediate_size") if dense else 0
    if kind == "qwen2_moe":
        shared = number("shared_expert_intermediate_size")
    if kind == "deepseek_v3":
        dense = number("first_k_dense_replace")
        dense_width = number("intermediate_size")
        shared = number("n_shared_experts") * width
        latent = Latent(
            query=config.get("q_lora_rank"), key_value=number("kv_lora_rank"), rotary=number("qk_rope_head_dim"),
            plain=number("qk_nope_head_dim"), value=number("v_head_dim"),
        )  # fmt: skip
    try:
        return ModelShape(
            type=kind, layers=layers, hidden=hidden, experts=number(*_EXPERTS), top_k=number("num_experts_per_tok"),
            expert_width=width, heads=heads, kv_heads=number("num_key_value_heads", "num_attention_heads"),
            head_dim=config.get("head_dim") or hidden // heads, vocabulary=number("vocab_size"),
            tied=bool(config.get("tie_word_embeddings")), dense_layers=dense, dense_width=dense_width,
            shared_width=shared, latent=latent, renormalised=config.get("norm_topk_prob"), stored=_stored(config),
            source=place,
        )  # fmt: skip
    except ValidationError as error:
        told = error.errors()[0]
        raise SizingError(f"{place}: {told['msg']}: copy config.json from the release") from None


def config_file(path: Path) -> Path:
    """A config.json, or the one in a folder.

    Raises:
        SizingError: there is none.
    """
    file = path / "config.json" if path.is_dir() else path
    if not file.is_file():
        raise SizingError(f"{file} is not there: name a config.json, or the folder that holds one")
    return file


def read(path: Path) -> ModelShape:
    """The shape of a config.json, or of the one in a folder.

    Raises:
        SizingError: there is none, it is no JSON object, or as `from_config`.
    """
    file = config_file(path)
    try:
        held = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise SizingError(f"{file} is no JSON ({error}): copy it from the release") from None
    if not isinstance(held, dict):
        raise SizingError(f"{file} is no JSON object: copy it from the release")
    return from_config(held, str(file))


def _stored(config: Mapping[str, Any]) -> Stored | None:
    method = (config.get("quantization_config") or {}).get("quant_method")
    if method in ("mxfp4", "fp8"):
        return "mxfp4" if method == "mxfp4" else "float8"
    said = config.get("dtype") or config.get("torch_dtype")
    return said if said in ("float32", "bfloat16", "float16") else None
