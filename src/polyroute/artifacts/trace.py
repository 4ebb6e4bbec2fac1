"""The trace file: per-sequence routing statistics of one model, corpus and language, in safetensors."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as to_bytes

from polyroute.artifacts.importance import READINGS, normalise
from polyroute.ground.errors import PolyrouteError
from polyroute.ground.files import write_atomically

FORMAT: Literal[1] = 1


class TraceError(PolyrouteError):
    """A trace cannot be made, read, or asked for what it does not hold."""


class TraceHeader(BaseModel):
    """Everything that determines a trace's numbers, and what they are of."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    model: str
    """Name in params.yaml, or whatever the caller calls it."""
    model_digest: str
    """Commit on the hub, or a digest of the checkpoint's files."""
    corpus: str
    corpus_digest: str
    """Digest of this language's item ids and texts."""
    language: str
    engine: str
    """What ran the model: `transformers`, or `recorded` for counts made elsewhere."""
    dtype: str
    device: str
    layers: tuple[int, ...]
    """The model's own numbers of the traced layers, in the order of the L axis."""
    experts: int
    top_k: int
    selection: tuple[str, ...]
    """Selection rules of the routers, as observed."""
    settings: dict[str, str | int]
    """Batch tokens, pairs, seed, special tokens, padding, implementations of experts and attention."""
    versions: dict[str, str]
    """Libraries that computed the numbers."""
    pooled: bool = False
    """Whether the N axis holds one entry for the whole corpus instead of one a sequence."""
    format: Literal[1] = FORMAT


