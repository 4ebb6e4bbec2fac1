"""How many weights a model has, in all and for one token, and what they and its cache take in memory.

Matrices alone are counted; norms, biases and attention sinks are left out. They are below .1% of the weights of every
type of model that tests hold against transformers.

    attention   h d (2 H + 2 G) a layer; of latent attention its five products
    experts     3 h w a routed expert (gate, up, down), E of them a layer; K of them for one token
    router      h E
    embedding   V h, and as many again for the output unless the two are tied

h hidden size, d width of a head, H heads, G heads of keys and values, w width of an expert, E experts, K chosen, V
words.
"""

from __future__ import annotations

from dataclasses import dataclass

from polyroute.sizing.shape import BYTES, ModelShape, Stored


@dataclass(frozen=True)
class Weights:
    """Weights by what they do."""

    attention: int
    """Of all layers."""
    router: int
    expert: int
    """Of one routed expert of one layer."""
    dense: int
    """Of layers without experts, and of what every token passes beside its experts."""
    embedding: int
    head: int
    """Weights of the output that are not the embedding's."""
    sparse_layers: int
    experts: int
    top_k: int
    vocabulary_rows: int
    """V h: what the output multiplies, tied or not."""

    @property
    def backbone_active(self) -> int:
        """Weights that one token is multiplied with, the output apart."""
        return self.attention + self.router + self.dense + self.sparse_layers * self.top_k * self.expert

    @property
    def active(self) -> int:
        """Weights for one token, embedding and output with them, each once where tied."""
        return self.backbone_active + self.embedding + self.head

    @property
    def routed(self) -> int:
        """Weights of all routed experts."""
        return self.sparse_layers * self.experts * self.expert

    @property
    def total(self) -> int:
        """All."""
        return self.attention + self.router + self.dense + self.routed + self.embedding + self.head


def weights(shape: ModelShape) -> Weights:
    """Count the weights of a model."""
    h, sparse = shape.hidden, shape.layers - shape.dense_layers
    rows = shape.vocabulary * h
    return Weights(
        attention=shape.layers * _attention(shape),
        router=sparse * h * shape.experts,
        expert=3 * h * shape.expert_width,
        dense=3 * h * (shape.dense_layers * shape.dense_width + sparse * shape.shared_width),
        embedding=rows,
        head=0 if shape.tied else rows,
        sparse_layers=sparse,
        experts=shape.experts,
        top_k=shape.top_k,
        vocabulary_rows=rows,
    )


def _attention(shape: ModelShape) -> int:
    h, heads = shape.hidden, shape.heads
    if shape.latent is None:
        return h * shape.head_dim * 2 * (heads + shape.kv_heads)
    one = shape.latent
    wide = heads * (one.plain + one.rotary)
    queries = h * wide if one.query is None else one.query * (h + wide)
    keys_and_values = h * (one.key_value + one.rotary) + one.key_value * heads * (one.plain + one.value)
    return queries + keys_and_values + heads * one.value * h


def cache_bytes(shape: ModelShape, dtype: Stored) -> float:
    """Keys and values of one token in all layers, in bytes, as transformers keeps them.

    Of latent attention it keeps every head's keys and values, not the latents. Layers with a sliding window are taken
    to keep all tokens, which is right for texts shorter than the window and too much for longer ones.
    """
    if shape.latent is None:
        width = 2 * shape.kv_heads * shape.head_dim
    else:
        width = shape.heads * (shape.latent.plain + shape.latent.rotary + shape.latent.value)
    return shape.layers * width * BYTES[dtype]


def stored_bytes(shape: ModelShape, dtype: Stored) -> float:
    """The released files, in bytes; in `dtype` where the release's own is not known.

    Of MXFP4 only routed experts are stored so, the rest in bfloat16.
    """
    counted, stored = weights(shape), shape.stored or dtype
    if stored == "mxfp4":
        return counted.routed * BYTES["mxfp4"] + (counted.total - counted.routed) * BYTES["bfloat16"]
    return counted.total * BYTES[stored]
