"""The trace file: per-sequence routing statistics of one model, corpus and language, in safetensors."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self, overload

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as to_bytes

from polyroute.artifacts.importance import HEAD, READINGS, SOFTMAX_OF_WEIGHTS, normalise
from polyroute.ground import again, checksum
from polyroute.ground.errors import PolyrouteError
from polyroute.ground.files import write_atomically

FORMAT: Literal[1] = 1
_ROWS = 64
"""Sequences that are taken to float64 at a time."""


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
    """Batch tokens, pairs, first tokens, seed, special tokens, padding, implementations of experts and attention; of a
    chat also which tokens count and, where the template writes it, the date that it was given."""
    versions: dict[str, str]
    """Libraries that computed the numbers."""
    turns: dict[str, str] = {}
    """Who says the text in a chat (`artifacts.turns.ChatText`); nothing of plain text."""
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
    topk_count: NDArray[np.integer]
    """(N, L, E) tokens whose top-k holds the expert, choices that the model dropped (weight 0) apart. In int64, but
    where the trace is mapped."""
    soft_mass: NDArray[np.float32] | None = None
    """(N, L, E) mean over tokens of softmax(router logits) over all experts; sums to 1 (paper 1, Eq. 1)."""
    topk_mass: NDArray[np.float32] | None = None
    """(N, L, E) mean over tokens of the model's own weights of chosen experts, renormalised; sums to 1."""
    of_tokens: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    """Measure of tokens -> (N, L) its mean over the tokens of each sequence, or over pairs of them."""
    head_mass: NDArray[np.float32] | None = None
    """(N, L, E) `soft_mass` of the first `head` counted tokens; NaN of a sequence that has fewer."""
    softmax_of_weights: NDArray[np.float32] | None = None
    """(N, L, E) mean over tokens of a softmax over the model's own weights, 0 of experts that are not chosen; of
    routers alone that weight by a softmax over the chosen. Sums to 1."""

    def __post_init__(self) -> None:
        shape_NLE = len(self.item_ids), len(self.header.layers), self.header.experts
        for name, array in self.columns().items():
            shape = shape_NLE[:1] if name == "tokens" else shape_NLE if name in (*READINGS, HEAD) else shape_NLE[:2]
            if array.shape != shape:
                raise TraceError(f"{self.place}: `{name}` has shape {array.shape}, its header says {shape}")

    @classmethod
    def of_columns(
        cls, header: TraceHeader, item_ids: Sequence[str], columns: Mapping[str, NDArray[Any]], *, widened: bool = True
    ) -> Self:
        """What `columns` gave, in any order; those of no other name are measures of tokens.

        Args:
            header: of the trace.
            item_ids: names of the sequences.
            columns: all arrays.
            widened: whether counts come in int64; else as they are.

        Raises:
            KeyError: `tokens` or `topk_count` is not among them.
            TraceError: a column has another shape than the header says.
        """
        rest = dict(columns)
        tokens, topk_count = rest.pop("tokens").astype(np.int64), rest.pop("topk_count")
        topk_count = topk_count.astype(np.int64) if widened else topk_count
        soft_mass, topk_mass, head_mass, again = (
            rest.pop(name, None) for name in ("soft_mass", "topk_mass", HEAD, SOFTMAX_OF_WEIGHTS)
        )
        return cls(header, tuple(item_ids), tokens, topk_count, soft_mass, topk_mass, rest, head_mass, again)

    def columns(self) -> dict[str, NDArray[Any]]:
        """All arrays that the trace holds."""
        always = {"tokens": self.tokens, "topk_count": self.topk_count}
        masses = {
            "soft_mass": self.soft_mass, "topk_mass": self.topk_mass, HEAD: self.head_mass,
            SOFTMAX_OF_WEIGHTS: self.softmax_of_weights,
        }  # fmt: skip
        return always | {name: mass for name, mass in masses.items() if mass is not None} | dict(self.of_tokens)

    @property
    def place(self) -> str:
        """How errors name this trace."""
        return f"trace of {self.header.model} on {self.header.corpus} in {self.header.language}"

    @property
    def readings(self) -> tuple[str, ...]:
        """The readings of expert importance that this trace can give."""
        return tuple(name for name in READINGS if getattr(self, name) is not None)

    @property
    def head(self) -> int:
        """How many first tokens of each sequence `head_mass` is of; 0 where the trace keeps none."""
        return 0 if self.head_mass is None else int(self.header.settings.get("head", 0))

    def distributions(self, reading: str, layers: NDArray[np.intp] | None = None) -> NDArray[np.float64]:
        """Distributions over experts, one a sequence and layer.

        Args:
            reading: one of `READINGS`, or `head_mass`.
            layers: places on the L axis; all of them where None.

        Returns:
            (N, L, E) in float64; NaN where a sequence has no counted token, or too few for `head_mass`.

        Raises:
            TraceError: the trace holds counts only and the reading needs more.
        """
        if reading not in (*READINGS, HEAD):
            known = ", ".join((*READINGS, HEAD))
            raise TraceError(f"`{reading}` is no reading of expert importance; there are {known}")
        mass_NLE = self._need(reading)
        return normalise(mass_NLE if layers is None else mass_NLE[:, layers])

    def pooled(self, reading: str) -> NDArray[np.float64]:
        """The corpus as one distribution a layer: each token counts the same, whatever its sequence.

        Returns:
            (L, E) in float64.
        """
        mass_NLE = self._need(reading)
        if reading == "topk_count":  # masses are means over tokens, counts are sums already
            return normalise(mass_NLE.sum(axis=0, dtype=np.int64))
        tokens_N = self.tokens.astype(np.float64)
        mass_NM = mass_NLE.reshape(len(tokens_N), -1)
        total_M = np.zeros(mass_NM.shape[1])
        for start in range(0, len(tokens_N), _ROWS):
            rows_NM = mass_NM[start : start + _ROWS].astype(np.float64)
            part_M = tokens_N[start : start + _ROWS] @ rows_NM
            if np.isnan(part_M).any():  # sequences without a token
                part_M = tokens_N[start : start + _ROWS] @ np.nan_to_num(rows_NM, nan=0.0, posinf=np.inf)
            total_M += part_M
        return normalise(total_M.reshape(mass_NLE.shape[1:]))

    def token_mean(self, name: str) -> NDArray[np.float64]:
        """(N, L) a measure of tokens, such as `consistency`.

        Raises:
            TraceError: the trace holds counts only.
        """
        return self._need(name).astype(np.float64)

    def _need(self, name: str) -> NDArray[Any]:
        array = self.columns().get(name)
        if array is None and self.header.pooled and self.soft_mass is not None:
            raise TraceError(
                f"{self.place} holds expert counts and soft mass of the whole corpus ({self.header.engine} engine): "
                f"`{name}` needs more of every token; use `{'` or `'.join(self.readings)}`, or trace the model itself"
            )
        if array is None and name == SOFTMAX_OF_WEIGHTS and self.soft_mass is not None:
            raise TraceError(
                f"{self.place} does not hold `{name}`, which is kept of routers that weight experts by a softmax over "
                f"the chosen ones; its routers are {', '.join(self.header.selection)}. Run the stage `trace` again if "
                "they do, or take another reading"
            )
        if array is None and self.soft_mass is not None:
            raise TraceError(
                f"{self.place} does not hold `{name}`: it was taken before traces held it, or without; run the stage "
                "`trace` again"
            )
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

    def save(self, path: Path | str) -> None:
        """Write the file whole or not at all; the same trace gives the same bytes.

        Masses stay in float32: float16 would put errors of up to 2e-3 into the divergence D of nearly uniform
        routing, where D divides by a small normaliser.
        """
        arrays: dict[str, NDArray[Any]] = {name: array.astype(np.float32) for name, array in self.columns().items()}
        tokens_N = self.tokens.astype(np.int32 if self.tokens.max(initial=0) < 2**31 else np.int64)
        arrays |= {"tokens": tokens_N, "topk_count": _narrow(self.topk_count)}
        # One key: safetensors writes several in an order that changes from run to run.
        held = {"header": self.header.model_dump(mode="json"), "item_ids": self.item_ids}
        about = json.dumps(held | {checksum.KEY: checksum.blank(_of(self.header))}, sort_keys=True)
        content = to_bytes({k: np.ascontiguousarray(v) for k, v in arrays.items()}, {"polyroute": about})
        write_atomically(Path(path), checksum.filled(content))

    @classmethod
    def load(cls, path: Path | str, *, mapped: bool = False) -> Self:
        """Read a trace file.

        Args:
            path: of the file.
            mapped: leave the columns in the file, from which the system reads what is used of them. They cannot be
                written to, and counts are of the least width that holds them: add them up with `dtype=np.int64`.

        Raises:
            TraceError: the file is absent, damaged, of another format or no trace; or it is in `data/traces/` where
                another model, corpus or language belongs; names it.
        """
        _prove(Path(path))
        return cls._load(Path(path), mapped=mapped)

    @classmethod
    def _load(cls, path: Path, *, mapped: bool) -> Self:
        """Of a file that is proved."""
        header, item_ids, columns = _read(path, _map if mapped else _take)
        return cls.of_columns(header, item_ids, columns, widened=not mapped)