@dataclass(frozen=True)
class Trace:
    """Statistics of N sequences; with `header.pooled`, of the whole corpus as one entry."""

    header: TraceHeader
    item_ids: tuple[str, ...]
    """(N) names of the sequences."""
    tokens: NDArray[np.int64]
    """(N) counted tokens: no padding, and no special tokens unless settings say so."""
    topk_count: NDArray[np.int64]
    """(N, L, E) tokens whose top-k holds the expert, choices that the model dropped (weight 0) apart."""
    soft_mass: NDArray[np.float32] | None = None
    """(N, L, E) mean over tokens of softmax(router logits) over all experts; sums to 1 (paper 1, Eq. 1)."""
    topk_mass: NDArray[np.float32] | None = None
    """(N, L, E) mean over tokens of the model's own weights of chosen experts, renormalised; sums to 1."""
    of_tokens: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    """Measure of tokens -> (N, L) its mean over the tokens of each sequence, or over pairs of them."""

    def __post_init__(self) -> None:
        shape_NLE = len(self.item_ids), len(self.header.layers), self.header.experts
        for name, array in self.columns().items():
            shape = shape_NLE[:1] if name == "tokens" else shape_NLE if name in READINGS else shape_NLE[:2]
            if array.shape != shape:
                raise TraceError(f"{self.place}: `{name}` has shape {array.shape}, its header says {shape}")

    @classmethod
    def of_columns(cls, header: TraceHeader, item_ids: Sequence[str], columns: Mapping[str, NDArray[Any]]) -> Self:
        """What `columns` gave, in any order; those of no other name are measures of tokens.

        Raises:
            KeyError: `tokens` or `topk_count` is not among them.
            TraceError: a column has another shape than the header says.
        """
        rest = dict(columns)
        tokens, topk_count = (rest.pop(name).astype(np.int64) for name in ("tokens", "topk_count"))
        soft_mass, topk_mass = (rest.pop(name, None) for name in ("soft_mass", "topk_mass"))
        return cls(header, tuple(item_ids), tokens, topk_count, soft_mass, topk_mass, rest)

    def columns(self) -> dict[str, NDArray[Any]]:
        """All arrays that the trace holds."""
        always = {"tokens": self.tokens, "topk_count": self.topk_count}
        masses = {"soft_mass": self.soft_mass, "topk_mass": self.topk_mass}
        return always | {name: mass for name, mass in masses.items() if mass is not None} | dict(self.of_tokens)

    @property
    def place(self) -> str:
        """How errors name this trace."""
        return f"trace of {self.header.model} on {self.header.corpus} in {self.header.language}"

    @property
    def readings(self) -> tuple[str, ...]:
        """The readings of expert importance that this trace can give."""
        return tuple(name for name in READINGS if getattr(self, name) is not None)

    def distributions(self, reading: str) -> NDArray[np.float64]:
        """Distributions over experts, one a sequence and layer.

        Args:
            reading: `soft_mass`, `topk_mass` or `topk_count`.

        Returns:
            (N, L, E) in float64; NaN where a sequence has no counted token.

        Raises:
            TraceError: the trace holds counts only and the reading needs more.
        """
        if reading not in READINGS:
            raise TraceError(f"`{reading}` is no reading of expert importance; there are {', '.join(READINGS)}")
        return normalise(self._need(reading))

    def pooled(self, reading: str) -> NDArray[np.float64]:
        """The corpus as one distribution a layer: each token counts the same, whatever its sequence.

        Returns:
            (L, E) in float64.
        """
        mass_NLE = self._need(reading).astype(np.float64)
        if reading != "topk_count":  # masses are means over tokens, counts are sums already
            mass_NLE = mass_NLE * self.tokens[:, None, None]
        return normalise(np.nansum(mass_NLE, axis=0))

    def token_mean(self, name: str) -> NDArray[np.float64]:
        """(N, L) a measure of tokens, such as `consistency`.

        Raises:
            TraceError: the trace holds counts only.
        """
        return self._need(name).astype(np.float64)

    def _need(self, name: str) -> NDArray[Any]:
        array = self.columns().get(name)
        if array is None:
            raise TraceError(
                f"{self.place} holds expert counts only ({self.header.engine} engine): `{name}` needs the router's "
                "logits of every token, which were not kept; use `topk_count`, or trace the model itself"
            )
        return array

    def select(self, index: NDArray[np.int64]) -> Self:
        """The sequences at `index`, in that order."""
        chosen = {name: array[index] for name, array in self.columns().items()}
        return self.of_columns(self.header, [self.item_ids[i] for i in index], chosen)

    def save(self, path: Path) -> None:
        """Write the file whole or not at all; the same trace gives the same bytes.

        Masses stay in float32: float16 would put errors of up to 2e-3 into the divergence D of nearly uniform
        routing, where D divides by a small normaliser.
        """
        arrays: dict[str, NDArray[Any]] = {name: array.astype(np.float32) for name, array in self.columns().items()}
        arrays |= {"tokens": self.tokens.astype(np.int32), "topk_count": _narrow(self.topk_count)}
        # One key: safetensors writes several in an order that changes from run to run.
        about = json.dumps({"header": self.header.model_dump(mode="json"), "item_ids": self.item_ids}, sort_keys=True)
        write_atomically(path, to_bytes({k: np.ascontiguousarray(v) for k, v in arrays.items()}, {"polyroute": about}))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a trace file.

        Raises:
            TraceError: the file is absent, cut short, of another format, or no trace; names it.
        """
        return cls.of_columns(*_read(path))


def read_header(path: Path) -> TraceHeader:
    """Read only what a trace file is of.

    Raises:
        TraceError: as `Trace.load`.
    """
    return _read(path, arrays=False)[0]


def _read(path: Path, arrays: bool = True) -> tuple[TraceHeader, list[str], dict[str, NDArray[Any]]]:
    try:
        with safe_open(os.fspath(path), framework="numpy") as file:
            about = json.loads((file.metadata() or {})["polyroute"])
            header = TraceHeader.model_validate(about["header"])
            read = {name: file.get_tensor(name) for name in file.keys()} if arrays else {}  # noqa: SIM118
            return header, about["item_ids"], read
    except FileNotFoundError:
        raise TraceError(f"{path} is absent: run `dvc repro`, or `dvc pull` where somebody shares it") from None
    except (SafetensorError, KeyError, ValueError, ValidationError) as error:
        raise TraceError(
            f"{path} is not a whole trace file of format {FORMAT} ({error}); delete it and rerun"
        ) from None


def _narrow(count_NLE: NDArray[np.int64]) -> NDArray[Any]:
    """The smallest unsigned type that holds the counts exactly."""
    largest = int(count_NLE.max(initial=0))
    return count_NLE.astype(np.uint8 if largest < 2**8 else np.uint16 if largest < 2**16 else np.uint32)