class TraceFiles(Sequence[Trace]):
    """Traces in their files, each mapped anew whenever it is asked for, so that many take no memory.

    A file is proved when it is asked for first.
    """

    def __init__(self, paths: Iterable[Path], *, proved: set[Path] | None = None):
        self.paths = tuple(paths)
        self._proved: set[Path] = set() if proved is None else proved

    def __len__(self) -> int:
        return len(self.paths)

    @overload
    def __getitem__(self, index: int) -> Trace: ...
    @overload
    def __getitem__(self, index: slice) -> TraceFiles: ...
    def __getitem__(self, index: int | slice) -> Trace | TraceFiles:
        """One of them.

        Raises:
            TraceError: as `Trace.load`.
        """
        if isinstance(index, slice):
            return TraceFiles(self.paths[index], proved=self._proved)
        path = self.paths[index]
        if path not in self._proved:
            _prove(path)
            self._proved.add(path)
        return Trace._load(path, mapped=True)


def read_header(path: Path) -> TraceHeader:
    """Read only what a trace file is of.

    Raises:
        TraceError: as `Trace.load`.
    """
    _prove(path)
    return _read(path)[0]


def _of(header: TraceHeader) -> str:
    """What a trace file is of: its place in `data/`, whether it is there or among finished parts."""
    return checksum.named("traces", header.model, header.corpus, f"{header.language}.safetensors")


def _prove(path: Path) -> None:
    try:
        checksum.prove(path, otherwise="take it anew from where it came, or trace the model again", error=TraceError)
    except FileNotFoundError:
        raise TraceError(f"{path} is absent: {again.absent(path)}") from None


def _read(
    path: Path, columns: Callable[[Path], dict[str, NDArray[Any]]] | None = None
) -> tuple[TraceHeader, list[str], dict[str, NDArray[Any]]]:
    try:
        with safe_open(os.fspath(path), framework="numpy") as file:
            about = json.loads((file.metadata() or {})["polyroute"])
        header = TraceHeader.model_validate(about["header"])
        return header, about["item_ids"], columns(path) if columns else {}
    except (SafetensorError, KeyError, ValueError, ValidationError) as error:
        raise TraceError(
            f"{path} is not a whole trace file of format {FORMAT} ({error}): {again.damaged(path)}"
        ) from None


def _take(path: Path) -> dict[str, NDArray[Any]]:
    with safe_open(os.fspath(path), framework="numpy") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def _map(path: Path) -> dict[str, NDArray[Any]]:
    """Columns as they lie in the file, which `safe_open` has found to be whole.

    safetensors: eight bytes that say how long the header is, the header in JSON, the arrays one after another.
    """
    whole = np.asarray(np.memmap(path, mode="r", dtype=np.uint8))
    start = 8 + int.from_bytes(whole[:8].tobytes(), "little")
    columns = {}
    for name, about in json.loads(whole[8:start].tobytes()).items():
        if name != "__metadata__":
            first, end = about["data_offsets"]
            columns[name] = whole[start + first : start + end].view(_TYPES[about["dtype"]]).reshape(about["shape"])
    return columns


_TYPES = {
    "F32": np.float32, "I32": np.int32, "I64": np.int64, "U8": np.uint8, "U16": np.uint16, "U32": np.uint32,
}  # fmt: skip
"""Those that `Trace.save` writes, by safetensors' names."""


def _narrow(count_NLE: NDArray[np.integer]) -> NDArray[Any]:
    """The smallest type that holds the counts exactly: unsigned, or int64."""
    largest = int(count_NLE.max(initial=0))
    for kind in (np.uint8, np.uint16, np.uint32):
        if largest <= np.iinfo(kind).max:
            return count_NLE.astype(kind)
    return count_NLE.astype(np.int64)
